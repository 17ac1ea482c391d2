"""Workflows in Python, by the specs that they become."""

from typing import Any

import pytest

from orchestrator.builder import Step, Workflow
from orchestrator.errors import UsageError


def validate(ctx: object, config: object) -> None:
    """Stands at the top of a module, as what workers call does."""


def requires(*steps: Step) -> dict[str, Any]:
    """Job to what it requires, None where it does not say."""
    jobs = Workflow("w", steps=steps).to_spec()["jobs"]
    return {name: job.get("requires") for name, job in jobs.items()}


def test_every_kind_of_step() -> None:
    found = Workflow(
        "all",
        description="d",
        params={"week": {"type": "string"}},
        outputs={"o": "${{ jobs.a.outputs.o }}"},
        keys={"timeout": "1h"},
        steps=[
            Step.call(
                "a", validate, inputs={"x": 1}, config={"y": 2}, if_="${{ params.week }}", title="first"
            ),
            Step.container("b", "alpine:latest", "true", keys={"env": {"A": "b"}}, retry=3),
            Step.gate("c", "Go on?", fields={"n": "number"}, approvers="ann", keys={"on_timeout": "reject"}),
            Step.wait("d", until="2030-01-01T00:00:00Z"),
            Step.workflow("e", "./e.yaml", inputs={"p": 1}),
            Step.map("f", over=[1, 2], workflow="./f.yaml"),
        ],
    ).to_spec()
    assert found == {
        "name": "all",
        "description": "d",
        "params": {"week": {"type": "string"}},
        "timeout": "1h",
        "jobs": {
            "a": {
                "call": f"{__name__}:validate",
                "with": {"x": 1, "y": 2},
                "if": "${{ params.week }}",
                "name": "first",
            },
            "b": {
                "image": "alpine:latest",
                "commands": ["true"],
                "env": {"A": "b"},
                "retry": 3,
                "requires": ["a"],
            },
            "c": {
                "gate": {
                    "prompt": "Go on?",
                    "fields": {"n": "number"},
                    "approvers": ["ann"],
                    "on_timeout": "reject",
                },
                "requires": ["b"],
            },
            "d": {"wait": {"until": "2030-01-01T00:00:00Z"}, "requires": ["c"]},
            "e": {"workflow": "./e.yaml", "with": {"p": 1}, "requires": ["d"]},
            "f": {
                "workflow": "./f.yaml",
                "with": {"item": "${{ item }}"},
                "for_each": [1, 2],
                "requires": ["e"],
            },
        },
        "outputs": {"o": "${{ jobs.a.outputs.o }}"},
    }


def test_steps_follow_one_another_unless_they_say_otherwise() -> None:
    assert requires(
        Step.call("a", "m:f"),
        Step.call("b", "m:f", after=["a"]),
        Step.call("c", "m:f"),
        Step.call("d", "m:f", requires=["a"]),
        Step.call("e", "m:f"),
        Step.call("always", "m:f", on_complete="always"),
    ) == {"a": None, "b": None, "c": ["b"], "d": ["a"], "e": ["d"], "always": None}


def test_what_stands_behind_a_choice_follows_all_its_branches() -> None:
    assert requires(
        Step.choice("route", when="${{ true }}", then="x", otherwise=["y"]),
        Step.call("x", "m:f"),
        Step.call("y", "m:f"),
        Step.call("z", "m:f"),
    ) == {"route": None, "x": None, "y": None, "z": ["route", "x", "y"]}


def test_the_target_of_a_transition_follows_nothing() -> None:
    assert requires(
        Step.call("a", "m:f", on_failure="undo"),
        Step.call("undo", "m:f"),
        Step.call("b", "m:f"),
    ) == {"a": None, "undo": None, "b": ["a"]}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Step.wait("w"),
            "step 'w' waits either for a duration or 'until' an instant; give one of the two",
        ),
        (lambda: Step.choice("c"), "step 'c' chooses by 'when' or by 'branches'; give one of the two"),
        (
            lambda: Workflow("w", steps=[Step.wait("a", 1), Step.wait("a", 2)]),
            "workflow 'w' has two steps 'a'; give each a name of its own",
        ),
    ],
)
def test_what_cannot_be(make: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert str(caught.value) == message


def test_a_function_that_no_worker_can_find() -> None:
    with pytest.raises(UsageError, match="give a function that stands at the top of a module"):
        Step.call("a", lambda: None)
