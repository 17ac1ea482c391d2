"""Asks a service how it is. Probes report what they see; `health` judges. Each may be asked again and again."""

import asyncio
import os
import time
from collections.abc import Iterable
from typing import Final, Protocol
from urllib.parse import quote

from orchestrator.plan import patterns
from workers.engine.failures import ContainerGone, ExecTimeout, Interrupted
from workers.engine.interface import ContainerEngine, Interrupt, LogEntry
from workers.supervision.services.checks import CommandCheck, HttpCheck, LogCheck, PortCheck
from workers.supervision.services.health import CheckResult
from workers.supervision.threads import Threads

_CANNOT_RUN: Final = (126, 127)
_MAX_DETAIL: Final = 300
_MAX_STATUS_LINE: Final = 1024
_MATCHED_LENGTH: Final = 4096
"""Characters of a line that a pattern is looked for in."""
_LONG_LOOK: Final = 0.01
"""Seconds of looking through a log in one go, after which the worker's other threads get as much."""


class Probe(Protocol):
    """One way of asking."""

    wake: asyncio.Event | None
    """Set when it is worth asking at once."""

    async def check(self, timeout: float) -> CheckResult:
        """Ask once; answers within about `timeout` seconds. Raises EngineError."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class CommandProbe:
    """Runs the command inside the container."""

    wake: asyncio.Event | None = None

    def __init__(
        self, engine: ContainerEngine, threads: Threads, container: str, check: CommandCheck
    ) -> None:
        self._engine = engine
        self._threads = threads
        self._container = container
        self._command = check.command
        self._late: tuple[str, str] | None = None
        """Of one that took too long, and may go on inside the container: its id, and what was said of it."""

    async def check(self, timeout: float) -> CheckResult:
        """See `Probe`. One at a time: where the one before still runs, that is the answer."""
        if self._late is not None:
            run, said = self._late
            if await self._threads.call(self._engine.exec_runs, run):
                return CheckResult(passed=False, detail=f"{said}, and still runs")
            self._late = None
        interrupt = Interrupt()
        run = self._engine.exec
        call = self._threads.call(run, self._container, self._command, timeout=timeout, interrupt=interrupt)
        try:
            ended = await call
        except ExecTimeout as error:
            self._late = (error.run, str(error))
            return CheckResult(passed=False, detail=str(error), late=True)
        except ContainerGone:
            return CheckResult(passed=False, detail="the container has ended")
        finally:
            interrupt.fire()
        if ended.exit_code == 0:
            return CheckResult(passed=True)
        said = " ".join(ended.output.split())[:_MAX_DETAIL]
        detail = f"exit code {ended.exit_code}" + (f": {said}" if said else "")
        return CheckResult(passed=False, detail=detail, broken=ended.exit_code in _CANNOT_RUN)

    def close(self) -> None:
        """See `Probe`."""


class PortProbe:
    """Connects to ports."""

    wake: asyncio.Event | None = None

    def __init__(self, address: str, check: PortCheck) -> None:
        self._address = address
        self._check = check

    async def check(self, timeout: float) -> CheckResult:
        """See `Probe`."""
        ports = self._check.ports
        answers = await asyncio.gather(*(self._connect(port, timeout) for port in ports))
        refused = {port: answer for port, answer in zip(ports, answers, strict=True) if answer is not None}
        if not refused:
            return CheckResult(passed=True)
        detail = ", ".join(f"port {port}: {answer}" for port, answer in refused.items())
        opened = len(ports) - len(refused)
        main = self._check.main
        partly = self._check.some_will_do and opened > 0 and (main is None or main not in refused)
        return CheckResult(passed=False, detail=detail, partly=partly, opened=opened)

    async def _connect(self, port: int, timeout: float) -> str | None:
        """Why no connection could be made; None where one was."""
        try:
            async with asyncio.timeout(timeout):
                _, writer = await asyncio.open_connection(self._address, port)
        except TimeoutError:
            return f"no answer in {timeout:.3g} s (the worker must run on the engine's own host)"
        except OSError as error:
            return _words(error)
        writer.transport.abort()
        return None

    def close(self) -> None:
        """See `Probe`."""


class HttpProbe:
    """Sends a GET."""

    wake: asyncio.Event | None = None

    def __init__(self, address: str, check: HttpCheck, *, host: str) -> None:
        self._address = address
        self._port = check.port
        # What a request line may not hold is quoted; what is quoted already stays so.
        path = quote(check.path, safe="/?#[]@!$&'()*+,;=:%~")
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: {quote(host)}:{check.port}\r\nUser-Agent: orca\r\nAccept: */*\r\n"
            "Connection: close\r\n\r\n"
        ).encode()

    async def check(self, timeout: float) -> CheckResult:
        """See `Probe`."""
        try:
            async with asyncio.timeout(timeout):
                answer = await self._ask()
        except TimeoutError:
            return CheckResult(passed=False, detail=f"no answer in {timeout:.3g} s", late=True)
        except (OSError, ValueError) as error:
            return CheckResult(passed=False, detail=_words(error))
        version, _, rest = answer.decode("latin-1").strip().partition(" ")
        status = rest[:3]
        if not version.startswith("HTTP/") or not status.isdecimal():
            return CheckResult(passed=False, detail="the answer is not HTTP")
        return CheckResult(passed=int(status) < 400, detail=f"status {status}")

    async def _ask(self) -> bytes:
        reader, writer = await asyncio.open_connection(self._address, self._port, limit=_MAX_STATUS_LINE)
        try:
            writer.write(self._request)
            return await reader.readline()
        finally:
            writer.transport.abort()

    def close(self) -> None:
        """See `Probe`."""


class LogProbe:
    """Follows the log until a line matches."""

    def __init__(self, engine: ContainerEngine, threads: Threads, container: str, check: LogCheck) -> None:
        self.wake: asyncio.Event | None = asyncio.Event()
        self._matched = self.wake
        self._pattern = check.pattern
        self._interrupt = Interrupt()
        self._loop = asyncio.get_running_loop()
        self._reading = threads.call(self._read, engine, container)

    async def check(self, timeout: float) -> CheckResult:
        """See `Probe`."""
        if self._matched.is_set():
            return CheckResult(passed=True)
        if self._reading.done():
            self._reading.result()
        return CheckResult(passed=False, detail="no line matched")

    def close(self) -> None:
        """See `Probe`."""
        self._interrupt.fire()
        self._reading.add_done_callback(_seen)

    def _read(self, engine: ContainerEngine, container: str) -> None:
        """In a thread."""
        try:
            for batch in engine.logs(container, follow=True, interrupt=self._interrupt):
                if self._found(batch):
                    self._loop.call_soon_threadsafe(self._matched.set)
                    return
        except Interrupted:
            return

    def _found(self, batch: Iterable[LogEntry]) -> bool:
        # A match holds the interpreter's lock, and a large pattern takes its time with each line.
        begun = time.monotonic()
        for entry in batch:
            if self._interrupt.fired:
                return False
            if patterns.is_found(self._pattern, entry.text[:_MATCHED_LENGTH]):
                return True
            if (took := time.monotonic() - begun) > _LONG_LOOK:
                time.sleep(took)
                begun = time.monotonic()
        return False


def _seen(reading: "asyncio.Future[None]") -> None:
    """Nobody waits for it any more."""
    if not reading.cancelled():
        reading.exception()


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    return str(error)
