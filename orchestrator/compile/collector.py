"""Python's cyclic garbage collector, and why it waits while a spec is compiled."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def collector_waits() -> Generator[None]:
    """Inside the block nothing is collected in the background.

    A compile makes objects that live to its end, millions of them for a large spec, and hardly a cycle. The collector
    would walk them all again and again and find nothing: more than half of the time of 20 000 jobs.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if gc.get_freeze_count() == 0:
            # Both together walk nothing: they only make what is there old, so that the next look at what is young
            # does not begin with all of it. A full collection finds whatever is garbage as before.
            gc.freeze()
            gc.unfreeze()
        gc.enable()
