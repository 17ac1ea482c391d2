"""When a service is healthy. Pure: results and times go in, a verdict comes out.

The rules are the Compose specification's, read for a start: the first passed check makes a service healthy, and
`retries` failed ones in a row make it unhealthy. Compose checks every `interval`; to notice health sooner, checks
come faster here while none has passed, from `FIRST_PAUSE` on. So that this does not use up the retries sooner, a
failed check counts only after the start period, and only `interval` seconds or more after the last one that counted
(or the start).
"""

from dataclasses import dataclass, replace
from typing import Final

from workers.supervision.reasons import duration_text

FIRST_PAUSE: Final = 0.1
"""Seconds before the first check, and between the first two."""
GROWTH: Final = 1.25
"""Each pause is so many times the one before, so that health is noticed within a quarter of the time it took."""
BROKEN_LIMIT: Final = 2
"""Checks in a row that could not be carried out at all; one alone may be a container that is just ending."""
QUIET: Final = 3.0
"""Seconds without a further port after which those that are open have to do."""


@dataclass(frozen=True)
class Rules:
    """How a service is judged. Seconds."""

    interval: float = 30.0
    timeout: float = 30.0
    retries: int = 3
    start_period: float = 0.0
    start_interval: float = 5.0
    start_timeout: float = 60.0
    patient: bool = False
    """The spec says how often a check may fail: also one that cannot be carried out (yet)."""


@dataclass(frozen=True)
class CheckResult:
    """What one check saw."""

    passed: bool
    detail: str = ""
    """What it saw, as a clause: `connection refused`."""
    broken: bool = False
    """It cannot be carried out: the command does not exist."""
    partly: bool = False
    """Not all that was asked for is there, but a part of it that will do."""
    opened: int = 0
    """Of what was asked for, how much is there."""
    late: bool = False
    """No answer came in the time that it had."""
    cut: bool = False
    """That was less than a check has."""


@dataclass(frozen=True)
class Healthy:
    """A check passed. `lacking` says what never came where a part had to do."""

    lacking: str = ""


@dataclass(frozen=True)
class NotYet:
    """Check again `pause` seconds from now."""

    pause: float


@dataclass(frozen=True)
class Unhealthy:
    """It will not do. `why` is a clause: `3 checks in a row failed`."""

    why: str
    broken: bool = False


Verdict = Healthy | NotYet | Unhealthy


@dataclass(frozen=True)
class Progress:
    """What earlier checks came to."""

    pause: float = FIRST_PAUSE
    checks: int = 0
    failures: int = 0
    """In a row, and counted."""
    counted_at: float = 0.0
    """When the last one that counted ended, in seconds since the service's start."""
    broken: int = 0
    """In a row."""
    last: CheckResult | None = None
    """That had its whole time, where one had."""
    opened: int = 0
    opened_at: float = 0.0
    """When that last changed."""


def first_pause(rules: Rules) -> float:
    """Seconds between the service's start and the first check."""
    return min(FIRST_PAUSE, rules.start_interval)


def judge(rules: Rules, progress: Progress, result: CheckResult, *, at: float) -> tuple[Progress, Verdict]:
    """What follows from one more check.

    Args:
        rules: how to judge.
        progress: what came before.
        result: what the check saw.
        at: when it ended, in seconds since the service's start.
    """
    seen = replace(
        progress,
        checks=progress.checks + 1,
        last=progress.last if result.cut and progress.last is not None else result,
        broken=progress.broken + 1 if result.broken and at >= rules.start_period else 0,
        opened=result.opened,
        opened_at=progress.opened_at if result.opened == progress.opened else at,
    )
    if result.passed:
        return seen, Healthy()
    if result.partly and at - seen.opened_at >= QUIET:
        return seen, Healthy(lacking=result.detail)
    if seen.broken >= BROKEN_LIMIT and not rules.patient:
        return seen, Unhealthy(result.detail, broken=True)
    if at >= rules.start_period and at - seen.counted_at >= rules.interval:
        seen = replace(seen, failures=seen.failures + 1, counted_at=at)
        if seen.failures >= rules.retries and not result.partly:
            return seen, Unhealthy(f"{seen.failures} checks in a row failed", broken=result.broken)
    if at >= rules.start_timeout:
        return seen, overdue(rules, seen)
    pause = min(_longest_pause(rules, at), progress.pause, rules.start_timeout - at)
    return replace(seen, pause=progress.pause * GROWTH), NotYet(pause)


def overdue(rules: Rules, progress: Progress) -> Healthy | Unhealthy:
    """What is made of a service whose start timeout is over without a check that passed."""
    last = progress.last
    if last is not None and last.partly:
        return Healthy(lacking=last.detail)
    why = f"it did not get healthy within its start timeout of {duration_text(rules.start_timeout)}"
    return Unhealthy(why, broken=last is not None and last.broken)


def _longest_pause(rules: Rules, at: float) -> float:
    """The start period has an interval of its own; after it, the faster of the two."""
    if at < rules.start_period:
        return rules.start_interval
    return min(rules.start_interval, rules.interval)
