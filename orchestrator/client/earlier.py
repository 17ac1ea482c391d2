"""From the records of earlier attempts to what a new one may take over. Pure.

Of each job and variant the latest attempt counts that knows it: one that was cancelled before the job's turn says
nothing of it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Final

from orchestrator.contract.messages import Earlier, JobRecord, Reuse, RunRecord

_SERVICE_LOG: Final = re.compile(r"/try-[0-9]+/services/")

_Known = tuple[int, JobRecord]
"""An attempt, and what its record says of a job."""


def reuse_of(records: Sequence[RunRecord]) -> Reuse:
    """What the attempts with these records left, of which the first is the latest."""
    names = dict.fromkeys(name for record in records for name in record.jobs)
    return Reuse(
        attempt=records[0].attempt,
        jobs={
            name: _of_job(
                name, [(record.attempt, record.jobs[name]) for record in records if name in record.jobs]
            )
            for name in names
        },
    )


def children_of(reuse: Reuse, *, succeeded: bool) -> Iterator[str]:
    """The runs that nested workflows left, of which something may be taken over; those that succeeded on request."""
    for leaf in _leaves(reuse):
        if leaf.child and (succeeded or leaf.status != "success"):
            yield leaf.child


def with_children(reuse: Reuse, children: Mapping[str, Reuse]) -> Reuse:
    """The same with what those runs themselves left."""

    def filled(found: Earlier) -> Earlier:
        return found.model_copy(
            update={
                "nested": children.get(found.child),
                "variants": {key: filled(variant) for key, variant in found.variants.items()},
            }
        )

    return reuse.model_copy(update={"jobs": {name: filled(found) for name, found in reuse.jobs.items()}})


def _leaves(reuse: Reuse) -> Iterator[Earlier]:
    for job in reuse.jobs.values():
        yield from job.variants.values() or (job,)


def _of_job(name: str, found: Sequence[_Known]) -> Earlier:
    attempt, last = _last(found)
    if not last.variants:
        return _of_leaf(found)
    variants: dict[str, Earlier] = {}
    for key in last.variants:
        known = [(number, job.variants[key]) for number, job in found if key in job.variants]
        variants[key] = _of_leaf(known)
    return Earlier(status=last.status, attempt=last.reused_from or attempt, variants=variants)


def _of_leaf(found: Sequence[_Known]) -> Earlier:
    attempt, last = _last(found)
    if last.status != "success" or last.kind == "choice":
        alike = list(takewhile(lambda one: _alike(one[1], last), (one for one in found if one[0] <= attempt)))
        return Earlier(
            status=last.status,
            attempt=attempt if _ran(last) and last.kind != "choice" else alike[-1][0],
            outputs=last.outputs if last.status == "success" else {},
            child=last.child,
            # What was under way when its run was ended from outside has not been heard of since.
            in_doubt=last.in_doubt or (last.status == "running" and last.kind in ("container", "call")),
        )
    return Earlier(
        status="success",
        attempt=last.reused_from or attempt,
        fingerprint=last.fingerprint,
        tries=last.reused_tries or last.tries,
        exit_code=last.exit_code,
        outputs=last.outputs,
        artifacts=tuple(ref for ref in last.artifacts if not _SERVICE_LOG.search(ref.key)),
        service_logs=tuple(ref for ref in last.artifacts if _SERVICE_LOG.search(ref.key)),
        updates=last.updates,
        images=last.images,
        host=_host(found, last.reused_from or attempt),
        quality=last.quality,
        started_at=last.started_at,
        finished_at=last.finished_at,
        child=last.child,
    )


def _host(found: Sequence[_Known], attempt: int) -> str:
    """Where its last try of that attempt ran; empty where Temporal has forgotten that."""
    tries = (tried for number, job in found if number == attempt for tried in reversed(job.history))
    return next((tried.host for tried in tries), "")


def _last(found: Sequence[_Known]) -> _Known:
    """What the latest attempt says that knows the job; the latest at all where none does."""
    return next((one for one in found if _knows(one[1])), found[0])


def _knows(job: JobRecord) -> bool:
    return job.status in ("success", "failed", "skipped", "held") or _ran(job)


def _ran(job: JobRecord) -> bool:
    return bool(job.tries or job.reused_from or job.started_at)


def _alike(job: JobRecord, last: JobRecord) -> bool:
    return job.status == last.status and (job.kind != "choice" or job.outputs == last.outputs)
