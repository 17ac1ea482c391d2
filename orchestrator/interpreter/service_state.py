"""How services stand, for the run's record: starting, as they came up, and how they were found at their end. Pure."""

from collections.abc import Mapping, Sequence

from orchestrator.contract.messages import ArtifactRef, FallenService, ServiceRecord
from orchestrator.contract.services import ServiceEnd, ServicesStarted, ServicesStopped, StartServices
from orchestrator.interpreter.telling import shortened

MAX_IMAGES = 150
"""Characters of the images' names on a bar of the timeline."""
MAX_WHY = 200
"""Bytes of why a service was started again."""


def starting(
    request: StartServices, *, again: Sequence[FallenService] = (), last: bool = False
) -> dict[str, ServiceRecord]:
    """Before anything is known.

    Args:
        request: what is started.
        again: those that had ended, which is why all are started again.
        last: they will not be started once more.
    """
    notes = {one.name: _again(one, last=last) for one in again}
    return {
        service.name: ServiceRecord(
            state="starting", start=request.scope.number, note=notes.get(service.name, "")
        )
        for service in request.services
    }


def started(before: Mapping[str, ServiceRecord], answer: ServicesStarted) -> dict[str, ServiceRecord]:
    """With what a worker said of them; one that it did not speak of was not waited for."""
    reports = {report.name: report for report in answer.services}
    records: dict[str, ServiceRecord] = {}
    for name, record in before.items():
        report = reports.get(name)
        if report is None:
            records[name] = _interrupted(record)
            continue
        records[name] = record.model_copy(
            update={
                "state": report.state,
                "after": report.after,
                "check": report.check,
                "exit_code": report.exit_code,
                "note": "; ".join(note for note in (record.note, report.note) if note),
            }
        )
    return records


def abandoned(before: Mapping[str, ServiceRecord]) -> dict[str, ServiceRecord]:
    """When nobody says any more how those are that were starting."""
    return {name: _unknown(record) for name, record in before.items()}


def stopped(before: Mapping[str, ServiceRecord], answer: ServicesStopped) -> dict[str, ServiceRecord]:
    """When they have been stopped."""
    ends = {end.name: end for end in answer.services}
    return {name: _ended(record, ends.get(name)) for name, record in before.items()}


def stopped_shared(before: Mapping[str, ServiceRecord], answer: ServicesStopped) -> dict[str, ServiceRecord]:
    """The same for those that jobs share, which have no job that could have their logs and warnings."""
    records = stopped(before, answer)
    for end in answer.services:
        if end.artifact is not None and end.name in records:
            records[end.name] = records[end.name].model_copy(update={"artifact": end.artifact})
    return noted(records, "; ".join(answer.warnings))


def noted(records: Mapping[str, ServiceRecord], note: str) -> dict[str, ServiceRecord]:
    """With something that is to be said of them together, which the first one says."""
    first = next(iter(records), None)
    if first is None or not note:
        return dict(records)
    known = records[first].note
    told = records[first].model_copy(update={"note": f"{known}; {note}" if known else note})
    return {**records, first: told}


def log_artifacts(answer: ServicesStopped) -> tuple[ArtifactRef, ...]:
    """The logs that were asked for as artifacts."""
    return tuple(end.artifact for end in answer.services if end.artifact is not None)


def deaths(answer: ServicesStopped, *, known: str) -> tuple[str, ...]:
    """A warning for each service that had ended by itself and that the text `known` does not name yet."""
    return tuple(
        f"service '{end.name}' {_death(end)}, before it was stopped"
        for end in answer.services
        if end.died and f"service '{end.name}'" not in known
    )


def names_of(request: StartServices) -> str:
    """`postgres, redis`; a network alone where there are none."""
    return ", ".join(service.name for service in request.services) or "a network"


def images_of(request: StartServices) -> str:
    """What stands on the bar: the images."""
    images = ", ".join(service.image for service in request.services) or "a network of its own"
    return images if len(images) <= MAX_IMAGES else f"{images[: MAX_IMAGES - 1]}…"


def _again(fallen: FallenService, *, last: bool) -> str:
    why = shortened(fallen.why.splitlines()[0].removesuffix("; its last lines:"), MAX_WHY)
    return f"started again{', for the last time,' if last else ','} as it {why}"


def _interrupted(record: ServiceRecord) -> ServiceRecord:
    if record.state != "starting":
        return record
    return record.model_copy(update={"state": "interrupted", "note": "stopped before it was ready"})


def _unknown(record: ServiceRecord) -> ServiceRecord:
    if record.state != "starting":
        return record
    return record.model_copy(update={"state": "absent", "note": "nobody knows how it is"})


def _ended(record: ServiceRecord, end: ServiceEnd | None) -> ServiceRecord:
    if end is None:
        # The worker could not stop it, and says so in a warning.
        return _unknown(record)
    update: dict[str, object] = {"stopped": True}
    if end.died and record.state in ("healthy", "started"):
        update |= {"state": "exited", "exit_code": end.exit_code, "note": _death(end)}
    return _interrupted(record).model_copy(update=update)


def _death(end: ServiceEnd) -> str:
    last = next((line for line in reversed(end.last_lines) if line.strip()), "")
    said = f" ('{shortened(last, 120)}')" if last else ""
    code = "" if end.exit_code is None else f" with exit code {end.exit_code}"
    return f"ended by itself{code}{said}"
