"""Whether the images of jobs that a new attempt would take over are still those that they ran with.

The workers are asked, each job's own host first: the machine on which a person types `orca resume` may have no engine,
or other images. What nobody can tell is compared by its written name alone, and that is said.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_hex
from typing import Final

from temporalio.client import ActivityFailureError, Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import TimeoutError as TemporalTimeout
from temporalio.service import RPCError, RPCStatusCode

from orchestrator.client.connect import temporal_errors
from orchestrator.client.takers import has_worker
from orchestrator.contract.images import LOOK_AT_IMAGES, ImageAsked, ImageFound, ImagesAsked, ImagesFound
from orchestrator.contract.messages import Earlier, Reuse
from orchestrator.contract.names import host_queue
from orchestrator.plan.model import ContainerNode, Node, Plan, WorkflowNode
from orchestrator.plan.parts import PullPolicy

START_LIMIT: Final = 5.0
"""Seconds in which a worker is to take the question."""
ANSWER_LIMIT: Final = 10.0
"""Seconds that it may take to answer."""
MAX_NAMED: Final = 3
"""Names in a message."""
_AWAY: Final = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)

_Place = tuple[str, ImageAsked]
"""A host, empty for any, and an image there."""
Policies = Mapping[str, tuple[PullPolicy, ...]]
"""How the images of a job are pulled, by their names as the plan has them."""


@dataclass(frozen=True)
class Leaf:
    """A job or variant that succeeded and may be taken over."""

    name: str
    earlier: Earlier
    policies: Policies

    def asked(self) -> Iterator[_Place]:
        """What is to be known of its images."""
        for image in self.earlier.images:
            yield self.earlier.host, ImageAsked(image=image, pull=_policy(self.policies, image))


@dataclass
class Answers:
    """What workers said, and of what nobody could say anything."""

    found: dict[_Place, ImageFound] = field(default_factory=dict[_Place, ImageFound])
    silent: dict[str, None] = field(default_factory=dict[str, None])
    """Why there was no answer, in clauses, each once."""


def leaves_of(reuse: Reuse, plan: Plan, *, taken: Iterable[str] | None, root: Plan) -> Iterator[Leaf]:
    """The jobs and variants whose images are to be compared.

    Args:
        reuse: what earlier attempts of one run left.
        plan: that run's.
        taken: full names of those that would be taken over otherwise; None: all that succeeded, of a nested run.
        root: the outermost run's plan, which knows all nested workflows.
    """
    wanted = None if taken is None else dict.fromkeys(taken)
    for name, job in reuse.jobs.items():
        node = plan.jobs.get(name)
        if not isinstance(node, ContainerNode | WorkflowNode):
            continue
        policies = _policies(node, plan, root)
        for key, leaf in (job.variants or {name: job}).items():
            if leaf.status == "success" and (wanted is None or key in wanted):
                yield Leaf(key, leaf, policies)
            # Also of one that is taken over whole: where it is not, its run goes on by the same rules.
            if leaf.nested is not None and isinstance(node, WorkflowNode):
                yield from leaves_of(leaf.nested, root.workflows[node.workflow], taken=None, root=root)


async def ask(client: Client, task_queue: str, leaves: Sequence[Leaf]) -> Answers:
    """Ask the hosts on which `leaves` ran, and any worker for those of which the host is not known or not there.

    Raises TemporalUnreachable, or OrcaError where the server fails.
    """
    answers = Answers()
    places = dict.fromkeys(place for leaf in leaves for place in leaf.asked())
    if not places:
        return answers
    if not await has_worker(client, task_queue):
        answers.silent[f"no worker is on task queue '{task_queue}'"] = None
        return answers
    hosts = dict.fromkeys(host for host, _ in places if host)
    await asyncio.gather(
        *(
            _ask(
                client, host_queue(task_queue, host), [place for place in places if place[0] == host], answers
            )
            for host in hosts
        )
    )
    left = [place for place in places if place not in answers.found]
    if left:
        answers.silent.clear()
        await _ask(client, task_queue, left, answers)
    return answers


def compared(reuse: Reuse, leaves: Sequence[Leaf], answers: Answers) -> Reuse:
    """`reuse` with the images that are others now."""
    replaced = {id(leaf.earlier): found for leaf in leaves if (found := _replaced(leaf, answers))}
    return _marked(reuse, replaced) if replaced else reuse


def unknown(leaves: Sequence[Leaf], answers: Answers) -> str | None:
    """That images count by their names alone, and why, in one sentence; None where all could be compared."""
    whys: dict[str, dict[str, None]] = {}
    for leaf in leaves:
        for place in leaf.asked():
            found = answers.found.get(place)
            if found is not None and found.unknown:
                whys.setdefault(found.unknown, {})[found.asked.image] = None
    reasons = [*answers.silent, *(f"of {_named(images, 'image')}: {why}" for why, images in whys.items())]
    if unkept := [leaf.name for leaf in leaves if leaf.policies and not leaf.earlier.images]:
        reasons.append(f"no earlier attempt kept what {_named(unkept, 'job')} ran with")
    if not reasons:
        return None
    return f"images could not be compared and count by their names alone: {'; '.join(reasons)}"


async def _ask(client: Client, queue: str, places: Sequence[_Place], answers: Answers) -> None:
    """Ask one queue, and take down the answer or why there is none."""
    asked = dict.fromkeys(image for _, image in places)
    try:
        answer = await client.execute_activity(
            LOOK_AT_IMAGES,
            ImagesAsked(images=tuple(asked)),
            id=f"orca-images-{token_hex(8)}",
            task_queue=queue,
            result_type=ImagesFound,
            schedule_to_start_timeout=timedelta(seconds=START_LIMIT),
            start_to_close_timeout=timedelta(seconds=ANSWER_LIMIT),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
    except ActivityFailureError as error:
        late = f"no worker on task queue '{queue}' answered in time"
        old = f"a worker on task queue '{queue}' cannot tell; it may be of an earlier version of orca"
        answers.silent[late if isinstance(error.cause, TemporalTimeout) else old] = None
        return
    except RPCError as error:
        if error.status in _AWAY:
            async with temporal_errors(client):
                raise
        answers.silent[f"the Temporal server does not pass the question on: {error.message}"] = None
        return
    known = {found.asked: found for found in answer.images}
    answers.found.update({place: known[place[1]] for place in places if place[1] in known})


def _replaced(leaf: Leaf, answers: Answers) -> tuple[str, ...]:
    """The images of a leaf that are others now, as far as anybody knows."""
    now = [(asked.image, answers.found.get((host, asked))) for host, asked in leaf.asked()]
    return tuple(
        image
        for image, found in now
        if found is not None and found.marks and not _alike(found.marks, leaf.earlier.images[image])
    )


def _alike(now: Sequence[str], before: Sequence[str]) -> bool:
    return any(mark in before for mark in now)


def _marked(reuse: Reuse, replaced: Mapping[int, tuple[str, ...]]) -> Reuse:
    def marked(found: Earlier) -> Earlier:
        return found.model_copy(
            update={
                "replaced": replaced.get(id(found), ()),
                "nested": found.nested and _marked(found.nested, replaced),
                "variants": {key: marked(variant) for key, variant in found.variants.items()},
            }
        )

    return reuse.model_copy(update={"jobs": {name: marked(found) for name, found in reuse.jobs.items()}})


def _policy(policies: Policies, image: str) -> PullPolicy:
    """How an image is pulled. One whose name is an expression is pulled as those of its job are."""
    found = policies.get(image) or [policy for those in policies.values() for policy in those]
    if "always" in found:
        return "always"
    return "missing" if "missing" in found else "never"


def _policies(node: Node, plan: Plan, root: Plan) -> Policies:
    """Of all containers that a job may start, its services and nested workflows included."""
    found: dict[str, tuple[PullPolicy, ...]] = {}
    for image, pull in _pulls(node, plan, root, seen={}):
        found[image] = (*found.get(image, ()), pull)
    return found


def _pulls(node: Node, plan: Plan, root: Plan, *, seen: dict[str, None]) -> Iterator[tuple[str, PullPolicy]]:
    match node:
        case ContainerNode():
            shared = (one for one in plan.services if one.name in node.shared_services)
            yield node.image, node.pull
            for service in (*node.services, *shared):
                yield service.image, service.pull
        case WorkflowNode() if node.workflow not in seen:
            seen[node.workflow] = None
            nested = root.workflows[node.workflow]
            for inner in nested.jobs.values():
                yield from _pulls(inner, nested, root, seen=seen)
        case _:
            return


def _named(names: Iterable[str], what: str) -> str:
    known = [f"'{name}'" for name in names]
    more = f" and {len(known) - MAX_NAMED} more" if len(known) > MAX_NAMED else ""
    return f"{what} {', '.join(known[:MAX_NAMED])}{more}"
