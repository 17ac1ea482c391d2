"""The steps of a workflow that is written in Python: a name, and the keys of the job that it becomes."""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, Unpack

from orchestrator.errors import UsageError

Names = str | Sequence[str]


class Options(TypedDict, total=False):
    """Keys that every kind of job may have; they mean what they mean in YAML. `if_` is `if`."""

    title: str
    """`name`: what people are shown."""
    requires: Names | Sequence[str | Mapping[str, str]]
    after: Names
    parallel_with: Names
    if_: str
    unless: str
    on_error: str
    idempotent: bool
    on_success: Names
    on_failure: Names
    on_complete: Names
    timeout: str | float
    retry: int | Mapping[str, Any]
    outputs: Sequence[str] | Mapping[str, str]
    publish: Mapping[str, str]
    matrix: str | Mapping[str, Any]
    for_each: str | Sequence[Any] | Mapping[str, Any]
    batch_size: int
    max_parallel: int
    fail_fast: bool


_SPELLED = {"if_": "if", "title": "name"}


@dataclass(frozen=True)
class Step:
    """One job. Made by the functions below, one for each kind."""

    name: str
    keys: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """As a YAML spec has them."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Steps that this one starts: branches of a choice, transitions."""
        branches = (branch.get("then", branch.get("default", ())) for branch in self.keys.get("choice", ()))
        moves = (self.keys.get(key, ()) for key in ("on_success", "on_failure", "on_complete"))
        found = (name for names in (*branches, *moves) for name in _listed(names))
        return tuple(dict.fromkeys(name for name in found if name not in ("success", "failure", "always")))

    @property
    def finalizes(self) -> bool:
        """Whether it runs when all else is done: `on_complete` as a word."""
        return self.keys.get("on_complete") in ("success", "failure", "always")

    @staticmethod
    def call(
        name: str,
        function: str | Callable[..., object],
        *,
        inputs: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
        **options: Unpack[Options],
    ) -> "Step":
        """Call a function on a worker.

        Args:
            name: the job's name.
            function: `package.module:function`, the name of a built-in one such as `http`, or the function itself,
                which workers must be able to import from its module.
            inputs: `with`; texts may hold `${{ }}`.
            config: put beside the inputs.
            options: see `Options`.
        """
        given = {**(inputs or {}), **(config or {})}
        return _step(name, {"call": _path_of(function), **({"with": given} if given else {})}, options)

    @staticmethod
    def container(
        name: str,
        image: str,
        commands: Names = (),
        *,
        keys: Mapping[str, Any] | None = None,
        **options: Unpack[Options],
    ) -> "Step":
        """Run commands in a container. `keys` are those that only a container has, such as `env` and `artifacts`."""
        own = {"image": image, **({"commands": _listed(commands)} if commands else {}), **(keys or {})}
        return _step(name, own, options)

    @staticmethod
    def gate(
        name: str,
        prompt: str,
        *,
        fields: Mapping[str, Any] | None = None,
        approvers: Names = (),
        keys: Mapping[str, Any] | None = None,
        **options: Unpack[Options],
    ) -> "Step":
        """Wait for a person. `keys` are further ones of `gate`, such as `min_approvals` and `on_timeout`."""
        form = {
            "prompt": prompt,
            **({"fields": fields} if fields else {}),
            **({"approvers": _listed(approvers)} if approvers else {}),
            **(keys or {}),
        }
        return _step(name, {"gate": form}, options)

    @staticmethod
    def wait(
        name: str,
        duration: str | float | None = None,
        *,
        until: str | None = None,
        **options: Unpack[Options],
    ) -> "Step":
        """Wait for a time, such as `5m` or a number of seconds, or until an instant.

        Raises:
            UsageError: both are given, or none.
        """
        if (duration is None) == (until is None):
            raise UsageError(
                f"step '{name}' waits either for a duration or 'until' an instant; give one of the two"
            )
        return _step(name, {"wait": duration if until is None else {"until": until}}, options)

    @staticmethod
    def choice(
        name: str,
        *,
        when: str | None = None,
        then: Names = (),
        otherwise: Names = (),
        branches: Sequence[Mapping[str, Any]] = (),
        **options: Unpack[Options],
    ) -> "Step":
        """Take the first branch whose condition holds.

        Args:
            name: the job's name.
            when: the condition of the only branch.
            then: its steps.
            otherwise: the steps of the default.
            branches: instead of `when` and `then`, several: `{"when": …, "then": […]}`.
            options: see `Options`.

        Raises:
            UsageError: neither `when` nor `branches` is given, or both are.
        """
        if (when is None) == (not branches):
            raise UsageError(f"step '{name}' chooses by 'when' or by 'branches'; give one of the two")
        ways: list[Mapping[str, Any]] = list(branches) or [{"when": when, "then": _listed(then)}]
        if otherwise:
            ways.append({"default": _listed(otherwise)})
        return _step(name, {"choice": ways}, options)

    @staticmethod
    def workflow(
        name: str, path: str, *, inputs: Mapping[str, Any] | None = None, **options: Unpack[Options]
    ) -> "Step":
        """Run another workflow, by the path of its spec from this one's folder."""
        return _step(name, {"workflow": path, **({"with": inputs} if inputs else {})}, options)

    @staticmethod
    def map(
        name: str,
        *,
        over: str | Sequence[Any] | Mapping[str, Any],
        workflow: str,
        inputs: Mapping[str, Any] | None = None,
        **options: Unpack[Options],
    ) -> "Step":
        """Run another workflow for each item of `over`, given to it as its param `item` unless `inputs` say more."""
        own = {"workflow": workflow, "with": inputs or {"item": "${{ item }}"}, "for_each": over}
        return _step(name, own, options)


def _step(name: str, own: Mapping[str, Any], options: Options) -> Step:
    keys = {_SPELLED.get(key, key): value for key, value in options.items()}
    return Step(name, {**own, **keys})


def _listed(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _path_of(function: str | Callable[..., object]) -> str:
    """How a worker finds a function.

    Raises:
        UsageError: it has no name by which a worker could import it.
    """
    if isinstance(function, str):
        return function
    name = getattr(function, "__qualname__", "")
    if not inspect.isfunction(function) or not name.isidentifier() or name == "<lambda>":
        raise UsageError(
            f"{function!r} cannot be called by a worker: give a function that stands at the top of a module"
        )
    module = function.__module__
    if module == "__main__":
        # A file that is run as a script is imported by its own name elsewhere.
        file = getattr(sys.modules["__main__"], "__file__", None)
        module = Path(file).stem if file else module
    return f"{module}:{name}"
