"""How gates, waits, choices, calls and nested workflows read in plans and graphs."""

from typing import Any

import pytest

from orchestrator.plan.graph import dot, graph_of, mermaid, svg
from orchestrator.plan.markdown import plan_markdown
from orchestrator.plan.model import (
    Branch,
    CallNode,
    ChoiceNode,
    ContainerNode,
    GateField,
    GateNode,
    Node,
    Plan,
    Trigger,
    WaitNode,
    WorkflowNode,
)
from orchestrator.plan.parts import Requirement
from orchestrator.plan.phrases import lasting
from orchestrator.plan.render import plan_json, plan_text
from orchestrator.plan.wording import facts

GATE = GateNode(
    name="approve",
    prompt="Deploy ${{ params.version }}\nto production?",
    fields=(
        GateField(name="region", type="select", options=("eu", "us"), default="eu", has_default=True),
        GateField(name="reason", required=True),
        GateField(name="parts", type="multi_select", options="${{ jobs.list.outputs.all }}"),
        GateField(name="sure", type="boolean", default=False, has_default=True),
    ),
    approvers=("user:ann", "group:release"),
    min_approvals=2,
    self_approval=False,
    limit=5400,
    on_timeout="reject",
    remind_every=600,
    reminder="nag",
)
NESTED = Plan(
    spec="provision",
    jobs={"make": ContainerNode(name="make", image="alpine")},
    order=("make",),
    levels=(("make",),),
    critical_path=("make",),
    estimated_events=9,
)
JOBS: tuple[Node, ...] = (
    GATE,
    ChoiceNode(
        name="way",
        requires=(Requirement(job="approve"),),
        branches=(
            Branch(when="${{ jobs.approve.outputs.region == 'eu' }}", then=("provision", "pause")),
            Branch(then=("pause",)),
        ),
    ),
    WaitNode(name="pause", duration=90, triggers=(Trigger(job="way", on="chosen"),)),
    WorkflowNode(
        name="provision",
        workflow="infra/provision.yaml",
        arguments={"region": "eu", "size": 2},
        limit=3600,
        triggers=(Trigger(job="way", on="chosen"),),
        publish={"cluster": "${{ jobs.provision.outputs.id }}"},
        on_error="hold",
    ),
    CallNode(
        name="undo",
        function="acme.deploy:undo",
        arguments={"what": "${{ vars.cluster }}"},
        triggers=(Trigger(job="provision", on="failure"), Trigger(job="pause", on="complete")),
        condition="${{ failure() }}",
    ),
    ContainerNode(name="nag", image="alpine", reminds="approve"),
)
PLAN = Plan(
    spec="release",
    vars={"cluster": ""},
    workflows={"infra/provision.yaml": NESTED},
    jobs={node.name: node for node in JOBS},
    order=tuple(node.name for node in JOBS),
    levels=(("approve",), ("way", "nag"), ("pause", "provision"), ("undo",)),
    critical_path=("approve", "way", "provision", "undo"),
    estimated_events=40,
)

TEXT = """\
release
6 jobs in 4 levels, about 40 Temporal events without retries
longest chain (4 jobs): approve -> way -> provision -> undo
variables: cluster

level 1
  approve    asks: Deploy ${{ params.version }} to production?
             answered by user:ann, group:release; 2 of them must approve; not who started the run
             fields: region (select, one of eu, us, default eu), reason (string, required), parts (multi select, of \
jobs.list.outputs.all), sure (boolean, default false)
             open for 1 h 30 m, then rejected
             runs nag every 10 m while it is open

level 2
  way        chooses among 2 ways
             when jobs.approve.outputs.region == 'eu': provision, pause
             default: pause
             waits for approve
  nag        alpine
             runs for nothing but to remind of approve

level 3
  pause      waits 1 m 30 s
             starts when way chooses it
  provision  runs infra/provision.yaml; held for a person if it fails
             with region, size
             a workflow of its own: provision, 1 job in 1 level
             for at most 1 h
             starts when way chooses it
             sets vars.cluster

level 4
  undo       calls acme.deploy:undo
             with what
             starts when provision fails, or when pause ends
             if failure()  (only if one of provision, pause failed)

workflow infra/provision.yaml
  provision
  1 job in 1 level, about 9 Temporal events without retries
  longest chain (1 job): make

  level 1
    make  alpine
"""


def test_every_kind_is_told() -> None:
    assert plan_text(PLAN, width=300) == TEXT


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (GateNode(name="g", prompt="Go?"), ["asks: Go?", "answered by anyone"]),
        (
            GateNode(name="g", prompt="Go?", approvers="${{ params.who }}", limit=60),
            ["asks: Go?", "answered by those in params.who", "open for 1 m, then failed"],
        ),
        (WaitNode(name="w", duration="${{ params.pause }}"), ["waits for params.pause"]),
        (WaitNode(name="w", until="${{ params.at }}"), ["waits until params.at"]),
        (ChoiceNode(name="c", branches=(Branch(when="true"),)), ["chooses", "when true: nothing"]),
        (WorkflowNode(name="n", workflow="x.yaml"), ["runs x.yaml"]),
        (CallNode(name="f", function="http"), ["calls http"]),
    ],
)
def test_what_is_not_said_is_not_told(node: Node, expected: list[str]) -> None:
    assert list(facts(node)) == expected


def test_the_json_has_transitions_and_nested_plans() -> None:
    shown: dict[str, Any] = plan_json(PLAN)
    assert shown["jobs"]["undo"] == {
        "kind": "call",
        "requires": [],
        "variants": [],
        "triggers": [{"job": "provision", "on": "failure"}, {"job": "pause", "on": "complete"}],
        "if": "${{ failure() }}",
        "reads": [],
    }
    assert shown["jobs"]["approve"] == {"kind": "gate", "requires": [], "variants": []}
    assert shown["jobs"]["provision"]["workflow"] == "infra/provision.yaml"
    assert shown["workflows"] == {"infra/provision.yaml": plan_json(NESTED)}


def test_transitions_and_branches_are_labelled_edges() -> None:
    edges = [(edge.source, edge.target, edge.label, edge.dashed) for edge in graph_of(PLAN).edges]
    assert edges == [
        ("approve", "way", "", False),
        ("way", "pause", "when jobs.approve.outputs.region == 'eu' or default", False),
        ("way", "provision", "when jobs.approve.outputs.region == 'eu'", False),
        ("provision", "undo", "on failure", False),
        ("pause", "undo", "when it ends", False),
        ("approve", "nag", "every 10 m while open", True),
    ]
    assert [edge.critical for edge in graph_of(PLAN).edges] == [True, False, True, True, False, False]


def test_every_format_draws_them() -> None:
    graph = graph_of(PLAN)
    assert 'j4 -->|"on failure"| j5' in mermaid(graph)
    assert '"provision" -> "undo" [label="on failure"];' in dot(graph)
    assert "undo waits for provision (on failure), on the longest chain" in svg(graph)


def test_a_reminder_that_stands_before_its_gate_has_no_edge() -> None:
    levels = (("approve", "nag"), ("way",), ("pause", "provision"), ("undo",))
    edges = graph_of(PLAN.model_copy(update={"levels": levels})).edges
    assert "nag" not in {edge.target for edge in edges}


def test_the_web_ui_is_told_the_same_in_short() -> None:
    assert "3. `pause` (wait, `way` if chosen), `provision` (workflow, `way` if chosen)" in plan_markdown(
        PLAN
    )


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (0.5, "0.5 s"),
        (59, "59 s"),
        (60, "1 m"),
        (3600, "1 h"),
        (93784, "1 d 2 h 3 m 4 s"),
        (90.5, "90.5 s"),
    ],
)
def test_durations(seconds: float, expected: str) -> None:
    assert lasting(seconds) == expected
