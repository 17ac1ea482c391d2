"""What holds after every round, whatever was broken in it. Pure; each finding is a sentence.

A try that failed is no breach where the engine took its container away, or the worker its function: then it must be so
that a fault explains it, and that the job was tried again.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from orchestrator.contract.messages import JobRecord
from tests.chaos.breaking import Done
from tests.chaos.seen import OneTry, RunSeen, Seen, seconds
from tests.chaos.workflow import ENDED_BY_ENGINE, NO_SERVICE, NUMBERS, Leaf

MARGIN: Final = 5.0
"""Seconds by which a fault's effect may be seen before its beginning or after its end."""
TEARING: Final = 1.5
"""Seconds around an engine's absence in which it can lose lines."""
NOT_BEGUN: Final = "the job was not begun, since services had ended"
"""In the reason of a try whose shared services had gone, however long ago."""
_NUMBERS: Final = tuple(str(number) for number in range(1, NUMBERS + 1))


def broken(seen: Seen) -> list[str]:
    """What does not hold. Empty: all is well."""
    if seen.stuck:
        return [f"the round did not come to its end: {seen.stuck}"]
    found = [*_starts(seen), *_calls(seen)]
    for run in seen.runs:
        name = run.record.spec
        found += [
            f"{name}: {sentence}"
            for check in (_states, _tries, _logs, _harvest)
            for sentence in check(run, seen)
        ]
        found += [f"{name}: {stumble}" for stumble in run.stumbles]
    found += [f"left over on the host: {name}" for name in seen.left]
    return found


def lost_tries(seen: Seen) -> int:
    """Tries whose container or function was taken away."""
    return sum(_was_taken(one, run, seen) for run in seen.runs for one in run.tries)


def adoptions(seen: Seen) -> int:
    """Times that a container which had started before was taken up by an activity that began after it."""
    first: dict[str, float] = {}
    for start in seen.starts:
        first[start.name] = min(start.at, first.get(start.name, start.at))
    found = 0
    for run in seen.runs:
        begun = {one.key: first.get(one.container) for one in run.tries}
        for dispatch in run.dispatches:
            key, again, _ = dispatch.activity.partition(" (dispatch ")
            at = begun.get(key)
            found += bool(again and at and dispatch.started and at < dispatch.started)
    return found


def torn_lines(seen: Seen) -> int:
    """Lines that nobody wrote down, as the engine was away."""
    return sum(
        gap.missing for run in seen.runs for one in run.tries for gap in _gaps(one, run) if _torn(gap, seen)
    )


def _states(run: RunSeen, seen: Seen) -> Iterator[str]:
    """The run and all its jobs ended as they should, and nothing is missing or too much."""
    if set(run.leaves) != set(run.expected):
        yield f"its jobs are {sorted(run.leaves)} and not {sorted(run.expected)}"
        return
    for name, leaf in run.expected.items():
        found = run.leaves[name]
        if found.kind != leaf.kind:
            yield f"'{name}' is a {found.kind} and not a {leaf.kind}"
        if found.status != leaf.status:
            yield f"'{name}' is {found.status} and not {leaf.status}: {found.reason}"
    if run.record.status != "success":
        yield f"the run is {run.record.status} and not success: {run.record.error}"


def _tries(run: RunSeen, seen: Seen) -> Iterator[str]:
    """Tries are numbered without gap, only the last one succeeded, and what failed has an explanation."""
    for name, found in run.leaves.items():
        history, leaf = found.history, run.expected.get(name, Leaf())
        if [one.number for one in history] != list(range(1, found.tries + 1)):
            yield f"'{name}' has {found.tries} tries, and its history {[one.number for one in history]}"
        if any(one.status != "failed" for one in history[:-1]):
            yield f"'{name}' was tried again after {[one.status for one in history[:-1]]}"
        if leaf.first_exit is not None and history and history[0].status == "success":
            yield f"the first try of '{name}' succeeded, and it always fails"
    for one in run.tries:
        leaf = run.expected.get(one.leaf, Leaf())
        planned = one.record.number == 1 and one.record.exit_code == leaf.first_exit is not None
        if one.record.status == "failed" and not planned and not _was_taken(one, run, seen):
            yield f"{_named(one)} failed, and no fault explains it: {one.record.reason}"


def _logs(run: RunSeen, seen: Seen) -> Iterator[str]:
    """The numbered lines of each try are there once, in order and without gap, and all of them where it succeeded."""
    for one in run.tries:
        stamps = [line.timestamp for line in one.log]
        if stamps != sorted(stamps):
            yield f"the log of {_named(one)} is not in the order of time"
        titles = Counter(line.text for line in one.log if line.text.startswith("$ "))
        for title, times in titles.items():
            if times > 1:
                yield f"the log of {_named(one)} has {times} times '{title[:60]}'"
        for gap in _gaps(one, run):
            if not _torn(gap, seen):
                yield f"the log of {_named(one)} {gap.text}"
            elif one.record.status == "success" and not run.leaves[one.leaf].warnings:
                yield f"the log of {_named(one)} {gap.text}, and no warning says so"


def _harvest(run: RunSeen, seen: Seen) -> Iterator[str]:
    """What succeeded has its outputs and artifacts, and they are whole."""
    for name, found in run.leaves.items():
        leaf = run.expected.get(name)
        if leaf is None or found.status != "success":
            continue
        outputs = dict(found.outputs)
        if leaf.outputs is not None:
            # A try's number, where there is one, comes on top.
            rest = {key: value for key, value in outputs.items() if key in leaf.outputs}
            if rest != dict(leaf.outputs):
                yield f"'{name}' has the outputs {outputs} and not {dict(leaf.outputs)}"
        elif leaf.kind == "container" and outputs != {"try": str(found.tries)}:
            yield f"'{name}' has the outputs {outputs} after {found.tries} tries"
        yield from _artifacts(name, found, leaf, run)


def _artifacts(name: str, found: JobRecord, leaf: Leaf, run: RunSeen) -> Iterator[str]:
    collected = run.artifacts.get(name, ())
    if len(collected) != leaf.artifact or len(found.artifacts) != leaf.artifact:
        yield f"'{name}' has {len(collected)} artifacts and not {int(leaf.artifact)}"
    for one in collected:
        if not one.intact:
            yield f"an artifact of '{name}' is not the one that the record tells of"
        if one.lines != _NUMBERS:
            yield f"an artifact of '{name}' is not whole: it has {len(one.lines)} lines"


def _starts(seen: Seen) -> Iterator[str]:
    """Each logical try that succeeded started once; none started twice, and nothing else started."""
    times = Counter(start.name for start in seen.starts)
    services = {start.name for start in seen.starts if start.service}
    known: set[str] = set()
    for run in seen.runs:
        for one in run.tries:
            known.add(one.container)
            if _kind(one, run) == "container" and one.record.status == "success" and not times[one.container]:
                yield f"{_named(one)} is a success, and its container '{one.container}' never started"
    for name, count in times.items():
        if name in services:
            # An engine that is ended as it starts one forgets it. It does no work of its own, and may start again.
            continue
        if count > 1:
            yield f"container '{name}' started {count} times"
        if name not in known:
            yield f"container '{name}' started, and no record knows of its try"


def _calls(seen: Seen) -> Iterator[str]:
    """The same of functions."""
    times = Counter(seen.calls)
    known: set[str] = set()
    for run in seen.runs:
        for one in run.tries:
            call = f"{run.record.run_id} {one.leaf} {one.record.number}"
            if _kind(one, run) == "call":
                known.add(call)
                if one.record.status == "success" and not times[call]:
                    yield f"{_named(one)} is a success, and its function never started"
    for call, count in times.items():
        if count > 1:
            yield f"the function of '{call}' started {count} times"
        if call not in known:
            yield f"the function of '{call}' started, and no record knows of its try"


@dataclass(frozen=True)
class _Gap:
    """A place in a log where the numbers do not go on by one."""

    missing: int
    """Lines; below zero: lines are repeated or in disorder."""
    before: float
    after: float
    """Between these times, in seconds since the epoch, it came to be."""
    text: str


def _gaps(one: OneTry, run: RunSeen) -> Iterator[_Gap]:
    ended = seconds(one.record.finished_at) or 0.0
    seen = [(0, seconds(one.record.started_at) or 0.0)]
    for line in one.log:
        word, _, number = line.text.partition(" ")
        if word == "line" and number.isdigit():
            seen.append((int(number), seconds(line.timestamp) or 0.0))
    for (last, before), (number, after) in pairwise(seen):
        if number != last + 1:
            missing = number - last - 1 if number > last else -1
            yield _Gap(missing, before, after, f"goes from line {last} to line {number}")
    last, before = seen[-1]
    lines = run.expected.get(one.leaf, Leaf()).lines
    if one.record.status == "success" and last != lines:
        yield _Gap(
            lines - last if lines > last else -1, before, ended, f"ends at line {last} and not at {lines}"
        )


def _torn(gap: _Gap, seen: Seen) -> bool:
    """Whether the engine was away: what a container says then is lost where it ends before the engine is back."""
    return gap.missing > 0 and any(
        done.began <= gap.after + TEARING and gap.before - TEARING <= done.ended
        for done in seen.done
        if _ends_containers(done)
    )


def _kind(one: OneTry, run: RunSeen) -> str:
    return run.leaves[one.leaf].kind


def _named(one: OneTry) -> str:
    return f"'{one.leaf}', try {one.record.number}"


def _was_taken(one: OneTry, run: RunSeen, seen: Seen) -> bool:
    """Whether a fault explains that it failed."""
    if one.record.status != "failed":
        return False
    reason = (one.record.reason or "").partition(":")[0]
    meanwhile = [done for done in seen.done if _meets(done, one)]
    if _kind(one, run) == "call":
        return reason == "lost" and any(done.part == "worker" for done in meanwhile)
    ended = any(_ends_containers(done) for done in meanwhile)
    match reason:
        case "exit":
            code = one.record.exit_code
            # A service may go before the job beside it goes.
            return (code in ENDED_BY_ENGINE or code == NO_SERVICE) and ended
        case "lost" | "service":
            return ended or (NOT_BEGUN in (one.record.reason or "") and _engine_ended_before(one, seen))
        case "docker" | "start":
            return any(done.part == "engine" for done in meanwhile)
        case _:
            return False


def _ends_containers(done: Done) -> bool:
    # Also where it keeps containers alive: it ends those that it is just starting, and it does not know how those came
    # out that ended while it was killed (255).
    return done.part == "engine" and done.manner in ("kill", "stop")


def _engine_ended_before(one: OneTry, seen: Seen) -> bool:
    """Whether an engine's end may have taken the services that were found gone when the try was to begin."""
    ended = seconds(one.record.finished_at)
    return any(
        _ends_containers(done) and (ended is None or done.began <= ended + MARGIN) for done in seen.done
    )


def _meets(done: Done, one: OneTry) -> bool:
    began, ended = seconds(one.record.started_at), seconds(one.record.finished_at)
    return (ended is None or done.began <= ended + MARGIN) and (began is None or done.ended >= began - MARGIN)
