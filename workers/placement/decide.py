"""What becomes of work that asks for room. Pure: no calls, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass

from workers.placement.amounts import Amount


@dataclass(frozen=True)
class Host:
    """A host as it was seen last."""

    name: str
    offer: Amount
    """Altogether."""
    free: Amount
    """Of that, for whoever comes now: those that wait there already come first."""


@dataclass(frozen=True)
class Take:
    """There is room here."""


@dataclass(frozen=True)
class Wait:
    """There will be room here."""


@dataclass(frozen=True)
class Send:
    """Another host is to have it."""

    host: str
    now: bool
    """It has room now; else it alone is large enough."""


@dataclass(frozen=True)
class Refuse:
    """No host will ever have room for it. `largest`: those that offer most, in the order of what is asked for."""

    largest: tuple[Host, ...]


Decision = Take | Wait | Send | Refuse


def decide(ask: Amount, here: Host, others: Sequence[Host] | None, *, stays: bool = False) -> Decision:
    """Choose one.

    Args:
        ask: what the work asks for.
        here: this host.
        others: the other hosts that are alive; None while nobody knows them.
        stays: it cannot go elsewhere.
    """
    if ask.fits(here.free):
        return Take()
    if stays:
        return Wait() if ask.fits(here.offer) else Refuse(_largest(ask, [here]))
    return Wait() if others is None else _between(ask, here, others)


def _between(ask: Amount, here: Host, others: Sequence[Host]) -> Decision:
    """What becomes of work that has to wait here, and may go elsewhere."""
    # There it comes from the host's own queue, and needs a place in any case.
    there = Amount(max(1, ask.jobs), ask.cpus, ask.memory)
    if ready := [host for host in others if there.fits(host.free) and there.fits(host.offer)]:
        return Send(max(ready, key=_freest).name, now=True)
    if ask.fits(here.offer):
        return Wait()
    if able := [host for host in others if there.fits(host.offer)]:
        return Send(max(able, key=_freest).name, now=False)
    return Refuse(_largest(ask, [here, *others]))


def _freest(host: Host) -> tuple[float, int, str]:
    """The name last, so that all who see the same choose the same."""
    return host.free.cpus, host.free.memory, host.name


def _largest(ask: Amount, hosts: Sequence[Host]) -> tuple[Host, ...]:
    """One that offers most of all that is asked for, else one for each."""
    by_cpus = max(hosts, key=lambda host: (host.offer.cpus, host.offer.memory, host.name))
    by_memory = max(hosts, key=lambda host: (host.offer.memory, host.offer.cpus, host.name))
    if not ask.memory or by_cpus.offer.memory == by_memory.offer.memory:
        return (by_cpus,)
    if not ask.cpus or by_cpus.offer.cpus == by_memory.offer.cpus:
        return (by_memory,)
    return by_cpus, by_memory
