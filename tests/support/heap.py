"""What earlier tests left behind in the one process in which all of them run."""

import gc

import pytest


@pytest.fixture(scope="module", autouse=True)
def young_heap() -> None:
    """Have what is there now left alone by the collector.

    Going through all of it takes seconds, and a workflow task that takes two is given up as one that hangs.
    """
    gc.collect()
    gc.freeze()
