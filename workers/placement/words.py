"""What people read about room. Pure."""

from orchestrator.contract.failures import FailureKind, FailureReason
from orchestrator.sizes import size_text
from workers.placement.amounts import Amount
from workers.placement.decide import Host, Refuse, Send
from workers.placement.wanted import Wanted


def cpus_text(cpus: float) -> str:
    """`1 CPU`, `0.5 CPUs`."""
    return f"{cpus:g} CPU{'' if cpus == 1 else 's'}"


def told(amount: Amount, ask: Amount) -> str:
    """What of `amount` matters to who asks for `ask`: `2 CPUs and 2 GiB`."""
    parts = [cpus_text(amount.cpus)] if ask.cpus else []
    parts += [size_text(amount.memory)] if ask.memory else []
    return " and ".join(parts)


def offer_text(offer: Amount) -> str:
    """`2 CPUs and 23.4 GiB`."""
    return told(offer, Amount(cpus=1.0, memory=1))


def refusal(wanted: Wanted, decision: Refuse) -> FailureReason:
    """Why work cannot run anywhere."""
    ask = wanted.amount
    verb = "asks" if wanted.who == "the job" else "ask"
    offers = " and ".join(f"host '{host.name}', offers {told(host.offer, ask)}" for host in decision.largest)
    largest = f"the largest worker, {offers}"
    if len(decision.largest) > 1:
        of_cpus, of_memory = decision.largest
        largest = (
            f"the worker with the most processors, host '{of_cpus.name}', offers {told(of_cpus.offer, ask)}, and the"
            f" one with the most memory, host '{of_memory.name}', {told(of_memory.offer, ask)}"
        )
    return FailureReason(
        kind=FailureKind.CAPACITY,
        message=(
            f"{wanted.who} {verb} for {told(ask, ask)}; {largest}; ask for less in 'resources', or start a worker on a"
            " larger host"
        ),
    )


def waiting(need: Amount, here: Host, free: Amount) -> str:
    """What work waits for on this host.

    Args:
        need: what it still needs.
        here: this host; its `free` is what is left for this work, those that came before taken off.
        free: what nobody has.
    """
    where = f"waiting for room on host '{here.name}'"
    lacks_cpus = bool(need.cpus) and need.cpus > here.free.cpus
    lacks_memory = bool(need.memory) and need.memory > here.free.memory
    if not (lacks_cpus or lacks_memory):
        return f"{where}: it runs at most {here.offer.jobs} jobs at a time"
    lack = Amount(0, need.cpus if lacks_cpus else 0.0, need.memory if lacks_memory else 0)
    if lack.fits(free):
        return f"{where}: asks for {told(lack, lack)}, and others that wait came first"
    left = free.not_negative()
    are = "is" if lacks_cpus and not lacks_memory and left.cpus == 1 else "are"
    number = f"{left.cpus:g}" if lacks_cpus and not lacks_memory else told(left, lack)
    return f"{where}: asks for {told(lack, lack)}, {number} {are} free"


def sent(wanted: Wanted, here: str, decision: Send) -> str:
    """Why work goes to another host."""
    ask = told(wanted.amount, wanted.amount)
    if decision.now:
        return f"host '{here}' has no room for {ask} now, and host '{decision.host}' has"
    return f"host '{here}' does not offer {ask}, and host '{decision.host}' does"
