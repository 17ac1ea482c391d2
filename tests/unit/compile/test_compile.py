"""Spec to plan: what each key becomes, and the rules that golden cases do not show."""

import pytest

from orchestrator.compile import compile_text
from orchestrator.errors import SpecError
from orchestrator.plan.model import ContainerNode, Param, Plan
from orchestrator.plan.parts import Requirement, Resources, RetryPolicy
from tests.support.nodes import container


def plan_of(text: str) -> Plan:
    return compile_text(text, "t.yaml").plan


def jobs_of(jobs: str) -> dict[str, ContainerNode]:
    lines = "".join(f"  {line}\n" for line in jobs.strip().splitlines())
    plan = plan_of(f"name: n\ndefaults: {{image: i}}\njobs:\n{lines}")
    return {name: container(plan, name) for name in plan.jobs}


def errors_of(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        compile_text(text, "t.yaml")
    return [str(item).removeprefix("t.yaml:") for item in caught.value.diagnostics]


def test_a_whole_plan() -> None:
    plan = plan_of("""
name: whole
description: d
version: "2"
labels: {team: x}
params: {tag: {default: "1", pattern: "^[0-9]+$"}}
env: {A: top, B: top, C: top}
workspace: ./w
timeout: 1h
max_parallel: 3
cleanup_policy: keep_on_failure
defaults: {timeout: 5m, env: {B: defaults, C: defaults}, resources: {memory: 64m, pids: 5}, on_error: continue}
jobs:
  build:
    image: python:${{ params.tag }}
    commands: ["echo ${{ env.A }} ${{ params.tag }} '${{ params.tag }}'"]
    env: {C: job}
    outputs: [digest]
    artifacts: [/out]
    resources: {cpus: 2, pids: 9}
    stop_grace: 3
  use:
    image: alpine
    requires: [build]
    if: |
      ${{ jobs.build.outputs.digest != '' }}
    on_error: stop
    retry: {max_attempts: 4, delay: 2, backoff: exponential, on: [exit], exit_codes: [7]}
    outputs: {x: "${{ jobs.use.outputs.raw }}"}
    entrypoint: [/bin/env, "${{ params.tag }}"]
outputs: {digest: "${{ jobs.build.outputs.digest }}"}
""")
    build = ContainerNode(
        name="build",
        image="python:${{ params.tag }}",
        commands=("""echo top "${ORCA_VALUE_1}" ''"${ORCA_VALUE_1}"''""",),
        titles=("echo ${{ env.A }} ${{ params.tag }} '${{ params.tag }}'",),
        env={"A": "top", "B": "defaults", "C": "job", "ORCA_VALUE_1": "${{ params.tag }}"},
        required_outputs=("digest",),
        artifacts=("/out",),
        workspace=True,
        timeout=300.0,
        on_error="continue",
        resources=Resources(cpus=2.0, memory=64 * 2**20, pids=9),
        stop_grace=3.0,
    )
    use = ContainerNode(
        name="use",
        requires=(Requirement(job="build"),),
        condition="${{ jobs.build.outputs.digest != '' }}",
        image="alpine",
        env={"A": "top", "B": "defaults", "C": "defaults"},
        artifacts_from=("build",),
        workspace=True,
        timeout=300.0,
        retry=RetryPolicy(max_attempts=4, delay=2.0, backoff="exponential", on=("exit",), exit_codes=(7,)),
        outputs={"x": "${{ jobs.use.outputs.raw }}"},
        entrypoint=("/bin/env", "${{ params.tag }}"),
        resources=Resources(memory=64 * 2**20, pids=5),
    )
    assert plan == Plan(
        spec="whole",
        description="d",
        spec_version="2",
        labels={"team": "x"},
        params=(Param(name="tag", default="1", has_default=True, pattern="^[0-9]+$"),),
        env={"A": "top", "B": "top", "C": "top"},
        workspace="./w",
        timeout=3600.0,
        max_parallel=3,
        cleanup_policy="keep_on_failure",
        jobs={"build": build, "use": use},
        outputs={"digest": "${{ jobs.build.outputs.digest }}"},
        order=("build", "use"),
        levels=(("build",), ("use",)),
        critical_path=("build", "use"),
        estimated_events=8 + 2 * 6 + 2,
    )


@pytest.mark.parametrize(
    ("job", "condition"),
    [
        ("requires: [a]", "success"),
        ("requires: [{job: a}]", "success"),
        ("requires: [{job: a, condition: skipped}]", "skipped"),
        ("after: [a]", "always"),
        ("requires: [a], after: [a]", "success"),
        ("requires: [a, a]", "success"),
        ("requires: [a], if: always()", "always"),
        ("requires: [a], if: '${{ !CANCELLED() && params.p }}'", "always"),
        ("requires: [a], unless: success()", "always"),
        ("requires: [a], if: params.p", "success"),
        ("requires: [{job: a, condition: success}], if: failure()", "success"),
        ("requires: [a], on_complete: always", "always"),
        ("requires: [a], on_complete: failure", "always"),
        ("requires: [a], on_complete: success", "success"),
        ("parallel_with: [c]", "always"),
        ("requires: [a], parallel_with: [c]", "success"),
    ],
)
def test_the_condition_of_an_edge(job: str, condition: str) -> None:
    plan = plan_of(
        "name: n\nparams: {p: {}}\njobs:\n  a: {image: i, unless: params.p}\n  c: {image: i, after: [a]}\n"
        f"  b: {{image: i, {job}}}\n"
    )
    assert [edge.model_dump() for edge in plan.jobs["b"].requires] == [{"job": "a", "condition": condition}]


def test_finalizers_come_last_and_take_with_them_what_waits_for_them() -> None:
    jobs = jobs_of("""
report: {on_complete: always, after: [test]}
mail: {requires: [report]}
test: {requires: [build]}
build: {}
log: {requires: [build], on_complete: always}
last: {on_complete: failure, after: [report]}
""")
    assert {
        name: (node.finalizer, node.on_complete, [edge.job for edge in node.requires]) for name, node in jobs.items()
    } == {
        "report": (True, "always", []),
        "mail": (True, "success", ["report"]),
        "test": (False, "success", ["build"]),
        "build": (False, "success", []),
        "log": (False, "always", ["build"]),
        "last": (True, "failure", ["report"]),
    }  # fmt: skip


def test_artifacts_come_from_what_is_required_in_topological_order() -> None:
    jobs = jobs_of("""
end: {requires: [late, early], artifacts_from: [first], after: [other]}
beside: {parallel_with: [end]}
late: {requires: [early]}
early: {requires: [first]}
first: {}
other: {}
report: {on_complete: always, artifacts_from: [late, other]}
""")
    assert {name: jobs[name].artifacts_from for name in ("end", "beside", "report")} == {
        "end": ("first", "early", "late"),
        "beside": ("early", "late"),
        "report": ("late", "other"),
    }


def test_finalizers_may_read_all_normal_jobs_and_outputs_all() -> None:
    compiled = compile_text(
        "name: n\njobs:\n  a: {image: i}\n  b: {image: i}\n"
        "  f: {image: i, on_complete: always, env: {X: '${{ jobs.A.status }} ${{ needs.b.result }}'}}\n"
        "  g: {image: i, requires: [f], env: {X: \"${{ jobs['a'].status }} ${{ jobs.*.status }}\"}}\n"
        "outputs: {f: '${{ jobs.f.status }}'}\n",
        "t.yaml",
    )
    assert compiled.diagnostics == ()


def test_a_finalizer_cannot_read_one_that_it_does_not_wait_for() -> None:
    assert errors_of(
        "name: n\njobs:\n  f: {image: i, on_complete: always}\n"
        "  g: {image: i, on_complete: always, env: {X: '${{ jobs.f.status }}'}}\n"
    ) == [
        "4:52: error[E203]: job 'g' reads job 'f', but does not wait for it; add 'f' to its 'requires' or 'after'"
    ]


def test_warnings_do_not_stop_a_plan() -> None:
    compiled = compile_text(
        "name: n\nenv: {ORCA_X: 1, LEVEL: 2}\njobs:\n  a: {image: i, if: env.LEVL, outputs: [one]}\n"
        "  b: {image: i, requires: [a], unless: 1 < 2, env: {X: '${{ jobs.a.outputs.on }}'}}\n",
        "t.yaml",
    )
    assert [str(item) for item in compiled.diagnostics] == [
        "t.yaml:2:7: warning[W103]: 'ORCA_X' may be replaced: names that begin with 'ORCA_' are set by orca itself",
        "t.yaml:4:21: warning[W101]: env 'LEVL' is not set for 'if' of job 'a'; did you mean 'LEVEL'?",
        "t.yaml:5:40: warning[W102]: the condition of job 'b' is constant: the job will always be skipped",
        "t.yaml:5:61: warning[W104]: job 'a' does not list 'on' among its 'outputs'; did you mean 'one'?",
    ]


def test_a_cycle_names_every_job_in_order_once() -> None:
    names = [f"j{number}" for number in range(300)]
    jobs = "".join(
        f"  {name}: {{image: i, requires: [{names[number - 1]}]}}\n" for number, name in enumerate(names)
    )
    way = " -> ".join(f"'{name}'" for name in ["j0", *reversed(names)])
    assert errors_of(f"name: n\njobs:\n{jobs}  x: {{image: i, requires: [j5]}}\n") == [
        f"3:29: error[E105]: jobs wait for each other in a cycle: {way} (each waits for the next); "
        "remove one of these steps"
    ]


def test_two_cycles_are_both_named() -> None:
    found = errors_of(
        "name: n\njobs:\n  a: {image: i, requires: [b]}\n  b: {image: i, after: [a, c]}\n  c: {image: i, after: [b]}\n"
        "  d: {image: i, after: [e]}\n  e: {image: i, parallel_with: [f]}\n  f: {image: i, requires: [d]}\n"
    )
    assert [line.split(" (each")[0] for line in found] == [
        "3:28: error[E105]: jobs wait for each other in a cycle: 'a' -> 'b' -> 'a'",
        "5:25: error[E105]: jobs wait for each other in a cycle: 'c' -> 'b' -> 'c'",
        "7:33: error[E107]: job 'e' is to run in parallel with 'f', which waits for 'e'",
    ]


def test_inherited_starting_points_are_bounded() -> None:
    few = ", ".join(f"r{number}" for number in range(1200))
    jobs = "".join(f"  r{number}: {{image: i}}\n" for number in range(1200))
    jobs += f"  hub: {{image: i, requires: [{few}]}}\n"
    jobs += "".join(f"  p{number}: {{image: i, parallel_with: [hub]}}\n" for number in range(1000))
    assert [line.split(": ")[1] for line in errors_of(f"name: n\njobs:\n{jobs}")] == ["error[E113]"]
