"""When a service counts as healthy: the rules, as tables and for all inputs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.supervision.services.health import (
    FIRST_PAUSE,
    QUIET,
    CheckResult,
    Healthy,
    NotYet,
    Progress,
    Rules,
    Unhealthy,
    Verdict,
    first_pause,
    judge,
    overdue,
)

FAILED = CheckResult(passed=False, detail="exit code 1")
PASSED = CheckResult(passed=True)
BROKEN = CheckResult(passed=False, detail="no such command", broken=True)
PARTLY = CheckResult(passed=False, detail="port 2: connection refused", partly=True, opened=1)


def played(rules: Rules, results: list[tuple[float, CheckResult]]) -> tuple[Progress, list[Verdict]]:
    """The verdicts on checks that ended at those seconds."""
    progress, verdicts = Progress(), list[Verdict]()
    for at, result in results:
        progress, verdict = judge(rules, progress, result, at=at)
        verdicts.append(verdict)
    return progress, verdicts


def failing(rules: Rules, *, took: float = 0.0, limit: int = 100_000) -> tuple[float, Verdict, list[float]]:
    """When and how it ends for a service whose checks all fail after `took` seconds, and the pauses."""
    progress, at, pauses = Progress(), first_pause(rules), list[float]()
    for _ in range(limit):
        at += took
        progress, verdict = judge(rules, progress, FAILED, at=at)
        if not isinstance(verdict, NotYet):
            return at, verdict, pauses
        pauses.append(verdict.pause)
        at += verdict.pause
    raise AssertionError("it never ended")


def test_the_first_check_that_passes_makes_it_healthy() -> None:
    progress, verdicts = played(Rules(), [(0.1, FAILED), (0.2, PASSED)])
    assert verdicts == [NotYet(FIRST_PAUSE), Healthy()]
    assert progress.checks == 2


def test_checks_begin_fast_and_back_off_to_the_start_interval() -> None:
    _, _, pauses = failing(Rules(start_interval=2.0, start_timeout=60.0))
    assert pauses[:4] == pytest.approx([0.1, 0.125, 0.15625, 0.1953125])
    assert pauses[:-1] == sorted(pauses[:-1])
    assert max(pauses) == 2.0


def test_a_start_interval_below_the_first_pause_is_kept_from_the_beginning() -> None:
    rules = Rules(start_interval=0.02, start_timeout=1.0)
    _, _, pauses = failing(rules)
    assert (first_pause(rules), set(pauses[:-1])) == (0.02, {0.02})


def test_after_the_start_period_an_interval_shorter_than_the_start_interval_counts() -> None:
    rules = Rules(interval=0.5, retries=20, start_period=4.0, start_interval=2.0, start_timeout=60.0)
    _, _, pauses = failing(rules)
    assert 0.5 < max(pauses) <= 2.0
    assert pauses[-5:] == [0.5] * 5


@pytest.mark.parametrize(
    ("rules", "ends"),
    [
        (Rules(interval=1.0, retries=3), (3.0, 4.5)),
        (Rules(interval=1.0, retries=1), (1.0, 1.4)),
        (Rules(interval=1.0, retries=3, start_period=5.0), (7.0, 9.0)),
        (Rules(interval=0.1, retries=3), (0.3, 0.4)),
    ],
)
def test_fast_checks_do_not_use_up_the_retries(rules: Rules, ends: tuple[float, float]) -> None:
    at, verdict, _ = failing(rules)
    assert verdict == Unhealthy(f"{rules.retries} checks in a row failed")
    assert ends[0] <= at <= ends[1]


def test_the_defaults_run_into_the_start_timeout() -> None:
    at, verdict, _ = failing(Rules())
    assert verdict == Unhealthy("it did not get healthy within its start timeout of 1 min")
    assert at == pytest.approx(60.0)


def test_failures_in_the_start_period_do_not_count() -> None:
    rules = Rules(interval=1.0, retries=1, start_period=10.0)
    progress, verdicts = played(rules, [(3.0, FAILED), (9.9, FAILED), (10.0, FAILED)])
    assert [type(verdict) for verdict in verdicts] == [NotYet, NotYet, Unhealthy]
    assert (progress.failures, progress.checks) == (1, 3)


def test_a_command_that_cannot_be_run_is_told_at_the_second_time() -> None:
    _, verdicts = played(Rules(), [(0.1, BROKEN), (0.2, BROKEN)])
    assert verdicts == [NotYet(FIRST_PAUSE), Unhealthy("no such command", broken=True)]
    _, verdicts = played(Rules(), [(0.1, BROKEN), (0.2, FAILED), (0.3, BROKEN), (0.4, PASSED)])
    assert verdicts[-1] == Healthy()


def test_a_command_that_cannot_be_run_has_the_start_period_too() -> None:
    """A script that the service puts there while it starts."""
    times = [(at, BROKEN) for at in (1.0, 9.0, 9.9, 10.0, 10.1)]
    _, verdicts = played(Rules(start_period=10.0), times)
    assert [type(verdict) for verdict in verdicts] == [NotYet] * 4 + [Unhealthy]
    assert verdicts[-1] == Unhealthy("no such command", broken=True)


def test_retries_that_the_spec_gives_are_for_a_command_that_cannot_be_run_too() -> None:
    rules = Rules(interval=1.0, retries=3, patient=True)
    _, verdicts = played(rules, [(at, BROKEN) for at in (0.5, 1.0, 2.0, 3.0)])
    assert [type(verdict) for verdict in verdicts] == [NotYet, NotYet, NotYet, Unhealthy]
    assert verdicts[-1] == Unhealthy("3 checks in a row failed", broken=True)
    late = overdue(rules, Progress(last=BROKEN))
    assert (isinstance(late, Unhealthy), late == overdue(rules, Progress(last=FAILED))) == (True, False)


def test_the_last_answer_that_had_its_whole_time_is_told() -> None:
    cut = CheckResult(passed=False, detail="it took longer than 0.1 s", late=True, cut=True)
    progress, verdicts = played(Rules(start_timeout=2.0), [(1.0, FAILED), (2.0, cut)])
    assert (progress.checks, progress.last) == (2, FAILED)
    assert isinstance(verdicts[-1], Unhealthy)
    assert played(Rules(), [(1.0, cut)])[0].last == cut


def test_a_part_does_once_no_more_comes() -> None:
    rules = Rules(interval=1.0, retries=2)
    more = CheckResult(passed=False, detail="port 3: connection refused", partly=True, opened=2)
    less = replace(more, detail=PARTLY.detail, opened=1)
    times = [(1.0, less), (3.9, less), (3.95, more), (6.9, more), (6.95, more)]
    _, verdicts = played(rules, times)
    assert [type(verdict) for verdict in verdicts] == [NotYet, NotYet, NotYet, NotYet, Healthy]
    assert verdicts[-1] == Healthy(lacking="port 3: connection refused")


def test_what_is_open_does_not_do_where_the_one_that_matters_is_not_among_it() -> None:
    other = CheckResult(passed=False, detail="port 2: connection refused", opened=1)
    _, verdicts = played(Rules(interval=9.0), [(1.0, other), (5.0, other), (8.0, other)])
    assert [type(verdict) for verdict in verdicts] == [NotYet] * 3


def test_a_part_does_at_the_end_of_the_start_timeout() -> None:
    rules = Rules(start_timeout=2.0)
    _, verdicts = played(rules, [(1.0, PARTLY), (2.0, PARTLY)])
    assert verdicts[-1] == Healthy(lacking="port 2: connection refused")
    assert isinstance(overdue(rules, Progress(last=FAILED)), Unhealthy)


durations = st.floats(0.01, 100.0)
rules_of = st.builds(
    Rules,
    interval=durations,
    timeout=durations,
    retries=st.integers(1, 10),
    start_period=st.floats(0.0, 100.0),
    start_interval=durations,
    start_timeout=st.floats(0.1, 100.0),
)


@given(rules=rules_of, took=st.floats(0.001, 5.0))
def test_it_always_ends_and_never_too_early(rules: Rules, took: float) -> None:
    at, verdict, pauses = failing(rules, took=took)
    assert isinstance(verdict, Unhealthy)
    assert at <= rules.start_timeout + took + 1e-6
    if verdict.why.endswith("in a row failed"):
        # As many intervals as Compose would have waited, and at least one check after the start period.
        assert at >= min(rules.retries * rules.interval, rules.start_timeout) - 1e-6
        assert at >= rules.start_period
    assert all(0 <= pause <= max(rules.start_interval, FIRST_PAUSE) for pause in pauses)


@given(rules=rules_of, results=st.lists(st.sampled_from([FAILED, PARTLY, BROKEN]), max_size=30))
def test_nothing_but_a_passed_check_makes_it_healthy_before_its_time(
    rules: Rules, results: list[CheckResult]
) -> None:
    progress, at = Progress(), 0.0
    for result in results:
        at += 0.1
        progress, verdict = judge(rules, progress, result, at=at)
        if isinstance(verdict, Healthy):
            assert result.partly
            assert at >= min(rules.start_timeout, QUIET)
        if not isinstance(verdict, NotYet):
            break
    assert judge(rules, progress, PASSED, at=at)[1] == Healthy()
