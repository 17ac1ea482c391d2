"""Weekly figures of trades outside an exchange."""

from typing import Any

from orchestrator.handlers import QualityMetrics, StepResult


def ingest_week(week: str) -> dict[str, Any]:
    """The week's rows; a week of 1999 has too few."""
    return {"row_count": 20 if week.startswith("1999") else 5000}


def normalize() -> StepResult:
    """Rows in one form, cut into parts."""
    return StepResult.ok(
        {"parts": ["a", "b", "c"]},
        quality=QualityMetrics(record_count=5000, valid_count=4990, passed=True),
    )


def publish_part(part: str) -> dict[str, Any]:
    """One part where people find it."""
    return {"published": part}
