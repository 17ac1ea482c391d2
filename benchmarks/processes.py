"""Processes of a benchmark: started with a state folder of their own, ended at the end, their peak memory read."""

import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def module(name: str, *arguments: str, env: Mapping[str, str]) -> Generator["subprocess.Popen[bytes]"]:
    """Run `python -m name` inside the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", name, *arguments],
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def peak_memory(pid: int) -> int:
    """Bytes of resident memory at the process's highest."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
