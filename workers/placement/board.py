"""What the workers of a task queue tell one another through the store: each keeps its own entry, and reads the others'.

How old an entry is is judged by the store's own clock, against the time of one's own entry: the clocks of two hosts are
never compared.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator.errors import StoreError
from orchestrator.store.failures import ObjectNotFound
from orchestrator.store.store import Store

log = logging.getLogger("orca.placement")

WRITE_EVERY: Final = 30.0
"""Seconds between two writes where nothing changes."""
WRITE_PAUSE: Final = 2.0
"""Seconds between two writes at least."""
ALIVE: Final = timedelta(seconds=90)
"""By how much the entry of one that is alive may be older than one's own."""
FORGOTTEN: Final = timedelta(days=1)
"""After which what a dead one wrote is removed."""
LOOK_EVERY: Final = 3.0
"""Seconds between two looks at the others, as long as someone asks."""
STALE: Final = 10.0
"""Seconds after which a look is too old to decide by."""


class Entry(BaseModel):
    """What a worker writes. Unlike a message it may have keys that this version does not know."""

    model_config = ConfigDict(frozen=True)

    namespace: str
    """Temporal's; several may share a store."""


E = TypeVar("E", bound=Entry)
E_co = TypeVar("E_co", bound=Entry, covariant=True)


@dataclass(frozen=True)
class Seen(Generic[E]):
    """Another's entry."""

    entry: E
    age: timedelta
    """By which it is older than one's own; negative where it is younger."""


class Teller(Protocol[E_co]):
    """Whose entry it is."""

    async def ready(self) -> bool:
        """Whether there is something to tell; finds out what can be found out."""
        ...

    def entry(self) -> E_co | None:
        """What is to be told; None as long as that is not known."""
        ...

    def farewell(self) -> E_co | None:
        """What stays there at the end; None: nothing."""
        ...

    def seen(self) -> None:
        """Told when the others have been looked at."""
        ...


@dataclass(frozen=True)
class Place(Generic[E]):
    """Where entries stand."""

    folder: str
    """In the store; ends in `/`."""
    name: str
    """Of one's own."""
    shape: type[E]
    namespace: str
    """Temporal's; others' entries are passed over."""
    read_until: timedelta = ALIVE
    """How old an entry may be to be read."""


class Board(Generic[E]):
    """One worker's entry, and its view of the others'."""

    def __init__(self, store: Store, place: Place[E], teller: Teller[E]) -> None:
        self._store, self._place, self._teller = store, place, teller
        self._key = f"{place.folder}{place.name}.json"
        self._changed = asyncio.Event()
        self._ending = asyncio.Event()
        self._written: E | None = None
        self._written_at = -WRITE_EVERY
        self._writing = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = -STALE
        self._begun_at = -LOOK_EVERY
        self._others: tuple[Seen[E], ...] = ()
        self._known: dict[str, tuple[datetime, E | None]] = {}

    def changed(self) -> None:
        """What the entry tells may have changed."""
        self._changed.set()

    async def run(self) -> None:
        """Keep the entry up to date until `end`; then remove it, or leave the farewell there."""
        while not self._ending.is_set():
            await self._pause(WRITE_PAUSE, self._ending)
            while self._rest > 0 and not self._ending.is_set() and self._teller.entry() == self._written:
                self._changed.clear()
                await self._pause(self._rest, self._changed)
            await self.write()
        last = self._teller.farewell()
        try:
            if last is None:
                await self._store.delete(self._key)
            else:
                await self._put(last)
        except StoreError as error:
            log.warning("what this worker told the others is still in the store: %s", error)

    def end(self) -> None:
        """Have `run` come to its end: this worker takes no more work."""
        self._ending.set()
        self._changed.set()

    async def write(self) -> None:
        """Write the entry now. A store that fails is borne: the others do without this worker."""
        async with self._writing:
            self._written_at = time.monotonic()
            if self._ending.is_set() or not await self._teller.ready():
                return
            entry = self._teller.entry()
            if entry is None:
                return
            try:
                await self._put(entry)
            except StoreError as error:
                log.warning("other workers cannot be told of this one: %s", error)
            self._written = entry

    def others(self) -> tuple[Seen[E], ...] | None:
        """The others' entries, as they were a few seconds ago; None while nobody has looked.

        Looks again in the background, where that is due.
        """
        now = time.monotonic()
        if now - self._begun_at >= LOOK_EVERY:
            self._begin()
        return None if now - self._looked_at > STALE else self._others

    async def now(self) -> tuple[Seen[E], ...] | None:
        """The others' entries as they are now; None where the store does not say."""
        asked = time.monotonic()
        if self._looking is not None:
            # It has begun before.
            await asyncio.wait({self._looking})
        await asyncio.wait({self._begin()})
        return self._others if self._looked_at > asked else None

    def _begin(self) -> "asyncio.Task[None]":
        """The look that is under way, or a new one."""
        if self._looking is None:
            self._begun_at = time.monotonic()
            self._looking = asyncio.create_task(self._look())
        return self._looking

    @property
    def _rest(self) -> float:
        """Seconds until it is written again although nothing has changed."""
        return WRITE_EVERY - (time.monotonic() - self._written_at)

    async def _put(self, entry: E) -> None:
        await self._store.put_bytes(self._key, entry.model_dump_json().encode())

    async def _look(self) -> None:
        try:
            times = await self._store.list_times(self._place.folder)
            if self._key not in times:
                await self.write()
                times = await self._store.list_times(self._place.folder)
            own = times.pop(self._key, None)
            if own is not None:
                near = {key: at for key, at in times.items() if own - at < self._place.read_until}
                entries = await asyncio.gather(*(self._read(key, at) for key, at in near.items()))
                self._others = tuple(
                    Seen(entry, own - at)
                    for entry, at in zip(entries, near.values(), strict=True)
                    if entry is not None
                )
                self._looked_at = time.monotonic()
                await self._forget(key for key, at in times.items() if own - at > FORGOTTEN)
        except StoreError as error:
            log.warning("which other workers there are cannot be seen: %s", error)
        finally:
            self._looking = None
            self._teller.seen()

    async def _read(self, key: str, written: datetime) -> E | None:
        """The entry, if it is one of this namespace; read again only when it was written again."""
        known = self._known.get(key)
        if known is not None and known[0] == written:
            return known[1]
        try:
            entry = self._place.shape.model_validate_json(await self._store.get_bytes(key))
        except ObjectNotFound:
            return None
        except ValidationError as error:
            log.warning("'%s' in the store tells of no worker: %s", key, error)
            entry = None
        if entry is not None and entry.namespace != self._place.namespace:
            entry = None
        self._known[key] = (written, entry)
        return entry

    async def _forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._known.pop(key, None)
            await self._store.delete(key)

    @staticmethod
    async def _pause(seconds: float, event: asyncio.Event) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)
