"""Transitions and paths that were not taken, as the scheduler decides them; nothing depends on what ended first."""

from itertools import permutations

import pytest

from orchestrator.contract.messages import JobStatus
from orchestrator.interpreter.contexts import status_for
from orchestrator.interpreter.job_state import Ending
from orchestrator.interpreter.scheduler import Omit, Ready, Scheduler, Skip
from orchestrator.interpreter.state import RunState
from orchestrator.plan.model import Plan
from orchestrator.plan.parts import Requirement
from tests.support.kinds import choice, ways
from tests.support.plans import job, plan, state

NOW = "2026-01-31T12:00:00.000Z"


class Walk:
    """A run whose started jobs end as they are told to, in the order in which they are told."""

    def __init__(self, of: Plan) -> None:
        self.state: RunState = state(of)
        self.scheduler = Scheduler(self.state)
        self.started: list[str] = []
        self.act()

    def end(self, name: str, status: JobStatus, *chosen: str) -> None:
        self.state.jobs[name].chosen = chosen
        self._settle(name, Ending(status))
        self.act()

    def _settle(self, name: str, ending: Ending) -> None:
        self.state.settle(name, ending, NOW)
        self.scheduler.settle(name)

    def act(self) -> None:
        while decisions := self.scheduler.take_decisions():
            for decision in decisions:
                match decision:
                    case Ready(job=name):
                        self.started.append(name)
                    case Omit(job=name, reason=reason):
                        self._settle(name, Ending("omitted", reason))
                    case Skip(job=name, reason=reason, off_path=off_path):
                        self._settle(name, Ending("skipped", reason, off_path=off_path))

    def of(self, name: str) -> tuple[str, bool]:
        """`started` or the job's status, and whether it lies on a path that was not taken."""
        found = self.state.jobs[name]
        return ("started" if name in self.started else found.status), found.off_path


@pytest.mark.parametrize(
    ("on", "ended", "fires"),
    [
        ("success", "success", True),
        ("success", "skipped", False),
        ("success", "failed", False),
        ("failure", "failed", True),
        ("failure", "success", False),
        ("failure", "omitted", False),
        ("failure", "cancelled", False),
        ("complete", "success", True),
        ("complete", "failed", True),
        ("complete", "skipped", False),
        ("complete", "omitted", False),
    ],
)
def test_what_fires(on: str, ended: JobStatus, *, fires: bool) -> None:
    for tolerance in ("stop", "continue"):
        walk = Walk(plan(job("a", on_error=tolerance), job("b", triggers=ways(f"a {on}"))))
        walk.end("a", ended)
        assert walk.of("b") == (("started", False) if fires else ("skipped", True))


def test_a_job_with_a_transition_waits_for_its_own_requirements_too() -> None:
    walk = Walk(plan(job("a"), job("slow"), job("b", "slow", triggers=ways("a success"))))
    walk.end("a", "success")
    assert "b" not in walk.started
    walk.end("slow", "success")
    assert walk.of("b") == ("started", False)


@pytest.mark.parametrize(
    ("slow", "chosen", "expected"),
    [
        ("success", ("b",), ("started", False)),
        ("failed", ("b",), ("omitted", False)),
        ("failed", (), ("skipped", True)),
        ("success", (), ("skipped", True)),
    ],
)
def test_timing_does_not_decide(slow: JobStatus, chosen: tuple[str, ...], expected: tuple[str, bool]) -> None:
    shape = plan(
        choice("c", ("x", "b")),
        job("slow"),
        job("b", "slow", triggers=ways("c chosen")),
        job("other"),
        job("join", "b", "other"),
    )
    for order in permutations(("c", "slow", "other")):
        walk = Walk(shape)
        for name in order:
            walk.end(name, slow if name == "slow" else "success", *(chosen if name == "c" else ()))
        assert walk.of("b") == expected
        ended = {"started": "pending", "omitted": "omitted", "skipped": "started"}[expected[0]]
        assert walk.of("join")[0] == ended


def test_what_lies_on_a_path_that_was_not_taken_is_as_if_it_were_not_there() -> None:
    shape = plan(
        choice("c", ("x", "a"), (None, "d")),
        job("a", triggers=ways("c chosen")),
        job("d", triggers=ways("c chosen")),
        job("only", "a"),
        job("deep", "only"),
        job("both", "c", "a"),
        job("failing", Requirement(job="a", condition="failure")),
        job("after", Requirement(job="a", condition="always")),
        job("skips", Requirement(job="a", condition="skipped")),
        job("mixed", "a", Requirement(job="c", condition="always")),
        job("handler", triggers=ways("only failure")),
    )
    walk = Walk(shape)
    walk.end("c", "success", "d")
    off = [name for name, found in walk.state.jobs.items() if found.off_path]
    assert off == ["a", "only", "deep", "failing", "mixed", "handler"]
    assert walk.started == ["c", "d", "both", "after", "skips"]


def test_a_job_skipped_by_its_own_condition_is_on_the_path() -> None:
    walk = Walk(plan(job("a"), job("b", "a")))
    walk.end("a", "skipped")
    assert walk.of("b") == ("started", False)


def test_transitions_out_of_finalizers_and_into_their_phase() -> None:
    shape = plan(
        job("a"),
        job("end", finalizer=True, on_complete="always"),
        job("alert", finalizer=True, triggers=ways("end failure", "a failure")),
        job("last", "end", finalizer=True, triggers=ways("a failure")),
    )
    walk = Walk(shape)
    walk.end("a", "failed")
    assert walk.scheduler.main_done
    assert walk.started == ["a"]
    walk.scheduler.begin_finalizers()
    walk.act()
    assert walk.started == ["a", "end", "alert"]
    walk.end("end", "success")
    assert walk.started == ["a", "end", "alert", "last"]


def test_status_functions_ask_transitions_too_but_not_paths_that_were_not_taken() -> None:
    shape = plan(
        choice("c", ("x", "a")),
        job("a", triggers=ways("c chosen")),
        job("bad"),
        job("open"),
        job("b", "a", "c", triggers=ways("bad failure", "open success")),
    )
    walk = Walk(shape)
    walk.end("c", "success")
    assert status_for(walk.state.jobs["b"].node, walk.state).success
    walk.end("bad", "failed")
    found = status_for(walk.state.jobs["b"].node, walk.state)
    assert (found.success, found.failure) == (False, True)
