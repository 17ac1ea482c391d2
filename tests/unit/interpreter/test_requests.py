"""From a node and a run's values to a request: what each expression sees, and where an error is said to be."""

import pytest

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import ArtifactRef, ContainerRequest, JobOutcome
from orchestrator.errors import ExpressionError
from orchestrator.interpreter.outputs import complete_outputs
from orchestrator.interpreter.requests import admit, container_request, evaluate_outputs
from orchestrator.plan.model import Resources
from tests.support.plans import job, plan, request, state

NOW = "2026-01-31T12:00:00.000Z"
GIT = {"ref": "refs/heads/main", "sha": "abc"}


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
    run.settle("build", "success", None, NOW)
    run.jobs["build"].outputs = {"image": "app:1"}
    run.jobs["build"].artifacts = (ref,)
    params = {"python": 3.11, "tier": "gold", "user": None}
    made = container_request(node, request(shape, params=params, workspace="w.tar.gz"), run, try_number=2)
    assert made == ContainerRequest(
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
    assert container_request(node, request(shape), state(shape), try_number=1).env == {"FLAGS": "-q -v"}


def test_an_error_names_its_place() -> None:
    node = job("a", env={"N": "${{ fromJSON('{') }}"})
    shape = plan(node)
    with pytest.raises(ExpressionError, match="N in `env` of job 'a': "):
        container_request(node, request(shape), state(shape), try_number=1)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"condition": "${{ git.ref == 'refs/heads/main' }}"}, None),
        ({"condition": "github.ref == 'refs/heads/main'"}, None),
        (
            {"condition": "${{ git.ref == 'refs/heads/dev' }}"},
            "skipped: `if: ${{ git.ref == 'refs/heads/dev' }}` is false (git.ref = 'refs/heads/main')",
        ),
        ({"unless": "params.fast"}, "skipped: `unless: params.fast` is true (params.fast = true)"),
        ({"unless": "${{ !params.fast }}"}, None),
        ({"condition": "success()"}, None),
        ({"condition": "failure()"}, "skipped: `if: failure()` is false"),
    ],
)
def test_a_job_s_own_conditions(fields: dict[str, str], expected: str | None) -> None:
    node = job("a", **fields)
    shape = plan(node)
    admission = admit(node, request(shape, git=GIT, params={"fast": True}), state(shape))
    assert (admission.admitted, admission.reason) == (expected is None, expected)


def test_status_functions_look_at_direct_requirements() -> None:
    node = job("b", "a", condition="${{ failure() && jobs.a.result == 'failure' }}")
    shape = plan(job("a"), node)
    run = state(shape)
    run.settle("a", "failed", "exit: …", NOW)
    assert admit(node, request(shape), run).admitted


def test_a_finalizer_sees_how_the_run_stands() -> None:
    node = job("end", finalizer=True, on_complete="always", env={"STATUS": "${{ run.status }}"})
    shape = plan(job("a"), node)
    run = state(shape)
    run.settle("a", "failed", "exit: …", NOW)
    assert container_request(node, request(shape), run, try_number=1).env == {"STATUS": "failed"}


def test_outputs_keep_their_type() -> None:
    shape = plan(job("a"))
    run = state(shape)
    run.jobs["a"].outputs = {"n": "5"}
    templates = {"n": "${{ fromJSON(jobs.a.outputs.n) }}", "text": "n is ${{ jobs.a.outputs.n }}"}
    assert evaluate_outputs(templates, request(shape), run, owner="the run") == {"n": 5, "text": "n is 5"}


def test_a_job_s_computed_outputs_read_its_own_raw_ones() -> None:
    node = job("a", outputs={"tag": "v${{ jobs.a.outputs.version }}"})
    shape = plan(node)
    done = complete_outputs(
        node, JobOutcome(status="success", outputs={"version": "2"}), request(shape), state(shape)
    )
    assert done.outputs == {"version": "2", "tag": "v2"}


def test_a_promised_output_that_is_missing_fails_the_job() -> None:
    node = job("a", required_outputs=("version", "digest"))
    shape = plan(node)
    done = complete_outputs(
        node, JobOutcome(status="success", outputs={"version": "2"}), request(shape), state(shape)
    )
    message = "it did not write the promised output 'digest'; write 'name=value' to $ORCA_OUTPUT"
    assert done == JobOutcome(status="failed", reason=FailureReason(kind=FailureKind.OUTPUT, message=message))


def test_all_outputs_of_a_run_have_a_cap() -> None:
    node = job("a")
    shape = plan(node)
    run = state(shape)
    big = JobOutcome(status="success", outputs={"x": "y" * 300_000})
    assert complete_outputs(node, big, request(shape), run).status == "success"
    over = complete_outputs(node, big, request(shape), run)
    assert over.reason is not None
    assert over.reason.kind is FailureKind.OUTPUT
    assert "exceed 512 KiB together" in over.reason.message
