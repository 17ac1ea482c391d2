"""What the rules look at: a spec on its way to a plan, with all that was worked out of it once. No rules here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.compile.defaults import with_defaults
from orchestrator.compile.graph import Graph
from orchestrator.compile.kinds import Kind, kind_of
from orchestrator.compile.nested import Child
from orchestrator.compile.parallel import BadPair, build_graph
from orchestrator.compile.services import AllServices, services_of
from orchestrator.compile.strategy import Repeats, repeats_of
from orchestrator.spec.diagnostics import Diagnostic, Severity, Suggester
from orchestrator.spec.model import JobShape, Spec
from orchestrator.spec.places import Path, Source


@dataclass(frozen=True)
class Draft:
    """A spec, its source, its jobs with their defaults, and their graph."""

    spec: Spec
    source: Source
    jobs: Mapping[str, JobShape]
    graph: Graph
    bad_pairs: tuple[BadPair, ...]
    repeats: Mapping[str, Repeats] = field(default_factory=dict[str, Repeats])
    """The jobs that have a matrix or a list."""
    services: AllServices = field(default_factory=AllServices)
    kinds: Mapping[str, Kind] = field(default_factory=dict[str, Kind])
    children: Mapping[str, Child] = field(default_factory=dict[str, Child])
    """The specs that jobs nest, by the job."""
    suggester: Suggester = field(default_factory=Suggester)

    def at_key(
        self,
        code: str,
        path: Path,
        message: str,
        *,
        severity: Severity = "error",
        suggestion: str | None = None,
    ) -> Diagnostic:
        """A finding about the key at `path`."""
        spot = self.source.key(path)
        return self.source.diagnostic(code, message, at=spot, severity=severity, suggestion=suggestion)

    def at_value(
        self,
        code: str,
        path: Path,
        message: str,
        *,
        severity: Severity = "error",
        suggestion: str | None = None,
    ) -> Diagnostic:
        """A finding about the value at `path`."""
        spot = self.source.value(path)
        return self.source.diagnostic(code, message, at=spot, severity=severity, suggestion=suggestion)


def make_draft(
    spec: Spec,
    source: Source,
    *,
    children: Mapping[str, Child] | None = None,
) -> Draft:
    """Works out what the rules need."""
    graph, bad_pairs = build_graph(spec)
    return Draft(
        spec=spec,
        source=source,
        jobs=with_defaults(spec),
        graph=graph,
        bad_pairs=bad_pairs,
        repeats=repeats_of(spec),
        services=services_of(spec),
        kinds={name: kind_of(job) for name, job in spec.jobs.items()},
        children=children or {},
    )
