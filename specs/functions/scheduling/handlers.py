"""The steps of a schedule's generation."""

from datetime import date
from itertools import pairwise
from typing import Any

from orchestrator.handlers import Context, StepResult


def validate_input(start_date: str, end_date: str) -> StepResult:
    """Two dates, the first before the second."""
    first, last = date.fromisoformat(start_date), date.fromisoformat(end_date)
    if last < first:
        return StepResult.fail(f"{end_date} is before {start_date}", category="INPUT")
    return StepResult.ok({"period": {"start": start_date, "days": (last - first).days + 1}})


def generate_schedule(ctx: Context, period: dict[str, Any]) -> dict[str, Any]:
    """Somebody for each day."""
    people = ("Ada", "Ben", "Cleo")
    ctx.log(f"filling {period['days']} days")
    return {"schedule": [people[day % len(people)] for day in range(period["days"])]}


def check_compliance(schedule: list[str]) -> dict[str, Any]:
    """Nobody works two days in a row."""
    return {"compliant": all(one != other for one, other in pairwise(schedule))}


def detect_conflicts(schedule: list[str]) -> dict[str, Any]:
    """Days on which nobody works."""
    return {"count": schedule.count("")}


def resilience(schedule: list[str]) -> dict[str, Any]:
    """How many different people there are."""
    return {"people": len(set(schedule))}


def publish(ctx: Context) -> dict[str, Any]:
    """Tell everybody."""
    ctx.log("published")
    return {"published": True}


def release_locks(ctx: Context) -> dict[str, Any]:
    """Let others generate."""
    ctx.log("locks released")
    return {"released": True}


def send_error_notification(ctx: Context) -> dict[str, Any]:
    """Tell whoever has to know."""
    ctx.log("the schedule was not generated")
    return {"sent": True}
