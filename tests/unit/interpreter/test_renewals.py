"""Shared services that end are started again a few times, and not for ever."""

from functools import reduce

import pytest

from orchestrator.contract.messages import FallenService
from orchestrator.contract.services import MAX_RENEWALS, MAX_RETURNS
from orchestrator.interpreter.renewals import Renewals

OWN = FallenService(name="db", why="ended with exit code 1")
TAKEN = FallenService(name="cache", why="was ended by its Docker engine", taken=True)


@pytest.mark.parametrize(
    ("fallen", "most"), [((OWN,), MAX_RENEWALS), ((TAKEN,), MAX_RETURNS), ((TAKEN, OWN), MAX_RENEWALS)]
)
def test_as_often_as_that_and_no_more(fallen: tuple[FallenService, ...], most: int) -> None:
    before = reduce(lambda found, _: found.after(fallen), range(most - 1), Renewals())
    assert (before.left, before.after(fallen).left) == (True, False)


def test_an_engine_that_is_restarted_uses_up_none_of_the_others() -> None:
    found = Renewals().after((TAKEN,)).after((OWN,))
    assert found == Renewals(own=1, taken=1)


def test_a_start_for_another_reason_does_not_count() -> None:
    assert Renewals().after(()) == Renewals()
