"""The plan as JSON and its digest."""

from typing import Any

from orchestrator.plan.fingerprint import digest
from orchestrator.plan.model import ContainerNode, Plan, Requirement, Variant
from orchestrator.plan.render import plan_json, plan_text


def plan(**changes: Any) -> Plan:
    values: dict[str, Any] = {
        "spec": "s",
        "env": {"A": "1", "B": "${{ env.A }}"},
        "jobs": {
            "a": ContainerNode(name="a", image="i"),
            "b": ContainerNode(
                name="b",
                image="i",
                requires=(Requirement(job="a", condition="failure"),),
                variants=(Variant(name="x", values={"v": 1}), Variant(name="y", values={"v": 2})),
            ),
        },
        "order": ("a", "b"),
        "levels": (("a",), ("b",)),
        "critical_path": ("a", "b"),
        "estimated_events": 20,
    }
    return Plan(**{**values, **changes})


def test_the_json_has_the_promised_shape() -> None:
    assert plan_json(plan()) == {
        "spec": "s",
        "digest": digest(plan()),
        "levels": [["a"], ["b"]],
        "critical_path": ["a", "b"],
        "estimated_events": 20,
        "jobs": {
            "a": {"kind": "container", "requires": [], "variants": []},
            "b": {
                "kind": "container",
                "requires": [{"job": "a", "condition": "failure"}],
                "variants": [{"name": "x", "values": {"v": 1}}, {"name": "y", "values": {"v": 2}}],
            },
        },
    }


def test_the_text_names_variants() -> None:
    assert plan_text(plan()).endswith("level 2\n  b  i; waits for a (failure); 2 variants\n")


def test_the_digest_is_of_the_whole_plan_and_survives_a_round_trip() -> None:
    one = digest(plan())
    assert len(one) == 64
    assert digest(Plan.model_validate_json(plan().model_dump_json())) == one
    changed = [
        plan(description="x"),
        plan(env={"B": "${{ env.A }}", "A": "1"}),
        plan(jobs={"a": plan().jobs["a"], "b": ContainerNode(name="b", image="j")}),
    ]
    assert len({one, *(digest(other) for other in changed)}) == 4
