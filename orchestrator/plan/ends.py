"""What edges and transitions make of how a job ended. Pure; the interpreter goes by it, and explaining a run too.

A status is one of those of a run's record.
"""

from typing import Literal, assert_never

from orchestrator.plan.parts import Condition, Requirement


def meets(condition: Condition, status: str, *, tolerated: bool) -> bool:
    """Whether an ended job's status meets an edge's condition (see `plan.parts.Requirement`).

    Args:
        condition: what the edge asks for.
        status: how the job ended.
        tolerated: whether it failed and may.
    """
    match condition:
        case "always":
            return True
        case "success":
            return status in ("success", "skipped") or tolerated
        case "failure":
            return status == "failed"
        case "skipped":
            return status == "skipped"
        case _:
            assert_never(condition)


def needs_path(edge: Requirement) -> bool:
    """Whether an edge asks for a success or a failure: there is none on a path that was not taken."""
    return edge.condition in ("success", "failure")


def fires(on: Literal["success", "failure", "complete", "chosen"], status: str, *, chosen: bool) -> bool:
    """Whether a transition fires (see `plan.model.Trigger`).

    Args:
        on: what it asks for.
        status: how its source ended.
        chosen: whether the source is a choice that took a branch with the target.
    """
    match on:
        case "success":
            return status == "success"
        case "failure":
            return status == "failed"
        case "complete":
            return status in ("success", "failed")
        case "chosen":
            return status == "success" and chosen
        case _:
            assert_never(on)
