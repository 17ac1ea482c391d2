"""What a function may return beside a plain dict of outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self


@dataclass(frozen=True, kw_only=True)
class QualityMetrics:
    """What a function found about its data. The run's record keeps it; whether the job fails is the function's choice.

    Attributes:
        record_count: records that were looked at.
        valid_count: those that are good; None: nobody counted.
        invalid_count: those that are not; None: what the other two leave.
        passed: whether the data is good enough.
        extra: anything else, as JSON.
    """

    record_count: int = 0
    valid_count: int | None = None
    invalid_count: int | None = None
    passed: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def valid_rate(self) -> float | None:
        """The share of good records, from 0 to 1; None where nobody counted them or there were no records."""
        if self.valid_count is None or not self.record_count:
            return None
        return self.valid_count / self.record_count

    def as_dict(self) -> dict[str, Any]:
        """As JSON: what was counted, `valid_rate`, `passed`, and what is in `extra`."""
        invalid = self.invalid_count
        if invalid is None and self.valid_count is not None:
            invalid = self.record_count - self.valid_count
        counted = {
            "record_count": self.record_count,
            "valid_count": self.valid_count,
            "invalid_count": invalid,
            "valid_rate": self.valid_rate,
        }
        known = {name: value for name, value in counted.items() if value is not None}
        return {**known, "passed": self.passed, **self.extra}


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """How a function ended. Made with `ok`, `fail` or `skip`.

    Attributes:
        status: `ok`, `fail` or `skip`.
        output: the job's outputs, as JSON. Of a failure they are there for whoever handles it.
        error: of a failure: why, in a sentence.
        category: of a failure: a word for its kind, such as `DATA_QUALITY`.
        retry: of a failure: whether another try may end differently; the job's own `retry` says whether there is one.
        reason: of a skip: why there was nothing to do.
        updates: variables of the run that are to be set, which its spec declares in `vars`.
        quality: what was found about the data.
    """

    status: Literal["ok", "fail", "skip"]
    output: Mapping[str, Any] = field(default_factory=dict[str, Any])
    error: str = ""
    category: str = ""
    retry: bool = True
    reason: str = ""
    updates: Mapping[str, Any] = field(default_factory=dict[str, Any])
    quality: QualityMetrics | Mapping[str, Any] | None = None

    @classmethod
    def ok(
        cls,
        output: Mapping[str, Any] | None = None,
        *,
        updates: Mapping[str, Any] | None = None,
        quality: QualityMetrics | Mapping[str, Any] | None = None,
    ) -> Self:
        """It did its work."""
        return cls(status="ok", output=output or {}, updates=updates or {}, quality=quality)

    @classmethod
    def fail(
        cls,
        error: str,
        *,
        category: str = "",
        output: Mapping[str, Any] | None = None,
        retry: bool = True,
        quality: QualityMetrics | Mapping[str, Any] | None = None,
    ) -> Self:
        """It could not, or found what must not be."""
        return cls(
            status="fail",
            error=error,
            category=category,
            output=output or {},
            retry=retry,
            quality=quality,
        )

    @classmethod
    def skip(cls, reason: str, *, quality: QualityMetrics | Mapping[str, Any] | None = None) -> Self:
        """There was nothing to do. The job counts as skipped, and what depends on it goes on."""
        return cls(status="skip", reason=reason, quality=quality)
