"""Who has how much of a host, and in which order those that wait get it."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.contract.capacity import Ask, SharedRoom
from workers.placement.amounts import Amount
from workers.placement.ledger import Ledger, Ticket
from workers.placement.wanted import Wanted, of_lender

OFFER = Amount(4, 2.0, 8)


def ledger(offer: Amount = OFFER) -> Ledger:
    made = Ledger(offer.jobs, lambda: None)
    made.set_offer(offer)
    return made


def wanted(
    key: str, cpus: float = 0.0, memory: int = 0, *, jobs: int = 0, lender: SharedRoom | None = None
) -> Wanted:
    return Wanted(key, Amount(jobs, cpus, memory), "the job", lender)


def test_first_come_first_served() -> None:
    book = ledger()
    first, large, small = (book.enter(wanted(key, cpus)) for key, cpus in (("a", 1.5), ("b", 2), ("c", 0.5)))
    assert [one.admitted.is_set() for one in (first, large, small)] == [True, False, False]
    assert (large.free, book.free.cpus, book.left.cpus) == (Amount(4, 0.5, 8), 0.5, -2.0)
    book.give_back("a")
    assert [large.admitted.is_set(), small.admitted.is_set()] == [True, False]
    book.give_back("b")
    assert small.admitted.is_set()


def test_who_asks_for_something_else_is_not_held_up() -> None:
    book = ledger()
    book.enter(wanted("a", 2))
    assert not book.enter(wanted("b", 1)).admitted.is_set()
    assert book.enter(wanted("c", memory=8)).admitted.is_set()
    assert book.enter(wanted("d", jobs=1)).admitted.is_set()


def test_who_leaves_the_line_lets_the_next_one_forward() -> None:
    book = ledger()
    book.enter(wanted("a", 1))
    large, small = book.enter(wanted("b", 2)), book.enter(wanted("c", 1))
    book.leave(large)
    assert small.admitted.is_set()
    # Admitted in the moment in which it gave up: what it got goes back.
    book.leave(small)
    assert (book.free.cpus, book.held("c")) == (1.0, False)


def test_a_unit_has_one_hold_for_all_its_parts() -> None:
    book = ledger()
    book.take(wanted("a", 2, jobs=1))
    again = book.enter(wanted("a", 2, jobs=1))
    assert again.admitted.is_set()
    book.give_back("a")
    assert (book.free, book.units) == (OFFER - Amount(1, 2.0), 1)
    book.give_back("a")
    assert (book.free, book.units) == (OFFER, 0)


def test_what_runs_already_is_counted_room_or_not() -> None:
    book = ledger()
    book.take(wanted("a", 1.5))
    book.take(wanted("b", 1.5))
    assert (book.free.cpus, book.left.not_negative().cpus) == (-1.0, 0.0)
    assert not book.enter(wanted("c", 0.1)).admitted.is_set()


def test_an_engine_that_has_not_said_what_it_has_bounds_places_alone() -> None:
    book = Ledger(1, lambda: None)
    assert book.enter(wanted("a", 1000, 2**50, jobs=1)).admitted.is_set()
    waits = book.enter(wanted("b", jobs=1))
    assert not waits.admitted.is_set()
    book.set_offer(Amount(1, 2.0, 8))
    book.give_back("a")
    assert waits.admitted.is_set()
    assert book.free == Amount(0, 2.0, 8)


LENDER = SharedRoom(network="net", services=Ask(cpus=0.5), reserve=Ask(cpus=1.0, memory=2))


def test_one_job_at_a_time_has_what_is_set_aside_beside_shared_services() -> None:
    book = ledger()
    book.take(of_lender(LENDER))
    assert (book.free, book.units) == (OFFER - Amount(0, 1.5, 2), 0)
    # Another run waits for all there is, before the jobs that use the services come.
    other = book.enter(wanted("other", 2))
    first, second = (book.enter(wanted(key, 1, 2, jobs=1, lender=LENDER)) for key in ("a", "b"))
    assert [one.admitted.is_set() for one in (other, first, second)] == [False, True, False]
    assert book.free == OFFER - Amount(1, 1.5, 2)
    book.give_back("a")
    assert second.admitted.is_set()
    book.give_back("b")
    book.give_back("net")
    assert other.admitted.is_set()


def test_two_jobs_beside_shared_services_where_there_is_room_for_both() -> None:
    book = ledger()
    book.take(of_lender(LENDER))
    for key in ("a", "b"):
        assert book.enter(wanted(key, 0.5, lender=LENDER)).admitted.is_set()
    assert book.free.cpus == 0.0


@dataclass
class _World:
    """A ledger, and what a plain reading of its rules expects of it."""

    book: Ledger = field(default_factory=ledger)
    line: list[Ticket] = field(default_factory=list[Ticket])
    held: dict[str, Amount] = field(default_factory=dict[str, Amount])

    def check(self) -> None:
        for ticket in [one for one in self.line if one.admitted.is_set()]:
            self.line.remove(ticket)
            self.held[ticket.wanted.key] = ticket.wanted.amount
        used = Amount.total(self.held.values())
        assert self.book.free == OFFER - used
        assert used.fits(OFFER), "no more is given out than there is"
        left = self.book.free
        for ticket in self.line:
            assert not ticket.wanted.amount.fits(left), (
                "who waits could not go without taking from those before it"
            )
            left -= ticket.wanted.amount


cpu_amounts = st.tuples(st.sampled_from([0.1, 0.3, 0.5, 1.0, 2.0]), st.integers(0, 8), st.integers(0, 1))


@given(st.lists(st.one_of(cpu_amounts, st.integers(0, 20)), max_size=40))
def test_any_sequence_keeps_the_rules_and_ends_with_all_given_back(
    steps: list[tuple[float, int, int] | int],
) -> None:
    world = _World()
    for number, step in enumerate(steps):
        if isinstance(step, tuple):
            cpus, memory, jobs = step
            world.line.append(world.book.enter(wanted(f"job{number}", cpus, memory, jobs=jobs)))
        elif world.held and step % 2:
            key = list(world.held)[step % len(world.held)]
            del world.held[key]
            world.book.give_back(key)
        elif world.line:
            world.book.leave(world.line.pop(step % len(world.line)))
        world.check()
    # Everybody ends: whoever waits gets its turn.
    while world.held:
        key = next(iter(world.held))
        del world.held[key]
        world.book.give_back(key)
        world.check()
    assert (world.line, world.book.free, world.book.crowded) == ([], OFFER, False)
