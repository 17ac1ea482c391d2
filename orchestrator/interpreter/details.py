"""What the Temporal Web UI shows of a run: the Markdown table of jobs, and the line on each bar of the timeline."""

from orchestrator.interpreter.state import JobState, RunState
from orchestrator.plan.model import Node

MAX_ROWS = 200
"""Rows in the table; a page with more reads worse than the command line."""
MAX_SUMMARY = 200
"""Bytes of a summary, of the 400 that the server allows."""

# With no-break spaces: the page is narrow.
_SIGNS = {
    "pending": "·\N{NO-BREAK SPACE}pending",
    "waiting": "◌\N{NO-BREAK SPACE}waiting",
    "running": "●\N{NO-BREAK SPACE}**running**",
    "success": "✓\N{NO-BREAK SPACE}success",
    "failed": "✗\N{NO-BREAK SPACE}**failed**",
    "cancelled": "■\N{NO-BREAK SPACE}cancelled",
    "skipped": "○\N{NO-BREAK SPACE}skipped",
    "omitted": "○\N{NO-BREAK SPACE}omitted",
    "held": "◆\N{NO-BREAK SPACE}**held**",
}


def summary_of(node: Node, *, image: str, try_number: int) -> str:
    """What stands behind the job's name on its bar: the image, and the try from the second on."""
    again = f" · try {try_number} of {node.retry.max_attempts}" if try_number > 1 else ""
    return f"{image}{again}".encode()[:MAX_SUMMARY].decode(errors="ignore")


def table_of(state: RunState) -> str:
    """The run as Markdown: where it stands, then a row for each job."""
    done = sum(job.settled for job in state.jobs.values())
    lines = [
        f"### {state.plan.spec}: {state.status}",
        f"Run `{state.run_id}`, attempt {state.attempt}, {done} of {len(state.jobs)} jobs done.",
    ]
    if state.error:
        lines.append(f"\n**{_cell(state.error)}**")
    lines += ["", "| job | state | tries | exit | after | note |", "|---|---|---|---|---|---|"]
    rows = list(state.jobs.values())
    lines += [_row(job) for job in rows[:MAX_ROWS]]
    if len(rows) > MAX_ROWS:
        lines.append(f"\n… and {len(rows) - MAX_ROWS} more; `orca status {state.run_id}` shows them all.")
    if state.outputs:
        lines += ["", "**Outputs**", ""]
        lines += [f"- `{name}`: {_cell(str(value))}" for name, value in state.outputs.items()]
    return "\n".join(lines)


def _row(job: JobState) -> str:
    node = job.node
    after = ", ".join(f"`{edge.job}`" for edge in node.requires) or ("*everything*" if node.finalizer else "")
    exit_code = "" if job.exit_code is None else str(job.exit_code)
    cells = [
        f"`{node.name}`",
        _SIGNS[job.status],
        str(len(job.tries) or ""),
        exit_code,
        after,
        _cell(job.reason or ""),
    ]
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """One line that cannot break the table: container output may be in a reason."""
    flat = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return flat if len(flat) <= 240 else flat[:239] + "…"
