"""Whose process the embedded server's is."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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
