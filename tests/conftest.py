"""What the processes have in common in which tests run side by side."""

import errno
import socket
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from orchestrator.embedded.server import DEFAULT_PORT, DEFAULT_UI_PORT

_taken = pytest.StashKey[ExitStack]()

_LONG: Final = (
    "test_cancel", "test_capacity", "test_hosts", "test_interrupts", "test_leftovers", "test_outages",
    "test_peers_faults", "test_service_interrupts", "test_store_faults",
)  # fmt: skip
"""Modules of end-to-end tests that wait long for what is away: about half of the time that all take."""
_HEAVY: Final = ("test_variants", "test_walk")
"""Modules of which one at a time is work enough for a processor."""


class SideBySide(LoadScopeScheduling):
    """Keeps the tests of a module in one process, and of modules together that would be in each other's way."""

    def _split_scope(self, nodeid: str) -> str:
        path = PurePosixPath(nodeid.partition("::")[0])
        match path.parts[1:]:
            case ("e2e", *_):
                # Two at a time: each has a server, a worker and containers to itself.
                return "long waits" if path.stem in _LONG else "whole runs"
            case ("replay", *_):
                # One puts a history of its own beside the recorded ones.
                return "replay"
            case ("workflow", *_) if path.stem in _HEAVY:
                return "heavy"
            case _:
                return str(path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SideBySide:
    """Which process gets which tests."""
    return SideBySide(config, log)


# What one example takes on the clock says how busy the processor is. A test has its time limit, and may set a deadline.
settings.register_profile("side by side", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("side by side")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the usual ports of an embedded server, in the first of several processes.

    Servers of several state folders that start in the same moment would all find them free. So each takes others.
    """
    if hasattr(config, "workerinput") or config.getoption("dist") == "no":
        return
    config.stash[_taken] = taken = ExitStack()
    for port in (DEFAULT_PORT, DEFAULT_UI_PORT):
        kept = taken.enter_context(socket.socket())
        try:
            kept.bind(("127.0.0.1", port))
        except OSError as error:
            # Where somebody's own server has it, that serves as well.
            if error.errno != errno.EADDRINUSE:
                raise


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of them."""
    if _taken in config.stash:
        config.stash[_taken].close()
