"""What holds of the numbered lines that jobs and services print. Pure; each finding is a sentence."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from orchestrator.store.logs import LogLine
from tests.chaos.breaking import Done
from tests.chaos.outages import SIGHT, TEARING, ended_unseen, ends_engine, starts_of
from tests.chaos.seen import OneTry, RunSeen, Seen, ServiceSeen, seconds
from tests.chaos.workflow import SERVICE_PACE, Leaf

_IN_HAND: Final = 16 * 1024
"""Bytes of a log that an engine reads at a time: it may be killed before it has written them down."""
_SILENCE: Final = 3.0
"""Seconds before its end in which a service that prints all the time may have said nothing, on a busy machine."""


@dataclass(frozen=True)
class _Gap:
    """A place in a log where the numbers do not go on by one."""

    missing: int
    """Lines; below zero: lines are repeated or in disorder."""
    before: float
    """When the line before it was said, in seconds since the epoch."""
    at_end: bool
    """The container said nothing after it."""
    text: str


def broken_logs(run: RunSeen, seen: Seen) -> Iterator[str]:
    """The lines of each try are there once, in order and without gap, and all of them where it came to its own end."""
    for one in run.tries:
        name = f"the log of {named(one)}"
        yield from _in_order(name, one.log)
        titles = Counter(line.text for line in one.log if line.text.startswith("$ "))
        for title, times in titles.items():
            if times > 1:
                yield f"{name} has {times} times '{title[:60]}'"
        for gap in _gaps_of(one, run):
            if not _torn(gap, one.container, _leaf(one, run).pace, seen):
                yield f"{name} {gap.text}"
            elif one.record.status == "success" and not run.leaves[one.leaf].warnings:
                yield f"{name} {gap.text}, and no warning says so"


def broken_service_logs(run: RunSeen, seen: Seen) -> Iterator[str]:
    """The lines of each service are there once, in order and without gap, up to its end."""
    for service in run.services:
        name = f"the log of {service.name}"
        yield from _in_order(name, service.log)
        if service.needed and not service.log:
            yield f"{name} is empty"
        # An engine that is ended as it starts one forgets it, and it begins anew.
        again = max(0, len(starts_of(service.container, seen)) - 1)
        for gap in _gaps(service.log, began=0.0):
            if gap.missing < 0 and gap.text.endswith(" to line 1") and again:
                again -= 1
            elif not _torn(gap, service.container, SERVICE_PACE, seen):
                yield f"{name} {gap.text}"
        yield from _broken_off(service, seen)


def torn_lines(seen: Seen) -> int:
    """Lines that nobody wrote down, as the engine was away."""
    return sum(
        gap.missing
        for run in seen.runs
        for one in run.tries
        for gap in _gaps_of(one, run)
        if _torn(gap, one.container, _leaf(one, run).pace, seen)
    )


def named(one: OneTry) -> str:
    """The try, for people."""
    return f"'{one.leaf}', try {one.record.number}"


def _in_order(name: str, log: Sequence[LogLine]) -> Iterator[str]:
    stamps = [line.timestamp for line in log]
    if stamps != sorted(stamps):
        yield f"{name} is not in the order of time"


def _gaps_of(one: OneTry, run: RunSeen) -> Iterator[_Gap]:
    leaf, began = _leaf(one, run), seconds(one.record.started_at) or 0.0
    yield from _gaps(one.log, began=began)
    last, at = [(0, began), *_numbered(one.log)][-1]
    planned = one.record.number == 1 and one.record.exit_code == leaf.first_exit is not None
    if (one.record.status == "success" or planned) and last != leaf.lines:
        missing = leaf.lines - last if leaf.lines > last else -1
        yield _Gap(missing, at, at_end=True, text=f"ends at line {last} and not at {leaf.lines}")


def _gaps(log: Sequence[LogLine], *, began: float) -> Iterator[_Gap]:
    for (last, before), (number, _) in pairwise([(0, began), *_numbered(log)]):
        if number != last + 1:
            missing = number - last - 1 if number > last else -1
            yield _Gap(missing, before, at_end=False, text=f"goes from line {last} to line {number}")


def _numbered(log: Sequence[LogLine]) -> Iterator[tuple[int, float]]:
    for line in log:
        word, _, number = line.text.partition(" ")
        if word == "line" and number.isdigit():
            yield int(number), seconds(line.timestamp) or 0.0


def _torn(gap: _Gap, container: str, pace: float, seen: Seen) -> bool:
    """Whether an engine lost what is missing: it was away when the container ended, or had it in hand as it went."""
    if gap.missing <= 0:
        return False
    for done in seen.done:
        if not ends_engine(done):
            continue
        if gap.at_end and any(ended_unseen(start, done) for start in starts_of(container, seen)):
            return True
        if not gap.at_end and _in_hand(gap, done, pace):
            return True
    return False


def _in_hand(gap: _Gap, done: Done, pace: float) -> bool:
    """What the engine had read when it went, and no more: what the container says afterwards waits for its return."""
    since = done.began + SIGHT - gap.before
    if not 0 <= since <= TEARING + SIGHT:
        return False
    at_most = _IN_HAND // len("line 1\n")
    return gap.missing <= (min(at_most, 1 + since / pace) if pace else at_most)


def _broken_off(service: ServiceSeen, seen: Seen) -> Iterator[str]:
    ends = [start.ended for start in starts_of(service.container, seen) if start.ended is not None]
    said = [at for _, at in _numbered(service.log)]
    if not ends or not said or max(ends) - said[-1] <= _SILENCE:
        return
    if not any(
        ends_engine(done) and done.began - TEARING <= max(ends) and said[-1] <= done.ended
        for done in seen.done
    ):
        yield f"the log of {service.name} breaks off {max(ends) - said[-1]:.1f} s before its end"


def _leaf(one: OneTry, run: RunSeen) -> Leaf:
    return run.expected.get(one.leaf, Leaf())
