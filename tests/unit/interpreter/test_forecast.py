"""What is told of a resumed run before it begins, and why."""

from typing import Any

import pytest

from orchestrator.contract.messages import Earlier, Reuse
from orchestrator.errors import UsageError
from orchestrator.interpreter.fingerprints import fingerprint
from orchestrator.interpreter.forecast import counts, forecast
from orchestrator.interpreter.job_state import Ending
from orchestrator.plan.model import Node, Param, Plan
from orchestrator.plan.parts import Requirement
from tests.support.kinds import choice, gate, nested, wait, ways
from tests.support.plans import for_each, job, matrix, plan, request, state

NOW = "2026-01-31T12:00:00.000Z"


def left(shape: Plan, **ends: str) -> Reuse:
    """What a first attempt left in which all jobs succeeded but those that `ends` names."""
    run, asked = state(shape), request(shape)
    run.vars = dict(shape.vars)
    jobs: dict[str, Earlier] = {}
    for name, found in run.jobs.items():
        status: Any = ends.get(name, "success")
        if found.node.variants:
            fan = run.fan_out(found, found.node.variants)
            variants = {
                key: Earlier(
                    status=ends.get(key, "success"),  # pyright: ignore[reportArgumentType]
                    attempt=1,
                    fingerprint=fingerprint(leaf, asked, run),
                )
                for key, leaf in fan.leaves.items()
            }
            for leaf in fan.listed:
                leaf.settle(Ending("success"), NOW)
            jobs[name] = Earlier(status=status, attempt=1, variants=variants)
        else:
            jobs[name] = Earlier(status=status, attempt=1, fingerprint=fingerprint(found, asked, run))
        run.settle(name, Ending(status), NOW)
    return Reuse(attempt=1, jobs=jobs)


def told(
    shape: Plan,
    reuse: Reuse,
    *,
    before: Plan | None = None,
    wish: dict[str, Any] | None = None,
    **fields: Any,
) -> dict[str, tuple[str, str]]:
    asked = request(shape, attempt=2, reuse=reuse.model_copy(update=wish or {}), **fields)
    return {one.name: (one.action, one.why) for one in forecast(asked, before or shape)}


def test_what_changed_is_named_by_its_keys() -> None:
    def made(**fields: Any) -> Plan:
        return plan(
            job("a", **{"commands": ("make",), "env": {"P": "${{ params.p }}"}, **fields}), job("b", "a")
        )

    shape, reuse = made(), left(made())
    unchanged = {"a": ("reuse", "unchanged"), "b": ("reuse", "unchanged")}
    assert told(shape, reuse) == unchanged
    assert told(made(retry={"max_attempts": 5}, timeout=1.0), reuse, before=shape) == unchanged
    after = ("run", "after 'a'")
    for fields, why in (
        ({"commands": ("make", "test")}, "its `commands` changed"),
        ({"image": "busybox", "shell": "ash"}, "its `image`, `shell` changed"),
        ({"outputs": {"x": "1"}}, "its `outputs` changed"),
    ):
        assert told(made(**fields), reuse, before=shape) == {"a": ("run", why), "b": after}
    assert told(shape, reuse, params={"p": "2"}) == {
        "a": ("run", "values or files that it reads changed"),
        "b": after,
    }


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("failed", "it failed before"),
        ("cancelled", "it was cancelled before"),
        ("omitted", "it was left out before"),
        ("held", "it was held when the run ended"),
        ("running", "it had not ended when the run was ended"),
        ("pending", "it had not run"),
    ],
)
def test_what_did_not_succeed_runs(status: str, why: str) -> None:
    shape = plan(job("a"), job("b"))
    assert told(shape, left(shape, a=status)) == {"a": ("run", why), "b": ("reuse", "unchanged")}


def test_new_jobs_and_those_without_a_fingerprint_run() -> None:
    shape = plan(job("a"), job("b"))
    reuse = left(shape)
    assert told(plan(job("a"), job("b"), job("c", "b")), reuse)["c"] == ("run", "it is new")
    reuse.jobs["a"] = reuse.jobs["a"].model_copy(update={"fingerprint": ""})
    assert told(shape, reuse)["a"] == ("run", "the earlier attempt did not keep what it ran with")
    # A requirement that is new is upstream too.
    assert told(plan(job("c"), job("b", "c")), left(shape))["b"] == ("run", "after 'c'")


def test_a_job_that_ran_before_its_upstream_did_is_out_of_date() -> None:
    """`a` ran in the second attempt, and `b` last in the first: nobody knows what it would make of the new `a`."""
    shape = plan(job("a"), job("b", "a"))
    reuse = left(shape)
    reuse.jobs["a"] = reuse.jobs["a"].model_copy(update={"attempt": 2})
    assert told(shape, reuse) == {"a": ("reuse", "unchanged"), "b": ("run", "after 'a'")}


def test_variants_are_told_one_by_one_where_they_are_known() -> None:
    shape = plan(
        matrix("m", {"n": [1, 2]}, env={"N": "${{ matrix.n }}"}),
        for_each("l", ["x"], "m"),
        job("after", "l"),
    )
    assert told(shape, left(shape, m="failed", **{"m (2)": "failed"})) == {
        "m (1)": ("reuse", "unchanged"),
        "m (2)": ("run", "it failed before"),
        "l (x)": ("run", "after 'm'"),
        "after": ("run", "after 'l'"),
    }
    wider = plan(matrix("m", {"n": [1, 2, 3]}, env={"N": "${{ matrix.n }}"}), *list(shape.jobs.values())[1:])
    assert told(wider, left(shape))["m (3)"] == ("run", "it is new")
    narrower = plan(matrix("m", {"n": [1]}, env={"N": "${{ matrix.n }}"}), *list(shape.jobs.values())[1:])
    # All that is left of it is reused, and yet it is another list of results.
    assert told(narrower, left(shape))["l (x)"] == ("run", "after 'm'")


def test_what_cannot_be_known_is_said_to_be_open() -> None:
    shape = plan(
        job("a"),
        job("heal", Requirement(job="a", condition="failure")),
        job("also", "a", condition="params.p == '1'"),
        job("way", triggers=ways("a success")),
        job("order", Requirement(job="a", condition="always")),
        job("alert", finalizer=True, on_complete="failure"),
        job("end", finalizer=True, on_complete="always"),
        gate("ask", "a"),
    )
    found = told(shape, left(shape, a="failed", heal="success"))
    assert {name: action for name, (action, _) in found.items()} == {
        "a": "run", "heal": "open", "also": "open", "way": "open", "order": "run", "alert": "open", "end": "run",
        "ask": "ask",
    }  # fmt: skip


def test_conditions_choices_and_timers_are_walked_as_far_as_is_known() -> None:
    shape = plan(
        wait("pause", duration=600),
        choice("route", ("params.to == 'l'", "left"), (None, "right"), requires=("pause",)),
        job("left", triggers=ways("route chosen")),
        job("right", triggers=ways("route chosen")),
        job("join", "left", "right"),
        job("never", condition="params.to == 'n'"),
        params=(Param(name="to", default="l", has_default=True),),
    )
    reuse = left(shape, right="skipped", never="skipped")
    reuse.jobs["route"] = Earlier(
        status="success", attempt=1, outputs={"branch": 1, "default": False, "chosen": ["left"]}
    )
    found = told(shape, reuse, params={"to": "l"})
    assert {name: action for name, (action, _) in found.items()} == {
        "pause": "reuse", "route": "run", "left": "reuse", "right": "skip", "join": "reuse", "never": "skip",
    }  # fmt: skip
    # The other branch: what was reached by the first is off the path now, and what joins them has to run again.
    found = told(shape, reuse, params={"to": "r"})
    assert {name: action for name, (action, _) in found.items()} == {
        "pause": "reuse", "route": "run", "left": "skip", "right": "run", "join": "run", "never": "skip",
    }  # fmt: skip


def test_variables_that_reused_jobs_set_are_what_later_ones_read() -> None:
    def made(value: str) -> Plan:
        return plan(
            job("a", publish={"v": value}),
            job("b", "a", env={"V": "${{ vars.v }}"}),
            vars={"v": "1"},
        )

    reuse = left(made("1"))
    assert told(made("1"), reuse)["b"] == ("reuse", "unchanged")
    assert told(made("2"), reuse, before=made("1"))["b"] == ("run", "values or files that it reads changed")


def test_what_may_have_done_its_work_and_must_not_do_it_twice_is_held() -> None:
    def made(**fields: Any) -> Plan:
        return plan(
            job("a", **fields),
            job("b", "a", **fields),
            job("c", condition="params.p == '1'", **fields),
            job("end", finalizer=True, on_complete="always", **fields),
        )

    shape = made(idempotent=False)
    reuse = left(shape, a="held", b="running", c="cancelled", end="running")
    for name, found in reuse.jobs.items():
        reuse.jobs[name] = found.model_copy(update={"in_doubt": True})
    held = ("hold", "it may have done its work (`idempotent: false`)")
    assert told(shape, reuse, params={"p": "1"}) == {
        "a": held, "b": held, "c": held, "end": ("run", "it runs at the end of each attempt"),
    }  # fmt: skip
    assert told(shape, reuse, wish={"again": ("a",)})["a"] == ("run", "it is to run again")
    # Who has looked can say so in the spec.
    assert told(made(), reuse, before=shape)["a"] == ("run", "it was held when the run ended")


def test_only_failed_and_what_is_named() -> None:
    shape = plan(job("a"), job("b", "a"), job("c", "b"), nested("n", "p"), workflows={"p": plan(job("x"))})
    reuse = left(shape, a="failed")
    # Where `a` fails again they are left out.
    assert told(shape, reuse, wish={"only_failed": True}) == {
        "a": ("run", "it failed before"),
        "b": ("open", "it is reused where 'a' lets it start"),
        "c": ("open", "it is reused where 'b' lets it start"),
        "n": ("reuse", "it succeeded, and with --only-failed no success runs again"),
    }
    both = told(shape, reuse, wish={"only_failed": True, "again": ("b",)})
    assert (both["b"][0], both["c"][0]) == ("run", "open")
    anyway = plan(job("a"), job("b", Requirement(job="a", condition="always")))
    found = told(anyway, left(anyway, a="failed"), wish={"only_failed": True})
    assert found["b"] == ("reuse", "it succeeded, and with --only-failed no success runs again")
    assert told(shape, left(shape), wish={"again": ("b",)}) == {
        "a": ("reuse", "unchanged"),
        "b": ("run", "it is to run again"),
        "c": ("run", "after 'b'"),
        "n": ("reuse", "unchanged"),
    }


def test_an_image_that_is_another_one_now_is_named() -> None:
    shape = plan(job("a"), job("b", "a"), matrix("m", {"n": [1, 2]}, env={"N": "${{ matrix.n }}"}))
    reuse = left(shape)
    other: dict[str, Any] = {"replaced": ("alpine:latest",)}
    jobs, variants = reuse.jobs, reuse.jobs["m"].variants
    jobs["a"] = jobs["a"].model_copy(update=other)
    jobs["m"] = jobs["m"].model_copy(
        update={"variants": {**variants, "m (2)": variants["m (2)"].model_copy(update=other)}}
    )
    assert told(shape, reuse) == {
        "a": ("run", "image alpine:latest is another one now"),
        "b": ("run", "after 'a'"),
        "m (1)": ("reuse", "unchanged"),
        "m (2)": ("run", "image alpine:latest is another one now"),
    }


def test_variables_that_cannot_be_set_are_no_plan() -> None:
    shape: Plan = plan(job("a"), vars={"v": "${{ fromJSON(params.p) }}"})
    with pytest.raises(UsageError, match="the run's variables could not be set"):
        told(shape, Reuse(attempt=1), params={"p": "{"})


def test_counting() -> None:
    nodes: list[Node] = [job("a"), job("b", "a"), gate("g")]
    shape = plan(*nodes)
    found = forecast(request(shape, attempt=2, reuse=left(shape, b="failed")), shape)
    assert counts(found) == {"reuse": 1, "run": 1, "ask": 1}
