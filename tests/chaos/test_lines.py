"""What an engine may lose of the lines of jobs and services, and what not."""

import dataclasses

from tests.chaos.doctored import (
    done_to,
    log_of,
    planned,
    round_of,
    serving,
    with_leaf,
)
from tests.chaos.invariants import broken
from tests.chaos.lines import torn_lines


def test_a_first_try_that_fails_on_purpose_has_its_lines() -> None:
    assert broken(planned(log_of("line 1", "line 2", "line 3"))) == []


def test_lines_that_were_said_while_the_engine_was_away() -> None:
    seen = round_of(lines=log_of("line 1"), done=done_to("engine", "kill", at=4.5))
    gap = "chaos: the log of 'work', try 1 ends at line 1 and not at 3"
    assert broken(seen)[0] == f"{gap}, and no warning says so"
    seen = with_leaf(seen, "work", warnings=("the log may not be whole",))
    assert (broken(seen), torn_lines(seen)) == ([], 2)
    assert broken(dataclasses.replace(seen, done=done_to("engine", "freeze", at=4.5))) == [gap]
    assert broken(dataclasses.replace(seen, done=done_to("engine", "kill", at=-5.0))) == [gap]
    # The engine was back before the container ended.
    assert broken(dataclasses.replace(seen, done=done_to("engine", "kill", at=2.0))) == [gap]


def test_lines_that_the_engine_had_in_hand_as_it_went() -> None:
    seen = round_of(lines=log_of("line 1", "line 3", "end"), done=done_to("engine", "kill", at=0.5))
    gap = "chaos: the log of 'work', try 1 goes from line 1 to line 3"
    assert broken(seen)[0] == f"{gap}, and no warning says so"
    seen = with_leaf(seen, "work", warnings=("the log may not be whole",))
    assert (broken(seen), torn_lines(seen)) == ([], 1)
    # What was said after it went waits for its return.
    assert broken(dataclasses.replace(seen, done=done_to("engine", "kill", at=-1.0))) == [gap]
    assert broken(dataclasses.replace(seen, done=done_to("engine", "freeze", at=0.5))) == [gap]
    long = with_leaf(
        round_of(lines=log_of("line 1", "line 90"), done=done_to("engine", "kill", at=0.5)),
        "work",
        warnings=("w",),
    )
    assert broken(long)[0] == "chaos: the log of 'work', try 1 goes from line 1 to line 90"


SERVED = ("$ begins", "line 1", "line 2", "line 3", "line 4", "line 5")


def test_a_service_may_print_anew_where_its_engine_forgot_it() -> None:
    assert broken(serving(*SERVED)) == []
    twice = ("line 1", "line 2", "line 1", "line 2", "line 3", "line 4")
    assert broken(serving(*twice, starts=2)) == []
    assert broken(serving(*twice)) == ["chaos: the log of work/web, start 1 goes from line 2 to line 1"]
    assert broken(serving(needed=False)) == []


def test_lines_of_a_service_that_its_engine_had_no_time_for() -> None:
    off = serving("line 1")
    assert broken(off) == ["chaos: the log of work/web, start 1 breaks off 5.5 s before its end"]
    assert broken(dataclasses.replace(off, done=done_to("engine", "kill", at=4.5))) == []
    assert broken(dataclasses.replace(off, done=done_to("worker", "kill", at=4.5))) != []
