"""What the Temporal Web UI shows of a run: the Markdown table of jobs, and the line on each bar of the timeline."""

import json
from collections.abc import Sequence

from orchestrator.contract.messages import ServiceRecord
from orchestrator.contract.people import PauseRecord
from orchestrator.interpreter.job_state import JobState
from orchestrator.interpreter.state import RunState
from orchestrator.interpreter.telling import shortened
from orchestrator.plan.model import Node

MAX_ROWS = 200
"""Rows in the table, variants included; a page with more reads worse than the command line."""
MAX_UNBROKEN = 24
"""Characters of a variant's name that stays on one line; the page is narrow."""
MIN_VARIANT_ROWS = 5
"""Rows that a job's variants get also where jobs are many."""
MAX_IGNORED_SHOWN = 3
MAX_NOTE = 240
"""Characters of a note."""
MAX_STANDING = 1000
"""Of what is said of a service: the last lines of one that failed are in it."""
MAX_SUMMARY = 200
"""Bytes of a summary, of the 400 that the server allows."""

# With no-break spaces: the page is narrow.
_GAP = "\N{NO-BREAK SPACE}"
_SERVICE_SIGNS = {
    "starting": "◌\N{NO-BREAK SPACE}starting",
    "healthy": "✓\N{NO-BREAK SPACE}healthy",
    "started": "✓\N{NO-BREAK SPACE}started",
    "unhealthy": "✗\N{NO-BREAK SPACE}**unhealthy**",
    "exited": "✗\N{NO-BREAK SPACE}**exited**",
    "absent": "○\N{NO-BREAK SPACE}absent",
    "interrupted": "■\N{NO-BREAK SPACE}interrupted",
}
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


def summary_of(node: Node, *, image: str, try_number: int, moves: int = 0) -> str:
    """What stands behind the job's name on its bar: its title, the image, and the try from the second on.

    `moves` are the tries that the user's `retry` does not count.
    """
    title = f"{own} · " if (own := _title(node)) else ""
    again = f" · try {try_number} of {node.retry.max_attempts + moves}" if try_number > 1 else ""
    return cut_summary(f"{title}{image}{again}")


def cut_summary(text: str) -> str:
    """As much of `text` as a bar of the timeline shows."""
    return text.encode()[:MAX_SUMMARY].decode(errors="ignore")


def table_of(state: RunState) -> str:
    """The run as Markdown: where it stands, then a row for each job and, below it, for its variants."""
    lines = [
        f"### {state.plan.spec}: {state.status}",
        f"{'Dry run' if state.dry_run else 'Run'} `{state.run_id}`, attempt {state.attempt}, "
        f"{state.settled} of {len(state.jobs)} jobs done.",
    ]
    if state.error:
        lines.append(f"\n**{_cell(state.error)}**")
    if state.paused is not None:
        lines.append(
            f"\n**Paused** by {_cell(_paused(state.paused))}; what runs goes on, nothing new starts."
        )
    lines += ["", _line("job", "state", "tries", "exit", "after", "note"), "|---|---|---|---|---|---|"]
    jobs = list(state.jobs.values())
    rows, hidden = _rows(jobs)
    lines += rows
    lines += [_service_row(f"services/{name}", service) for name, service in state.services.items()]
    if hidden:
        lines.append(f"\n… and {' and '.join(hidden)}; `orca status {state.run_id}` shows them all.")
    lines += _what_to_do(state, jobs[:MAX_ROWS])
    lines += [
        f"\nIgnored the signal {_code(found.signal)} of {found.at}: {_cell(found.why)}"
        for found in state.ignored[-MAX_IGNORED_SHOWN:]
    ]
    if state.outputs:
        lines += ["", "**Outputs**", ""]
        lines += [f"- `{name}`: {_cell(str(value))}" for name, value in state.outputs.items()]
    return "\n".join(lines)


def _rows(jobs: Sequence[JobState]) -> tuple[list[str], list[str]]:
    """The rows that there is room for, and what is left out, in words. Jobs share the room for variants evenly."""
    shown = jobs[:MAX_ROWS]
    fans = sum(job.fan is not None for job in shown)
    share = max(MIN_VARIANT_ROWS, (MAX_ROWS - len(shown)) // fans) if fans else 0
    rows: list[str] = []
    told, left_out = 0, 0
    for job in shown:
        if len(rows) == MAX_ROWS:
            break
        rows.append(_row(job))
        told += 1
        rows += _service_rows(job, MAX_ROWS - len(rows) - (len(shown) - told))
        if job.fan is not None:
            leaves = job.fan.noteworthy(min(share, MAX_ROWS - len(rows)))
            for leaf in leaves:
                rows += [_row(leaf), *_service_rows(leaf, MAX_ROWS - len(rows) - len(leaves))]
            left_out += len(job.fan.leaves) - len(leaves)
    hidden = [f"{len(jobs) - told} more jobs"] if told < len(jobs) else []
    hidden += [f"{left_out} more variants"] if left_out else []
    return rows, hidden


def _row(job: JobState) -> str:
    node = job.node
    if job.variant is not None:
        # What stands in the brackets: with the job's name before it the page would break it into four lines.
        name, after = f"↳\N{NO-BREAK SPACE}{_code(f'({job.variant.name})')}", ""
        if len(job.variant.name) <= MAX_UNBROKEN:
            name = name.replace(" ", "\N{NO-BREAK SPACE}")
    else:
        name = f"{_code(node.name)} {_cell(_title(node))}".rstrip()
        after = ", ".join(f"`{edge.job}`" for edge in node.requires)
        after = ", ".join(filter(None, (after, *_ways(node))))
        after = after or ("everything" if node.finalizer else "")
    return _line(
        name,
        _SIGNS[job.status],
        str(job.tried or ""),
        "" if job.exit_code is None else str(job.exit_code),
        after,
        _cell(_note(job)),
    )


def _service_rows(job: JobState, room: int) -> list[str]:
    """A row for each of its own services, below it."""
    if len(job.services) > room:
        return []
    return [_service_row(name, service) for name, service in job.services.items()]


def _service_row(name: str, service: ServiceRecord) -> str:
    code = "" if service.exit_code is None else str(service.exit_code)
    row = f"⤷\N{NO-BREAK SPACE}{_code(name)}"
    return _line(row, _SERVICE_SIGNS[service.state], "", code, "", _cell(service.standing, MAX_STANDING))


def _note(job: JobState) -> str:
    """Why it ended so. The rows of the variants that failed, which come first, say it for their job."""
    if job.fan is None:
        said = job.reason or job.note
        if job.gate is not None and job.status == "waiting" and job.gate.deadline is not None:
            said = f"{shortened(said, MAX_NOTE // 2)} until {job.gate.deadline}"
        if job.gate is not None and job.settled and job.note and job.status != "success":
            said = f"{said} ({job.note})" if said else job.note
        return said or ""
    return (
        job.fan.summary if job.status == "failed" else "; ".join(filter(None, (job.fan.summary, job.reason)))
    )


def _what_to_do(state: RunState, jobs: Sequence[JobState]) -> list[str]:
    """How people let the run go on, for the first gate and the first held job that are shown."""
    shown = [leaf for job in jobs for leaf in (job.fan.noteworthy(MIN_VARIANT_ROWS) if job.fan else [job])]
    gate = next((job for job in shown if job.gate is not None and job.gate.closed_at is None), None)
    held = next((job for job in shown if job.status == "held"), None)
    lines: list[str] = []
    if gate is not None:
        signal = json.dumps({"gate": gate.key, "by": "…"}, ensure_ascii=False)
        command = _code(f"orca approve {state.run_id} '{gate.key}'")
        lines.append(
            f"\nAnswer a gate with {command}, or with the signal `approve` or `reject`: {_code(signal)}."
        )
    if held is not None:
        command = _code(f"orca retry {state.run_id} '{held.key}'")
        lines.append(
            f"\nLet a held job go on with {command}, or with `skip`, `set-output` or `fail` instead of `retry`."
        )
    return lines


def _ways(node: Node) -> list[str]:
    """The transitions that lead to it: `a` on failure."""
    words = {
        "success": "on success",
        "failure": "on failure",
        "complete": "at its end",
        "chosen": "if chosen",
    }
    ways = [f"`{trigger.job}` {words[trigger.on]}" for trigger in node.triggers]
    return [*ways, f"reminds of `{node.reminds}`"] if node.reminds else ways


def _paused(pause: PauseRecord) -> str:
    said = f": {pause.comment}" if pause.comment else ""
    return f"{pause.by or 'somebody'} at {pause.at}{said}"


def _title(node: Node) -> str:
    """A job's title; one that reads `matrix` or `item` is in its variants' names instead."""
    return node.title if node.title and "${{" not in node.title else ""


def _line(*cells: str) -> str:
    """A line of the table. The page leaves no room between columns: `success1`, `triesexit`."""
    return f"| {f'{_GAP} | '.join(cells)} |"


def _code(name: str) -> str:
    """A name as code: what is in a matrix may hold anything."""
    text = " ".join(name.split()).replace("`", "'").replace("|", "\\|")
    return f"`{text}`"


def _cell(text: str, limit: int = MAX_NOTE) -> str:
    """One line that cannot break the table: container output may be in a reason."""
    # The page sets what stands between two dollar signs as mathematics, and reasons quote commands.
    flat = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("$", "&#36;")
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
