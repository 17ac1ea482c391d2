"""A week's figures: the workflow in Python. `weekly-refresh.yaml` says the same, and compiles to the same plan.

orca plan specs/weekly_refresh.py
"""

from typing import Any

from orchestrator.builder import Step, Workflow
from orchestrator.handlers import Context, QualityMetrics, StepResult


def validate(ctx: Context, config: dict[str, Any]) -> StepResult:
    """Enough rows?"""
    count = ctx.output("ingest", "row_count", default=0)
    quality = QualityMetrics(record_count=count, valid_count=count, passed=count >= config["min_records"])
    if not quality.passed:
        return StepResult.fail(f"only {count} records", category="DATA_QUALITY", quality=quality)
    return StepResult.ok({"validated": True}, quality=quality)


workflow = Workflow(
    "finra.weekly_refresh",
    labels={"domain": "finra.otc_transparency"},
    params={
        "week_ending": {"type": "string", "required": True},
        "tier": {"type": "string", "default": "NMS_TIER_1"},
        "cooldown": {"type": "string", "default": "5m"},
    },
    steps=[
        Step.call("ingest", "finra.otc:ingest_week", inputs={"week": "${{ params.week_ending }}"}),
        Step.call("validate", validate, config={"min_records": 100}, on_error="continue"),
        Step.choice(
            "route",
            when="${{ jobs.validate.outputs.validated == true }}",
            then="normalize",
            otherwise="alert",
        ),
        Step.call("normalize", "finra.otc:normalize"),
        Step.call("alert", "finra.alerts:send"),
        Step.wait("cooldown", "${{ params.cooldown }}", requires=["normalize"]),
        Step.map(
            "publish",
            over="${{ jobs.normalize.outputs.parts }}",
            workflow="./publish-part.yaml",
            max_parallel=4,
        ),
    ],
)
