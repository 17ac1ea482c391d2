"""The rules about services that are not about expressions. Each is a function from a draft to its findings."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from orchestrator.compile.ancestry import ancestor_pairs
from orchestrator.compile.draft import Draft
from orchestrator.compile.known_services import KNOWN_SERVICES
from orchestrator.compile.services import NAME, Named, Written
from orchestrator.ids import host_name
from orchestrator.plan import patterns
from orchestrator.plan.service_model import Port
from orchestrator.spec.diagnostics import Diagnostic
from orchestrator.spec.places import Path

_EVERYWHERE: Final = ("0.0.0.0", "::")
_PORT_ADVICE: Final = "choose another, or leave the host's port out: jobs reach services without it"
_DOLLARS: Final = re.compile(r"\$\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][^}]*\}|\()")
_NAME_WISH: Final = (
    "it is a host name, so it has lower-case letters, digits and '-', at most 63, and begins with a letter"
)


def service_names(draft: Draft) -> Iterator[Diagnostic]:
    """Every service has a name under which it can be found."""
    for written in draft.services.written:
        if NAME.fullmatch(written.name) and written.name != "localhost":
            continue
        if not written.listed:
            message = f"'{_short(written.name)}' cannot be the name of a service: {_NAME_WISH}"
            yield draft.at_key("E109", written.path, message)
            continue
        image = _short(written.shape.image)
        why = (
            f"'{_short(written.name)}' cannot be the name of a service: {_NAME_WISH}"
            if written.name
            else f"the name of the service '{image}' is known only in a run"
        )
        yield draft.at_value("E109", written.path, f"{why}; give it one: 'services: {{db: \"{image}\"}}'")


def unknown_services(draft: Draft) -> Iterator[Diagnostic]:
    """Every name in a job's list is a service of the workflow or an image."""
    known = (*draft.spec.services, *KNOWN_SERVICES)
    for found in draft.services.of_jobs.values():
        for named in found.unknown:
            message = (
                f"service '{_short(named.name)}' is defined by no one: it is none of the workflow's 'services', and an "
                f"image has a tag; declare it at the top level, or write an image such as '{_short(named.name)}:latest'"
            )
            suggestion = draft.suggester.closest(named.name, known)
            yield draft.at_value("E118", named.path, message, suggestion=suggestion)


def same_names(draft: Draft) -> Iterator[Diagnostic]:
    """No two services of a job have one name, and none has that of one of the workflow's."""
    shared = {written.name: written for written in draft.services.shared}
    for job, found in draft.services.of_jobs.items():
        seen: dict[str, Path] = {}
        for one in sorted((*found.own, *found.shared), key=lambda one: _place(draft, one)):
            first = seen.setdefault(one.name, one.path)
            if first is not one.path and one.name:
                yield draft.at_value("E119", one.path, _twice(draft, job, one, first))
            elif isinstance(one, Written) and one.name in shared:
                line = draft.source.key(shared[one.name].path).line
                message = (
                    f"job '{job}' has a service '{one.name}' of its own, and the workflow has one of that name too "
                    f"(line {line}); write 'services: [{one.name}]' to use that one, or give this one another name: "
                    f"'services: {{{one.name}-2: \"{_short(one.shape.image)}\"}}'"
                )
                where = draft.at_value if one.listed else draft.at_key
                yield where("E119", one.path, message)


def _place(draft: Draft, one: Written | Named) -> tuple[int, int]:
    spot = draft.source.value(one.path)
    return spot.line, spot.column


def _twice(draft: Draft, job: str, one: Written | Named, first: Path) -> str:
    line = draft.source.value(first).line
    if isinstance(one, Named):
        return f"job '{job}' names the service '{one.name}' twice (first on line {line}); remove one"
    return (
        f"job '{job}' has two services named '{one.name}' (the other on line {line}); give them names of their own: "
        f"'services: {{{one.name}: …, {one.name}-2: \"{_short(one.shape.image)}\"}}'"
    )


def host_ports(draft: Draft) -> Iterator[Diagnostic]:
    """No two services that run together publish one port of the host."""
    scopes: list[Sequence[Written]] = [draft.services.shared]
    scopes += [found.own for found in draft.services.of_jobs.values()]
    for scope in scopes:
        taken: list[_Published] = []
        for written in scope:
            for number, port in _published_ports(written):
                mine = _Published(port, written, number)
                other = next((found for found in taken if _clash(found.port, port)), None)
                if other is None:
                    taken.append(mine)
                else:
                    message = (
                        f"port {port.host} of the host is taken by service '{other.service.name}' (line "
                        f"{other.line(draft)}); {_PORT_ADVICE}"
                    )
                    yield draft.at_value("E120", mine.path, message)


class _Published(NamedTuple):
    """A port of the host, the service that wants it, and its number in the service's list."""

    port: Port
    service: Written
    number: int

    @property
    def path(self) -> Path:
        return (*self.service.path, "ports", self.number)

    def line(self, draft: Draft) -> int:
        return draft.source.value(self.path).line


def _published_ports(written: Written) -> Iterator[tuple[int, Port]]:
    """Those with a port of the host, with their place in the list."""
    if not written.listed:
        yield from (
            (number, port) for number, port in enumerate(written.service.ports) if port.host is not None
        )


def _clash(one: Port, other: Port) -> bool:
    same = (one.host, one.protocol) == (other.host, other.protocol)
    return same and (
        one.address == other.address or any(x in _EVERYWHERE for x in (one.address, other.address))
    )


def host_ports_at_a_time(draft: Draft) -> Iterator[Diagnostic]:
    """Services that may run at the same time publish no one port of the host, of which each host has one."""
    for job, found in draft.services.of_jobs.items():
        if _side_by_side(draft, job):
            for written in found.own:
                for number, port in _published_ports(written):
                    message = (
                        f"every variant of job '{job}' publishes port {port.host} of the host, which one at a time can "
                        "have; leave the host's port out, or run the variants one by one with 'max_parallel: 1'"
                    )
                    yield draft.at_value(
                        "W119", (*written.path, "ports", number), message, severity="warning"
                    )
    yield from _beside_shared(draft)


def _side_by_side(draft: Draft, job: str) -> bool:
    """Whether variants of a job run at the same time."""
    repeats = draft.repeats.get(job)
    if repeats is None or repeats.broken or len(repeats.variants) == 1:
        return False
    return 1 not in (repeats.strategy.max_parallel, repeats.strategy.batch_size, draft.spec.max_parallel)


def _beside_shared(draft: Draft) -> Iterator[Diagnostic]:
    """Jobs with services of their own that may run while the workflow's do: neither before nor after all users."""
    users = [job for job, found in draft.services.of_jobs.items() if found.shared]
    named = {one.name for job in users for one in draft.services.of(job).shared}
    shared = [
        _Published(port, written, number)
        for written in draft.services.shared
        if written.name in named
        for number, port in _published_ports(written)
    ]
    wanting = [
        (job, _Published(port, written, number), other)
        for job, found in draft.services.of_jobs.items()
        for written in found.own
        for number, port in _published_ports(written)
        for other in shared
        if _clash(other.port, port)
    ]
    graph = draft.graph
    asked = [pair for job, _, _ in wanting for user in users for pair in ((job, user), (user, job))]
    ordered = ancestor_pairs(graph.order, graph.waits_for, asked)
    for job, mine, other in wanting:
        after = all((job, user) in ordered for user in users)
        before = all((user, job) in ordered for user in users)
        if not (after or before):
            message = (
                f"port {mine.port.host} of the host is also that of the workflow's service '{other.service.name}' (line"
                f" {other.line(draft)}), which may run at the same time on the same host; {_PORT_ADVICE}"
            )
            yield draft.at_value("W119", mine.path, message, severity="warning")


def dollars_of_compose(draft: Draft) -> Iterator[Diagnostic]:
    """`$$` in a health check, which Compose makes a `$` of and orca leaves alone."""
    for written in draft.services.written:
        health = written.shape.health_check
        if health is None or health.test is None:
            continue
        found = next((mark for word in health.test for mark in [_DOLLARS.search(word)] if mark), None)
        if found is not None:
            message = (
                f"'{found[0]}' in the test of service '{written.name}' is the way to write '{found[0][1:]}' in a "
                "Compose file; here a command is taken as it is written, and a shell reads '$$' as its own number: "
                f"write '{found[0][1:]}'"
            )
            path: Path = (*written.path, "health_check", "test")
            yield draft.at_value("W118", path, message, severity="warning")


def names_of_jobs(draft: Draft) -> Iterator[Diagnostic]:
    """No service has the name under which its own job is found in their network."""
    for job, found in draft.services.of_jobs.items():
        name = host_name(job)
        for one in (*found.own, *found.shared):
            if found.own and one.name == name:
                message = (
                    f"service '{one.name}' has the name of job '{job}', under which the services reach the job; give "
                    f"one of the two another name"
                )
                where = draft.at_value if isinstance(one, Named) or one.listed else draft.at_key
                yield where("E134", one.path, message)


def log_patterns(draft: Draft) -> Iterator[Diagnostic]:
    """A pattern of `ready: log` is one that takes time linear in the text, and all together are not too large."""
    left = patterns.MAX_TOTAL_WEIGHT
    for written in draft.services.written:
        health = written.shape.health_check
        pattern = None if health is None or health.ready is None else health.ready.log
        if pattern is None:
            continue
        path: Path = (*written.path, "health_check", "ready", "log")
        left -= patterns.BASE_WEIGHT + patterns.weight(pattern)
        if left < 0:
            yield draft.at_value(
                "E102", path, "the patterns of this spec are too large, all of them together"
            )
            return
        if (problem := patterns.problem(pattern)) is not None:
            message = (
                f"'ready: log' of service '{written.name}' cannot be used as a regular expression: {problem}"
            )
            yield draft.at_value("E102", path, message)


def networks(draft: Draft) -> Iterator[Diagnostic]:
    """A job without a network has no services, and one that is shut in shares none.

    The network of shared services has a way out for those that use them, so a shut-in job would have one through it.
    """
    for name, job in draft.spec.jobs.items():
        if job.network == "none" and job.services:
            message = (
                f"job '{name}' has 'network: none' and services, which it could not reach; "
                "remove one of the two, or write 'network: internal' to reach the services alone"
            )
            yield draft.at_value("E121", ("jobs", name, "network"), message)
        elif job.network == "internal":
            for named in draft.services.of(name).shared:
                message = (
                    f"job '{name}' has 'network: internal' and shares '{named.name}', through whose network it would "
                    "reach the world outside; give the job a service of its own, or remove 'network'"
                )
                yield draft.at_value("E122", named.path, message)


def unused_services(draft: Draft) -> Iterator[Diagnostic]:
    """A service of the workflow that no job names."""
    used = {one.name for found in draft.services.of_jobs.values() for one in found.shared}
    for written in draft.services.shared:
        if written.name not in used:
            message = (
                f"service '{written.name}' is never started, as no job names it; add 'services: [{written.name}]' "
                "to the jobs that use it, or remove it"
            )
            yield draft.at_key("W115", written.path, message, severity="warning")


def hidden_variables(draft: Draft) -> Iterator[Diagnostic]:
    """A job that sets what a service was given otherwise, and so cannot log in to it."""
    for name in draft.services.of_jobs:
        given = {variable: one for one in draft.services.reachable(name) for variable in one.generated}
        env = draft.jobs[name].env
        for variable, service in given.items():
            if variable not in env:
                continue
            own: Path = ("jobs", name, "env", variable)
            path = own if variable in draft.spec.jobs[name].env else ("jobs", name, "services")
            message = (
                f"'{variable}' is set in 'env' of job '{name}' and so hides the value that service '{service.name}' "
                "gets; remove it, or write the service as a mapping with the same 'env'"
            )
            yield draft.at_key("W116", path, message, severity="warning")


def _short(text: str) -> str:
    shown = text if len(text) <= 60 else f"{text[:60]}…"
    return shown.replace('"', "'")
