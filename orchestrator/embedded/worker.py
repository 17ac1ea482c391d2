"""A worker as a child process.

Its stdin is a pipe from here: when this process dies, the worker sees the end of it and stops.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from orchestrator.embedded.home import Home

STOP_LIMIT = 60.0
"""Seconds that a worker may take to detach from its containers and stop, before it is killed."""


def embedded_variables(address: str) -> dict[str, str | None]:
    """What leads a process to the embedded server; None takes a variable away.

    Without what is configured for other servers: the embedded one has neither TLS nor keys.
    """
    others: dict[str, str | None] = {name: None for name in os.environ if name.startswith("TEMPORAL_")}
    return others | {
        "TEMPORAL_ADDRESS": address,
        "TEMPORAL_NAMESPACE": "default",
        "TEMPORAL_CONFIG_FILE": os.devnull,
    }


class WorkerProcess:
    """One worker, started at once; `stop` ends it in good order."""

    def __init__(self, home: Home, *, address: str, settings: Mapping[str, str] | None = None) -> None:
        """Start it. `settings` are variables that it is given beside this process's own."""
        self.log: Path = home.log(f"worker-{os.getpid()}")
        led = embedded_variables(address)
        env = {name: value for name, value in os.environ.items() if name not in led}
        env |= {name: value for name, value in led.items() if value is not None}
        env |= {"ORCA_HOME": str(home.root), **(settings or {})}
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                # Not a package that happens to be of that name in the folder that the user is in.
                [sys.executable, "-P", "-m", "workers", "--stop-with-stdin"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=env,
                start_new_session=True,
            )

    @property
    def failed(self) -> str | None:
        """Why the worker is no longer there, or None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return f"the worker ended with exit code {code}; its log is '{self.log}': {lines[-1][:500] if lines else ''}"

    def stop(self) -> None:
        """Ask the worker to stop, and wait. Containers that still run are left running."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        if self._process.returncode == 0:
            self.log.unlink(missing_ok=True)
