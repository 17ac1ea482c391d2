"""What expanding may cost, and the error that it cannot be done. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, cast

from orchestrator.errors import OrcaError
from orchestrator.plan.parts import Json
from orchestrator.plan.variants.values import is_list

MAX_EFFORT: Final = 1_000_000
"""What expanding all matrices and lists of a spec may cost: a step for each combination, excluded or not, and for each
comparison of a value with a filter."""

MAX_COMBINATIONS: Final = 500_000
"""Combinations of one matrix, excluded ones too."""

MAX_COMPARISONS: Final = 100_000
"""Comparisons of values with the lists and mappings that includes and excludes of one matrix hold."""

VARIANT_EFFORT: Final = 25
"""Steps that a variant costs beside: its name and its place in the plan."""

MAX_SIZE: Final = 4_000_000
"""Characters of all variants' values together: what people see of them has to fit into a run's record."""

MAX_VARIANTS: Final = 10_000
"""What `max_variants` may be raised to."""

Step = str | int

Fault = Literal["shape", "axis", "empty", "count"]
"""`shape`: not the lists and mappings that it must be. `axis`: an exclude names none. `empty`: nothing to run.
`count`: too many or too large."""


class VariantsError(OrcaError):
    """A matrix or list cannot be expanded.

    Attributes:
        path: leads to the part that is wrong, from the matrix or list on.
        fault: what kind of mistake it is.
        at_key: the last key of `path` is wrong, and not what stands there.
    """

    exit_code = 2

    def __init__(
        self, message: str, path: Sequence[Step] = (), *, fault: Fault = "shape", at_key: bool = False
    ) -> None:
        super().__init__(message)
        self.path = tuple(path)
        self.fault: Fault = fault
        self.at_key = at_key


class Effort:
    """What may still be spent on expanding; one for a whole spec, so that many jobs cannot cost what one may not."""

    def __init__(self, left: int = MAX_EFFORT) -> None:
        self.left = left

    def spend(self, *, variants: int, combinations: int = 0, comparisons: int = 0) -> None:
        """Take what a matrix or list costs off what is left.

        Args:
            variants: How many are made at most.
            combinations: How many are looked at, excluded ones too.
            comparisons: How many values of axes are compared with lists and mappings of `include` and `exclude`.

        Raises:
            VariantsError: that is more than there is.
        """
        if combinations > MAX_COMBINATIONS:
            message = (
                f"the matrix has {combinations:,} combinations before its 'exclude', and at most {MAX_COMBINATIONS:,} "
                "can be looked through; write those that shall run as 'include', or compute them in a job before it"
            )
            raise VariantsError(message, fault="count")
        if comparisons > MAX_COMPARISONS:
            message = (
                f"to compare 'include' and 'exclude' with the values of the axes takes {comparisons:,} comparisons, "
                f"and at most {MAX_COMPARISONS:,} are possible; write fewer "
                "entries with lists or mappings, or give the values a name in an axis"
            )
            raise VariantsError(message, fault="count")
        self.left -= combinations + comparisons + VARIANT_EFFORT * variants
        if self.left < 0:
            message = (
                "the matrices and lists of this spec together have more variants and combinations than can be looked "
                "through; split the workflow"
            )
            raise VariantsError(message, fault="count")


def weight(value: Json) -> int:
    """Characters of `value` as JSON, near enough."""
    if isinstance(value, Mapping):
        parts = cast("Mapping[str, Json]", value).items()
        return 2 + sum(len(str(key)) + 4 + weight(part) for key, part in parts)
    if is_list(value):
        return 2 + sum(2 + weight(part) for part in cast("Sequence[Json]", value))
    return 2 + len(value) if isinstance(value, str) else 5


def check_size(weights: Iterable[int]) -> None:
    """Raises VariantsError where values of these weights are too large together."""
    if sum(weights) > MAX_SIZE:
        message = (
            f"the values of all variants together are longer than {MAX_SIZE:,} characters; "
            "keep long texts in files and give variants their names"
        )
        raise VariantsError(message, fault="count")


def check_count(count: int, limit: int) -> None:
    """Raises VariantsError where `count` variants are more than `limit`."""
    if count > limit:
        message = (
            f"there are {count:,} variants, and this spec allows {limit:,}; raise 'max_variants' at its top level"
            if count <= MAX_VARIANTS
            else f"there are more than {MAX_VARIANTS:,} variants, which is more than any job may have"
        )
        raise VariantsError(message, fault="count")
