"""The live tree of a followed run: a line for each job and variant with its state, duration and last log line."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text
from rich.tree import Tree

from orchestrator.cli import output, words
from orchestrator.cli.notable import next_steps
from orchestrator.client.follow import Event, Trouble
from orchestrator.client.leaves import Leaf, leaves_of
from orchestrator.client.logs import LogEntry
from orchestrator.contract.messages import JobRecord, RunRecord

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
LIVE_ROWS = 40
"""Jobs and variants in the tree; in larger runs those that are done or have not begun are counted instead."""

CALL_ROWS = 12
"""Lines about gates and held jobs that wait for a person."""


class TreeProgress:
    """Redraws itself, so that durations go on while nothing happens."""

    def __init__(self) -> None:
        self._record: RunRecord | None = None
        self._last_lines: dict[str, str] = {}
        self._live = Live(self, console=Console(stderr=True), refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        if self._record:
            # What stays on the screen: the tree as it was at the end.
            self._live.console.print(self._tree(self._record))

    def say(self, message: str) -> None:
        """Print the sentence above the tree."""
        self._live.console.print(Text(message, style="dim"))

    def show(self, event: Event) -> None:
        """Take in the event; the next redraw shows it."""
        match event:
            case LogEntry():
                if event.text.strip() and event.service is None:
                    self._last_lines[event.job] = output.harmless(event.text.strip())
            case Trouble():
                self.say(f"! {event.message}")
            case RunRecord():
                self._record = event

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What `rich` draws."""
        yield (
            self._tree(self._record)
            if self._record
            else Text(f"{_frame()} waiting for a worker", style="dim")
        )

    def _tree(self, record: RunRecord) -> Tree:
        tree = Tree(Text(words.headline(record), style="bold"), guide_style="dim")
        names = _shown(record)
        for name, job in record.jobs.items():
            if name not in names:
                continue
            branch = tree.add(self._line(name, job))
            for variant, state in job.variants.items():
                if variant in names:
                    branch.add(self._line(variant, state))
        leaves = leaves_of(record)
        if any(leaf.name not in names for leaf in leaves):
            counts = ", ".join(f"{count} {status}" for status, count in _counts(leaves).items())
            what = "jobs and variants" if any(leaf.variant is not None for leaf in leaves) else "jobs"
            tree.add(Text(f"{len(leaves)} {what}: {counts}", style="dim"))
        for line in list(next_steps(record))[:CALL_ROWS]:
            tree.add(Text(output.harmless(line), style="yellow" if not line.startswith(" ") else "dim"))
        return tree

    def _line(self, name: str, job: JobRecord) -> Text:
        sign, colour = words.SIGNS[job.status]
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(f"{_frame() if job.status == 'running' else sign} ", style=colour)
        line.append(name, style="bold" if job.status == "running" else "")
        again = f" try {job.tries}" if job.tries > 1 and not job.variants else ""
        line.append(f"  {job.status}{again}", style=colour)
        spent = words.duration(job.started_at or _last_start(job), job.finished_at)
        if spent and job.status not in ("pending", "skipped", "omitted"):
            line.append(f"  {spent}", style="dim")
        detail = words.first_line(words.note(job))
        if job.status == "running" and not job.variants and not job.reason:
            detail = self._last_lines.get(name, "")
        if detail:
            line.append(f"  {detail}", style="dim")
        return line


_LIVELY = ("running", "waiting", "failed", "held")


def _shown(record: RunRecord) -> dict[str, None]:
    """The names that have a row: jobs first, and of the rest the variants that there is room for."""
    jobs = list(record.jobs.items())
    if len(jobs) > LIVE_ROWS:
        jobs = [(name, job) for name, job in jobs if job.status in _LIVELY][:LIVE_ROWS]
    variants = [pair for _, job in jobs for pair in job.variants.items()]
    room = LIVE_ROWS - len(jobs)
    if len(variants) > room:
        variants = [(name, variant) for name, variant in variants if variant.status in _LIVELY][:room]
    return dict.fromkeys(name for name, _ in (*jobs, *variants))


def _last_start(job: JobRecord) -> str | None:
    return job.history[-1].started_at if job.history else None


def _counts(leaves: list[Leaf]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for leaf in leaves:
        counts[leaf.record.status] = counts.get(leaf.record.status, 0) + 1
    return counts


def _frame() -> str:
    return FRAMES[int(time.monotonic() * 8) % len(FRAMES)]
