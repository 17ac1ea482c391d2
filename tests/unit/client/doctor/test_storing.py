"""The store is tried out for real, and whatever it does is told."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.client.doctor.storing import store_facts
from tests.support.places import freezing_disk


async def test_a_folder(tmp_path: Path) -> None:
    facts = await store_facts(str(tmp_path / "store"))
    assert facts.error == ""
    assert facts.free is not None
    assert facts.size is not None
    assert 0 < facts.free < facts.size
    assert facts.ahead is not None
    assert abs(facts.ahead) < 5
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []
    by_url = await store_facts(f"file://{tmp_path}/store")
    assert by_url.size == facts.size


async def test_a_store_behind_a_network_has_no_known_room() -> None:
    facts = await store_facts("memory:///")
    assert (facts.error, facts.free, facts.size) == ("", None, None)


@pytest.mark.parametrize("url", ["/proc/none/store", "gopher://x", ""])
async def test_one_that_cannot_be_used(url: str) -> None:
    facts = await store_facts(url)
    assert facts.error
    assert facts.ahead is None


async def test_one_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for name, value in {
            "AWS_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_REGION": "r",
        }.items():
            monkeypatch.setenv(name, value)
        began = time.monotonic()
        facts = await store_facts("s3://bucket/orca", limit=1.0)
        assert facts.error == "it did not answer within 1 s"
        assert time.monotonic() - began < 15


def test_a_disk_that_stands_still_holds_nobody_up(tmp_path: Path) -> None:
    look = "import asyncio; from orchestrator.client.doctor.storing import store_facts as look; import sys;"
    look += "print(asyncio.run(look(sys.argv[1], limit=1.0)).error)"
    with freezing_disk(tmp_path / "disk") as disk:
        disk.freeze()
        process = subprocess.Popen(
            [sys.executable, "-c", look, str(tmp_path / "disk" / "store")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            # It must end too, and not only answer.
            told, _ = process.communicate(timeout=30)
        finally:
            disk.thaw()
            process.kill()
            process.wait()
    assert told == "it did not answer within 1 s\n"
