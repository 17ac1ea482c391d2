"""The user's retries as tables."""

from typing import Any

import pytest

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.contract.messages import JobOutcome
from orchestrator.interpreter.retries import delay_before, uncertain, worth_another
from orchestrator.plan.parts import RetryPolicy


def failed(kind: FailureKind, exit_code: int | None = None) -> JobOutcome:
    return JobOutcome(status="failed", reason=FailureReason(kind=kind, message="…"), exit_code=exit_code)


@pytest.mark.parametrize(
    ("policy", "outcome", "tries", "again"),
    [
        ({}, failed(FailureKind.EXIT, 1), 1, False),
        ({"max_attempts": 3}, failed(FailureKind.EXIT, 1), 1, True),
        ({"max_attempts": 3}, failed(FailureKind.EXIT, 1), 2, True),
        ({"max_attempts": 3}, failed(FailureKind.EXIT, 1), 3, False),
        ({"max_attempts": 3}, JobOutcome(status="success"), 1, False),
        ({"max_attempts": 3}, failed(FailureKind.CANCELLED), 1, False),
        ({"max_attempts": 3}, failed(FailureKind.EXPRESSION), 1, False),
        ({"max_attempts": 3}, failed(FailureKind.LOST), 1, True),
        ({"max_attempts": 3, "on": ("oom",)}, failed(FailureKind.EXIT, 1), 1, False),
        ({"max_attempts": 3, "on": ("oom",)}, failed(FailureKind.OOM, 137), 1, True),
        ({"max_attempts": 3, "on": ("error", "timeout")}, failed(FailureKind.PULL), 1, True),
        ({"max_attempts": 3, "on": ("error",)}, failed(FailureKind.TIMEOUT), 1, False),
        ({"max_attempts": 3, "exit_codes": (75,)}, failed(FailureKind.EXIT, 75), 1, True),
        ({"max_attempts": 3, "exit_codes": (75,)}, failed(FailureKind.EXIT, 1), 1, False),
        ({"max_attempts": 3, "exit_codes": (75,)}, failed(FailureKind.PULL), 1, True),
    ],
)
def test_whether_another_try_is_worth_it(
    policy: dict[str, Any], outcome: JobOutcome, tries: int, again: bool
) -> None:
    assert worth_another(RetryPolicy(**policy), outcome, tries) is again


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        ({"delay": 3}, [3, 3, 3, 3]),
        ({"delay": 3, "backoff": "linear"}, [3, 6, 9, 12]),
        ({"delay": 1, "backoff": "exponential"}, [1, 2, 4, 8]),
        ({"delay": 1, "backoff": "exponential", "multiplier": 3, "max_delay": 10}, [1, 3, 9, 10]),
        ({"delay": 0}, [0, 0, 0, 0]),
    ],
)
def test_delays_between_tries(policy: dict[str, Any], delays: list[float]) -> None:
    assert [delay_before(RetryPolicy(**policy), number) for number in (2, 3, 4, 5)] == delays


def test_a_hundredth_exponential_delay_is_still_a_number() -> None:
    assert delay_before(RetryPolicy(backoff="exponential", multiplier=10.0), 100) == 3600


@pytest.mark.parametrize(
    ("outcome", "doubt"),
    [
        (failed(FailureKind.LOST), True),
        (failed(FailureKind.WORKER), True),
        (failed(FailureKind.DOCKER), False),
        (failed(FailureKind.DOCKER).model_copy(update={"container_id": "c"}), True),
        (failed(FailureKind.EXIT, 1), False),
        (failed(FailureKind.TIMEOUT), False),
        (failed(FailureKind.PULL), False),
        (JobOutcome(status="success"), False),
    ],
)
def test_whether_it_is_known_how_far_a_try_got(outcome: JobOutcome, doubt: bool) -> None:
    assert uncertain(outcome) is doubt
