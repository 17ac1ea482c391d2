"""The garbage collector stands still while a spec is compiled, and goes on as it was."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from orchestrator.compile import compile_text
from orchestrator.compile.collector import collector_waits
from orchestrator.errors import SpecError


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    was = gc.isenabled()
    yield
    (gc.enable if was else gc.disable)()


@pytest.mark.parametrize("before", [True, False])
def test_it_is_left_as_it_was_found(before: bool) -> None:
    (gc.enable if before else gc.disable)()
    with collector_waits():
        assert not gc.isenabled()
        with collector_waits():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled() is before
    with pytest.raises(SpecError):
        compile_text("jobs: []", "x.yaml")
    assert gc.isenabled() is before


def test_garbage_is_still_found_afterwards() -> None:
    class Ring:
        """Holds itself."""

        def __init__(self) -> None:
            self.next = self

    gc.enable()
    with collector_waits():
        seen = weakref.ref(Ring())
        assert seen() is not None
    gc.collect()
    assert seen() is None


def test_what_was_frozen_before_stays_frozen() -> None:
    gc.collect()
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with collector_waits():
            pass
        assert gc.get_freeze_count() >= frozen - 100
    finally:
        gc.unfreeze()
