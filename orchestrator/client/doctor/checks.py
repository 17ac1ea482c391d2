"""Judges what was found: a line for each part, and what to do where something is not as it should be. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from orchestrator.client.doctor.facts import Facts, ServerFacts
from orchestrator.contract.doctor import EngineReport, LeftOver, WorkerReport
from orchestrator.plan.phrases import count, lasting, listed

Level = Literal["ok", "warning", "wrong"]
"""`wrong`: runs need it. `warning`: worth knowing."""

SEEN: Final = 75.0
"""Seconds within which a worker that is there has asked for work: it asks at least once a minute."""
CLOCKS: Final = 5.0
"""Seconds by which clocks may differ."""
LITTLE: Final = 0.05
"""Of a disk: less than that left is little,"""
ENOUGH: Final = 20 * 1024**3
"""… unless it is still as many bytes."""
LEAST: Final = 1024**3
"""Bytes below which jobs begin to fail."""
NAMED: Final = 5
"""Workers that are named one by one."""


@dataclass(frozen=True)
class Check:
    """One part of what runs need."""

    name: str
    level: Level
    text: str
    """What was found, as a clause."""
    advice: str = ""
    """What to do, as a clause; empty where there is nothing."""


def checks(facts: Facts) -> tuple[Check, ...]:
    """All of them, always in the same order."""
    return (
        _temporal(facts),
        _workers(facts),
        _engine(facts),
        _store(facts),
        _clocks(facts),
        _home(facts),
        _leftovers(facts),
    )


def _temporal(facts: Facts) -> Check:
    server, name = facts.server, "temporal"
    where = f"{server.address}, namespace '{server.namespace}'"
    if server.error:
        return Check(name, "wrong", server.error)
    text = f"{where}, version {server.version or 'unknown'}"
    if server.missing_namespace:
        advice = (
            f"make it with 'temporal operator namespace create {server.namespace}', or name another one with"
            " --namespace or TEMPORAL_NAMESPACE"
        )
        return Check(name, "wrong", f"{server.address} has no namespace '{server.namespace}'", advice)
    if server.missing_attributes:
        missing = ", ".join(server.missing_attributes)
        advice = (
            "they are registered when a worker starts or a run is submitted; where the server does not let orca do that"
            ", its administrator has to"
        )
        return Check(name, "warning", f"{text}; search attributes are missing: {missing}", advice)
    if server.unknown:
        return Check(
            name, "ok", f"{text}; whether its search attributes are there is not known: {server.unknown}"
        )
    return Check(name, "ok", text)


def _workers(facts: Facts) -> Check:
    server, name = facts.server, "workers"
    if server.error or server.missing_namespace:
        return Check(name, "warning", "not known, as Temporal does not say")
    there = _there(server)
    queue = f"task queue '{facts.task_queue}'"
    if not there:
        gone = ""
        if server.workers:
            last = server.workers[0]
            gone = f"; the last one, on host '{last.host}', was seen {lasting(round(last.seen))} ago"
        advice = "start one with 'orca worker', or 'orca up' for a server with a worker"
        return Check(name, "wrong", f"none on {queue}{gone}", advice)
    text = f"{len(there)} on {queue}: {listed([_told(worker) for worker in there], NAMED)}"
    old = [one for one in there if one.plan_version is not None and one.plan_version < facts.plan_version]
    if old:
        behind = listed([f"'{worker.host}'" for worker in old], NAMED)
        advice = (
            f"upgrade the workers on {behind}: runs that are submitted with this orca have plans of version"
            f" {facts.plan_version}, which they do not know"
        )
        return Check(name, "warning" if len(old) < len(there) else "wrong", text, advice)
    return Check(name, "ok", text)


def _there(server: ServerFacts) -> list[WorkerReport]:
    return [worker for worker in server.workers if worker.seen <= SEEN]


def _told(worker: WorkerReport) -> str:
    version = f"{worker.version}, plan version {worker.plan_version}, " if worker.version else ""
    return f"'{worker.host}' ({version}seen {lasting(round(worker.seen))} ago)"


def _engine(facts: Facts) -> Check:
    name = "docker"
    if facts.host is None:
        return Check(name, "wrong", f"nobody could look: {facts.host_error}")
    engine, own = facts.host.engine, facts.host.host
    if engine.error:
        # A machine that only submits needs none.
        elsewhere = any(worker.host != own for worker in _there(facts.server))
        advice = "jobs can still run on the other hosts" if elsewhere else ""
        return Check(name, "warning" if elsewhere else "wrong", engine.error, advice)
    text = f"{engine.address}, version {engine.version}"
    return _space(name, text, f"its folder {engine.root}", engine.free, engine.size)


def _store(facts: Facts) -> Check:
    store, name = facts.store, "store"
    if store.error:
        where = f"'{store.url}'" if store.url else "it"
        advice = "name another one with --store or ORCA_STORE, the same for all workers and people"
        return Check(name, "wrong", f"{where} cannot be used: {store.error}", advice)
    text = f"'{store.url}' takes, lists, gives and deletes an object in {store.took:.2f} s"
    return _space(name, text, "it", store.free, store.size)


def _space(name: str, text: str, what: str, free: int | None, size: int | None) -> Check:
    """With what is left on a disk, if that is known."""
    if free is None or size is None:
        return Check(name, "ok", text)
    text = f"{text}; {what} has {_bytes(free)} of {_bytes(size)} left"
    if free < LEAST:
        return Check(name, "wrong", text, "make room there: jobs fail on a full disk")
    if free < ENOUGH and free < size * LITTLE:
        return Check(name, "warning", text, "make room there before it is full")
    return Check(name, "ok", text)


def _clocks(facts: Facts) -> Check:
    engine: EngineReport | None = facts.host.engine if facts.host is not None else None
    ahead = {
        "the server's": facts.server.ahead,
        "the engine's": engine.ahead if engine is not None else None,
        "the store's": facts.store.ahead,
    }
    known = {whose: seconds for whose, seconds in ahead.items() if seconds is not None}
    if not known:
        return Check("clocks", "warning", "nobody else told the time")
    off = {whose: seconds for whose, seconds in known.items() if abs(seconds) > CLOCKS}
    if not off:
        most = max(map(abs, known.values()))
        others = ", ".join(whose.removesuffix("'s") for whose in known)
        return Check("clocks", "ok", f"{others} and this machine agree to within {max(most, 0.1):.1f} s")
    text = ", ".join(
        f"{whose} clock is {lasting(round(abs(seconds)))} {'ahead of' if seconds > 0 else 'behind'} this machine's"
        for whose, seconds in off.items()
    )
    advice = "set the clocks by a time server: times in records, logs and gates' deadlines come from several of them"
    return Check("clocks", "warning", text, advice)


def _home(facts: Facts) -> Check:
    if facts.home_error:
        return Check("state", "wrong", facts.home_error)
    return Check("state", "ok", f"'{facts.home}' can be written")


def _leftovers(facts: Facts) -> Check:
    name, host = "leftovers", facts.host
    if host is None or host.blind:
        why = facts.host_error if host is None else host.blind
        return Check(name, "warning", f"nobody looked: {why}")
    done = [one for one in host.found if one.done]
    failed = [one for one in host.found if one.failed]
    due = [one for one in host.found if one.fate in ("remove", "stop") and not one.done and not one.failed]
    kept = [one for one in host.found if one.fate in ("kept", "unknown", "foreign")]
    if failed:
        text = f"{_things(failed)} could not be removed: {failed[0].failed}"
        return Check(name, "warning", text, "see to what holds them, and run 'orca doctor --reap' again")
    parts = [f"{_things(done)} removed or stopped just now"] if done else []
    parts += [f"{_things(due)} that nobody needs"] if due else []
    parts += [f"{_things(kept)} left alone"] if kept else []
    text = f"on host '{host.host}': " + ("; ".join(parts) or "none")
    if due and host.grace is None:
        return Check(name, "warning", text, "workers here remove nothing; 'orca doctor --reap' does it now")
    if not due or host.grace is None:
        return Check(name, "ok", text)
    here = any(worker.host == host.host for worker in _there(facts.server))
    who = (
        f"the worker here removes them after {lasting(host.grace)}"
        if here
        else "no worker is here to remove them"
    )
    return Check(name, "ok", text, f"{who}; 'orca doctor --reap' does it now")


def _things(found: list[LeftOver]) -> str:
    """`2 containers, 1 network`."""
    kinds = [one.kind for one in found]
    return ", ".join(
        count(kinds.count(kind), kind) for kind in ("container", "network", "volume") if kind in kinds
    )


def _bytes(size: int) -> str:
    gigabytes = size / 1024**3
    return f"{gigabytes:.1f} GiB" if gigabytes >= 1 else f"{size / 1024**2:.0f} MiB"
