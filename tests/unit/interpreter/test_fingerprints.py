"""What changes a job's fingerprint, and what does not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.contract.messages import ArtifactRef, RunRequest
from orchestrator.interpreter.fingerprints import LENGTH, fingerprint
from orchestrator.interpreter.job_state import Ending
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import Node, Plan
from orchestrator.plan.parts import Json
from tests.support.kinds import call, choice, gate, nested, wait
from tests.support.plans import job, matrix, plan, request, state

REF = ArtifactRef(path="/out", key="runs/x/1/a/try-1/artifacts/1", size=1, sha256="a" * 64)
ENV = {"P": "${{ params.p }}", "V": "${{ vars.v }}", "O": "${{ jobs.up.outputs.o }}", "G": "${{ git.sha }}"}
USUAL: dict[str, Any] = {
    "commands": ("make",), "env": ENV, "artifacts_from": ("up",), "workspace": True, "artifacts": ("/made",),
    "outputs": {"both": "${{ jobs.it.outputs.raw }}${{ params.q }}"},
}  # fmt: skip


def taken(
    node: Node,
    *,
    outputs: dict[str, Json] | None = None,
    ref: ArtifactRef = REF,
    variables: dict[str, Json] | None = None,
    attempt: int = 1,
    changed: dict[str, Any] | None = None,
    plan_fields: dict[str, Any] | None = None,
    key: str | None = None,
    **fields: Any,
) -> str:
    """The fingerprint of `node` after a job `up` that has succeeded."""
    shape = plan(job("up"), node, **(plan_fields or {}))
    run, asked = (
        begun(shape, attempt, outputs, ref, variables),
        request(
            shape,
            **{
                "params": {"p": "1", "q": "2", "r": "3"},
                "git": {"sha": "abc", "ref": "main"},
                "workspace": "workspaces/1",
                **fields,
            },
        ),
    )
    leaf = run.jobs[node.name]
    if node.variants:
        leaf = run.fan_out(leaf, node.variants).leaves[key or ""]
    for name, value in (changed or {}).items():
        setattr(leaf, name, value)
    return fingerprint(leaf, asked, run)


def begun(
    shape: Plan,
    attempt: int,
    outputs: dict[str, Json] | None,
    ref: ArtifactRef,
    variables: dict[str, Json] | None,
) -> RunState:
    run = state(shape)
    run.attempt = attempt
    run.vars = variables or {"v": "x"}
    up = run.jobs["up"]
    up.outputs, up.artifacts = outputs or {"o": "7", "other": "8"}, (ref,)
    run.settle("up", Ending("success"), "2026-01-31T12:00:01.000Z")
    return run


def it(**fields: Any) -> Node:
    return job("it", "up", **{**USUAL, **fields})


PLAIN = taken(it())


def test_it_is_short_and_the_same_every_time() -> None:
    assert len(PLAIN) == LENGTH
    assert taken(it()) == PLAIN


@pytest.mark.parametrize(
    "fields",
    [
        {"commands": ("make", "test")},
        {"image": "alpine:3"},
        {"env": {**ENV, "P": "5"}},
        {"env": {**ENV, "NEW": ""}},
        {"entrypoint": ("sh",)},
        {"working_dir": "/x"},
        {"user": "nobody"},
        {"shell": "bash"},
        {"network": "none"},
        {"network": "internal"},
        {"artifacts": ("/other",)},
        {"artifacts_from": ()},
        {"workspace": False},
        {"outputs": {"both": "${{ jobs.it.outputs.raw }}"}},
        {"required_outputs": ("raw",)},
        {"services": ({"name": "db", "image": "postgres:15"},)},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_it_runs_counts(fields: dict[str, Any]) -> None:
    assert taken(it(**fields)) not in (PLAIN, "")


@pytest.mark.parametrize(
    "fields",
    [
        {"retry": {"max_attempts": 5, "delay": 3}},
        {"timeout": 5.0},
        {"stop_grace": 1.0},
        {"resources": {"cpus": 2.0}},
        {"pull": "always"},
        {"titles": ("make it",)},
        {"title": "Make"},
        {"on_error": "continue"},
        {"publish": {"v": "${{ jobs.it.outputs.raw }}"}},
        {"condition": "params.p == '1'"},
        {"requires": ({"job": "up", "condition": "always"},)},
        # What counts is what comes of it.
        {"env": {**ENV, "P": "1"}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_how_and_when_it_runs_does_not(fields: dict[str, Any]) -> None:
    assert taken(it(**fields)) == PLAIN


@pytest.mark.parametrize(
    ("given_", "same"),
    [
        ({"params": {"p": "9", "q": "2", "r": "3"}}, False),
        ({"params": {"p": "1", "q": "9", "r": "3"}}, False),
        ({"params": {"p": "1", "q": "2", "r": "9"}}, True),
        ({"git": {"sha": "def", "ref": "main"}}, False),
        ({"git": {"sha": "abc", "ref": "other"}}, True),
        ({"workspace": "workspaces/2"}, False),
        # Nothing but the spec itself is another.
        ({"workspace_mark": "m"}, False),
        ({"outputs": {"o": "8", "other": "8"}}, False),
        ({"outputs": {"o": "7", "other": "9"}}, True),
        ({"variables": {"v": "y"}}, False),
        ({"variables": {"v": "x", "w": "y"}}, True),
        ({"ref": REF.model_copy(update={"sha256": "b" * 64})}, False),
        ({"ref": REF.model_copy(update={"key": "runs/x/2/a/try-1/artifacts/1"})}, True),
        ({"attempt": 7}, True),
        ({"created_at": "2026-02-01T00:00:00.000Z", "run_id": "test-other"}, True),
        ({"plan_fields": {"env": {"ALL": "x"}}}, True),
        ({"plan_fields": {"timeout": 5.0, "max_parallel": 1, "labels": {"a": "b"}}}, True),
        ({"changed": {"outputs": {"raw": "of an earlier try"}, "addresses": {"db": {"port": 1}}}}, True),
    ],
)
def test_values_count_where_they_are_read(given_: dict[str, Any], same: bool) -> None:
    assert (taken(it(), **given_) == PLAIN) is same


def test_what_belongs_to_one_attempt_alone_does_not_count() -> None:
    node = it(env={"A": "${{ run.attempt }} ${{ run.try }} ${{ run.started_at }} ${{ run.status }}"})
    assert taken(node, attempt=1) == taken(node, attempt=2) != PLAIN


def test_a_value_that_is_not_there_before_it_runs_makes_it_match_nothing() -> None:
    assert taken(it(env={"A": "${{ fromJSON(services.db.port) }}"})) == ""


def test_each_variant_has_its_own() -> None:
    node = matrix("it", {"n": [1, 2]}, "up", env={"N": "${{ matrix.n }}"})
    wider = matrix("it", {"n": [2, 3]}, "up", env={"N": "${{ matrix.n }}"})
    assert taken(node, key="it (1)") != taken(node, key="it (2)")
    # The others do not count.
    assert taken(node, key="it (2)") == taken(wider, key="it (2)")


def test_a_function_counts_all_that_it_is_given() -> None:
    node = call("it", "tools:make", "up", given={"x": "${{ params.p }}"})
    usual = taken(node)
    assert usual == taken(node.model_copy(update={"timeout": 1.0}))
    others = (
        taken(call("it", "tools:other", "up", given={"x": "${{ params.p }}"})),
        taken(node, params={"p": "1", "q": "2", "r": "9"}),
        taken(node, outputs={"o": "7", "other": "9"}),
        taken(node, variables={"v": "x", "w": 1}),
    )
    assert usual not in others


def test_a_timer_counts_its_time_and_a_nested_workflow_its_plan_and_params() -> None:
    assert taken(wait("it", "up", duration=5)) != taken(wait("it", "up", duration=6))
    inner = plan(job("a"), params=({"name": "x", "default": 1, "has_default": True},))
    other = plan(job("a", commands=("true",)), params=inner.params)
    node = nested("it", "p", "up", given={"x": "${{ params.p }}"})
    usual = taken(node, plan_fields={"workflows": {"p": inner}})
    assert usual == taken(node, plan_fields={"workflows": {"p": inner, "unused": other}})
    assert usual != taken(node, plan_fields={"workflows": {"p": other}})
    assert usual != taken(node, params={"p": "5"}, plan_fields={"workflows": {"p": inner}})


def test_gates_and_choices_have_none() -> None:
    assert taken(gate("it", "up")) == ""
    assert taken(choice("it", (None, "up"), requires=("up",))) == ""


TEXTS = st.text(max_size=20).filter(lambda text: "${{" not in text)


@given(
    one=st.dictionaries(st.sampled_from("ABCD"), TEXTS), other=st.dictionaries(st.sampled_from("ABCD"), TEXTS)
)
def test_two_environments_have_the_same_fingerprint_only_where_they_are_the_same(
    one: dict[str, str], other: dict[str, str]
) -> None:
    # The order in which a spec names them is none of the container's business.
    turned = dict(reversed(one.items()))
    assert taken(it(env=one)) == taken(it(env=turned))
    assert (taken(it(env=one)) == taken(it(env=other))) is (one == other)


@given(parts=st.lists(TEXTS, min_size=1, max_size=4), cut=st.integers(0, 3))
def test_where_one_command_ends_and_the_next_begins_counts(parts: list[str], cut: int) -> None:
    whole = taken(it(commands=tuple(parts)))
    joined = (*parts[:cut], "".join(parts[cut:])) if cut < len(parts) else tuple(parts)
    assert (taken(it(commands=joined)) == whole) is (joined == tuple(parts))


def test_nothing_of_the_run_is_changed_by_asking() -> None:
    shape = plan(job("up"), it())
    run, asked = state(shape), request(shape, params={"p": "1", "q": "2"})
    before: tuple[RunState, RunRequest] = (replace(run), asked)
    record = run.record()
    fingerprint(run.jobs["it"], asked, run)
    assert run.record() == record
    assert (run.attempt, run.created_at) == (before[0].attempt, before[0].created_at)


def test_of_the_workspace_counts_what_is_beside_the_specs() -> None:
    marked = taken(it(), workspace_mark="m")
    assert marked == taken(it(), workspace="workspaces/2", workspace_mark="m")
    assert marked != taken(it(), workspace_mark="n")
    assert taken(it(workspace=False)) == taken(it(workspace=False), workspace_mark="m")
