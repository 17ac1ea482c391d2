"""A plan as Markdown, for the details that the Temporal Web UI shows beside a run."""

from orchestrator.plan.kinds import AT_EDGE
from orchestrator.plan.model import Plan
from orchestrator.plan.phrases import listed
from orchestrator.plan.wording import variants_count

MAX_LEVELS = 100
MAX_NAMES = 50
"""Names in one line; the details of a run may hold 20 kB."""


def plan_markdown(plan: Plan) -> str:
    """The description, the levels as a numbered list and the critical path."""
    lines = [plan.description, ""] if plan.description else []
    levels = enumerate(plan.levels[:MAX_LEVELS], start=1)
    lines += [
        f"{number}. {listed([_job(plan, name) for name in level], MAX_NAMES)}" for number, level in levels
    ]
    path = listed([f"`{name}`" for name in plan.critical_path], MAX_NAMES, between=" → ")
    lines += ["", f"Critical path: {path}"]
    return "\n".join(lines)


def _job(plan: Plan, name: str) -> str:
    node = plan.jobs[name]
    parts = [] if node.kind == "container" else [node.kind]
    parts += [variants] if (variants := variants_count(node)) else []
    parts += [f"`{trigger.job}` {AT_EDGE[trigger.on]}" for trigger in node.triggers]
    return f"`{name}` ({', '.join(parts)})" if parts else f"`{name}`"
