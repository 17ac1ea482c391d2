"""What becomes of work that asks for room: tables for the rules, properties for all of them together."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.placement.amounts import Amount
from workers.placement.decide import Decision, Host, Refuse, Send, Take, Wait, decide

GIB = 1024**3
ONE = Amount(1, 1.0, GIB)


def host(name: str, offer: Amount, *, used: Amount | None = None) -> Host:
    return Host(name, offer, offer - (used or Amount()))


SMALL, LARGE = Amount(4, 2.0, 8 * GIB), Amount(4, 16.0, 64 * GIB)
HERE = host("here", SMALL)
FULL = host("here", SMALL, used=SMALL)


@pytest.mark.parametrize(
    ("ask", "here", "others", "expected"),
    [
        (ONE, HERE, [], Take()),
        (ONE, HERE, [host("b", LARGE)], Take()),
        (ONE, FULL, [], Wait()),
        (ONE, FULL, None, Wait()),
        (ONE, FULL, [host("b", SMALL, used=SMALL)], Wait()),
        (ONE, FULL, [host("b", SMALL), host("c", LARGE)], Send("c", now=True)),
        (ONE, FULL, [host("b", SMALL), host("c", SMALL)], Send("c", now=True)),
        # A place is needed elsewhere also by what comes from a queue that needs none here.
        (Amount(0, 1.0), FULL, [host("b", LARGE, used=Amount(4))], Wait()),
        (Amount(1, 4.0), HERE, [host("b", LARGE, used=LARGE)], Send("b", now=False)),
        (Amount(1, 4.0), HERE, None, Wait()),
        (Amount(1, 64.0), HERE, [], Refuse((HERE,))),
        (Amount(1, 64.0), HERE, [host("b", LARGE)], Refuse((host("b", LARGE),))),
        (Amount(1, 0.0, 65 * GIB), HERE, [host("b", LARGE)], Refuse((host("b", LARGE),))),
        (
            Amount(1, 8.0, 32 * GIB),
            HERE,
            [host("wide", Amount(4, 64.0, GIB)), host("deep", Amount(4, 1.0, 64 * GIB))],
            Refuse((host("wide", Amount(4, 64.0, GIB)), host("deep", Amount(4, 1.0, 64 * GIB)))),
        ),
        # What is taken beyond the offer, by work that was adopted, holds up only those who ask for it.
        (Amount(1, 0.0, GIB), host("here", SMALL, used=Amount(1, 5.0)), [], Take()),
    ],
)
def test_rules(ask: Amount, here: Host, others: Sequence[Host] | None, expected: Decision) -> None:
    assert decide(ask, here, others) == expected


def test_work_that_stays_waits_here_or_is_refused_whatever_others_have() -> None:
    others = [host("b", LARGE)]
    assert decide(ONE, FULL, others, stays=True) == Wait()
    assert decide(Amount(1, 4.0), HERE, others, stays=True) == Refuse((HERE,))


amounts = st.builds(
    Amount,
    st.integers(0, 3),
    st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 7.5]),
    st.integers(0, 4).map(GIB.__mul__),
)


def _used(name: str, offer: Amount, used: Amount) -> Host:
    return host(name, offer, used=used)


hosts = st.builds(_used, st.sampled_from("bcdef"), amounts, amounts)
neighbours = st.lists(hosts, max_size=4, unique_by=lambda one: one.name)


@given(amounts, amounts, amounts, neighbours, st.booleans(), st.randoms())
def test_every_decision_can_be_justified(
    ask: Amount, offer: Amount, used: Amount, others: list[Host], stays: bool, random: Random
) -> None:
    here = host("here", offer, used=used)
    decision = decide(ask, here, others, stays=stays)
    mixed = list(others)
    random.shuffle(mixed)
    assert decide(ask, here, mixed, stays=stays) == decision, (
        "the order in which hosts are listed decides nothing"
    )
    there = replace(ask, jobs=max(1, ask.jobs))
    seen = {one.name: one for one in others}
    ready = [one for one in others if there.fits(one.free)]
    match decision:
        case Take():
            assert ask.fits(here.free)
        case Wait():
            assert ask.fits(offer)
            assert not ask.fits(here.free)
            assert stays or not ready
        case Send(name, now):
            assert not stays
            assert not ask.fits(here.free)
            assert there.fits(seen[name].offer)
            assert now == there.fits(seen[name].free) == bool(ready)
            assert now or not ask.fits(offer)
        case Refuse(largest):
            able = [] if stays else [one for one in others if there.fits(one.offer)]
            assert not ask.fits(offer)
            assert not able
            asked = [*([] if stays else others), here]
            assert (
                max(one.offer.cpus for one in asked) == max(one.offer.cpus for one in largest) or not ask.cpus
            )
            assert (
                max(one.offer.memory for one in asked) == max(one.offer.memory for one in largest)
                or not ask.memory
            )
