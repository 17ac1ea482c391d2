"""Since which attempt a job stands as it does: what tells a later one whether anything upstream has run since. Pure.

A job that succeeded in attempt 3 has seen what its upstream jobs had left by then. It may be taken over as long as none
of them has run, or ended differently, in an attempt after the third.
"""

from collections.abc import Iterator, Mapping

from orchestrator.contract.messages import Earlier, Reuse
from orchestrator.interpreter.job_state import JobState
from orchestrator.plan.model import ContainerNode, Node

_UNRUN = ("skipped", "omitted")


def upstream_of(node: Node) -> Iterator[str]:
    """The jobs on which one depends directly, each once, in the order in which its node names them."""
    named = [edge.job for edge in node.requires] + [trigger.job for trigger in node.triggers]
    yield from dict.fromkeys((*named, *(node.artifacts_from if isinstance(node, ContainerNode) else ())))


def newest_upstream(node: Node, jobs: Mapping[str, JobState]) -> tuple[int, str]:
    """The last attempt in which something directly upstream of a job came to stand as it does, and its name.

    0 and an empty name where nothing is upstream. A transition's source that has not ended has started nothing yet.
    """
    ended = [(jobs[name].since, name) for name in upstream_of(node) if jobs[name].settled]
    return max(ended, key=lambda found: found[0], default=(0, ""))


def since_of(job: JobState, jobs: Mapping[str, JobState], reuse: Reuse | None, attempt: int) -> int:
    """The attempt since which a job that has just ended stands as it does.

    Args:
        job: the job.
        jobs: all of the run.
        reuse: what earlier attempts left; None in a first one.
        attempt: which goes on now.
    """
    earlier = reuse.jobs.get(job.node.name) if reuse else None
    if earlier is None:
        return attempt
    if job.fan is not None:
        taken = [leaf.reused.attempt for leaf in job.fan.listed if leaf.reused is not None]
        unchanged = len(taken) == len(job.fan.listed) and list(job.fan.leaves) == list(earlier.variants)
        return max(taken) if unchanged else attempt
    if job.reused is not None:
        return job.reused.attempt
    if not _ended_alike(job, earlier):
        return attempt
    return max(earlier.attempt, newest_upstream(job.node, jobs)[0])


def _ended_alike(job: JobState, earlier: Earlier) -> bool:
    """Whether a job that nobody ran has come to the same end as before, by being looked at again."""
    if job.tried or job.status != earlier.status:
        return False
    decided = job.node.kind == "choice" and job.outputs == earlier.outputs
    return job.status in _UNRUN or decided
