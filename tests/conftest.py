"""What the processes have in common in which tests run side by side."""

import errno
import socket
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings

from orchestrator.embedded.server import DEFAULT_PORT, DEFAULT_UI_PORT

_taken = pytest.StashKey[ExitStack]()

# What one example takes on the clock says how busy the processor is. A test has its time limit, and may set a deadline.
settings.register_profile("side by side", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("side by side")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the usual ports of an embedded server, in the first process.

    Servers of several state folders that start in the same moment would all find them free. So each takes others.
    """
    if hasattr(config, "workerinput"):
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
