"""The hosts of a task queue as the store tells of them: each writes what it offers and has left, and reads the others.

Which of them are alive is judged by the store's own clock, against the time of one's own entry: the clocks of two hosts
are never compared.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator import ids
from orchestrator.errors import StoreError
from orchestrator.store.failures import ObjectNotFound
from orchestrator.store.store import Store
from workers.placement.amounts import Amount
from workers.placement.decide import Host

log = logging.getLogger("orca.placement")

WRITE_EVERY: Final = 30.0
"""Seconds between two writes where nothing changes."""
WRITE_PAUSE: Final = 2.0
"""Seconds between two writes at least."""
ALIVE: Final = timedelta(seconds=90)
"""By how much an entry may be older than one's own."""
FORGOTTEN: Final = timedelta(days=1)
"""After which what a dead host wrote is removed."""
LOOK_EVERY: Final = 3.0
"""Seconds between two looks at the others, as long as someone waits."""
STALE: Final = 10.0
"""Seconds after which a look is too old to decide by."""
SENT_FOR: Final = 6.0
"""Seconds for which work that was sent to a host is taken off what that host says it has."""


class _Entry(BaseModel):
    """What a host writes. Unlike a message it may have keys that this version does not know."""

    model_config = ConfigDict(frozen=True)

    host: str
    namespace: str
    """Temporal's; several may share a store."""
    offer: Amount
    free: Amount


class Standing(Protocol):
    """This host, as its entry tells of it."""

    async def ask_offer(self) -> Amount | None:
        """What it offers; None as long as that cannot be known."""
        ...

    def standing(self) -> tuple[Amount, Amount] | None:
        """What it offers and what is left of that for the next one to come; None as long as that is not known."""
        ...

    def seen(self) -> None:
        """Told when the others have been looked at."""
        ...


class Hosts:
    """One host's entry, and its view of the others.

    Args:
        store: shared by all hosts.
        host: this one's name.
        own: how it stands.
        namespace: Temporal's.
        task_queue: which they all serve.
    """

    def __init__(
        self,
        store: Store,
        host: str,
        *,
        own: Standing,
        namespace: str,
        task_queue: str,
    ) -> None:
        self._store, self._host, self._own, self._namespace = store, host, own, namespace
        self._folder = ids.hosts_prefix(task_queue)
        self._key = f"{self._folder}{host}.json"
        self._changed = asyncio.Event()
        self._ending = asyncio.Event()
        self._written: _Entry | None = None
        self._written_at = -WRITE_EVERY
        self._writing = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = -STALE
        self._begun_at = -LOOK_EVERY
        self._others: tuple[Host, ...] = ()
        self._known: dict[str, tuple[datetime, _Entry | None]] = {}
        self._sent: list[tuple[float, str, Amount]] = []

    def changed(self) -> None:
        """What is left may have changed."""
        self._changed.set()

    async def run(self) -> None:
        """Keep the entry up to date until `end`; then remove it."""
        while not self._ending.is_set():
            await self._pause(WRITE_PAUSE, self._ending)
            while self._rest > 0 and not self._ending.is_set() and self._entry() == self._written:
                self._changed.clear()
                await self._pause(self._rest, self._changed)
            await self.write()
        try:
            await self._store.delete(self._key)
        except StoreError as error:
            log.warning("what this host offered is still in the store: %s", error)

    def end(self) -> None:
        """Have `run` come to its end: this host takes no more work."""
        self._ending.set()
        self._changed.set()

    async def write(self) -> None:
        """Write the entry now. A store that fails is borne: the others do without this host."""
        async with self._writing:
            self._written_at = time.monotonic()
            if self._ending.is_set() or await self._own.ask_offer() is None:
                return
            entry = self._entry()
            if entry is None:
                return
            try:
                await self._store.put_bytes(self._key, entry.model_dump_json().encode())
            except StoreError as error:
                log.warning("other hosts cannot be told what this one offers: %s", error)
            self._written = entry

    def others(self) -> tuple[Host, ...] | None:
        """The other hosts that are alive, as they were seen a few seconds ago; None while nobody has looked.

        Looks again in the background, where that is due.
        """
        now = time.monotonic()
        if now - self._begun_at >= LOOK_EVERY and self._looking is None:
            self._begun_at = now
            self._looking = asyncio.create_task(self._look())
        if now - self._looked_at > STALE:
            return None
        self._sent = [sent for sent in self._sent if now - sent[0] < SENT_FOR]
        return tuple(
            Host(
                host.name,
                host.offer,
                host.free - Amount.total(amount for _, name, amount in self._sent if name == host.name),
            )
            for host in self._others
        )

    def send(self, host: str, amount: Amount) -> None:
        """Take down that work goes there, so that not all that wait here follow it."""
        self._sent.append((time.monotonic(), host, amount))

    @property
    def _rest(self) -> float:
        """Seconds until it is written again although nothing has changed."""
        return WRITE_EVERY - (time.monotonic() - self._written_at)

    def _entry(self) -> _Entry | None:
        standing = self._own.standing()
        if standing is None:
            return None
        offer, free = standing
        return _Entry(host=self._host, namespace=self._namespace, offer=offer, free=free)

    async def _look(self) -> None:
        try:
            times = await self._store.list_times(self._folder)
            if self._key not in times:
                await self.write()
                times = await self._store.list_times(self._folder)
            own = times.pop(self._key, None)
            if own is not None:
                alive = {key: at for key, at in times.items() if own - at < ALIVE}
                entries = await asyncio.gather(*(self._read(key, at) for key, at in alive.items()))
                self._others = tuple(Host(entry.host, entry.offer, entry.free) for entry in entries if entry)
                self._looked_at = time.monotonic()
                await self._forget(key for key, at in times.items() if own - at > FORGOTTEN)
        except StoreError as error:
            log.warning("which other hosts there are cannot be seen: %s", error)
        finally:
            self._looking = None
            self._own.seen()

    async def _read(self, key: str, written: datetime) -> _Entry | None:
        """The entry, if it is one of this namespace; read again only when it was written again."""
        known = self._known.get(key)
        if known is not None and known[0] == written:
            return known[1]
        try:
            entry = _Entry.model_validate_json(await self._store.get_bytes(key))
        except ObjectNotFound:
            return None
        except ValidationError as error:
            log.warning("'%s' in the store tells of no host: %s", key, error)
            entry = None
        if entry is not None and entry.namespace != self._namespace:
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
