"""What becomes of a job whose try was cancelled on a host that nobody hears of."""

import pytest

from orchestrator.interpreter.job_state import Ending
from orchestrator.interpreter.wishes import wishes_of
from tests.support.plans import job, plan, state

NOW = "2026-01-31T12:00:00.000Z"


@pytest.mark.parametrize("idempotent", [True, False])
def test_it_is_in_doubt_where_it_must_not_run_twice(idempotent: bool) -> None:
    run = state(plan(job("a", idempotent=idempotent)))
    wishes_of(run.jobs["a"], run).unheard("it may still run")
    run.settle("a", Ending("cancelled"), NOW)
    found = run.record().jobs["a"]
    assert (found.warnings, found.in_doubt) == (("it may still run",), not idempotent)


@pytest.mark.parametrize("idempotent", [True, False])
def test_so_is_one_that_force_did_not_wait_for(idempotent: bool) -> None:
    run = state(plan(job("a", idempotent=idempotent), job("b", idempotent=idempotent)))
    run.jobs["a"].working = True
    assert not run.record().jobs["a"].in_doubt
    for name in ("a", "b"):
        run.settle(name, Ending("cancelled"), NOW)
    jobs = run.record().jobs
    assert (jobs["a"].in_doubt, jobs["b"].in_doubt) == (not idempotent, False)
