"""Jobs of all kinds in the plan: what each becomes, what `defaults` give it, and what leads where."""

from typing import Any

import pytest

from orchestrator.compile import compile_text, specs_in_memory
from orchestrator.errors import SpecError
from orchestrator.plan.model import (
    DEFAULT_JOB_TIMEOUT,
    Branch,
    CallNode,
    ChoiceNode,
    ContainerNode,
    GateField,
    GateNode,
    Plan,
    Trigger,
    WaitNode,
    WorkflowNode,
)
from orchestrator.plan.parts import Requirement, RetryPolicy
from orchestrator.spec.diagnostics import Diagnostic

CHILD = "name: child\nparams: {p: {}}\njobs: {a: {image: 'x:1', env: {P: '${{ params.p }}'}}}\n"


def plan_of(text: str, **beside: str) -> Plan:
    files = {f"{name}.yaml": content for name, content in beside.items()}
    return compile_text(f"name: n\n{text}", "root.yaml", read=specs_in_memory(files)).plan


def said(text: str, files: dict[str, str] | None = None) -> list[str]:
    """What is found, as `file: code`, in the order in which it is told."""
    try:
        found: tuple[Any, ...] = compile_text(
            f"name: n\n{text}", "root.yaml", read=specs_in_memory(files or {})
        ).diagnostics
    except SpecError as error:
        found = error.diagnostics
    return [f"{one.file}: {one.code}" for one in found if isinstance(one, Diagnostic)]


def test_a_gate() -> None:
    plan = plan_of("""
jobs:
  g:
    gate:
      prompt: Sure?
      approvers: [ann, "group:release"]
      min_approvals: 2
      self_approval: false
      on_timeout: reject
      reminder: {every: 4h, job: r}
      fields:
        bare:
        one: {type: select, options: [a, 1], default: 1, required: true}
        some: {type: multi-select, options: "${{ fromJSON('[]') }}", label: L, description: D}
    timeout: 1h
    on_error: continue
  r: {image: i, commands: [make]}
""")
    assert plan.jobs["g"] == GateNode(
        name="g",
        on_error="continue",
        prompt="Sure?",
        fields=(
            GateField(name="bare"),
            GateField(
                name="one", type="select", options=("a", 1), default=1, has_default=True, required=True
            ),
            GateField(
                name="some", type="multi_select", options="${{ fromJSON('[]') }}", label="L", description="D"
            ),
        ),
        approvers=("ann", "group:release"),
        min_approvals=2,
        self_approval=False,
        limit=3600,
        on_timeout="reject",
        remind_every=14400,
        reminder="r",
    )
    assert plan.jobs["r"].reminds == "g"


@pytest.mark.parametrize(
    ("written", "node"),
    [
        ("5m", WaitNode(name="w", duration=300)),
        ("90", WaitNode(name="w", duration=90)),
        ("'${{ 1 }}m'", WaitNode(name="w", duration="${{ 1 }}m")),
        ("{until: 2026-01-31T08:00:00Z}", WaitNode(name="w", until="2026-01-31T08:00:00Z")),
        ("{until: 1700000000}", WaitNode(name="w", until="1700000000")),
    ],
)
def test_a_wait(written: str, node: WaitNode) -> None:
    assert plan_of(f"jobs: {{w: {{wait: {written}}}}}").jobs["w"] == node


def test_a_choice_and_where_it_leads() -> None:
    plan = plan_of("""
params: {x: {}}
jobs:
  c: {choice: [{when: params.x, then: [a, b]}, {when: "${{ !params.x }} ", then: b}, {default: []}]}
  a: {image: i}
  b: {image: i, requires: [a]}
""")
    assert plan.jobs["c"] == ChoiceNode(
        name="c",
        branches=(
            Branch(when="${{ params.x }}", then=("a", "b")),
            Branch(when="${{ !params.x }}", then=("b",)),
            Branch(),
        ),
    )
    assert plan.jobs["a"].triggers == plan.jobs["b"].triggers == (Trigger(job="c", on="chosen"),)
    assert plan.jobs["b"].requires == (Requirement(job="a"),)
    assert plan.order == ("c", "a", "b")
    assert plan.levels == (("c",), ("a",), ("b",))
    assert plan.critical_path == ("c", "a", "b")


def test_transitions_are_triggers_and_never_roots() -> None:
    plan = plan_of("""
jobs:
  z: {image: i}
  a: {image: i, on_success: z, on_failure: [z, y], on_complete: [x]}
  b: {image: i}
  y: {image: i, on_complete: x}
  x: {image: i}
error_handlers: {b: [z], a: [z]}
""")
    assert plan.jobs["z"].triggers == (
        Trigger(job="a", on="success"),
        Trigger(job="a", on="failure"),
        Trigger(job="b", on="failure"),
    )
    assert plan.jobs["x"].triggers == (Trigger(job="a", on="complete"), Trigger(job="y", on="complete"))
    assert plan.levels == (("a", "b"), ("z", "y"), ("x",))
    assert all(node.requires == () and node.on_complete == "success" for node in plan.jobs.values())


def test_a_job_that_a_finalizer_starts_runs_after_everything_else_too() -> None:
    plan = plan_of("""
jobs:
  f: {image: i, on_complete: always, on_failure: [g]}
  g: {image: i}
  a: {image: i}
""")
    assert [name for name, node in plan.jobs.items() if node.finalizer] == ["f", "g"]
    assert plan.order == ("a", "f", "g")


def test_a_call() -> None:
    plan = plan_of("""
jobs:
  f: {call: a.b:c, with: {x: [1, {y: null}]}, timeout: 1m, retry: 3, stop_grace: 3s, on_error: hold, publish: {v: 1}}
vars: {v: {w: "${{ run.id }}"}}
""")
    assert plan.jobs["f"] == CallNode(
        name="f",
        function="a.b:c",
        arguments={"x": [1, {"y": None}]},
        timeout=60,
        retry=RetryPolicy(max_attempts=3),
        stop_grace=3,
        on_error="hold",
        publish={"v": "${{ 1 }}"},
    )
    assert plan.vars == {"v": {"w": "${{ run.id }}"}}


def test_defaults_go_where_they_fit() -> None:
    plan = plan_of(
        """
env: {E: "1"}
params: {p: {}}
defaults: {image: i, timeout: 1m, retry: 2, env: {D: "1"}, stop_grace: 1s, on_error: continue, shell: bash}
jobs:
  container: {commands: [make]}
  call: {call: "a:b"}
  gate: {gate: Sure?}
  wait: {wait: 5m}
  choice: {choice: [{when: "${{ params.p }}", then: []}]}
  nested: {workflow: child.yaml}
""",
        child=CHILD,
    )
    container, call, nested = (plan.jobs[name] for name in ("container", "call", "nested"))
    assert isinstance(container, ContainerNode)
    assert isinstance(call, CallNode)
    assert isinstance(nested, WorkflowNode)
    assert (container.env, container.stop_grace, call.stop_grace) == ({"E": "1", "D": "1"}, 1, 1)
    assert {
        name: (node.timeout, node.retry.max_attempts, node.on_error) for name, node in plan.jobs.items()
    } == {
        "container": (60, 2, "continue"),
        "call": (60, 2, "continue"),
        "gate": (DEFAULT_JOB_TIMEOUT, 1, "stop"),
        "wait": (DEFAULT_JOB_TIMEOUT, 1, "stop"),
        "choice": (DEFAULT_JOB_TIMEOUT, 1, "stop"),
        "nested": (DEFAULT_JOB_TIMEOUT, 2, "continue"),
    }
    assert nested.limit is None


def test_artifacts_come_from_containers_alone() -> None:
    plan = plan_of("jobs: {a: {image: i}, g: {gate: Sure?}, b: {image: i, requires: [g, a]}}")
    node = plan.jobs["b"]
    assert isinstance(node, ContainerNode)
    assert node.artifacts_from == ("a",)


def test_nested_plans_stand_at_the_root_each_once_and_by_its_path() -> None:
    files = {
        "sub/one.yaml": "name: one\njobs: {x: {workflow: ./two.yaml}, y: {workflow: ../sub/../top.yaml}}\n",
        "sub/two.yaml": "name: two\njobs: {x: {workflow: ../top.yaml}}\n",
        "top.yaml": CHILD,
    }
    text = "name: n\njobs: {a: {workflow: ./sub/one.yaml}, b: {workflow: sub//one.yaml}, c: {workflow: top.yaml}}\n"
    plan = compile_text(text, "specs/root.yaml", read=specs_in_memory(files)).plan
    assert sorted(plan.workflows) == ["sub/one.yaml", "sub/two.yaml", "top.yaml"]
    assert {node.workflow for node in plan.jobs.values() if isinstance(node, WorkflowNode)} == {
        "sub/one.yaml",
        "top.yaml",
    }
    one = plan.workflows["sub/one.yaml"]
    assert [node.workflow for node in one.jobs.values() if isinstance(node, WorkflowNode)] == [
        "sub/two.yaml",
        "top.yaml",
    ]
    assert all(not nested.workflows for nested in plan.workflows.values())


def test_what_is_wrong_in_a_nested_spec_is_told_once_with_its_own_file_and_stops_the_root() -> None:
    files = {"bad.yaml": "name: bad\njobs: {x: {image: i, requires: [y]}}\n", "odd.yaml": "name: [\n"}
    found = said("jobs: {a: {workflow: bad.yaml}, b: {workflow: bad.yaml}, c: {workflow: odd.yaml}}", files)
    assert found == ["bad.yaml: E103", "odd.yaml: E004"]


def test_specs_nested_too_deep_and_too_many() -> None:
    chain = {f"s{n}.yaml": f"name: s\njobs: {{a: {{workflow: s{n + 1}.yaml}}}}\n" for n in range(12)}
    assert said("jobs: {a: {workflow: s0.yaml}}", chain) == ["s9.yaml: E128"]
    many = {f"s{n}.yaml": CHILD for n in range(101)}
    jobs = ", ".join(f"j{n}: {{workflow: s{n}.yaml}}" for n in range(101))
    assert said(f"jobs: {{{jobs}}}", many) == ["root.yaml: E129"]


def test_without_a_folder_nothing_can_be_nested() -> None:
    with pytest.raises(SpecError) as caught:
        compile_text("name: n\njobs: {a: {workflow: x.yaml}}\n", "<stdin>")
    assert "as this spec does not come from a file" in str(caught.value.diagnostics[0])


@pytest.mark.parametrize(
    ("jobs", "events"),
    [
        ("{a: {image: i}}", 6),
        ("{a: {call: 'a:b', matrix: {x: [1, 2]}}}", 12),
        ("{a: {wait: 5m}}", 5),
        ("{a: {gate: Sure?}}", 5),
        ("{a: {gate: {prompt: Sure?, min_approvals: 3}, timeout: 1h}}", 17),
        ("{a: {choice: [{default: []}]}}", 0),
        ("{a: {workflow: child.yaml}}", 9),
    ],
)
def test_the_events_of_each_kind(jobs: str, events: int) -> None:
    assert plan_of(f"jobs: {jobs}", child=CHILD).estimated_events == 8 + events


@pytest.mark.parametrize(
    ("jobs", "codes"),
    [
        # Both can only run where one job went two ways.
        ("{s: {image: i, on_success: [a], on_failure: [b]}, a: W, b: W}", []),
        ("{c: {choice: [{when: run.id, then: a}, {default: b}]}, a: W, b: W}", []),
        ("{c: {choice: [{when: run.id, then: x}, {default: b}]}, x: {image: i}, a: {R: [x], W}, b: W}", []),
        ("{s: {image: i, on_success: [a], on_complete: [b]}, a: W, b: W}", ["E131"]),
        ("{c: {choice: [{when: run.id, then: [a, b]}, {default: b}]}, a: W, b: W}", ["E131"]),
        # One of them can run on what lies beside the choice.
        (
            "{c: {choice: [{when: run.id, then: x}, {default: b}]}, x: {image: i}, y: {image: i}, a: {R: [x, y], W}, "
            "b: W}",
            ["E131"],
        ),
        ("{a: W, b: {R: [a], W}}", []),
        ("{a: {W, on_failure: [b]}, b: W}", []),
        ("{a: W, b: {on_complete: always, W}}", []),
        ("{a: W, b: W}", ["E131"]),
    ],
)
def test_two_writers_of_one_variable(jobs: str, codes: list[str]) -> None:
    writes = "image: i, publish: {v: 1}"
    jobs = jobs.replace(": W", f": {{{writes}}}").replace("W}", f"{writes}}}").replace("W,", f"{writes},")
    jobs = jobs.replace("R:", "requires:")
    text = f"vars: {{v: null}}\njobs: {jobs}\noutputs: {{v: '${{{{ vars.v }}}}'}}"
    assert [one.partition(": ")[2] for one in said(text)] == codes


def test_what_lies_on_a_path_that_may_not_be_taken_makes_no_other_requirement_needless() -> None:
    jobs = (
        "c: {choice: [{when: run.id, then: x}]}, x: {image: i, requires: [y]}, y: {image: i}, "
        "z: {image: i, requires: [x, y]}"
    )
    assert said(f"jobs: {{{jobs}}}") == []
    assert said(f"jobs: {{{jobs.replace('then: x', 'then: []')}}}") == ["root.yaml: W107"]


def test_a_reminder_reads_what_its_gate_reads() -> None:
    text = """
jobs:
  a: {image: i}
  b: {image: i}
  g: {requires: [a], gate: {prompt: Sure?, reminder: {every: 1h, job: r}}}
  r: {image: i, env: {A: "${{ jobs.a.status }}"%s}}
"""
    assert said(text % "") == []
    assert said(text % ', B: "${{ jobs.b.status }}"') == ["root.yaml: E203"]


def test_a_param_or_variable_that_only_a_function_may_read_is_not_called_unused() -> None:
    text = "params: {p: {}}\nvars: {v: 1}\njobs: {a: {call: '%s', with: {url: x}}}"
    assert said(text % "http") == ["root.yaml: W106", "root.yaml: W117"]
    assert said(text % "a:b") == []


@pytest.mark.parametrize(("requires", "stuck"), [("[first, there]", "d"), ("[there]", "df")])
def test_a_job_starts_beside_one_to_which_nothing_can_lead(requires: str, stuck: str) -> None:
    """`there` is passed by, as `d` never starts: only a job that requires nothing else cannot start either."""
    text = f"""
defaults: {{image: "x:1"}}
jobs:
  first: {{}}
  d: {{requires: [{{job: first, condition: skipped}}], on_failure: [there]}}
  there: {{}}
  f: {{requires: {requires}}}
"""
    with pytest.raises(SpecError) as caught:
        plan_of(text)
    told = [str(item) for item in caught.value.diagnostics]
    never = [name for name in ("d", "f") if any(f"job '{name}' can never start" in line for line in told)]
    assert "".join(never) == stuck
