"""Which worker makes a call: what each allows, as the store tells, and the turns of calls that were sent here.

A caller is a worker as far as functions are concerned. Its name is its host's with a mark of what it allows, so that
two workers on one host that allow different things are two, and one that comes back is the same.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from orchestrator import ids
from orchestrator.contract.capacity import ROOM_WAIT
from orchestrator.contract.names import HEARTBEAT_INTERVAL, host_of
from orchestrator.store.store import Store
from workers.placement.amounts import Amount
from workers.placement.board import ALIVE, Board, Entry, Place, Seen
from workers.placement.room import Caller, Misplaced, Room
from workers.placement.wanted import Wanted
from workers.settings import Calls

RETURNS_WITHIN: Final = timedelta(seconds=60)
"""For which work is sent to a caller that was there and ended, as a worker does that is started anew."""
SENT_FOR: Final = 6.0
"""Seconds for which a call that was sent somewhere counts when the next one is."""


class _Entry(Entry):
    """What a caller writes."""

    caller: str
    modules: tuple[str, ...]
    hosts: tuple[str, ...]
    places: int
    full: bool
    ended: bool = False


@dataclass(frozen=True)
class Other:
    """Another caller, as it was seen last."""

    name: str
    calls: Calls
    places: int
    """Calls that it makes at a time of those that are sent to it."""
    full: bool = False
    there: bool = True
    """It is alive; else it was there a moment ago, and may come back."""


@dataclass(frozen=True)
class Me:
    """This worker as a caller."""

    name: str
    calls: Calls
    room: Room
    """Of the calls that are sent here. Not the one of containers: a call may take hours, and needs next to nothing."""
    places: int
    """Of that room."""
    comes_back: bool = False
    """Where it is stopped it is likely to be started again: it is no part of a command that ends."""


def choose(able: Sequence[Other], sent: Callable[[str], int]) -> Other | None:
    """Which of those that allow a call gets it: one that is there, one that has a free place, the one with least to do.

    Args:
        able: those that allow it.
        sent: how many calls have just been sent to the one of that name.
    """
    ranked = sorted(able, key=lambda one: (not one.there, one.full, sent(one.name) / one.places, one.name))
    return ranked[0] if ranked else None


class Callers:
    """One caller's entry, its view of the others, and the calls that wait here for their turn."""

    def __init__(self, store: Store, me: Me, *, namespace: str, task_queue: str) -> None:
        self.me = me
        self._namespace = namespace
        self._sent: list[tuple[float, str]] = []
        place = Place(
            ids.callers_prefix(task_queue),
            me.name.replace("#", "-"),
            _Entry,
            namespace,
            read_until=ALIVE + RETURNS_WITHIN,
        )
        self._board = Board(store, place, self)

    async def run(self) -> None:
        """Keep the entry up to date until `end`."""
        # A look at the others removes what dead ones wrote, of which each has a name of its own.
        self._board.others()
        await self._board.run()

    def end(self) -> None:
        """Have `run` come to its end: this worker takes no more calls."""
        self._board.end()

    async def write(self) -> None:
        """Write the entry now."""
        await self._board.write()

    async def send_on(
        self, allow: Callable[[Calls], bool], what: str, say: Callable[[str], None]
    ) -> tuple[Other, ...]:
        """Send a call that is not allowed here to a worker that allows it.

        Args:
            allow: whether what a worker allows is enough.
            what: has to be allowed, for people: `module 'travel.tools'`.
            say: told what is waited for, every few seconds.

        Returns:
            The others that are there, of which none allows it.

        Raises:
            Misplaced: to which it is to go.
        """
        others = _others(self._board.others() or ())
        chosen = self._choose(others, allow)
        if chosen is None:
            # One may have come since.
            others = _others(await self._look(say))
            chosen = self._choose(others, allow)
        if chosen is None:
            return tuple(one for one in others if one.there)
        self._sent.append((time.monotonic(), chosen.name))
        here, there = host_of(self.me.name), host_of(chosen.name)
        whose = "another worker there" if here == there else f"a worker on host '{there}'"
        raise Misplaced(chosen.name, f"the worker on host '{here}' does not allow {what}, and {whose} does")

    @asynccontextmanager
    async def turn(self, call: str, say: Callable[[str], None]) -> AsyncGenerator[None]:
        """Have one of the places for calls that are sent here inside the block, which waits until there is one.

        Args:
            call: tells it from all others.
            say: told what it waits for, every few seconds.

        Raises:
            Misplaced: there was none for long.
        """
        waits = Caller(say=say, begun=_not_begun, stays=True)
        try:
            async with self.me.room.share(Wanted(call, Amount(jobs=1), "the call"), waits):
                self._board.changed()
                yield
        finally:
            self._board.changed()

    def _choose(self, others: Sequence[Other], allow: Callable[[Calls], bool]) -> Other | None:
        now = time.monotonic()
        self._sent = [sent for sent in self._sent if now - sent[0] < SENT_FOR]
        return choose([one for one in others if allow(one.calls)], [name for _, name in self._sent].count)

    async def _look(self, say: Callable[[str], None]) -> tuple[Seen[_Entry], ...]:
        """What the others tell now. Waits for a store that does not answer; raises `Misplaced` where that is long."""
        deadline = time.monotonic() + ROOM_WAIT
        looking = asyncio.create_task(self._board.now())
        try:
            while True:
                if (await asyncio.wait({looking}, timeout=HEARTBEAT_INTERVAL))[0]:
                    if (found := looking.result()) is not None:
                        return found
                    await asyncio.sleep(HEARTBEAT_INTERVAL)
                    looking = asyncio.create_task(self._board.now())
                if time.monotonic() > deadline:
                    host = host_of(self.me.name)
                    raise Misplaced(
                        "", f"host '{host}' could not see for {ROOM_WAIT / 60:.0f} min who allows it"
                    )
                say("waiting for the store, in which workers say what they allow")
        finally:
            looking.cancel()

    async def ready(self) -> bool:
        """See `board.Teller`."""
        return True

    def entry(self) -> _Entry:
        """See `board.Teller`."""
        calls = self.me.calls
        return _Entry(
            namespace=self._namespace,
            caller=self.me.name,
            modules=calls.modules,
            hosts=calls.hosts,
            places=self.me.places,
            full=self.me.room.full,
        )

    def farewell(self) -> _Entry | None:
        """See `board.Teller`: one that comes back has its calls wait for it for a while."""
        if not self.me.comes_back or not self.me.calls.some:
            return None
        return self.entry().model_copy(update={"ended": True})

    def seen(self) -> None:
        """See `board.Teller`: whoever looks here waits for it."""


def _others(seen: Iterable[Seen[_Entry]]) -> tuple[Other, ...]:
    return tuple(_other(one) for one in seen)


def _other(seen: Seen[_Entry]) -> Other:
    entry = seen.entry
    return Other(
        entry.caller,
        Calls(modules=entry.modules, hosts=entry.hosts),
        places=max(1, entry.places),
        full=entry.full,
        there=not entry.ended and seen.age < ALIVE,
    )


async def _not_begun() -> bool:
    """Nobody asks for calls: whoever has one says so in the store before it gets here."""
    return False
