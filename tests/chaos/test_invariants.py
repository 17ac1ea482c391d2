"""Each invariant is seen to be broken where it is."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.contract.messages import JobRecord, RunRecord, TryRecord
from orchestrator.store.logs import LogLine
from tests.chaos.breaking import Done
from tests.chaos.faults import Manner, Part, schedule
from tests.chaos.invariants import NOT_BEGUN, adoptions, broken, lost_tries, torn_lines
from tests.chaos.one_round import Result
from tests.chaos.seen import Collected, Dispatch, RunSeen, Seen, Start, seconds, try_of
from tests.chaos.workflow import NO_SERVICE, NUMBERS, Leaf

BEGIN = seconds("2026-01-01T00:00:10.000Z") or 0.0
EXPECTED = {
    "work": Leaf(lines=3, artifact=True),
    "adds": Leaf(kind="call", lines=2, outputs={"total": 3}),
    "choice": Leaf(status="skipped"),
}


def _log(*texts: str) -> tuple[LogLine, ...]:
    return tuple(LogLine(f"2026-01-01T00:00:1{number}.000000000Z", text) for number, text in enumerate(texts))


def _tried(
    number: int, status: Any = "success", reason: str | None = None, code: int | None = 0
) -> TryRecord:
    return TryRecord(
        number=number,
        status=status,
        reason=reason,
        exit_code=code,
        started_at="2026-01-01T00:00:10.000Z",
        finished_at="2026-01-01T00:00:15.000Z",
    )


def _seen(*tries: TryRecord, lines: tuple[LogLine, ...] | None = None, **changes: Any) -> Seen:
    """A round that held, whose job 'work' had these tries."""
    history = tries or (_tried(1),)
    work = JobRecord(
        kind="container",
        status="success",
        tries=len(history),
        exit_code=0,
        outputs={"try": str(len(history))},
        history=history,
        artifacts=({"path": "/out/numbers", "key": "k", "size": 1, "sha256": "x"},),  # type: ignore[arg-type]
    )
    adds = JobRecord(
        kind="call", status="success", tries=1, outputs={"total": 3}, history=(_tried(1, code=None),)
    )
    leaves = {"work": work, "adds": adds, "choice": JobRecord(kind="container", status="skipped")}
    record = RunRecord(run_id="run", attempt=1, spec="chaos", status="success", created_at="", jobs=leaves)
    whole = _log("$ count", "line 1", "line 2", "line 3", "[1.0 s, exit 0]")
    works = [
        try_of(
            record,
            "work",
            "work",
            None,
            one,
            (whole if lines is None else lines) if one is history[-1] else (),
        )
        for one in history
    ]
    run = RunSeen(
        record=record,
        expected=EXPECTED,
        leaves=leaves,
        tries=(*works, try_of(record, "adds", "adds", None, adds.history[0], _log("line 1", "line 2"))),
        artifacts={"work": (Collected(intact=True, lines=tuple(map(str, range(1, NUMBERS + 1)))),)},
        dispatches=(Dispatch("work", BEGIN),),
        stumbles=(),
    )
    whole_round = Seen(
        schedule=schedule(1, 1),
        done=(),
        stuck="",
        runs=(run,),
        starts=tuple(Start(one.container, BEGIN) for one in works),
        calls=("run adds 1",),
        left=(),
    )
    return dataclasses.replace(whole_round, **changes)


def _run(seen: Seen, **changes: Any) -> Seen:
    return dataclasses.replace(seen, runs=(dataclasses.replace(seen.runs[0], **changes),))


def _leaf(seen: Seen, name: str, **changes: Any) -> Seen:
    leaves = dict(seen.runs[0].leaves)
    leaves[name] = leaves[name].model_copy(update=changes)
    return _run(seen, leaves=leaves)


def _done(part: Part, manner: Manner, at: float = 1.0) -> tuple[Done, ...]:
    return (Done(part, manner, BEGIN + at, BEGIN + at + 1.0),)


def result() -> Result:
    """Of a round in which the worker was killed."""
    return Result(
        schedule=schedule(1, 1),
        run="run",
        breaches=(),
        done=_done("worker", "kill"),
        seconds=20.0,
        adoptions=2,
        lost=0,
        torn=0,
        starts=3,
        ended_by_itself=0,
        evidence=None,
    )


def test_nothing_is_broken_where_all_is_well() -> None:
    assert broken(_seen()) == []


TORN = _log("line 1", "line 3", "end")
SWAPPED = _log("line 2", "line 1", "line 3")
BREACHES: dict[str, tuple[Callable[[], Seen], str]] = {
    "stuck": (lambda: _seen(stuck="no end"), "did not come to its end: no end"),
    "left": (lambda: _seen(left=("orca-x",)), "left over on the host: orca-x"),
    "twice": (lambda: _seen(starts=_seen().starts * 2), "started 2 times"),
    "never": (lambda: _seen(starts=()), "never started"),
    "unknown": (lambda: _seen(starts=(*_seen().starts, Start("other", 0.0))), "no record knows"),
    "called twice": (lambda: _seen(calls=("run adds 1", "run adds 1")), "function of 'run adds 1' started 2"),
    "never called": (lambda: _seen(calls=()), "its function never started"),
    "call unknown": (lambda: _seen(calls=("run adds 1", "run adds 2")), "no record knows"),
    "status": (lambda: _leaf(_seen(), "work", status="omitted"), "'work' is omitted and not success"),
    "kind": (lambda: _leaf(_seen(), "work", kind="gate"), "'work' is a gate"),
    "job too much": (
        lambda: _run(
            _seen(), leaves=dict(_seen().runs[0].leaves, more=JobRecord(kind="wait", status="success"))
        ),
        "its jobs are",
    ),
    "run": (
        lambda: _run(_seen(), record=_seen().runs[0].record.model_copy(update={"status": "partial"})),
        "the run is partial and not success",
    ),
    "history": (lambda: _leaf(_seen(), "work", tries=2), "has 2 tries"),
    "again after success": (lambda: _seen(_tried(1), _tried(2)), "tried again after ['success']"),
    "unexplained": (lambda: _seen(_tried(1, "failed", "exit: x", 143), _tried(2)), "no fault explains it"),
    "wrongly explained": (
        lambda: _seen(_tried(1, "failed", "exit: x", 1), _tried(2), done=_done("engine", "kill")),
        "no fault explains it",
    ),
    "long ago": (
        lambda: _seen(_tried(1, "failed", "lost: x", None), _tried(2), done=_done("engine", "kill", at=-60)),
        "no fault explains it",
    ),
    "no service": (
        lambda: _seen(
            _tried(1, "failed", "exit: x", NO_SERVICE), _tried(2), done=_done("engine", "kill", at=-60)
        ),
        "no fault explains it",
    ),
    "not begun": (
        lambda: _seen(_tried(1, "failed", f"service: {NOT_BEGUN}", None), _tried(2)),
        "no fault explains it",
    ),
    "not begun before": (
        lambda: _seen(
            _tried(1, "failed", f"service: {NOT_BEGUN}", None), _tried(2), done=_done("engine", "kill", at=60)
        ),
        "no fault explains it",
    ),
    "gap": (lambda: _seen(lines=TORN), "goes from line 1 to line 3"),
    "repeated": (lambda: _seen(lines=_log("line 1", "line 1", "line 2", "line 3")), "from line 1 to line 1"),
    "repeated though killed": (
        lambda: _seen(lines=SWAPPED, done=_done("engine", "kill", at=0.5)),
        "goes from line 2 to line 1",
    ),
    "tail": (lambda: _seen(lines=_log("line 1", "line 2")), "ends at line 2 and not at 3"),
    "heading": (
        lambda: _seen(lines=(*_log("$ a"), *_log("$ a", "line 1", "line 2", "line 3"))),
        "2 times '$ a'",
    ),
    "time": (lambda: _seen(lines=_log("line 1", "line 2", "line 3")[::-1]), "not in the order of time"),
    "outputs": (lambda: _leaf(_seen(), "work", outputs={"try": "2"}), "outputs {'try': '2'}"),
    "call's outputs": (lambda: _leaf(_seen(), "adds", outputs={}), "'adds' has the outputs {}"),
    "artifact": (lambda: _run(_seen(), artifacts={}), "0 artifacts and not 1"),
    "torn artifact": (
        lambda: _run(_seen(), artifacts={"work": (Collected(intact=True, lines=("1", "2")),)}),
        "not whole: it has 2 lines",
    ),
    "other artifact": (
        lambda: _run(_seen(), artifacts={"work": (Collected(intact=False, lines=()),)}),
        "not the one that the record tells of",
    ),
    "stumbled": (lambda: _run(_seen(), stumbles=("the interpreter failed",)), "the interpreter failed"),
}


@pytest.mark.parametrize("name", BREACHES)
def test_what_is_broken_is_told(name: str) -> None:
    make, told = BREACHES[name]
    assert any(told in sentence for sentence in broken(make())), broken(make())


def test_a_container_that_its_engine_ended_is_a_lost_try() -> None:
    seen = _seen(_tried(1, "failed", "exit: x", 143), _tried(2), done=_done("engine", "stop"))
    assert (broken(seen), lost_tries(seen)) == ([], 1)


def test_a_try_that_found_its_services_gone_is_explained_by_an_engine_that_ended_long_before() -> None:
    gone = _tried(1, "failed", f"service: {NOT_BEGUN}:\nshared service 'db' was ended", None)
    seen = _seen(gone, _tried(2), done=_done("engine", "kill", at=-60))
    assert (broken(seen), lost_tries(seen)) == ([], 1)


def test_a_function_whose_worker_died_is_a_lost_try() -> None:
    lost = (_tried(1, "failed", "lost: x", None), _tried(2, code=None))
    seen = _leaf(
        _seen(done=_done("worker", "kill"), calls=("run adds 1", "run adds 2")), "adds", tries=2, history=lost
    )
    tries = [one for one in seen.runs[0].tries if one.leaf == "work"]
    record = seen.runs[0].record
    tries += [try_of(record, "adds", "adds", None, one, _log("line 1", "line 2")) for one in lost]
    seen = _run(seen, tries=tuple(tries))
    assert (broken(seen), lost_tries(seen)) == ([], 1)
    assert broken(dataclasses.replace(seen, done=())) == [
        "chaos: 'adds', try 1 failed, and no fault explains it: lost: x"
    ]


def test_lines_that_were_said_while_the_engine_was_away() -> None:
    seen = _seen(lines=TORN, done=_done("engine", "kill", at=0.5))
    gap = "chaos: the log of 'work', try 1 goes from line 1 to line 3"
    assert broken(seen)[0] == f"{gap}, and no warning says so"
    seen = _leaf(seen, "work", warnings=("the log may not be whole",))
    assert (broken(seen), torn_lines(seen)) == ([], 1)
    assert broken(dataclasses.replace(seen, done=_done("engine", "freeze", at=0.5))) == [gap]
    assert broken(dataclasses.replace(seen, done=_done("engine", "kill", at=-5.0))) == [gap]


def test_what_is_an_adoption() -> None:
    for dispatch, count in (
        (Dispatch("work (dispatch 2)", BEGIN + 1), 1),
        (Dispatch("work (dispatch 2)", BEGIN - 1), 0),
        (Dispatch("work (dispatch 2)", None), 0),
        (Dispatch("work", BEGIN + 1), 0),
    ):
        assert adoptions(_run(_seen(), dispatches=(dispatch,))) == count, dispatch
