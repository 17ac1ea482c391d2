"""How long an engine that went away is waited for."""

import time

import pytest

from workers.engine.failures import ContainerGone, EngineFault, EngineUnreachable
from workers.supervision.limits import Limits
from workers.supervision.patience import Patience
from workers.supervision.reasons import TryFailed

LIMITS = Limits(first_patience=0.1, patience=0.4, outages=3, surprises=2)
AWAY = EngineUnreachable("no engine")


def endured(patience: Patience, *, answers: bool) -> float:
    """Seconds until there is no more patience with an engine that is away, or answers at the start of each go."""
    begun = time.monotonic()
    while True:
        patience.begin()
        if answers:
            patience.answered()
        try:
            patience.bear(AWAY)
        except TryFailed:
            return time.monotonic() - begun
        assert time.monotonic() - begun < 5
        time.sleep(0.01)


def test_an_engine_that_was_there_is_waited_for_longer() -> None:
    assert 0.1 <= endured(Patience(LIMITS), answers=False) < 0.4
    known = Patience(LIMITS)
    known.answered()
    assert 0.4 <= endured(known, answers=False) < 0.8


def test_one_that_shuts_down_answers_and_breaks_off_by_turns_and_is_waited_for_as_long() -> None:
    assert 0.4 <= endured(Patience(LIMITS), answers=True) < 0.8


def test_few_outages_are_borne_however_long_it_takes() -> None:
    patience = Patience(LIMITS)
    for _ in range(LIMITS.outages):
        patience.begin()
        patience.answered()
        patience.bear(AWAY)
        time.sleep(0.2)


def test_outages_far_apart_are_each_a_new_one() -> None:
    patience = Patience(Limits(first_patience=0.01, patience=0.02, outages=1))
    for _ in range(5):
        patience.begin()
        patience.answered()
        time.sleep(0.03)
        patience.bear(AWAY)


def test_what_is_no_outage() -> None:
    patience = Patience(LIMITS)
    for _ in range(LIMITS.surprises):
        patience.bear(ContainerGone("gone"))
    with pytest.raises(TryFailed, match="the engine contradicts itself: gone"):
        patience.bear(ContainerGone("gone"))
    with pytest.raises(TryFailed, match="broken"):
        patience.bear(EngineFault("broken"))
