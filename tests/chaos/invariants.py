"""What holds after every round, whatever was broken in it. Pure; each finding is a sentence.

A try that failed is no breach where the engine took its container away, or the worker its function: then it must be so
that a fault explains it, and that the job was tried again.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from orchestrator.contract.messages import JobRecord
from orchestrator.errors import Unreachable
from tests.chaos.lines import broken_logs, broken_service_logs, named
from tests.chaos.outages import (
    MARGIN,
    asked_in_vain,
    ends_engine,
    forgot_a_service,
    lost_sight,
    meets,
    not_taken,
)
from tests.chaos.seen import OneTry, RunSeen, Seen, seconds
from tests.chaos.workflow import ENDED_BY_ENGINE, NO_SERVICE, NUMBERS, Leaf

NOT_BEGUN: Final = "the job was not begun, since services had ended"
"""In the reason of a try whose shared services had gone, however long ago."""
_NUMBERS: Final = tuple(str(number) for number in range(1, NUMBERS + 1))


def broken(seen: Seen) -> list[str]:
    """What does not hold. Empty: all is well."""
    if seen.stuck:
        return [f"the round did not come to its end: {seen.stuck}"]
    found = [*_starts(seen), *_calls(seen), *_workers(seen)]
    for run in seen.runs:
        name = run.record.spec
        found += [
            f"{name}: {sentence}"
            for check in (_states, _tries, broken_logs, broken_service_logs, _harvest)
            for sentence in check(run, seen)
        ]
        found += [f"{name}: {stumble}" for stumble in run.stumbles]
    found += [f"left over on the host: {name}" for name in seen.left]
    return found


def lost_tries(seen: Seen, kind: str) -> int:
    """Tries whose container (`container`) or function (`call`) was taken away."""
    return sum(
        _was_taken(one, run, seen) for run in seen.runs for one in run.tries if _kind(one, run) == kind
    )


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
            yield f"{named(one)} failed, and no fault explains it: {one.record.reason}"


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
    times = Counter(start.name for start in seen.starts if not start.idle)
    services = {start.name for start in seen.starts if start.service}
    known: set[str] = set()
    for run in seen.runs:
        for one in run.tries:
            known.add(one.container)
            if _kind(one, run) == "container" and one.record.status == "success" and not times[one.container]:
                yield f"{named(one)} is a success, and its container '{one.container}' never started"
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
                    yield f"{named(one)} is a success, and its function never started"
    for call, count in times.items():
        if count > 1:
            yield f"the function of '{call}' started {count} times"
        if call not in known:
            yield f"the function of '{call}' started, and no record knows of its try"


def _workers(seen: Seen) -> Iterator[str]:
    """No worker ended by itself, but for one that was started while it could not reach the server."""
    for end in seen.own_ends:
        away = any(
            done.part == "server" and done.began <= end.at and end.began <= done.ended + MARGIN
            for done in seen.done
        )
        if end.exit_code != Unreachable.exit_code or not away:
            yield f"the worker ended by itself with exit code {end.exit_code}"


def _kind(one: OneTry, run: RunSeen) -> str:
    return run.leaves[one.leaf].kind


def _was_taken(one: OneTry, run: RunSeen, seen: Seen) -> bool:
    """Whether a fault explains that it failed."""
    if one.record.status != "failed":
        return False
    reason = (one.record.reason or "").partition(":")[0]
    if _kind(one, run) == "call":
        return reason == "lost" and any(done.part == "worker" and meets(done, one) for done in seen.done)
    if reason in ("docker", "start"):
        return not_taken(one, seen)
    if seen.schedule.live_restore:
        return _lost_alive(one, run, reason, seen)
    return _went_with_engine(one, reason, seen)


def _lost_alive(one: OneTry, run: RunSeen, reason: str, seen: Seen) -> bool:
    """The same, of an engine that keeps its containers alive."""
    match reason:
        case "exit":
            return one.record.exit_code == NO_SERVICE and asked_in_vain(one, seen)
        case "lost":
            return not_taken(one, seen) or lost_sight(one, run.expected.get(one.leaf, Leaf()), seen)
        case "service":
            return not_taken(one, seen) or forgot_a_service(one, seen)
        case _:
            return False


def _went_with_engine(one: OneTry, reason: str, seen: Seen) -> bool:
    """The same, of an engine that takes its containers along."""
    ended = any(ends_engine(done) and meets(done, one) for done in seen.done)
    if reason == "exit":
        code = one.record.exit_code
        # A service may go before the job beside it goes.
        return (code in ENDED_BY_ENGINE or code == NO_SERVICE) and ended
    if reason == "service" and NOT_BEGUN in (one.record.reason or ""):
        return _engine_ended_before(one, seen)
    return reason in ("lost", "service") and ended


def _engine_ended_before(one: OneTry, seen: Seen) -> bool:
    """Whether an engine's end may have taken the services that were found gone when the try was to begin."""
    ended = seconds(one.record.finished_at)
    return any(ends_engine(done) and (ended is None or done.began <= ended + MARGIN) for done in seen.done)
