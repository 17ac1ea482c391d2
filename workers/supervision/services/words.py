"""Why services did not come up, in words. Pure."""

from collections.abc import Sequence
from typing import Final

from workers.engine.interface import PublishedPort
from workers.supervision.reasons import duration_text
from workers.supervision.services.health import Progress, Unhealthy

LAST_LINES: Final = 20
"""Lines of a service's log that a message quotes."""
_MAX_LINE: Final = 200
_MAX_QUOTED: Final = 1400
"""Characters; a reason has room for 2 000."""
_AT_ONCE: Final = 5.0


def with_lines(text: str, lines: Sequence[str]) -> str:
    """`text`, and below it the last of a service's `lines`: as many as there is room for."""
    kept: list[str] = []
    room = _MAX_QUOTED
    for line in reversed(lines[-LAST_LINES:]):
        shown = line if len(line) <= _MAX_LINE else line[: _MAX_LINE - 1] + "…"
        room -= len(shown) + 3
        if room < 0:
            break
        kept.append(f"  {shown}")
    if not kept:
        return f"{text}; it printed nothing"
    return "\n".join([f"{text}; its last lines:", *reversed(kept)])


def ended(exit_code: int, *, oom: bool, after: float) -> str:
    """How a service ended before it was healthy, as a clause: `ended at once with exit code 0`."""
    how = f"exit code {exit_code}"
    if oom:
        return f"went over its memory limit and was killed ({how}) after {duration_text(round(after, 1))}"
    if after < _AT_ONCE:
        return f"ended at once with {how}"
    return f"ended with {how} after {duration_text(round(after, 1))}, before it was healthy"


def unhealthy(verdict: Unhealthy, progress: Progress, *, check: str) -> str:
    """Why a service counts as unhealthy, as a clause. `check` is what was checked, in quotes where it is a command."""
    detail = verdict.why if progress.last is None else progress.last.detail
    if verdict.broken:
        subject = f"the health check {check}" if check.startswith("'") else check
        return (
            f"cannot be checked: {subject} cannot be run in its container ({detail});"
            " name a command that its image has"
        )
    count = f"{progress.checks} check{'' if progress.checks == 1 else 's'} of {check}"
    last = "" if progress.last is None else f" (the last one: {progress.last.detail})"
    return f"is not healthy: {verdict.why}; {count}{last}"


def lacking(name: str, detail: str) -> str:
    """For a service of which only some of its image's ports opened."""
    return (
        f"service '{name}' counts as healthy, though not all ports that its image exposes are open ({detail}); name"
        " the one that matters with 'ready: {tcp: PORT}', then nothing else is waited for"
    )


def unchecked(name: str, *, udp: bool) -> str:
    """For a service that nothing is known of but that it runs; `udp` where it has ports of that kind."""
    ports = "only UDP ports, which cannot be probed" if udp else "no ports"
    return (
        f"service '{name}' was started, but nothing tells whether it is ready: it has no health check and {ports};"
        " give it a 'health_check'"
    )


def port_taken(port: PublishedPort, who: str, *, engine: str) -> str:
    """For a port of the host that someone else has (`container 'db'`), as a clause."""
    protocol = "" if port.protocol == "tcp" else f"/{port.protocol}"
    where = "" if port.address == "127.0.0.1" else f" of {port.address}"
    return (
        f"cannot publish port {port.host}{protocol}{where}: {who} has it; publish another port, or none,"
        f" since jobs reach services by name without it ({engine})"
    )
