"""Messages to whoever is on duty."""

from typing import Any

from orchestrator.handlers import Context


def send(ctx: Context) -> dict[str, Any]:
    """Too few rows this week."""
    ctx.log("too few rows")
    return {"alerted": True}
