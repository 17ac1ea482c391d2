"""Each invariant is seen to be broken where it is."""

import dataclasses
from collections.abc import Callable

import pytest

from orchestrator.contract.messages import JobRecord
from tests.chaos.doctored import (
    BEGIN,
    TAKING,
    done_to,
    log_of,
    planned,
    round_of,
    serving,
    tried,
    with_leaf,
    with_run,
)
from tests.chaos.faults import Manner, Schedule, schedule
from tests.chaos.invariants import NOT_BEGUN, adoptions, broken, lost_tries
from tests.chaos.lab import OwnEnd
from tests.chaos.one_round import Result
from tests.chaos.seen import Collected, Dispatch, Seen, Start, try_of
from tests.chaos.workflow import NO_SERVICE


def result() -> Result:
    """Of a round in which the worker was killed."""
    return Result(
        schedule=schedule(1, 1),
        run="run",
        breaches=(),
        done=done_to("worker", "kill"),
        seconds=20.0,
        adoptions=2,
        lost=0,
        lost_functions=0,
        torn=0,
        starts=3,
        idle=0,
        unremovable=0,
        ended_by_itself=0,
        evidence=None,
    )


def test_nothing_is_broken_where_all_is_well() -> None:
    assert broken(round_of()) == []


def test_a_start_after_which_nothing_had_begun_is_none() -> None:
    begun = round_of().starts
    idle = tuple(dataclasses.replace(start, idle=True) for start in begun)
    assert broken(round_of(starts=(*idle, *begun))) == []
    assert any("never started" in breach for breach in broken(round_of(starts=idle)))


TORN = log_of("line 1", "line 3", "end")
SWAPPED = log_of("line 2", "line 1", "line 3")
BREACHES: dict[str, tuple[Callable[[], Seen], str]] = {
    "stuck": (lambda: round_of(stuck="no end"), "did not come to its end: no end"),
    "left": (lambda: round_of(left=("orca-x",)), "left over on the host: orca-x"),
    "twice": (lambda: round_of(starts=round_of().starts * 2), "started 2 times"),
    "never": (lambda: round_of(starts=()), "never started"),
    "unknown": (lambda: round_of(starts=(*round_of().starts, Start("other", 0.0))), "no record knows"),
    "called twice": (
        lambda: round_of(calls=("run adds 1", "run adds 1")),
        "function of 'run adds 1' started 2",
    ),
    "never called": (lambda: round_of(calls=()), "its function never started"),
    "call unknown": (lambda: round_of(calls=("run adds 1", "run adds 2")), "no record knows"),
    "status": (lambda: with_leaf(round_of(), "work", status="omitted"), "'work' is omitted and not success"),
    "kind": (lambda: with_leaf(round_of(), "work", kind="gate"), "'work' is a gate"),
    "job too much": (
        lambda: with_run(
            round_of(), leaves=dict(round_of().runs[0].leaves, more=JobRecord(kind="wait", status="success"))
        ),
        "its jobs are",
    ),
    "run": (
        lambda: with_run(
            round_of(), record=round_of().runs[0].record.model_copy(update={"status": "partial"})
        ),
        "the run is partial and not success",
    ),
    "history": (lambda: with_leaf(round_of(), "work", tries=2), "has 2 tries"),
    "again after success": (lambda: round_of(tried(1), tried(2)), "tried again after ['success']"),
    "unexplained": (lambda: round_of(tried(1, "failed", "exit: x", 143), tried(2)), "no fault explains it"),
    "wrongly explained": (
        lambda: round_of(tried(1, "failed", "exit: x", 1), tried(2), done=done_to("engine", "kill")),
        "no fault explains it",
    ),
    "wrongly explained, taken": (
        lambda: round_of(
            tried(1, "failed", "exit: x", 1), tried(2), done=done_to("engine", "kill"), schedule=TAKING
        ),
        "no fault explains it",
    ),
    "ended though it was to go on": (
        lambda: round_of(tried(1, "failed", "exit: x", 143), tried(2), done=done_to("engine", "stop")),
        "no fault explains it",
    ),
    "no exit code": (
        lambda: with_leaf(
            round_of(done=done_to("engine", "stop", at=-300)), "work", status="failed", exit_code=None
        ),
        "'work' is failed and not success",
    ),
    "planned, and silent": (lambda: planned(()), "try 1 ends at line 0 and not at 3"),
    "planned, and torn": (
        lambda: planned(log_of("line 1", "line 2")),
        "try 1 ends at line 2 and not at 3",
    ),
    "planned, and repeated": (
        lambda: planned(log_of("line 1", "line 2", "line 2", "line 3")),
        "from line 2 to line 2",
    ),
    "service, and silent": (lambda: serving(needed=True), "work/web, start 1 is empty"),
    "service, and torn": (lambda: serving("line 1", "line 3", "line 4", "line 5"), "from line 1 to line 3"),
    "service, and swapped": (
        lambda: serving("line 2", "line 1", "line 3", starts=2),
        "from line 0 to line 2",
    ),
    "long ago": (
        lambda: round_of(
            tried(1, "failed", "lost: x", None),
            tried(2),
            done=done_to("engine", "kill", at=-60),
            schedule=TAKING,
        ),
        "no fault explains it",
    ),
    "no service": (
        lambda: round_of(
            tried(1, "failed", "exit: x", NO_SERVICE),
            tried(2),
            done=done_to("engine", "kill", at=-60),
            schedule=TAKING,
        ),
        "no fault explains it",
    ),
    "not begun": (
        lambda: round_of(tried(1, "failed", f"service: {NOT_BEGUN}", None), tried(2), schedule=TAKING),
        "no fault explains it",
    ),
    "not begun before": (
        lambda: round_of(
            tried(1, "failed", f"service: {NOT_BEGUN}", None),
            tried(2),
            done=done_to("engine", "kill", at=60),
            schedule=TAKING,
        ),
        "no fault explains it",
    ),
    "gap": (lambda: round_of(lines=TORN), "goes from line 1 to line 3"),
    "repeated": (
        lambda: round_of(lines=log_of("line 1", "line 1", "line 2", "line 3")),
        "from line 1 to line 1",
    ),
    "repeated though killed": (
        lambda: round_of(lines=SWAPPED, done=done_to("engine", "kill", at=0.5)),
        "goes from line 2 to line 1",
    ),
    "tail": (lambda: round_of(lines=log_of("line 1", "line 2")), "ends at line 2 and not at 3"),
    "heading": (
        lambda: round_of(lines=(*log_of("$ a"), *log_of("$ a", "line 1", "line 2", "line 3"))),
        "2 times '$ a'",
    ),
    "time": (lambda: round_of(lines=log_of("line 1", "line 2", "line 3")[::-1]), "not in the order of time"),
    "outputs": (lambda: with_leaf(round_of(), "work", outputs={"try": "2"}), "outputs {'try': '2'}"),
    "call's outputs": (lambda: with_leaf(round_of(), "adds", outputs={}), "'adds' has the outputs {}"),
    "artifact": (lambda: with_run(round_of(), artifacts={}), "0 artifacts and not 1"),
    "torn artifact": (
        lambda: with_run(round_of(), artifacts={"work": (Collected(intact=True, lines=("1", "2")),)}),
        "not whole: it has 2 lines",
    ),
    "other artifact": (
        lambda: with_run(round_of(), artifacts={"work": (Collected(intact=False, lines=()),)}),
        "not the one that the record tells of",
    ),
    "stumbled": (
        lambda: with_run(round_of(), stumbles=("the interpreter failed",)),
        "the interpreter failed",
    ),
}


@pytest.mark.parametrize("name", BREACHES)
def test_what_is_broken_is_told(name: str) -> None:
    make, told = BREACHES[name]
    assert any(told in sentence for sentence in broken(make())), broken(make())


def test_a_container_that_its_engine_ended_is_a_lost_try() -> None:
    seen = round_of(
        tried(1, "failed", "exit: x", 143), tried(2), done=done_to("engine", "stop"), schedule=TAKING
    )
    assert (broken(seen), lost_tries(seen, "container"), lost_tries(seen, "call")) == ([], 1, 0)


def test_a_try_that_found_its_services_gone_is_explained_by_an_engine_that_ended_long_before() -> None:
    gone = tried(1, "failed", f"service: {NOT_BEGUN}:\nshared service 'db' was ended", None)
    seen = round_of(gone, tried(2), done=done_to("engine", "kill", at=-60), schedule=TAKING)
    assert (broken(seen), lost_tries(seen, "container")) == ([], 1)
    # One that keeps containers alive does not take services along.
    assert broken(dataclasses.replace(seen, schedule=schedule(1, 1))) != []


def test_a_function_whose_worker_died_is_a_lost_try() -> None:
    lost = (tried(1, "failed", "lost: x", None), tried(2, code=None))
    seen = with_leaf(
        round_of(done=done_to("worker", "kill"), calls=("run adds 1", "run adds 2")),
        "adds",
        tries=2,
        history=lost,
    )
    tries = [one for one in seen.runs[0].tries if one.leaf == "work"]
    record = seen.runs[0].record
    tries += [try_of(record, "adds", "adds", None, one, log_of("line 1", "line 2")) for one in lost]
    seen = with_run(seen, tries=tuple(tries))
    assert (broken(seen), lost_tries(seen, "container"), lost_tries(seen, "call")) == ([], 0, 1)
    assert broken(dataclasses.replace(seen, done=())) == [
        "chaos: 'adds', try 1 failed, and no fault explains it: lost: x"
    ]


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
        # Nobody saw it end.
        (0.0, None, 2.0, False),
        # It never began, and its engine was away; or long before.
        (None, None, 2.0, True),
        (None, None, -60.0, False),
    ],
)
@pytest.mark.parametrize("manner", ["kill", "stop"])
def test_what_an_engine_that_keeps_containers_alive_loses_sight_of(
    manner: Manner, began: float | None, ended: float | None, fault: float, explained: bool
) -> None:
    seen = round_of(tried(1, "failed", "lost: x", None), tried(2), done=done_to("engine", manner, at=fault))
    first, second = seen.starts
    end = None if ended is None else BEGIN + ended
    starts = () if began is None else (Start(first.name, BEGIN + began, ended=end),)
    seen = dataclasses.replace(seen, starts=(*starts, second))
    told = ["chaos: 'work', try 1 failed, and no fault explains it: lost: x"]
    assert (broken(seen), lost_tries(seen, "container")) == (([], 1) if explained else (told, 0))
    # One that takes its containers along needs no such reason.
    assert (broken(dataclasses.replace(seen, schedule=TAKING)) == []) == (fault > 0)
    frozen = dataclasses.replace(seen, done=done_to("engine", "freeze", at=fault))
    assert broken(frozen) == told


@pytest.mark.parametrize("kind", ["docker", "start"])
@pytest.mark.parametrize("schedule", [TAKING, schedule(1, 1)])
def test_an_engine_that_is_away_may_leave_a_job_unbegun_and_nothing_else(
    kind: str, schedule: Schedule
) -> None:
    seen = round_of(
        tried(1, "failed", f"{kind}: x", None),
        tried(2),
        done=done_to("engine", "kill"),
        schedule=schedule,
    )
    told = [f"chaos: 'work', try 1 failed, and no fault explains it: {kind}: x"]
    assert broken(seen) == told
    unbegun = dataclasses.replace(seen, starts=seen.starts[1:])
    assert broken(unbegun) == []
    assert broken(dataclasses.replace(unbegun, done=done_to("worker", "kill"))) == told
    assert broken(dataclasses.replace(unbegun, done=done_to("engine", "freeze"))) == told


def test_a_service_that_was_being_started_as_its_engine_ended() -> None:
    seen = round_of(tried(1, "failed", "service: x", None), tried(2), done=done_to("engine", "kill", at=2.0))
    told = ["chaos: 'work', try 1 failed, and no fault explains it: service: x"]
    assert broken(seen) == told
    for at, held in ((1.5, True), (-3.0, False)):
        started = Start("web", BEGIN + at, service=True)
        assert broken(dataclasses.replace(seen, starts=(*seen.starts, started))) == ([] if held else told)


def test_a_job_that_asked_for_a_service_while_nobody_looked_up_its_name() -> None:
    seen = round_of(
        tried(1, "failed", "exit: x", NO_SERVICE), tried(2), done=done_to("engine", "kill", at=4.5)
    )
    assert broken(seen) == []
    assert broken(dataclasses.replace(seen, done=done_to("engine", "kill", at=2.0))) != []
    assert broken(dataclasses.replace(seen, done=done_to("engine", "freeze", at=4.5))) != []


def test_a_worker_may_end_only_where_it_found_no_server() -> None:
    end = OwnEnd(BEGIN + 3.0, BEGIN + 1.0, 3)
    seen = round_of(own_ends=(end,), done=done_to("server", "kill", at=1.5))
    assert broken(seen) == []
    assert broken(dataclasses.replace(seen, done=())) == ["the worker ended by itself with exit code 3"]
    assert broken(dataclasses.replace(seen, done=done_to("engine", "kill", at=1.5))) != []
    for code in (-11, 0, 1):
        crashed = dataclasses.replace(seen, own_ends=(dataclasses.replace(end, exit_code=code),))
        assert broken(crashed) == [f"the worker ended by itself with exit code {code}"]


def test_what_is_an_adoption() -> None:
    for dispatch, count in (
        (Dispatch("work (dispatch 2)", BEGIN + 1), 1),
        (Dispatch("work (dispatch 2)", BEGIN - 1), 0),
        (Dispatch("work (dispatch 2)", None), 0),
        (Dispatch("work", BEGIN + 1), 0),
    ):
        assert adoptions(with_run(round_of(), dispatches=(dispatch,))) == count, dispatch
