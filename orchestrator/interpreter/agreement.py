"""What the variants of a job say together: the outputs on which they agree, and an error where they do not. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.errors import ExpressionError
from orchestrator.plan.parts import Json

MAX_SHOWN = 60
"""Characters of a value in the message about a conflict."""


@dataclass(frozen=True)
class _Said:
    """A value, and the variant that has it."""

    variant: str
    value: Json


class Agreement(Mapping[str, Json]):
    """`jobs.x.outputs` of a job with variants: each output of which all variants that have it say the same.

    One that differs between two variants is there too, and reading it is an error that names both: a value picked by
    chance would be worse. Values are the same when their JSON is.
    """

    def __init__(self, job: str, outputs: Mapping[str, Mapping[str, Json]]) -> None:
        """Compare `outputs`, which has those of each variant under its full name, in the order of the variants."""
        self._job = job
        self._first: dict[str, _Said] = {}
        self._other: dict[str, _Said] = {}
        texts: dict[str, str] = {}
        for variant, values in outputs.items():
            for name, value in values.items():
                text = json.dumps(value, sort_keys=True)
                if texts.setdefault(name, text) != text:
                    self._other.setdefault(name, _Said(variant, value))
                self._first.setdefault(name, _Said(variant, value))

    @property
    def agreed(self) -> dict[str, Json]:
        """The outputs without conflicts, for the record."""
        return {name: said.value for name, said in self._first.items() if name not in self._other}

    def __getitem__(self, name: str) -> Json:
        """The value that all say. Raises ExpressionError where two differ."""
        said = self._first[name]
        other = self._other.get(name)
        if other is None:
            return said.value
        raise ExpressionError(
            f"the variants of job '{self._job}' do not agree on the output '{name}': it is {_shown(said.value)} in "
            f"'{said.variant}' and {_shown(other.value)} in '{other.variant}'; "
            f"read jobs.{self._job}.matrix[*].outputs.{name} for all of them"
        )

    def __contains__(self, name: object) -> bool:
        return name in self._first

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __len__(self) -> int:
        return len(self._first)


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
