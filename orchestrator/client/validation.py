"""`orca validate`: many files at once, and what is wrong with one hides nothing of the others."""

import difflib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Final, cast
from urllib.parse import quote, quote_from_bytes

from orchestrator import __version__
from orchestrator.client.prepare import read_spec, read_yaml
from orchestrator.compile import ReadSpec, SpecFile, compile_text, specs_in_memory
from orchestrator.errors import SpecError, UsageError
from orchestrator.spec.diagnostics import Diagnostic, has_errors
from orchestrator.spec.explanations import EXPLANATIONS, Explanation
from orchestrator.spec.sarif import sarif_log

STDIN: Final = Path("-")
"""Stands for the standard input, as a file's name."""
_STDIN_NAME: Final = "<stdin>"
_ENDINGS: Final = (".yaml", ".yml")
_EXAMPLE: Final = "spec.yaml"


@dataclass(frozen=True)
class Verdict:
    """What was found in one file."""

    path: Path
    file: str
    """Its name in findings: the path, with what is not text or would drive a terminal escaped."""
    diagnostics: tuple[Diagnostic, ...]
    nested: Mapping[str, Path] = field(default_factory=dict[str, Path])
    """The specs that were read as it nests them, by their names in findings."""

    @property
    def valid(self) -> bool:
        """Whether it can be run: it may have warnings."""
        return not has_errors(self.diagnostics)


@dataclass(frozen=True)
class Explained:
    """A code's explanation, and what is found in its wrong example."""

    explanation: Explanation
    findings: tuple[Diagnostic, ...]


def verdicts(given: Sequence[Path], *, read_stdin: Callable[[], bytes]) -> Iterator[Verdict]:
    """A verdict on each file, one after the other; none is read before its turn, and each only once.

    Args:
        given: Files; folders, which stand for all specs below them (`.yaml` and `.yml`, nothing hidden); `STDIN`.
        read_stdin: Gives what comes on the standard input, when it is asked for.
    """
    seen: dict[Path, None] = {}
    for path in given:
        for file, problem in _files(path):
            if file in seen:
                continue
            seen[file] = None
            name = _STDIN_NAME if file == STDIN else _shown(file)
            if problem is not None:
                yield Verdict(file, name, (unreadable(name, problem),))
                continue
            try:
                text = read_stdin() if file == STDIN else read_spec(file)
            except OSError as error:
                yield Verdict(file, name, (unreadable(name, error.strerror or str(error)),))
                continue
            except UsageError as error:
                yield Verdict(file, name, (unreadable(name, str(error)),))
                continue
            nested: dict[str, Path] = {}
            read = None if file == STDIN else _reader(file.parent, nested)
            yield Verdict(file, name, _diagnostics(text, name, read), nested)


def explained(word: str) -> Explained:
    """The explanation of a code such as `E103`, in any case; its slug (`unknown-job`) is understood too.

    Raises:
        UsageError: there is no such code.
    """
    wanted = word.strip().lower()
    by_word = {found.code.lower(): found for found in EXPLANATIONS.values()}
    by_word |= {found.slug: found for found in EXPLANATIONS.values()}
    if wanted not in by_word:
        near = max(by_word, key=lambda known: _likeness(known, wanted))
        hint = f"; did you mean '{by_word[near].code}'?" if _likeness(near, wanted) > (0.6, 0) else ""
        raise UsageError(f"there is no code '{word}'{hint or '; a finding shows its own, as in error[E103]'}")
    explanation = by_word[wanted]
    if explanation.language == "sh":
        missing = explanation.shown.split()[-1]
        return Explained(explanation, (unreadable(missing, os.strerror(2)),))
    beside = specs_in_memory(explanation.beside)
    return Explained(explanation, _diagnostics(explanation.file, _EXAMPLE, beside))


def _likeness(one: str, other: str) -> tuple[float, int]:
    """How alike two words are: as texts, then by the characters at the same places."""
    ratio = difflib.SequenceMatcher(None, one, other).ratio()
    return ratio, sum(mine == theirs for mine, theirs in zip(one, other, strict=False))


def unreadable(file: str, reason: str) -> Diagnostic:
    """The finding that a file could not be read."""
    return Diagnostic(
        code="E016", message=f"cannot read the spec: {reason}", file=file, line=1, column=1, severity="error"
    )


def as_sarif(found: Sequence[Verdict], *, base: Path) -> dict[str, Any]:
    """The verdicts as SARIF, paths relative to the absolute folder `base` where they are below it."""
    paths = {name: path for verdict in found for name, path in verdict.nested.items()}
    paths |= {verdict.file: verdict.path for verdict in found}
    uris = {name: _uri(path, base) for name, path in paths.items()}
    findings = (finding for verdict in found for finding in verdict.diagnostics)
    return sarif_log(findings, uris=uris, base=_folder_uri(base), version=__version__)


def _reader(folder: Path, nested: dict[str, Path]) -> ReadSpec:
    """Reads what the specs of a folder nest, and takes down in `nested` what it read."""

    def read(path: str) -> SpecFile:
        found = folder / path
        text = read_yaml(found)
        nested[_shown(found)] = found
        return SpecFile(_shown(found), text)

    return read


def _diagnostics(text: bytes, name: str, read: ReadSpec | None) -> tuple[Diagnostic, ...]:
    try:
        return compile_text(text, name, read=read).diagnostics
    except SpecError as error:
        return cast("tuple[Diagnostic, ...]", error.diagnostics)


def _files(path: Path) -> Iterator[tuple[Path, str | None]]:
    """The files that a path stands for, in order, each with why it cannot be read, where that is known already."""
    if path == STDIN or not path.is_dir():
        yield path, None
        return
    problems: list[OSError] = []
    count = 0
    for folder, folders, names in os.walk(path, onerror=problems.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(_ENDINGS) and not name.startswith("."):
                count += 1
                yield Path(folder, name), None
    for problem in problems:
        yield Path(os.fsdecode(problem.filename)), problem.strerror
    if not count and not problems:
        yield path, "the folder holds no '.yaml' or '.yml' file"


def _shown(path: PurePath) -> str:
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _uri(path: Path, base: Path) -> str:
    if path == STDIN:
        return quote(_STDIN_NAME)
    whole = Path(os.path.normpath(base / path))
    return (
        quote_from_bytes(os.fsencode(whole.relative_to(base)))
        if whole.is_relative_to(base)
        else whole.as_uri()
    )


def _folder_uri(folder: Path) -> str:
    return folder.as_uri().rstrip("/") + "/"
