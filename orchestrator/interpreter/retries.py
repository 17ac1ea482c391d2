"""The user's `retry:`, decided with pure code."""

from orchestrator.contract.failures import FailureKind
from orchestrator.contract.messages import JobOutcome
from orchestrator.plan.parts import RetryPolicy

NEVER_RETRIED = (FailureKind.CANCELLED, FailureKind.EXPRESSION, FailureKind.REJECTED)
"""Another try of these would end the same way, or is not wanted."""


def worth_another(policy: RetryPolicy, outcome: JobOutcome, tries: int) -> bool:
    """Whether a job that ended as `outcome` after `tries` tries gets another."""
    if outcome.status != "failed" or outcome.reason is None or tries >= policy.max_attempts:
        return False
    if outcome.final:
        return False
    kind = outcome.reason.kind
    if kind in NEVER_RETRIED or (policy.on and kind.value not in policy.on and not _is_error(policy, kind)):
        return False
    return not policy.exit_codes or kind is not FailureKind.EXIT or outcome.exit_code in policy.exit_codes


def uncertain(outcome: JobOutcome) -> bool:
    """Whether nobody knows how far the try of a failed job got: it may have done its work, or some of it."""
    if outcome.status != "failed" or outcome.reason is None:
        return False
    kind = outcome.reason.kind
    # An engine that failed before there was a container has let nothing begin.
    began = outcome.started_at is not None or bool(outcome.container_id)
    return kind in (FailureKind.LOST, FailureKind.WORKER) or (kind is FailureKind.DOCKER and began)


def _is_error(policy: RetryPolicy, kind: FailureKind) -> bool:
    """`error` in `on` stands for every kind but a timeout."""
    return "error" in policy.on and kind is not FailureKind.TIMEOUT


def delay_before(policy: RetryPolicy, next_try: int) -> float:
    """Seconds to wait before try number `next_try` (2 is the first retry)."""
    retries = next_try - 2
    match policy.backoff:
        case "fixed":
            delay = policy.delay
        case "linear":
            delay = policy.delay * (retries + 1)
        case "exponential":
            # Capped before it is raised: 2.0 ** 5000 would overflow.
            delay = policy.delay * policy.multiplier ** min(retries, 64)
    return min(delay, policy.max_delay)
