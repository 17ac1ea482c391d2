"""Rounds that held, and what is changed in them, so that a test can see what the invariants make of it."""

import dataclasses
from typing import Any

from orchestrator.contract.messages import JobRecord, RunRecord, TryRecord
from orchestrator.store.logs import LogLine
from tests.chaos.breaking import Done
from tests.chaos.faults import Manner, Part, schedule
from tests.chaos.seen import Collected, Dispatch, RunSeen, Seen, ServiceSeen, Start, seconds, try_of
from tests.chaos.workflow import NUMBERS, Leaf

BEGIN = seconds("2026-01-01T00:00:10.000Z") or 0.0
EXPECTED = {
    "work": Leaf(lines=3, pace=0.5, artifact=True),
    "adds": Leaf(kind="call", lines=2, outputs={"total": 3}),
    "choice": Leaf(status="skipped"),
}


def log_of(*texts: str) -> tuple[LogLine, ...]:
    return tuple(LogLine(f"2026-01-01T00:00:1{number}.000000000Z", text) for number, text in enumerate(texts))


def tried(number: int, status: Any = "success", reason: str | None = None, code: int | None = 0) -> TryRecord:
    return TryRecord(
        number=number,
        status=status,
        reason=reason,
        exit_code=code,
        started_at="2026-01-01T00:00:10.000Z",
        finished_at="2026-01-01T00:00:15.000Z",
    )


def round_of(*tries: TryRecord, lines: tuple[LogLine, ...] | None = None, **changes: Any) -> Seen:
    """A round that held, whose job 'work' had these tries."""
    history = tries or (tried(1),)
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
        kind="call", status="success", tries=1, outputs={"total": 3}, history=(tried(1, code=None),)
    )
    leaves = {"work": work, "adds": adds, "choice": JobRecord(kind="container", status="skipped")}
    record = RunRecord(run_id="run", attempt=1, spec="chaos", status="success", created_at="", jobs=leaves)
    whole = log_of("$ count", "line 1", "line 2", "line 3", "[1.0 s, exit 0]")
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
        tries=(*works, try_of(record, "adds", "adds", None, adds.history[0], log_of("line 1", "line 2"))),
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


def with_run(seen: Seen, **changes: Any) -> Seen:
    return dataclasses.replace(seen, runs=(dataclasses.replace(seen.runs[0], **changes),))


def with_leaf(seen: Seen, name: str, **changes: Any) -> Seen:
    leaves = dict(seen.runs[0].leaves)
    leaves[name] = leaves[name].model_copy(update=changes)
    return with_run(seen, leaves=leaves)


def done_to(part: Part, manner: Manner, at: float = 1.0) -> tuple[Done, ...]:
    return (Done(part, manner, BEGIN + at, BEGIN + at + 1.0),)


def planned(lines: tuple[LogLine, ...]) -> Seen:
    """A round that held but for the lines of a first try that fails on purpose."""
    seen = round_of(tried(1, "failed", "exit: x", 75), tried(2))
    tries = tuple(
        dataclasses.replace(one, log=lines) if one.leaf == "work" and one.record.number == 1 else one
        for one in seen.runs[0].tries
    )
    expected = {**EXPECTED, "work": dataclasses.replace(EXPECTED["work"], first_exit=75)}
    return with_run(seen, tries=tries, expected=expected)


def serving(*texts: str, starts: int = 1, needed: bool = True, **changes: Any) -> Seen:
    """A round that held, with a service that printed these lines, one in each second, and ended after 5.5 s."""
    seen = round_of(**changes)
    service = ServiceSeen("work/web, start 1", "web", needed, log_of(*texts))
    began = tuple(Start("web", BEGIN, service=True, ended=BEGIN + 5.5) for _ in range(starts))
    return with_run(dataclasses.replace(seen, starts=(*seen.starts, *began)), services=(service,))
