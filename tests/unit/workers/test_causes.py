"""What each cause of an activity's cancellation means, by table."""

import pytest
from temporalio.activity import ActivityCancellationDetails as Details

from workers.activities.causes import Run, asks_for_the_run, treatment
from workers.supervision.control import Cause

OPEN, CLOSED, FORCED = (
    Run(open=True, forced=False),
    Run(open=False, forced=False),
    Run(open=True, forced=True),
)


@pytest.mark.parametrize(
    ("details", "run", "cause", "why"),
    [
        (None, None, "detach", "the worker was stopped"),
        (Details(worker_shutdown=True), None, "detach", "the worker was stopped"),
        # The next worker is told in the request.
        (Details(worker_shutdown=True, cancel_requested=True), FORCED, "detach", "the worker was stopped"),
        (Details(cancel_requested=True), OPEN, "cancel", "the run was cancelled"),
        (Details(cancel_requested=True), None, "cancel", "the run was cancelled"),
        (Details(cancel_requested=True), FORCED, "kill", "the run was cancelled"),
        (Details(cancel_requested=True, paused=True), OPEN, "cancel", "the run was cancelled"),
        (Details(paused=True), None, "detach", "somebody paused its activity at the server"),
        (Details(reset=True), None, "detach", "somebody reset its activity at the server"),
        (Details(timed_out=True), OPEN, "detach", "its activity timed out"),
        (Details(timed_out=True), None, "detach", "its activity timed out"),
        (Details(timed_out=True), CLOSED, "cancel", "its activity timed out, and the run is closed"),
        (Details(not_found=True), OPEN, "detach", "the server no longer knew its activity"),
        (Details(not_found=True), None, "detach", "the server no longer knew its activity"),
        (
            Details(not_found=True),
            CLOSED,
            "cancel",
            "the server no longer knew its activity, and the run is closed",
        ),
        (
            Details(not_found=True),
            Run(open=False, forced=True),
            "kill",
            "the server no longer knew its activity, and the run is closed",
        ),
    ],
)
def test_what_a_cause_means(details: Details | None, run: Run | None, cause: Cause, why: str) -> None:
    found = treatment(details, run)
    assert (found.cause, found.why) == (cause, why)


@pytest.mark.parametrize(
    "name", ["not_found", "cancel_requested", "paused", "reset", "timed_out", "worker_shutdown"]
)
def test_the_server_is_asked_only_where_it_matters(name: str) -> None:
    asked = asks_for_the_run(Details(**{name: True}))
    assert asked == (name in ("not_found", "cancel_requested", "timed_out"))
