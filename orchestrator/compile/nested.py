"""Specs that jobs nest: found, compiled once each, and told apart from those that would nest themselves.

No I/O: whoever compiles gives a function that reads.
"""

import errno
import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from orchestrator.plan.model import Plan
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.model import Spec

MAX_DEPTH: Final = 10
"""Specs that may be nested in one another."""
MAX_SPECS: Final = 100
"""Specs that one may nest, all levels together."""


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A spec as it was read."""

    file: str
    """How diagnostics name it."""
    text: bytes


class ReadSpec(Protocol):
    """Reads nested specs."""

    def __call__(self, path: str) -> SpecFile:
        """The spec at `path`, from the folder of the root spec, with `/` between its parts.

        Raises:
            OSError: it cannot be read.
        """
        ...


def specs_in_memory(files: Mapping[str, str]) -> ReadSpec:
    """Reads specs from `files`, by their paths."""

    def read(path: str) -> SpecFile:
        if path not in files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return SpecFile(path, files[path].encode())

    return read


@dataclass(frozen=True, slots=True)
class Outcome:
    """What compiling one spec came to, without those that are nested in it."""

    spec: Spec | None
    """None where nothing could be understood."""
    plan: Plan | None
    """None where there is an error, in it or in what it nests."""
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Child:
    """A spec that a job nests."""

    path: str
    """From the root spec's folder; its key in `Plan.workflows`."""
    spec: Spec | None = None
    plan: Plan | None = None
    code: str = ""
    """Of what is wrong with nesting it, if anything is."""
    message: str = ""
    """The same as the end of a sentence about the job."""


@dataclass
class Family:
    """A root spec and all that are nested in it, while they are compiled."""

    root: str
    """The root's file name."""
    read: ReadSpec | None
    """None: nothing can be read, as the root has no folder."""
    outcomes: dict[str, Outcome] = field(default_factory=dict[str, Outcome])
    """By path, in the order in which they were met first."""

    @property
    def plans(self) -> dict[str, Plan]:
        """The plans of all that are nested."""
        return {path: found.plan for path, found in self.outcomes.items() if found.plan is not None}

    @property
    def diagnostics(self) -> Iterator[Diagnostic]:
        """What was found in them, file by file."""
        for found in self.outcomes.values():
            yield from found.diagnostics


def children_of(
    spec: Spec,
    chain: tuple[str, ...],
    family: Family,
    compile_one: Callable[[SpecFile, tuple[str, ...]], Outcome],
) -> dict[str, Child]:
    """The specs that the jobs of `spec` nest, each compiled.

    Args:
        spec: The one whose jobs are asked.
        chain: The paths that lead to it, its own as the last one.
        family: All that is known of the family; what is compiled is added.
        compile_one: Compiles a nested spec, given the chain to it.
    """
    return {
        name: _child(job.workflow, chain, family, compile_one)
        for name, job in spec.jobs.items()
        if job.workflow is not None
    }


def _child(
    written: str,
    chain: tuple[str, ...],
    family: Family,
    compile_one: Callable[[SpecFile, tuple[str, ...]], Outcome],
) -> Child:
    path = posixpath.normpath(posixpath.join(posixpath.dirname(chain[-1]), written))
    if path in chain:
        way = " -> ".join(f"'{one}'" for one in (*chain[chain.index(path) :], path))
        return Child(path, code="E128", message=f"nests '{path}', which nests itself: {way}")
    if len(chain) > MAX_DEPTH:
        message = f"nests '{path}' {len(chain)} levels deep, and at most {MAX_DEPTH} are possible"
        return Child(path, code="E128", message=message)
    if path not in family.outcomes:
        found = _read(path, family)
        if isinstance(found, str):
            return Child(path, code="E129", message=f"nests '{path}', {found}")
        # It has its place before those that it nests itself have theirs.
        family.outcomes[path] = Outcome(None, None, ())
        family.outcomes[path] = compile_one(found, (*chain, path))
    outcome = family.outcomes[path]
    return Child(path, outcome.spec, outcome.plan)


def _read(path: str, family: Family) -> SpecFile | str:
    """The spec at `path`, or why there is none, as the end of a sentence."""
    if family.read is None:
        return "which cannot be found, as this spec does not come from a file"
    if len(family.outcomes) >= MAX_SPECS:
        return f"and more than {MAX_SPECS} specs are nested, all levels together"
    try:
        return family.read(path)
    except OSError as error:
        return f"which cannot be read: {error.strerror or error}"


def outputs_of(child: Child) -> tuple[str, ...] | None:
    """The outputs that a nested spec has; None where that is not known."""
    return None if child.spec is None else tuple(child.spec.outputs)


def problems(children: Mapping[str, Child]) -> Iterator[tuple[str, Child]]:
    """The jobs whose nested spec cannot be had, with what is known of it."""
    return ((name, child) for name, child in children.items() if child.code)
