"""Whose process the embedded server's is, and whose its ports are."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from orchestrator.embedded import server
from orchestrator.embedded.home import Home
from orchestrator.embedded.server import running_server, use_server


@pytest.fixture
def stranger() -> "Iterator[subprocess.Popen[bytes]]":
    """A process that has nothing to do with orca."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_process_that_got_the_number_of_a_server_is_left_alone(
    tmp_path: Path, stranger: "subprocess.Popen[bytes]"
) -> None:
    """After a restart of the host the file still names the number that the server had."""
    home = Home(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        told = {"address": f"127.0.0.1:{listener.getsockname()[1]}", "ui": "", "pid": stranger.pid}
        home.server_file.write_text(json.dumps(told))
        assert running_server(home) is None
        with use_server(home) as info:
            assert info.pid != stranger.pid
            assert running_server(home) == info
    assert stranger.poll() is None
    assert not info.alive


def test_servers_of_several_state_folders_that_start_together_take_ports_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find the usual ports free: the Temporal CLI opens them a second after it was told which."""
    for name in ("DEFAULT_PORT", "DEFAULT_UI_PORT"):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            monkeypatch.setattr(server, name, listener.getsockname()[1])
    begun, both = Barrier(2), Barrier(2)

    def use(name: str) -> tuple[str, str, bool]:
        folder = tmp_path / name
        folder.mkdir()
        begun.wait(30)
        with use_server(Home(folder)) as info:
            both.wait(60)
            return info.address, info.ui, info.alive

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(use, ("one", "other"))
    assert one[0] != other[0]
    assert one[1] != other[1]
    assert (one[2], other[2]) == (True, True)
