"""From a node and a run's values to a request: what each expression sees, and where an error is said to be."""

import json

import pytest

from orchestrator.compile import compile_text
from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import ArtifactRef, ContainerRequest, JobOutcome
from orchestrator.errors import ExpressionError
from orchestrator.interpreter.job_state import Ending
from orchestrator.interpreter.outputs import complete_outputs
from orchestrator.interpreter.requests import admit, container_request, evaluate_outputs, seen
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import ContainerNode, Plan
from orchestrator.plan.parts import Resources
from tests.support.plans import job, plan, request, state

SMALL = JobOutcome(status="success", outputs={"x": "y"})
NOW = "2026-01-31T12:00:00.000Z"
GIT = {"ref": "refs/heads/main", "sha": "abc"}


def made(node: ContainerNode, shape: Plan, run: RunState | None = None) -> ContainerRequest:
    """The request of a job's first try."""
    run = run or state(shape)
    return container_request(node, run.jobs[node.name], request(shape), run, try_number=1)


def completed(shape: Plan, outcome: JobOutcome) -> JobOutcome:
    """What becomes of an outcome of job `a` in a run that has just begun."""
    run = state(shape)
    return complete_outputs(run.jobs["a"], outcome, request(shape), run)


def test_a_request_has_every_value_of_the_run() -> None:
    ref = ArtifactRef(path="/out", key="runs/x/out.tar", size=10, sha256="0" * 64)
    node = job(
        "deploy",
        "build",
        image="python:${{ params.python }}-slim",
        commands=("./deploy.sh", 'echo "${ORCA_VALUE_1}"'),
        env={
            "TIER": "${{ params.tier }}",
            "IMAGE": "${{ env.TIER }}/${{ jobs.build.outputs.image }}",
            "N": "${{ 3 }}",
        },
        artifacts=("/logs/${{ run.id }}.txt",),
        artifacts_from=("build",),
        workspace=True,
        user="${{ params.user }}",
        resources=Resources(memory=1024),
        timeout=60,
    )
    shape = plan(job("build"), node, env={"TIER": "${{ params.tier }}"})
    run = state(shape)
    run.settle("build", Ending("success"), NOW)
    run.jobs["build"].outputs = {"image": "app:1"}
    run.jobs["build"].artifacts = (ref,)
    params = {"python": 3.11, "tier": "gold", "user": None}
    wanted = request(shape, params=params, workspace="w.tar.gz")
    first = container_request(node, run.jobs["deploy"], wanted, run, try_number=2)
    assert first == ContainerRequest(
        run_id="test-abcd2345",
        attempt=1,
        job="deploy",
        try_number=2,
        plan_digest="d" * 64,
        image="python:3.11-slim",
        commands=("./deploy.sh", 'echo "${ORCA_VALUE_1}"'),
        env={"TIER": "gold", "IMAGE": "gold/app:1", "N": "3"},
        user="",
        resources=Resources(memory=1024),
        timeout=60,
        stop_grace=10,
        workspace="w.tar.gz",
        artifacts=("/logs/test-abcd2345.txt",),
        restore=(ref,),
    )


def test_a_job_env_may_extend_the_run_s_own_value() -> None:
    node = job("a", env={"FLAGS": "${{ env.FLAGS }} -v"})
    shape = plan(node, env={"FLAGS": "-q"})
    assert made(node, shape).env == {"FLAGS": "-q -v"}


def test_an_error_names_its_place() -> None:
    node = job("a", env={"N": "${{ fromJSON('{') }}"})
    shape = plan(node)
    with pytest.raises(ExpressionError, match="N in `env` of job 'a': "):
        made(node, shape)


def test_an_error_in_a_value_of_a_command_names_the_command() -> None:
    source = """\
name: test
params: {text: {default: "{"}}
jobs:
  a:
    image: alpine:latest
    commands:
      - echo ${{ params.text }}
      - 'printf %s "`echo ${{ fromJSON(params.text) }}`"'
"""
    shape = compile_text(source, "spec.yaml").plan
    run = state(shape)
    node = shape.jobs["a"]
    assert isinstance(node, ContainerNode)
    wanted = request(shape, params={"text": "{"})
    with pytest.raises(ExpressionError, match=r"^command 2 of job 'a': Error parsing fromJSON"):
        container_request(node, run.jobs["a"], wanted, run, try_number=1)


@pytest.mark.parametrize(
    ("fields", "admitted", "reason"),
    [
        ({}, True, None),
        (
            {"condition": "${{ git.ref == 'refs/heads/main' }}"},
            True,
            "`if: ${{ git.ref == 'refs/heads/main' }}` is true (git.ref = 'refs/heads/main')",
        ),
        (
            {"condition": "github.ref == 'refs/heads/main'", "unless": "params.slow"},
            True,
            "`if: github.ref == 'refs/heads/main'` is true (github.ref = 'refs/heads/main'); "
            "`unless: params.slow` is false (params.slow = null)",
        ),
        (
            {"condition": "${{ git.ref == 'refs/heads/dev' }}"},
            False,
            "skipped: `if: ${{ git.ref == 'refs/heads/dev' }}` is false (git.ref = 'refs/heads/main')",
        ),
        ({"unless": "params.fast"}, False, "skipped: `unless: params.fast` is true (params.fast = true)"),
        (
            {"unless": "${{ !params.fast }}"},
            True,
            "`unless: ${{ !params.fast }}` is false (params.fast = true)",
        ),
        ({"condition": "success()"}, True, "`if: success()` is true"),
        ({"condition": "failure()"}, False, "skipped: `if: failure()` is false"),
    ],
)
def test_a_job_s_own_conditions(fields: dict[str, str], admitted: bool, reason: str | None) -> None:
    node = job("a", **fields)
    shape = plan(node)
    admission = admit(node, request(shape, git=GIT, params={"fast": True}), state(shape))
    assert (admission.admitted, admission.reason) == (admitted, reason)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (1.5, "1.5"),
        ("", "''"),
        ("x" * 200, f"'{'x' * 116}..."),
        ([], "[]"),
        ([1, "a", None], "[1, 'a', null]"),
        (list(range(1000)), "[0, 1, 2 and 997 more]"),
        ({"a": {"b": {"c": 1}}, "d": [[1]]}, "{a: {b: {…}}, d: [[…]]}"),
    ],
)
def test_what_a_condition_saw_is_told_in_a_few_words(value: object, expected: str) -> None:
    assert seen([("params.x", value)]) == f" (params.x = {expected})"


def test_status_functions_look_at_direct_requirements() -> None:
    node = job("b", "a", condition="${{ failure() && jobs.a.result == 'failure' }}")
    shape = plan(job("a"), node)
    run = state(shape)
    run.settle("a", Ending("failed", "exit: …"), NOW)
    assert admit(node, request(shape), run).admitted


def test_a_finalizer_sees_how_the_run_stands() -> None:
    node = job("end", finalizer=True, on_complete="always", env={"STATUS": "${{ run.status }}"})
    shape = plan(job("a"), node)
    run = state(shape)
    run.settle("a", Ending("failed", "exit: …"), NOW)
    assert made(node, shape, run).env == {"STATUS": "failed"}


def test_outputs_keep_their_type() -> None:
    shape = plan(job("a"))
    run = state(shape)
    run.jobs["a"].outputs = {"n": "5"}
    templates = {"n": "${{ fromJSON(jobs.a.outputs.n) }}", "text": "n is ${{ jobs.a.outputs.n }}"}
    assert evaluate_outputs(templates, request(shape), run, owner="the run") == {"n": 5, "text": "n is 5"}


def test_a_job_s_computed_outputs_read_its_own_raw_ones() -> None:
    node = job("a", outputs={"tag": "v${{ jobs.a.outputs.version }}"})
    shape = plan(node)
    done = completed(shape, JobOutcome(status="success", outputs={"version": "2"}))
    assert done.outputs == {"version": "2", "tag": "v2"}


def test_a_promised_output_that_is_missing_fails_the_job() -> None:
    node = job("a", required_outputs=("version", "digest"))
    shape = plan(node)
    done = completed(shape, JobOutcome(status="success", outputs={"version": "2"}))
    message = "it did not write the promised output 'digest'; write 'name=value' to $ORCA_OUTPUT"
    assert done == JobOutcome(status="failed", reason=FailureReason(kind=FailureKind.OUTPUT, message=message))


def test_all_outputs_of_a_run_have_a_cap() -> None:
    shape = plan(job("a"), job("b"))
    run = state(shape)
    a, b = run.jobs.values()
    big = JobOutcome(status="success", outputs={"x": "y" * 300_000})
    assert complete_outputs(a, big, request(shape), run).status == "success"
    # Another try of the same job takes the place of the first.
    assert complete_outputs(a, big, request(shape), run).status == "success"
    over = complete_outputs(b, big, request(shape), run)
    assert over.reason is not None
    assert (over.status, over.reason.kind, over.outputs) == ("failed", FailureKind.OUTPUT, {})
    assert "exceed 512 KiB together" in over.reason.message
    assert complete_outputs(b, SMALL, request(shape), run).outputs == SMALL.outputs


def test_a_failure_loses_what_there_is_no_room_for() -> None:
    shape = plan(job("a"), job("b"))
    run = state(shape)
    a, b = run.jobs.values()
    reason = FailureReason(kind=FailureKind.EXIT, message="…")
    bad = JobOutcome(status="failed", reason=reason, outputs={"x": "y" * 300_000})
    assert complete_outputs(a, bad, request(shape), run) == bad
    over = complete_outputs(b, bad, request(shape), run)
    assert (over.status, over.reason, over.outputs) == ("failed", reason, {})
    assert over.warnings == (
        "outputs were left out: the outputs of this run exceed 512 KiB together; pass large data as artifacts",
    )


def test_more_artifacts_than_a_record_can_tell_fail_the_job() -> None:
    shape = plan(job("a"))
    refs = tuple(ArtifactRef(path=f"/{n}", key="k" * 100, size=1, sha256="0" * 64) for n in range(2000))
    over = completed(shape, JobOutcome(status="success", artifacts=refs))
    assert str(over.reason) == (
        "artifact: the artifacts of this run are more than its record can hold; collect folders and not single files"
    )


def test_outputs_are_plain_values() -> None:
    shape = plan(job("a"))
    run = state(shape)
    run.jobs["a"].outputs = {"n": "5"}
    found = evaluate_outputs({"all": "${{ jobs }}"}, request(shape), run, owner="the run")
    assert json.loads(json.dumps(found))["all"]["a"]["outputs"] == {"n": "5"}
