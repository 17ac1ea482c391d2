"""How states, times and durations read in the terminal."""

import json
from datetime import UTC, datetime
from typing import Final

from orchestrator.contract.messages import JobRecord, RunRecord, ServiceRecord
from orchestrator.contract.times import parse_rfc3339
from orchestrator.plan.parts import Json

SIGNS: Final = {
    "pending": ("·", "dim"),
    "waiting": ("◌", "yellow"),
    "running": ("●", "blue"),
    "success": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("■", "magenta"),
    "skipped": ("○", "dim"),
    "omitted": ("○", "dim"),
    "held": ("◆", "yellow"),
    "partial": ("◐", "yellow"),
}
EXIT_CODES: Final = {"success": 0, "failed": 1, "cancelled": 4, "partial": 5}


def duration(started: str | None, finished: str | None) -> str:
    """`0.4 s`, `1 m 05 s`, `2 h 03 m`; to now where it has not finished; empty where it has not started."""
    if started is None:
        return ""
    end = parse_rfc3339(finished) if finished else datetime.now(UTC)
    seconds = max(0.0, (end - parse_rfc3339(started)).total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} m {seconds % 60:02.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:02.0f} m"


def local_time(moment: str | None) -> str:
    """`2026-01-31 12:00:00` in the reader's time zone."""
    return parse_rfc3339(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def job_line(name: str, job: JobRecord) -> list[str]:
    """The cells of a job in `orca status`: sign and name, state, tries, exit code, duration, note."""
    sign, _ = SIGNS[job.status]
    exit_code = "" if job.exit_code is None else str(job.exit_code)
    tries = str(job.tries) if job.tries else ""
    return [
        f"{sign} {name}",
        job.status,
        tries,
        exit_code,
        duration(job.started_at, job.finished_at),
        note(job),
    ]


def service_line(name: str, service: ServiceRecord) -> list[str]:
    """The cells of a service, below its job: `postgres`, `healthy`, …, `after 2.1 s (pg_isready -h 127.0.0.1)`."""
    exit_code = "" if service.exit_code is None else str(service.exit_code)
    return [f"↳ {name}", service.state, "", exit_code, "", service.standing]


def first_line(text: str) -> str:
    """`text` where there is room for one line: a reason may quote a service's last lines."""
    first, more, _ = text.partition("\n")
    return f"{first} …" if more else first


def value(found: Json) -> str:
    """A text as it is, anything else as JSON."""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def note(job: JobRecord) -> str:
    """What is said about a job's state: `4/6 passed; exit: 2 of 6 variants failed: …`."""
    return "; ".join(part for part in (job.summary, job.reason) if part)


def headline(record: RunRecord) -> str:
    """`ci-pipeline-x7k2m9qa: success in 12 s`; of a dry run `ci-pipeline-x7k2m9qa, a dry run: success in 0.1 s`."""
    spent = duration(record.started_at, record.finished_at)
    again = f" (attempt {record.attempt})" if record.attempt > 1 else ""
    during = " in " if record.finished_at else " for "
    dry = ", a dry run" if record.dry_run else ""
    return f"{record.run_id}{again}{dry}: {record.status}{during + spent if spent else ''}"
