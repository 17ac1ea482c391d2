"""What authors of functions import: what a function is given, and what it may return. Standard library only.

from orchestrator.handlers import Context, StepResult

def validate(ctx: Context, config: dict) -> StepResult:
    rows = ctx.output("ingest", "row_count", default=0)
    if rows < config["min_records"]:
        return StepResult.fail(f"only {rows} records", category="DATA_QUALITY")
    return StepResult.ok({"validated": True})

A job calls it with `call: package.module:validate` on a worker that allows the module. Nothing here knows Temporal or
the worker: a function can be tested by calling it with `Context(outputs={...})`.
"""

from orchestrator.handlers.context import Cancelled, Context
from orchestrator.handlers.results import QualityMetrics, StepResult

__all__ = ["Cancelled", "Context", "QualityMetrics", "StepResult"]
