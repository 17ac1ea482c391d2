"""Which images a job ran with, its services and its nested run included, by their written names. Pure."""

from collections.abc import Mapping, Sequence

from orchestrator.contract.messages import JobOutcome, RunRecord
from orchestrator.interpreter.service_requests import Group

Images = Mapping[str, tuple[str, ...]]
"""Marks by name; see `contract.images`."""


def with_services_images(outcome: JobOutcome, groups: Sequence[Group]) -> JobOutcome:
    """The outcome of a container with what the services beside it were made of."""
    found: list[Images] = [outcome.images]
    for group in groups:
        reports = {report.name: report for report in group.started.services}
        found += [
            {service.image: reports[service.name].image}
            for service in group.start.services
            if service.name in reports and reports[service.name].image
        ]
    return outcome.model_copy(update={"images": merged(found)})


def images_of_run(record: RunRecord) -> dict[str, tuple[str, ...]]:
    """What all jobs of a run were made of."""
    leaves = (leaf for job in record.jobs.values() for leaf in (job, *job.variants.values()))
    return merged([leaf.images for leaf in leaves])


def merged(found: Sequence[Images]) -> dict[str, tuple[str, ...]]:
    """All together. A name that stood for several images has the marks of each: either of them will do."""
    marks: dict[str, dict[str, None]] = {}
    for images in found:
        for name, those in images.items():
            marks.setdefault(name, {}).update(dict.fromkeys(those))
    return {name: tuple(those) for name, those in marks.items()}
