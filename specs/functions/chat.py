"""A chat room."""

from typing import Any

from orchestrator.handlers import Context


def post(ctx: Context, message: str) -> dict[str, Any]:
    """Say something there."""
    ctx.log(message)
    return {"posted": message}
