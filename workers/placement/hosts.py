"""The hosts of a task queue as the store tells of them: each says what it offers and has left, and sees the others."""

import time
from typing import Final, Protocol

from orchestrator import ids
from orchestrator.store.store import Store
from workers.placement.amounts import Amount
from workers.placement.board import Board, Entry, Place
from workers.placement.decide import Host

SENT_FOR: Final = 6.0
"""Seconds for which work that was sent to a host is taken off what that host says it has."""


class _Entry(Entry):
    """What a host writes."""

    host: str
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

    def __init__(self, store: Store, host: str, *, own: Standing, namespace: str, task_queue: str) -> None:
        self._host, self._own, self._namespace = host, own, namespace
        self._board = Board(store, Place(ids.hosts_prefix(task_queue), host, _Entry, namespace), self)
        self._sent: list[tuple[float, str, Amount]] = []

    def changed(self) -> None:
        """What is left may have changed."""
        self._board.changed()

    async def run(self) -> None:
        """Keep the entry up to date until `end`; then remove it."""
        await self._board.run()

    def end(self) -> None:
        """Have `run` come to its end: this host takes no more work."""
        self._board.end()

    async def write(self) -> None:
        """Write the entry now. A store that fails is borne: the others do without this host."""
        await self._board.write()

    def others(self) -> tuple[Host, ...] | None:
        """The other hosts that are alive, as they were seen a few seconds ago; None while nobody has looked.

        Looks again in the background, where that is due.
        """
        found = self._board.others()
        if found is None:
            return None
        now = time.monotonic()
        self._sent = [sent for sent in self._sent if now - sent[0] < SENT_FOR]
        return tuple(
            Host(one.entry.host, one.entry.offer, one.entry.free - self._sent_to(one.entry.host))
            for one in found
        )

    def send(self, host: str, amount: Amount) -> None:
        """Take down that work goes there, so that not all that wait here follow it."""
        self._sent.append((time.monotonic(), host, amount))

    async def ready(self) -> bool:
        """See `board.Teller`."""
        return await self._own.ask_offer() is not None

    def entry(self) -> _Entry | None:
        """See `board.Teller`."""
        standing = self._own.standing()
        if standing is None:
            return None
        offer, free = standing
        return _Entry(host=self._host, namespace=self._namespace, offer=offer, free=free)

    def farewell(self) -> None:
        """See `board.Teller`: a host that has gone offers nothing."""

    def seen(self) -> None:
        """See `board.Teller`."""
        self._own.seen()

    def _sent_to(self, host: str) -> Amount:
        return Amount.total(amount for _, name, amount in self._sent if name == host)
