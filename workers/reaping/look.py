"""What is on this host and what becomes of it: lists, asks, decides. Changes nothing."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from pydantic import ValidationError

from orchestrator import ids
from orchestrator.contract import names
from orchestrator.contract.messages import JobOutcome, RunRecord
from orchestrator.errors import StoreError
from orchestrator.store.store import Store
from workers.engine.host import HostEngine
from workers.reaping.decide import NotAsked, Open, Run, Verdict, decide, needs_record, stranger
from workers.reaping.things import Thing
from workers.supervision.identity import Namespace
from workers.supervision.threads import Threads

log = logging.getLogger("orca.reaping")

_OURS: Mapping[str, str | None] = {names.LABEL_MARK: None}


class Answers(Protocol):
    """Whoever knows how runs are."""

    async def states(self, runs: Sequence[str]) -> Mapping[str, Run]:
        """How runs are; the open ones without their records."""
        ...

    async def records(self, runs: Sequence[str]) -> Mapping[str, RunRecord]:
        """The records of open runs, where someone tells."""
        ...


class Look:
    """Looks at one engine.

    Args:
        engine: whose objects are looked at.
        threads: for its blocking calls.
        store: where outcomes are.
        home: the namespace that the worker serves.
        answers: who says how runs are there.
    """

    def __init__(
        self, engine: HostEngine, threads: Threads, store: Store, *, home: Namespace, answers: Answers
    ) -> None:
        self._engine, self._threads, self._store = engine, threads, store
        self._home, self._answers = home, answers

    async def run(self) -> list[tuple[Thing, Verdict]]:
        """Everything with orca's labels, and what becomes of it.

        Raises:
            EngineError: the engine does not answer.
        """
        # First the host, then the runs: what begins in between is not on the list.
        things = await self._things()
        asked = [thing for thing in things if stranger(thing, self._home) is None]
        states = await self._states(asked)
        decided: list[tuple[Thing, Verdict]] = []
        for thing in things:
            run = states.get(thing.owner.run) if thing.owner is not None else None
            decided.append((thing, await self._decide(thing, run or NotAsked("it was not asked"))))
        return decided

    async def _things(self) -> list[Thing]:
        call, engine = self._threads.call, self._engine
        containers = [
            Thing("container", one.id, one.name, one.labels, runs=one.state in ("running", "paused"))
            for one in await call(engine.list_labelled, _OURS)
        ]
        networks = [
            Thing("network", one.id, one.name, one.labels) for one in await call(engine.list_networks, _OURS)
        ]
        volumes = [
            Thing("volume", one.name, one.name, one.labels) for one in await call(engine.list_volumes, _OURS)
        ]
        return [*containers, *networks, *volumes]

    async def _states(self, things: Sequence[Thing]) -> dict[str, Run]:
        runs = [thing.owner.run for thing in things if thing.owner is not None]
        states = dict(await self._answers.states(runs))
        unclear = [
            thing.owner.run
            for thing in things
            if thing.owner is not None and needs_record(thing, states[thing.owner.run])
        ]
        for run, record in (await self._answers.records(unclear)).items():
            state = states[run]
            if isinstance(state, Open):
                states[run] = replace(state, record=record)
        return states

    async def _decide(self, thing: Thing, run: Run) -> Verdict:
        verdict = decide(thing, self._home, run)
        if thing.keep != "keep_on_failure" or verdict.fate not in ("stop", "kept"):
            return verdict
        return decide(thing, self._home, run, outcome=await self._outcome(thing))

    async def _outcome(self, thing: Thing) -> str | None:
        """How the try ended that it belongs to, if the store knows."""
        owner = thing.owner
        if owner is None or not owner.job:
            return None
        prefix = ids.try_prefix(owner.run, owner.attempt, owner.job, owner.variant, owner.number)
        try:
            data = await self._store.get_bytes(f"{prefix}outcome.json")
            return JobOutcome.model_validate_json(data).status
        except (StoreError, ValidationError) as error:
            log.debug("how %s ended is not known: %s", thing.name, error)
            return None
