"""Which jobs go, as tables: how the requirements ended, and what is decided."""

from typing import Literal

import pytest

from orchestrator.contract.messages import JobStatus
from orchestrator.interpreter.job_state import Ending
from orchestrator.interpreter.scheduler import Decision, Omit, Ready, Scheduler, Skip
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import Plan
from orchestrator.plan.parts import Requirement
from tests.support.plans import job, plan, state

NOW = "2026-01-31T12:00:00.000Z"
Wish = Literal["success", "failure", "skipped", "always"]


class Walk:
    """A scheduler and its state, settled by hand."""

    def __init__(self, of: Plan) -> None:
        self.state: RunState = state(of)
        self.scheduler = Scheduler(self.state)

    def settle(self, name: str, status: JobStatus) -> list[Decision]:
        self.state.settle(name, Ending(status), NOW)
        self.scheduler.settle(name)
        return self.decide()

    def decide(self) -> list[Decision]:
        return list(self.scheduler.take_decisions())


def test_jobs_without_requirements_start_at_once_in_the_order_of_the_plan() -> None:
    assert Walk(plan(job("b"), job("a"), job("c", "a"))).decide() == [Ready("b"), Ready("a")]


def test_a_job_starts_the_moment_its_own_requirements_are_met() -> None:
    walk = Walk(plan(job("slow"), job("quick"), job("after", "quick"), job("last", "slow", "after")))
    walk.decide()
    assert walk.settle("quick", "success") == [Ready("after")]
    assert walk.settle("slow", "success") == []
    assert walk.settle("after", "success") == [Ready("last")]


@pytest.mark.parametrize(
    ("wish", "ended", "expected"),
    [
        ("success", "success", "ready"),
        ("success", "skipped", "ready"),
        ("success", "failed", "omitted: it requires 'a', which failed"),
        ("success", "omitted", "omitted: it requires 'a', which was omitted"),
        ("success", "cancelled", "omitted: it requires 'a', which was cancelled"),
        ("failure", "failed", "ready"),
        ("failure", "success", "omitted: it requires 'a' to fail, which succeeded"),
        ("failure", "skipped", "omitted: it requires 'a' to fail, which was skipped"),
        ("skipped", "skipped", "ready"),
        ("skipped", "success", "omitted: it requires 'a' to be skipped, which succeeded"),
        ("always", "success", "ready"),
        ("always", "failed", "ready"),
        ("always", "skipped", "ready"),
        ("always", "omitted", "ready"),
    ],
)
def test_a_requirement_and_how_it_ended(wish: Wish, ended: JobStatus, expected: str) -> None:
    walk = Walk(plan(job("a"), job("b", Requirement(job="a", condition=wish))))
    walk.decide()
    assert walk.settle("a", ended) == [Ready("b") if expected == "ready" else Omit("b", expected)]


def test_a_failure_that_may_continue_meets_success_and_failure() -> None:
    for wish in ("success", "failure", "always"):
        edge = Requirement(job="a", condition=wish)
        walk = Walk(plan(job("a", on_error="continue"), job("b", edge)))
        walk.decide()
        assert walk.settle("a", "failed") == [Ready("b")]


def test_a_job_is_omitted_as_soon_as_one_requirement_cannot_be_met() -> None:
    walk = Walk(plan(job("a"), job("b"), job("c", "a", "b")))
    walk.decide()
    assert walk.settle("a", "failed") == [Omit("c", "omitted: it requires 'a', which failed")]
    assert walk.settle("b", "success") == []


def test_a_healed_failure_does_not_haunt_grandchildren() -> None:
    walk = Walk(plan(job("a"), job("heal", Requirement(job="a", condition="failure")), job("next", "heal")))
    walk.decide()
    assert walk.settle("a", "failed") == [Ready("heal")]
    assert walk.settle("heal", "success") == [Ready("next")]


def test_two_edges_to_one_job_count_once() -> None:
    edges = (Requirement(job="a", condition="always"), Requirement(job="a", condition="success"))
    walk = Walk(plan(job("a"), job("b", *edges)))
    walk.decide()
    assert walk.settle("a", "success") == [Ready("b")]


def test_on_complete_failure_with_requirements_needs_one_that_failed() -> None:
    edges = (Requirement(job="a", condition="always"), Requirement(job="b", condition="always"))
    shape = plan(job("a"), job("b"), job("alert", *edges, on_complete="failure"))
    good, bad = Walk(shape), Walk(shape)
    for walk in (good, bad):
        walk.decide()
        walk.settle("a", "success")
    reason = "skipped: none of the jobs that it requires failed (on_complete: failure)"
    assert good.settle("b", "success") == [Skip("alert", reason)]
    assert bad.settle("b", "failed") == [Ready("alert")]


@pytest.mark.parametrize(
    ("on_complete", "ended", "expected"),
    [
        ("always", "success", Ready("end")),
        ("always", "failed", Ready("end")),
        ("success", "success", Ready("end")),
        ("success", "failed", Skip("end", "skipped: on_complete is success and the run is failed")),
        ("failure", "failed", Ready("end")),
        ("failure", "success", Skip("end", "skipped: on_complete is failure and the run is success")),
    ],
)
def test_finalizers_wait_for_everything_else(on_complete: str, ended: JobStatus, expected: Decision) -> None:
    walk = Walk(plan(job("end", finalizer=True, on_complete=on_complete), job("a")))
    assert walk.decide() == [Ready("a")]
    assert walk.settle("a", ended) == []
    assert walk.scheduler.main_done
    walk.scheduler.begin_finalizers()
    assert walk.decide() == [expected]


def test_a_job_behind_a_finalizer_runs_in_its_phase() -> None:
    shape = plan(
        job("a"), job("end", finalizer=True, on_complete="always"), job("later", "end", "a", finalizer=True)
    )
    walk = Walk(shape)
    walk.decide()
    assert walk.settle("a", "success") == []
    walk.scheduler.begin_finalizers()
    assert walk.decide() == [Ready("end")]
    assert walk.settle("end", "success") == [Ready("later")]
    assert not walk.scheduler.all_done
    walk.settle("later", "success")
    assert walk.scheduler.all_done


def test_undecided_jobs_are_those_that_have_not_been_started_or_settled() -> None:
    walk = Walk(
        plan(job("a"), job("b", "a"), job("c", "b"), job("end", finalizer=True, on_complete="always"))
    )
    walk.decide()
    assert walk.scheduler.undecided(finalizer=False) == ["b", "c"]
    assert walk.scheduler.undecided(finalizer=True) == ["end"]


def test_verdicts() -> None:
    cases: list[tuple[dict[str, JobStatus], str]] = [
        ({"a": "success", "b": "success"}, "success"),
        ({"a": "success", "b": "skipped"}, "success"),
        ({"a": "failed", "b": "success"}, "failed"),
        ({"a": "success", "b": "failed"}, "partial"),
        ({"a": "failed", "b": "failed"}, "failed"),
    ]
    for ends, verdict in cases:
        run = state(plan(job("a"), job("b", on_error="continue")))
        for name, status in ends.items():
            run.settle(name, Ending(status), NOW)
        assert run.verdict() == verdict
