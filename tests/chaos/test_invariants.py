"""Each invariant is seen to be broken where it is."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.contract.messages import JobRecord, RunRecord, TryRecord
from orchestrator.store.logs import LogLine
from tests.chaos.breaking import Done
from tests.chaos.faults import Manner, Part, Schedule, schedule
from tests.chaos.invariants import NOT_BEGUN, adoptions, broken, lost_tries
from tests.chaos.lab import OwnEnd
from tests.chaos.lines import torn_lines
from tests.chaos.one_round import Result
from tests.chaos.seen import Collected, Dispatch, RunSeen, Seen, ServiceSeen, Start, seconds, try_of
from tests.chaos.workflow import NO_SERVICE, NUMBERS, Leaf

BEGIN = seconds("2026-01-01T00:00:10.000Z") or 0.0
EXPECTED = {
    "work": Leaf(lines=3, pace=0.5, artifact=True),
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
        services=(),
        artifacts={"work": (Collected(intact=True, lines=tuple(map(str, range(1, NUMBERS + 1)))),)},
        dispatches=(Dispatch("work", BEGIN),),
        stumbles=(),
    )
    whole_round = Seen(
        schedule=schedule(1, 1),
        done=(),
        stuck="",
        runs=(run,),
        starts=tuple(Start(one.container, BEGIN, ended=BEGIN + 5.0) for one in works),
        calls=("run adds 1",),
        left=(),
    )
    return dataclasses.replace(whole_round, **changes)


TAKING = schedule(1, 2)
"""A round whose engine takes its containers along. Others' engines here keep them alive."""


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
        lost_functions=0,
        torn=0,
        starts=3,
        ended_by_itself=0,
        evidence=None,
    )


def test_nothing_is_broken_where_all_is_well() -> None:
    assert broken(_seen()) == []


def _planned(lines: tuple[LogLine, ...]) -> Seen:
    """A round that held but for the lines of a first try that fails on purpose."""
    seen = _seen(_tried(1, "failed", "exit: x", 75), _tried(2))
    tries = tuple(
        dataclasses.replace(one, log=lines) if one.leaf == "work" and one.record.number == 1 else one
        for one in seen.runs[0].tries
    )
    expected = {**EXPECTED, "work": dataclasses.replace(EXPECTED["work"], first_exit=75)}
    return _run(seen, tries=tries, expected=expected)


def test_a_first_try_that_fails_on_purpose_has_its_lines() -> None:
    assert broken(_planned(_log("line 1", "line 2", "line 3"))) == []


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
    "wrongly explained, taken": (
        lambda: _seen(
            _tried(1, "failed", "exit: x", 1), _tried(2), done=_done("engine", "kill"), schedule=TAKING
        ),
        "no fault explains it",
    ),
    "ended though it was to go on": (
        lambda: _seen(_tried(1, "failed", "exit: x", 143), _tried(2), done=_done("engine", "stop")),
        "no fault explains it",
    ),
    "no exit code": (
        lambda: _leaf(_seen(done=_done("engine", "stop", at=-300)), "work", status="failed", exit_code=None),
        "'work' is failed and not success",
    ),
    "planned, and silent": (lambda: _planned(()), "try 1 ends at line 0 and not at 3"),
    "planned, and torn": (
        lambda: _planned(_log("line 1", "line 2")),
        "try 1 ends at line 2 and not at 3",
    ),
    "planned, and repeated": (
        lambda: _planned(_log("line 1", "line 2", "line 2", "line 3")),
        "from line 2 to line 2",
    ),
    "service, and silent": (lambda: _serving(needed=True), "work/web, start 1 is empty"),
    "service, and torn": (lambda: _serving("line 1", "line 3", "line 4", "line 5"), "from line 1 to line 3"),
    "service, and swapped": (
        lambda: _serving("line 2", "line 1", "line 3", starts=2),
        "from line 0 to line 2",
    ),
    "long ago": (
        lambda: _seen(
            _tried(1, "failed", "lost: x", None),
            _tried(2),
            done=_done("engine", "kill", at=-60),
            schedule=TAKING,
        ),
        "no fault explains it",
    ),
    "no service": (
        lambda: _seen(
            _tried(1, "failed", "exit: x", NO_SERVICE),
            _tried(2),
            done=_done("engine", "kill", at=-60),
            schedule=TAKING,
        ),
        "no fault explains it",
    ),
    "not begun": (
        lambda: _seen(_tried(1, "failed", f"service: {NOT_BEGUN}", None), _tried(2), schedule=TAKING),
        "no fault explains it",
    ),
    "not begun before": (
        lambda: _seen(
            _tried(1, "failed", f"service: {NOT_BEGUN}", None),
            _tried(2),
            done=_done("engine", "kill", at=60),
            schedule=TAKING,
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
    seen = _seen(
        _tried(1, "failed", "exit: x", 143), _tried(2), done=_done("engine", "stop"), schedule=TAKING
    )
    assert (broken(seen), lost_tries(seen, "container"), lost_tries(seen, "call")) == ([], 1, 0)


def test_a_try_that_found_its_services_gone_is_explained_by_an_engine_that_ended_long_before() -> None:
    gone = _tried(1, "failed", f"service: {NOT_BEGUN}:\nshared service 'db' was ended", None)
    seen = _seen(gone, _tried(2), done=_done("engine", "kill", at=-60), schedule=TAKING)
    assert (broken(seen), lost_tries(seen, "container")) == ([], 1)
    # One that keeps containers alive does not take services along.
    assert broken(dataclasses.replace(seen, schedule=schedule(1, 1))) != []


def test_a_function_whose_worker_died_is_a_lost_try() -> None:
    lost = (_tried(1, "failed", "lost: x", None), _tried(2, code=None))
    seen = _leaf(
        _seen(done=_done("worker", "kill"), calls=("run adds 1", "run adds 2")), "adds", tries=2, history=lost
    )
    tries = [one for one in seen.runs[0].tries if one.leaf == "work"]
    record = seen.runs[0].record
    tries += [try_of(record, "adds", "adds", None, one, _log("line 1", "line 2")) for one in lost]
    seen = _run(seen, tries=tuple(tries))
    assert (broken(seen), lost_tries(seen, "container"), lost_tries(seen, "call")) == ([], 0, 1)
    assert broken(dataclasses.replace(seen, done=())) == [
        "chaos: 'adds', try 1 failed, and no fault explains it: lost: x"
    ]


def test_lines_that_were_said_while_the_engine_was_away() -> None:
    seen = _seen(lines=_log("line 1"), done=_done("engine", "kill", at=4.5))
    gap = "chaos: the log of 'work', try 1 ends at line 1 and not at 3"
    assert broken(seen)[0] == f"{gap}, and no warning says so"
    seen = _leaf(seen, "work", warnings=("the log may not be whole",))
    assert (broken(seen), torn_lines(seen)) == ([], 2)
    assert broken(dataclasses.replace(seen, done=_done("engine", "freeze", at=4.5))) == [gap]
    assert broken(dataclasses.replace(seen, done=_done("engine", "kill", at=-5.0))) == [gap]
    # The engine was back before the container ended.
    assert broken(dataclasses.replace(seen, done=_done("engine", "kill", at=2.0))) == [gap]


def test_lines_that_the_engine_had_in_hand_as_it_went() -> None:
    seen = _seen(lines=TORN, done=_done("engine", "kill", at=0.5))
    gap = "chaos: the log of 'work', try 1 goes from line 1 to line 3"
    assert broken(seen)[0] == f"{gap}, and no warning says so"
    seen = _leaf(seen, "work", warnings=("the log may not be whole",))
    assert (broken(seen), torn_lines(seen)) == ([], 1)
    # What was said after it went waits for its return.
    assert broken(dataclasses.replace(seen, done=_done("engine", "kill", at=-1.0))) == [gap]
    assert broken(dataclasses.replace(seen, done=_done("engine", "freeze", at=0.5))) == [gap]
    long = _leaf(
        _seen(lines=_log("line 1", "line 90"), done=_done("engine", "kill", at=0.5)), "work", warnings=("w",)
    )
    assert broken(long)[0] == "chaos: the log of 'work', try 1 goes from line 1 to line 90"


@pytest.mark.parametrize(
    ("began", "ended", "fault", "explained"),
    [
        # It was just being started.
        (1.5, 4.0, 2.0, True),
        # It came to its end meanwhile, or just before.
        (0.0, 2.5, 2.0, True),
        (0.0, 1.6, 2.0, True),
        # It was ended before it can have been done.
        (0.2, 1.6, 2.0, False),
        # It went on all the time.
        (0.0, 4.0, 2.0, False),
        (-20.0, -15.0, 2.0, False),
        # Nobody saw it end, or begin.
        (0.0, None, 2.0, False),
        (None, None, 2.0, False),
    ],
)
@pytest.mark.parametrize("manner", ["kill", "stop"])
def test_what_an_engine_that_keeps_containers_alive_loses_sight_of(
    manner: Manner, began: float | None, ended: float | None, fault: float, explained: bool
) -> None:
    seen = _seen(_tried(1, "failed", "lost: x", None), _tried(2), done=_done("engine", manner, at=fault))
    first, second = seen.starts
    end = None if ended is None else BEGIN + ended
    starts = () if began is None else (Start(first.name, BEGIN + began, ended=end),)
    seen = dataclasses.replace(seen, starts=(*starts, second))
    told = ["chaos: 'work', try 1 failed, and no fault explains it: lost: x"]
    assert (broken(seen), lost_tries(seen, "container")) == (([], 1) if explained else (told, 0))
    # One that takes its containers along needs no such reason.
    assert broken(dataclasses.replace(seen, schedule=TAKING)) == []
    frozen = dataclasses.replace(seen, done=_done("engine", "freeze", at=fault))
    assert broken(frozen) == told


@pytest.mark.parametrize("kind", ["docker", "start"])
@pytest.mark.parametrize("schedule", [TAKING, schedule(1, 1)])
def test_an_engine_that_is_away_may_leave_a_job_unbegun_and_nothing_else(
    kind: str, schedule: Schedule
) -> None:
    seen = _seen(
        _tried(1, "failed", f"{kind}: x", None),
        _tried(2),
        done=_done("engine", "kill"),
        schedule=schedule,
    )
    told = [f"chaos: 'work', try 1 failed, and no fault explains it: {kind}: x"]
    assert broken(seen) == told
    unbegun = dataclasses.replace(seen, starts=seen.starts[1:])
    assert broken(unbegun) == []
    assert broken(dataclasses.replace(unbegun, done=_done("worker", "kill"))) == told
    assert broken(dataclasses.replace(unbegun, done=_done("engine", "freeze"))) == told


def test_a_service_that_was_being_started_as_its_engine_ended() -> None:
    seen = _seen(_tried(1, "failed", "service: x", None), _tried(2), done=_done("engine", "kill", at=2.0))
    told = ["chaos: 'work', try 1 failed, and no fault explains it: service: x"]
    assert broken(seen) == told
    for at, held in ((1.5, True), (-3.0, False)):
        started = Start("web", BEGIN + at, service=True)
        assert broken(dataclasses.replace(seen, starts=(*seen.starts, started))) == ([] if held else told)


def test_a_worker_may_end_only_where_it_found_no_server() -> None:
    end = OwnEnd(BEGIN + 3.0, BEGIN + 1.0, 3)
    seen = _seen(own_ends=(end,), done=_done("server", "kill", at=1.5))
    assert broken(seen) == []
    assert broken(dataclasses.replace(seen, done=())) == ["the worker ended by itself with exit code 3"]
    assert broken(dataclasses.replace(seen, done=_done("engine", "kill", at=1.5))) != []
    for code in (-11, 0, 1):
        crashed = dataclasses.replace(seen, own_ends=(dataclasses.replace(end, exit_code=code),))
        assert broken(crashed) == [f"the worker ended by itself with exit code {code}"]


SERVED = ("$ begins", "line 1", "line 2", "line 3", "line 4", "line 5")


def _serving(*texts: str, starts: int = 1, needed: bool = True, **changes: Any) -> Seen:
    """A round that held, with a service that printed these lines, one in each second, and ended after 5.5 s."""
    seen = _seen(**changes)
    service = ServiceSeen("work/web, start 1", "web", needed, _log(*texts))
    began = tuple(Start("web", BEGIN, service=True, ended=BEGIN + 5.5) for _ in range(starts))
    return _run(dataclasses.replace(seen, starts=(*seen.starts, *began)), services=(service,))


def test_a_service_may_print_anew_where_its_engine_forgot_it() -> None:
    assert broken(_serving(*SERVED)) == []
    twice = ("line 1", "line 2", "line 1", "line 2", "line 3", "line 4")
    assert broken(_serving(*twice, starts=2)) == []
    assert broken(_serving(*twice)) == ["chaos: the log of work/web, start 1 goes from line 2 to line 1"]
    assert broken(_serving(needed=False)) == []


def test_lines_of_a_service_that_its_engine_had_no_time_for() -> None:
    off = _serving("line 1")
    assert broken(off) == ["chaos: the log of work/web, start 1 breaks off 5.5 s before its end"]
    assert broken(dataclasses.replace(off, done=_done("engine", "kill", at=4.5))) == []
    assert broken(dataclasses.replace(off, done=_done("worker", "kill", at=4.5))) != []


def test_what_is_an_adoption() -> None:
    for dispatch, count in (
        (Dispatch("work (dispatch 2)", BEGIN + 1), 1),
        (Dispatch("work (dispatch 2)", BEGIN - 1), 0),
        (Dispatch("work (dispatch 2)", None), 0),
        (Dispatch("work", BEGIN + 1), 0),
    ):
        assert adoptions(_run(_seen(), dispatches=(dispatch,))) == count, dispatch
