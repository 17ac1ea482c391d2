"""A plan as Markdown, for the details that the Temporal Web UI shows beside a run."""

from orchestrator.plan.model import Plan

MAX_LEVELS = 100
MAX_NAMES = 50
"""Names in one line; the details of a run may hold 20 kB."""


def plan_markdown(plan: Plan) -> str:
    """The description, the levels as a numbered list and the critical path."""
    lines = [plan.description, ""] if plan.description else []
    lines += [f"{number}. {_names(level)}" for number, level in enumerate(plan.levels[:MAX_LEVELS], start=1)]
    lines += ["", f"Critical path: {_names(plan.critical_path, ' → ')}"]
    return "\n".join(lines)


def _names(names: tuple[str, ...], between: str = ", ") -> str:
    shown = between.join(f"`{name}`" for name in names[:MAX_NAMES])
    return shown if len(names) <= MAX_NAMES else f"{shown} and {len(names) - MAX_NAMES} more"
