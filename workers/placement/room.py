"""The way into this room: work has its share of the host inside a block, and waits before it until there is one."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from orchestrator.contract.capacity import ROOM_WAIT
from orchestrator.contract.failures import FailureReason
from orchestrator.contract.names import HEARTBEAT_INTERVAL
from orchestrator.contract.services import HOST_START_WAIT
from orchestrator.errors import EngineError
from workers.placement.amounts import NOTHING, Amount
from workers.placement.decide import Host, Refuse, Send, Take, Wait, decide
from workers.placement.hosts import Hosts
from workers.placement.ledger import Ledger, Ticket
from workers.placement.wanted import Wanted, of_lender
from workers.placement.words import refusal, sent, waiting

log = logging.getLogger("orca.placement")
T = TypeVar("T")

KEPT: Final = HOST_START_WAIT + 5.0
"""Seconds for which a unit's hold is kept for what comes next of it: the job after the start of its services, their
stop after the job. Afterwards nobody sends it here."""
ASK_PAUSE: Final = 5.0
"""Seconds for which an engine that did not say what its host has is not asked again; work goes ahead meanwhile."""
CHECK_EVERY: Final = 30.0
"""Seconds between two looks whether shared services are still there, as long as someone waits."""


class Misplaced(Exception):
    """The work has not begun, and another host is to have it; an empty name means any."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(why)
        self.host = host


class NoRoom(Exception):
    """No host will ever have room for the work."""

    def __init__(self, reason: FailureReason) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class Caller:
    """Who asks for room."""

    say: Callable[[str], None]
    """Told what it waits for, every few seconds while it does."""
    begun: Callable[[], Coroutine[Any, Any, bool]]
    """Whether some host has the work already. Asked before it waits; then it does not, whatever there is room for."""
    stays: bool
    """It cannot go to another host."""


@dataclass(frozen=True)
class Surroundings:
    """What the room asks for what it does not know itself. Each may raise `EngineError`."""

    offer: Callable[[], Awaitable[Amount]]
    """What this host has; its places do not count."""
    there: Callable[[str], Awaitable[bool]]
    """Whether a network is still there."""


class Room:
    """The room of one host.

    Args:
        host: its name.
        jobs: how many jobs with services, and jobs that were sent here, it runs at a time.
        around: what it asks.
    """

    def __init__(self, host: str, jobs: int, around: Surroundings) -> None:
        self._host, self._jobs, self._around = host, jobs, around
        self._hosts: Hosts | None = None
        self._ledger = Ledger(jobs, self._changed)
        self._news = asyncio.Event()
        self._offer: Amount | None = None
        self._asking = asyncio.Lock()
        self._refused_at = -ASK_PAUSE
        self._kept: dict[str, asyncio.TimerHandle | None] = {}
        self._passing = 0
        self._checking: asyncio.Task[None] | None = None
        self._checked_at = time.monotonic()

    @property
    def offer(self) -> Amount | None:
        """What it offers; None as long as the engine has not said."""
        return self._offer

    @property
    def full(self) -> bool:
        """Whether whoever comes now has to wait for a place."""
        return self._ledger.left.jobs <= 0

    def join(self, hosts: Hosts) -> None:
        """Have neighbours from now on."""
        self._hosts = hosts

    def standing(self) -> tuple[Amount, Amount] | None:
        """What it offers and what is left for the next one to come; None as long as the engine has not said."""
        if self._offer is None:
            return None
        left = self._ledger.left.not_negative()
        places = max(0, min(left.jobs, self._jobs - self._ledger.units - self._passing))
        # A host is full or not; how many places are left changes with every job, and is not worth a write.
        return self._offer, Amount(self._jobs if places else 0, left.cpus, left.memory)

    async def ask_offer(self) -> Amount | None:
        """What this host offers: asked once, and again only where the engine did not answer; then None."""
        async with self._asking:
            if self._offer is None:
                if time.monotonic() - self._refused_at < ASK_PAUSE:
                    return None
                try:
                    found = await self._around.offer()
                except EngineError as error:
                    self._refused_at = time.monotonic()
                    log.warning("what this host offers is not known yet: %s", error)
                    return None
                self._offer = Amount(self._jobs, found.cpus, found.memory)
                self._ledger.set_offer(self._offer)
            return self._offer

    @contextmanager
    def _passes(self) -> Generator[None]:
        """For work that asks for nothing that could be short."""
        self._passing += 1
        try:
            yield
        finally:
            self._passing -= 1

    @asynccontextmanager
    async def share(
        self, wanted: Wanted, caller: Caller, *, adopt: bool = False, keep: bool = False
    ) -> AsyncGenerator[None]:
        """Have what the work asks for inside the block, which waits until it is there.

        Args:
            wanted: what it asks for; who asks under a key that has a hold shares it.
            caller: who asks.
            adopt: it runs here already: it is counted and does not wait.
            keep: leave the hold to what comes next of the unit: for a while, or, for shared services, until they stop.

        Raises:
            Misplaced: another host is to have it.
            NoRoom: no host will ever have room.
        """
        if wanted.amount == NOTHING:
            with self._passes():
                yield
            return
        self._know_lender(wanted)
        if adopt or self._ledger.held(wanted.key):
            self._ledger.take(wanted)
        else:
            await self._enter(wanted, caller)
        self._forget(wanted.key)
        try:
            yield
            if keep:
                self._keep(wanted)
        finally:
            self._ledger.give_back(wanted.key)

    @contextmanager
    def stopping(self, key: str) -> Generator[None]:
        """The end of a unit, or of shared services: its hold is kept inside the block and nobody needs it after."""
        if (timer := self._kept.get(key)) is not None:
            timer.cancel()
            self._kept[key] = None
        try:
            yield
        finally:
            self._forget(key)

    async def _enter(self, wanted: Wanted, caller: Caller) -> None:
        if wanted.amount.bounded and self._offer is None:
            await self._beside(self.ask_offer(), caller, "waiting for the container engine")
        ticket = self._ledger.enter(wanted)
        try:
            await self._until_admitted(ticket, caller)
        except BaseException:
            self._ledger.leave(ticket)
            raise

    async def _until_admitted(self, ticket: Ticket, caller: Caller) -> None:
        if ticket.admitted.is_set():
            return
        deadline = time.monotonic() + ROOM_WAIT
        bounded = ticket.wanted.amount.bounded
        if bounded and await self._beside(caller.begun(), caller, self._note(ticket)):
            self._ledger.leave(ticket)
            self._ledger.take(ticket.wanted)
            ticket.admitted.set()
        while not ticket.admitted.is_set():
            self._decide(ticket, stays=caller.stays)
            caller.say(self._note(ticket))
            if time.monotonic() > deadline:
                raise Misplaced("", f"host '{self._host}' had no room for {ROOM_WAIT / 60:.0f} min")
            self._news.clear()
            await _first(self._news, ticket.admitted)

    def _decide(self, ticket: Ticket, *, stays: bool) -> None:
        """Raises `Misplaced` or `NoRoom` where it is not to wait here."""
        wanted = ticket.wanted
        others = self._others() if wanted.amount.bounded and not stays else ()
        decision = decide(ticket.need, self._here(ticket), others, stays=stays)
        match decision:
            case Send(host):
                if self._hosts is not None:
                    self._hosts.send(host, wanted.amount)
                raise Misplaced(host, sent(wanted, self._host, decision))
            case Refuse():
                raise NoRoom(refusal(wanted, decision))
            case Take() | Wait():
                self._check()

    def _others(self) -> tuple[Host, ...] | None:
        return () if self._hosts is None else self._hosts.others()

    def _here(self, ticket: Ticket) -> Host:
        return Host(self._host, self._ledger.offer, ticket.free)

    def _note(self, ticket: Ticket) -> str:
        return waiting(ticket.need, self._here(ticket), self._ledger.free)

    async def _beside(self, work: Coroutine[Any, Any, T], caller: Caller, note: str) -> T:
        """The result of `work`, and meanwhile what is waited for is said."""
        task = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({task}, timeout=HEARTBEAT_INTERVAL))[0]:
                caller.say(note)
            return task.result()
        finally:
            task.cancel()

    def _know_lender(self, wanted: Wanted) -> None:
        """Shared services that run since before this worker began are counted from the first job that names them."""
        if wanted.lender is not None and not self._ledger.held(wanted.lender.network):
            lender = of_lender(wanted.lender)
            self._ledger.take(lender)
            self._kept[lender.key] = None

    def _keep(self, wanted: Wanted) -> None:
        self._ledger.take(wanted)
        self._forget(wanted.key)
        loop = asyncio.get_running_loop()
        timer = loop.call_later(KEPT, self._forget, wanted.key) if wanted.is_job else None
        self._kept[wanted.key] = timer

    def _forget(self, key: str) -> None:
        """Nobody needs the hold any more that was kept under this name."""
        if key in self._kept:
            if (timer := self._kept.pop(key)) is not None:
                timer.cancel()
            self._ledger.give_back(key)

    def _check(self) -> None:
        """Now and then see whether what is kept until it is stopped is still there: a run may be ended from outside."""
        now = time.monotonic()
        if self._checking is None and now - self._checked_at >= CHECK_EVERY:
            self._checked_at = now
            self._checking = asyncio.create_task(self._look_for_kept())

    async def _look_for_kept(self) -> None:
        try:
            for key in [key for key, timer in self._kept.items() if timer is None]:
                if not await self._around.there(key):
                    self._forget(key)
        except EngineError as error:
            log.info("whether services are still there cannot be seen: %s", error)
        finally:
            self._checking = None

    def _changed(self) -> None:
        self._news.set()
        if self._hosts is not None:
            self._hosts.changed()

    def seen(self) -> None:
        """The neighbours have been looked at."""
        self._news.set()


async def _first(*events: asyncio.Event) -> None:
    """Return when one of these is set, or a heartbeat is due."""
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=HEARTBEAT_INTERVAL, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
