"""Who has how much of this host, and who waits for it. First come, first served; no I/O.

Nobody overtakes at another's cost: what those that came before wait for counts as taken. So a large job does not wait
for ever behind small ones, and one that asks for something else is not held up by it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from workers.placement.amounts import NOTHING, UNLIMITED, Amount
from workers.placement.wanted import Wanted


@dataclass
class _Hold:
    amount: Amount
    users: int
    lender: str | None = None
    """Whose reserve it has; that counts there."""
    reserve: Amount = NOTHING
    lent: bool = False
    is_job: bool = True


@dataclass
class Ticket:
    """One that waits."""

    wanted: Wanted
    need: Amount
    """What it asks for beyond what is set aside for it."""
    free: Amount = NOTHING
    """What is left for it, those that came before taken off."""
    admitted: asyncio.Event = field(default_factory=asyncio.Event)


class Ledger:
    """The holds of one host.

    Args:
        jobs: how many jobs that need a place may have one.
        changed: called when something was taken or given back.
    """

    def __init__(self, jobs: int, changed: Callable[[], None]) -> None:
        self.offer = Amount(jobs, UNLIMITED.cpus, UNLIMITED.memory)
        """Of what the engine has as long as it has not said: no bound."""
        self._changed = changed
        self._holds: dict[str, _Hold] = {}
        self._line: list[Ticket] = []

    @property
    def free(self) -> Amount:
        """What nobody has."""
        return self.offer - Amount.total(hold.amount for hold in self._holds.values())

    @property
    def left(self) -> Amount:
        """What is there for the next one to come: what nobody has and nobody waits for."""
        return self.free - Amount.total(ticket.need for ticket in self._line)

    @property
    def units(self) -> int:
        """How many jobs have something."""
        return sum(hold.is_job for hold in self._holds.values())

    @property
    def crowded(self) -> bool:
        """Whether someone waits."""
        return bool(self._line)

    def set_offer(self, offer: Amount) -> None:
        """What this host has is known."""
        self.offer = offer
        self._admit()

    def held(self, key: str) -> bool:
        """Whether there is a hold of that name."""
        return key in self._holds

    def take(self, wanted: Wanted) -> None:
        """Have it, room or not: it runs here already, or its unit has a hold, which it joins."""
        if (hold := self._holds.get(wanted.key)) is not None:
            hold.users += 1
            return
        self._open(wanted, self._need(wanted))
        self._admit()

    def enter(self, wanted: Wanted) -> Ticket:
        """Ask for it; where there is room the ticket is admitted at once. Ends with `leave` or `give_back`."""
        ticket = Ticket(wanted, self._need(wanted))
        self._line.append(ticket)
        self._admit()
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Wait no longer; what was given in the meantime goes back."""
        if ticket.admitted.is_set():
            self.give_back(ticket.wanted.key)
            return
        self._line.remove(ticket)
        self._admit()

    def give_back(self, key: str) -> None:
        """One user of the hold has ended; the last one frees it."""
        hold = self._holds[key]
        hold.users -= 1
        if hold.users:
            return
        del self._holds[key]
        if hold.lender is not None and (lender := self._holds.get(hold.lender)) is not None:
            lender.lent = False
        self._admit()

    def _need(self, wanted: Wanted) -> Amount:
        lender = None if wanted.lender is None else self._holds.get(wanted.lender.network)
        if lender is None or lender.lent:
            return wanted.amount
        return Amount(
            wanted.amount.jobs,
            max(0.0, round(wanted.amount.cpus - lender.reserve.cpus, 9)),
            max(0, wanted.amount.memory - lender.reserve.memory),
        )

    def _open(self, wanted: Wanted, need: Amount) -> None:
        hold = _Hold(need, 1, reserve=wanted.reserve, is_job=wanted.is_job)
        if wanted.lender is not None:
            lender = self._holds.get(wanted.lender.network)
            if lender is not None and not lender.lent:
                lender.lent, hold.lender = True, wanted.lender.network
        self._holds[wanted.key] = hold

    def _admit(self) -> None:
        """Go through the line once, from its head."""
        free, waiting = self.free, list[Ticket]()
        for ticket in self._line:
            wanted = ticket.wanted
            if wanted.key in self._holds:
                self._holds[wanted.key].users += 1
                ticket.admitted.set()
                continue
            ticket.need, ticket.free = self._need(wanted), free
            free -= ticket.need
            if ticket.need.fits(ticket.free):
                self._open(wanted, ticket.need)
                ticket.admitted.set()
            else:
                waiting.append(ticket)
        self._line = waiting
        self._changed()
