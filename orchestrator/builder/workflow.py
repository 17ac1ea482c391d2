"""A workflow that is written in Python, and the spec that it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.builder.steps import Step
from orchestrator.errors import UsageError
from orchestrator.spec.write import write_spec


@dataclass(frozen=True)
class Workflow:
    """Steps, one after the other unless they say otherwise.

    A step without `requires` and `after` follows the one before it. A step that another one starts (a branch of a
    choice, a transition) follows nothing; what stands behind the branches of a choice follows all of them, of which
    those that were not taken do not count. A finalizer (`on_complete="always"`) comes when all else is done.

    Raises:
        UsageError: two steps have one name.
    """

    name: str
    steps: Sequence[Step]
    description: str = ""
    version: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    vars: Mapping[str, Any] = field(default_factory=dict[str, Any])
    outputs: Mapping[str, str] = field(default_factory=dict[str, str])
    keys: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Further keys of the top level, such as `env`, `workspace` and `timeout`."""

    def __post_init__(self) -> None:
        """Names are the keys of a mapping."""
        seen: set[str] = set()
        for step in self.steps:
            if step.name in seen:
                raise UsageError(
                    f"workflow '{self.name}' has two steps '{step.name}'; give each a name of its own"
                )
            seen.add(step.name)

    def to_spec(self) -> dict[str, Any]:
        """The spec as plain values, in the order in which a person would write it."""
        top = {
            "name": self.name,
            "description": self.description,
            "version": self.version,
            "labels": dict(self.labels),
            "params": dict(self.params),
            "vars": dict(self.vars),
            **self.keys,
        }
        spec = {key: value for key, value in top.items() if value}
        spec["jobs"] = self._jobs()
        if self.outputs:
            spec["outputs"] = dict(self.outputs)
        return spec

    def to_yaml(self) -> str:
        """The spec as YAML. Raises ValueError for a value that YAML cannot hold."""
        return write_spec(self.to_spec())

    def _jobs(self) -> dict[str, dict[str, Any]]:
        started = {target for step in self.steps for target in step.targets}
        jobs: dict[str, dict[str, Any]] = {}
        before: list[str] = []
        """What the next step follows."""
        choice: Step | None = None
        """Whose branches stand here."""
        for step in self.steps:
            keys = dict(step.keys)
            placed = "requires" in keys or "after" in keys
            if choice is not None and step.name in choice.targets and not placed:
                before.append(step.name)
            elif step.name not in started and not step.finalizes:
                if before and not placed:
                    keys["requires"] = list(before)
                before = [step.name]
                choice = step if "choice" in keys else None
            jobs[step.name] = keys
        return jobs
