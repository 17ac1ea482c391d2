"""Whether an end was the container's own, as tables."""

from typing import Any

import pytest

from workers.engine.interface import ContainerState, ObservedContainer
from workers.supervision.attention import oddity
from workers.supervision.verdict import End, asks_for_engine, doubtful, judge, judge_engine, unsettled

STARTED = "2026-01-31T12:00:00.000000000Z"
ENDED = "2026-01-31T12:01:00.000000000Z"


def end(exit_code: int, **said: Any) -> End:
    given: dict[str, Any] = {"whole": False, "told": False, "seen": True, **said}
    return End("0123456789abcdef", "h1", exit_code, STARTED, **given)


def box(state: ContainerState = "exited", **fields: Any) -> ObservedContainer:
    given: dict[str, Any] = {"started_at": STARTED, "finished_at": ENDED, "name": "orca-x", **fields}
    return ObservedContainer(id="0123456789abcdef", state=state, labels={}, **given)


@pytest.mark.parametrize(
    ("of", "looks", "asks"),
    [
        (end(0, whole=True), False, False),
        # It may have been told to stop by an engine that is being stopped itself.
        (end(0), True, True),
        (end(0, seen=False), True, True),
        (end(3, whole=True), True, False),
        (end(143), True, True),
        (end(137), True, True),
        (end(255), True, True),
    ],
)
def test_what_is_worth_a_look(of: End, looks: bool, asks: bool) -> None:
    assert (doubtful(of), asks_for_engine(of)) == (looks, asks)


@pytest.mark.parametrize(
    ("of", "observed", "later"),
    [
        (end(137), box(), True),
        (end(143), box(), True),
        (end(137), box(oom_killed=True), False),
        (end(137), box("running"), False),
        (end(137), None, False),
        (end(3), box(), False),
        (end(0), box(), False),
        (end(0, told=True), box(), True),
        (end(0, told=True, whole=True), box(), False),
    ],
)
def test_what_is_worth_another_look(of: End, observed: ObservedContainer | None, later: bool) -> None:
    assert unsettled(of, observed) is later


@pytest.mark.parametrize(
    ("of", "observed", "why", "runs"),
    [
        (end(0), box(), None, False),
        (end(3), box(), None, False),
        (end(137), box(), None, False),
        (end(3), None, None, False),
        (end(137), None, "was removed from host 'h1' while it ran", False),
        (end(143), None, "was removed from host 'h1' while it ran", False),
        (end(143), box("running"), "was stopped and started again on host 'h1'", True),
        (end(0), box("paused"), "was stopped and started again on host 'h1'", True),
        (end(0), box(started_at="2026-01-31T12:05:00.000000000Z"), "was stopped and started again", False),
        (end(3), box(started_at="2026-01-31T12:00:02.000000000Z"), "was stopped and started again", False),
        # Its engine's clock was set back in between.
        (end(3), box(started_at="2026-01-31T11:00:00.000000000Z"), "was stopped and started again", False),
    ],
)
def test_what_a_look_says(of: End, observed: ObservedContainer | None, why: str | None, runs: bool) -> None:
    foul = judge(of, observed)
    assert (None if foul is None else foul.runs) == (None if why is None else runs)
    if foul is not None:
        assert why is not None
        assert why in foul.why
        assert not foul.leaves


@pytest.mark.parametrize(
    ("of", "observed", "lost"),
    [
        # Its script came behind its last command, which does not end with this.
        (end(255, whole=True, told=True), box(), True),
        (end(255, told=True, seen=False, told_at="2026-01-31T12:00:54.500Z"), box(), True),
        (end(255, told=True, seen=False, told_at="2026-01-31T12:00:59.100Z"), box(), True),
        # `exit 255` of its own.
        (end(255, told=True, seen=False, told_at="2026-01-31T12:00:59.900Z"), box(), False),
        (end(255, told=True, told_at="2026-01-31T12:00:54.500Z"), box(), False),
        (end(255, seen=False), box(), False),
        # It says 0 where its script said otherwise.
        (end(0, told=True, seen=False, code=7), box(), True),
        (end(0, told=True, seen=False, code=0), box(), False),
        (end(7, told=True, seen=False, code=7), box(), False),
        (end(3, told=True, seen=False, told_at="2026-01-31T12:00:54.500Z"), box(), False),
        (end(255, whole=True, told=True), box(oom_killed=True), False),
    ],
)
def test_an_end_that_the_engine_did_not_see(of: End, observed: ObservedContainer, lost: bool) -> None:
    foul = judge(of, observed)
    assert (foul is not None) == lost
    if foul is not None:
        assert foul.leaves
        assert "ended as the Docker engine of host 'h1' did" in foul.why


@pytest.mark.parametrize(
    ("of", "engine_started", "lost"),
    [
        (end(143), None, False),
        (end(143), "2026-01-31T11:00:00.000Z", False),
        (end(143), "2026-01-31T12:01:12.000Z", True),
        (end(137), "2026-01-31T18:00:00.000Z", True),
        (end(255), "2026-01-31T18:00:00.000Z", True),
        (end(0, seen=False), "2026-01-31T12:01:12.000Z", True),
        # It is the engine under which it ran, whose clock was set back after it began.
        (end(137, engine="2026-01-31T13:00:00.000Z"), "2026-01-31T13:00:00.000Z", False),
        # It is another, whose clock was set back before it began.
        (end(137, engine="2026-01-31T11:30:00.000Z"), "2026-01-31T11:00:00.000Z", True),
        (end(137, engine="2026-01-31T11:30:00.000Z"), None, False),
        # It was done long before.
        (end(0, seen=False), "2026-01-31T18:00:00.000Z", False),
    ],
)
def test_what_it_means_when_the_engine_began(of: End, engine_started: str | None, lost: bool) -> None:
    foul = judge_engine(of, box(), engine_started)
    assert (foul is not None) == lost
    if foul is not None:
        assert foul.leaves
        assert (
            "the Docker engine of host 'h1' was stopped, or its host went off, while the job ran" in foul.why
        )
    assert judge_engine(of, box(oom_killed=True), engine_started) is None


@pytest.mark.parametrize(
    ("observed", "told"),
    [
        (box("running"), ""),
        (
            box("paused"),
            "its container is paused; it goes on after 'docker unpause orca-x', and its timeout runs",
        ),
        (
            box("running", name="mine"),
            "its container was renamed from 'orca-x' to 'mine'; the job goes on",
        ),
    ],
)
def test_what_is_odd_about_a_running_container(observed: ObservedContainer, told: str) -> None:
    assert oddity(observed, "orca-x") == told
