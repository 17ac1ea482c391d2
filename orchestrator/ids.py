"""Names that are functions of what they name: the same inputs give the same name on every machine and replay.

Pure, standard library only. Randomness, where a name needs it, comes in as an argument.
"""

import hashlib
import re
from typing import NewType

RunId = NewType("RunId", str)
"""A run's id, and its Temporal workflow id. Attempts of one run share it."""

VALUE_PREFIX = "ORCA_VALUE_"
"""Begins the names of the variables that bring values into `commands`; a number follows, from 1."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_NOT_IN_HOSTS = re.compile(r"[^a-z0-9]+")
_MAX_SLUG = 40


def slug(text: str, limit: int = _MAX_SLUG) -> str:
    """`text` with everything but letters, digits, `_`, `.` and `-` folded to `-`, at most `limit` characters.

    Not unique: where two texts must not meet, add `short_hash` of the whole.
    """
    return _UNSAFE.sub("-", text).strip("-.")[:limit].strip("-.") or "x"


def host_name(text: str) -> str:
    """`text` as the name of a host: lower-case letters, digits and `-`, at most 63. Not unique."""
    return _NOT_IN_HOSTS.sub("-", text.lower()).strip("-")[:63].strip("-") or "x"


def short_hash(*parts: str, length: int = 8) -> str:
    """The first `length` hex digits of the SHA-256 over `parts`, which are kept apart by a NUL."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:length]


def run_id(spec_name: str, entropy: str) -> RunId:
    """A readable id for a new run: the spec's name and `entropy` (8 lower-case letters and digits)."""
    return RunId(f"{slug(spec_name).lower()}-{entropy}")


def variant_key(job: str, variant: str | None) -> str:
    """How people name one variant of a job: `test`, or `test (3.11, alpine)`."""
    return job if variant is None else f"{job} ({variant})"


def try_key(job: str, variant: str | None, try_number: int) -> str:
    """The Temporal activity id of one logical try: `build`, and `build #2` from the second on."""
    key = variant_key(job, variant)
    return key if try_number == 1 else f"{key} #{try_number}"


def container_name(run: str, attempt: int, job: str, variant: str | None, try_number: int) -> str:
    """The container's name: a function of the logical try, never of Temporal's attempt.

    An activity that starts again therefore finds what an earlier one started. The hash keeps apart what
    the slug folds together.
    """
    mark = short_hash(run, str(attempt), job, variant or "", str(try_number))
    readable = slug(variant_key(job, variant))
    return f"orca-{slug(run, 60)}-{readable}-{try_number}-{mark}"


def try_prefix(run: str, attempt: int, job: str, variant: str | None, try_number: int) -> str:
    """The folder in the store that holds what one logical try leaves: log, outcome, artifacts. Ends in `/`."""
    # The hash keeps apart what the slug folds together, such as jobs 'a' and 'a-'.
    leaf = f"{slug(variant_key(job, variant), 100)}-{short_hash(job, variant or '')}"
    return f"{run_prefix(run)}{attempt}/{leaf}/try-{try_number}/"


def hosts_prefix(task_queue: str) -> str:
    """The folder in the store in which the workers of a task queue say what they offer. Ends in `/`."""
    return f"hosts/{_queue_folder(task_queue)}/"


def callers_prefix(task_queue: str) -> str:
    """The folder in the store in which the workers of a task queue say what may be called there. Ends in `/`."""
    return f"callers/{_queue_folder(task_queue)}/"


def run_prefix(run: str) -> str:
    """The folder in the store that holds all that a run leaves, over all attempts. Ends in `/`."""
    return f"runs/{slug(run, 200)}/"


def network_name(run: str, attempt: int, job: str, variant: str | None, number: int) -> str:
    """The network of one logical try, or of a run's shared services (`job` is empty, `number` a generation)."""
    mark = short_hash(run, str(attempt), job, variant or "", str(number), "network")
    readable = slug(variant_key(job, variant)) if job else "services"
    return f"orca-{slug(run, 60)}-{readable}-{number}-{mark}"


def service_container_name(network: str, service: str) -> str:
    """The container of one service, in the network of that name."""
    return f"{network}-{slug(service)}-{short_hash(network, service, length=4)}"


def services_prefix(run: str, attempt: int, job: str, variant: str | None, number: int) -> str:
    """The folder in the store of all services of a scope, below that of the try they serve. Ends in `/`."""
    scope = (
        try_prefix(run, attempt, job, variant, number)
        if job
        else f"{run_prefix(run)}{attempt}/shared-{number}/"
    )
    return f"{scope}services/"


def service_prefix(run: str, attempt: int, job: str, variant: str | None, number: int, service: str) -> str:
    """The folder in the store with one service's log. Ends in `/`."""
    scope = services_prefix(run, attempt, job, variant, number)
    return f"{scope}{slug(service, 100)}-{short_hash(service)}/"


def child_run_id(run: str, attempt: int, job: str, variant: str | None, number: int) -> str:
    """The run id of a nested workflow: readable, and the same whoever asks."""
    mark = short_hash(run, str(attempt), job, variant or "", str(number), "child")
    return f"{slug(run, 120)}.{slug(variant_key(job, variant), 60)}-{mark}"


def _queue_folder(task_queue: str) -> str:
    readable = slug(task_queue, 100)
    # The hash keeps apart what the slug folds together.
    return readable if readable == task_queue else f"{readable}-{short_hash(task_queue)}"
