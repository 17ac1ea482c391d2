"""YAML files beside a spec (mocks, cases) read as strictly as a spec: every finding with its place and its line.

A finding's code means what it means in a spec: E101 an unknown key, E102 a wrong value, E103 an unknown name, E104 a
missing key.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.errors import SpecError, UsageError
from orchestrator.spec.diagnostics import Diagnostic, Suggester, has_errors, in_order
from orchestrator.spec.places import Path as Place
from orchestrator.spec.places import Source
from orchestrator.spec.source import MAX_BYTES, read_source

_ModelT = TypeVar("_ModelT", bound=BaseModel)

_WISHES: Final = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "list_type": "must be a list",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


class StrictShape(BaseModel):
    """Base of all that such a file holds: a key that nobody knows is an error, and nothing is converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Findings:
    """Collects what is wrong in one file; `check` raises all of it at once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: list[Diagnostic] = []
        self._suggester = Suggester()

    @property
    def source(self) -> Source:
        """The file."""
        return self._source

    def unknown(self, what: str, place: Place, known: Sequence[str], *, code: str = "E103") -> None:
        """The name, the last step of `place`, is none of `known`; `what` says so but for the name meant."""
        name = str(place[-1])
        near = self._suggester.closest(name, known)
        shown = ", ".join(f"'{one}'" for one in known[:12])
        listing = f"; there are {shown}" if shown and near is None else ""
        self._add(code, what + listing, place, near, at_key=True)

    def wrong(self, message: str, place: Place, *, at_key: bool = False) -> None:
        """The value (or key) at `place` is not possible there."""
        self._add("E102", message, place, None, at_key=at_key)

    def missing(self, message: str, place: Place) -> None:
        """A key is missing in what stands at `place`."""
        self._add("E104", message, place, None, at_key=False)

    def check(self) -> None:
        """Raise SpecError with all that was found, if anything was."""
        if self._found:
            raise SpecError(in_order(self._found))

    def _add(self, code: str, message: str, place: Place, near: str | None, *, at_key: bool) -> None:
        at = self._source.key(place) if at_key else self._source.value(place)
        self._found.append(self._source.diagnostic(code, message, at=at, suggestion=near))


def read_yaml(path: Path, *, what: str) -> Source:
    """The file's plain data with its places.

    Args:
        path: the file.
        what: what it is, for the message: `mocks`.

    Raises:
        UsageError: it cannot be read.
        SpecError: it is no YAML, or has more than one document.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read the {what} in '{path}': {error.strerror or error}") from error
    source, found = read_source(text, str(path))
    if source is None or has_errors(found):
        raise SpecError(found)
    return source


def shaped(model: type[_ModelT], data: Any, findings: Findings, place: Place = ()) -> _ModelT | None:
    """`data`, which stands at `place`, as a model; None where it is wrong, which `findings` then say."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            inside = tuple(step for step in item["loc"] if step != "[key]")
            _tell(item["type"], (*place, *inside), item, _keys_at(model, inside), findings)
        return None


def _tell(kind: str, place: Place, item: ErrorDetails, known: Sequence[str], findings: Findings) -> None:
    name = f"'{place[-1]}'" if place else "the file"
    context = item.get("ctx", {})
    if kind == "extra_forbidden":
        findings.unknown(f"the key {name} is not known here", place, known, code="E101")
    elif kind == "missing":
        findings.missing(f"{name} is missing", place[:-1])
    elif kind == "literal_error":
        findings.wrong(f"{name} must be {context['expected']}, not {item['input']!r}", place)
    elif kind == "value_error":
        findings.wrong(f"{name} {context['error']}", place)
    else:
        findings.wrong(f"{name} {_WISHES.get(kind, 'has a value that is not possible here')}", place)


def _keys_at(model: type[BaseModel], place: Place) -> list[str]:
    """The keys that the mapping around `place` may have, where it is a shape."""
    kind: Any = model
    for step in place[:-1]:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(step))
            kind = field.annotation if field else None
        else:
            kind = get_args(kind)[-1] if get_args(kind) else None  # What a mapping or list holds.
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []
