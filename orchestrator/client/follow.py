"""Following a live run: its record whenever it changes, and its log lines as they come."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from temporalio.client import Client

from orchestrator.client.logs import LogEntry, LogSource, sources
from orchestrator.client.runs import record
from orchestrator.contract.messages import RunRecord
from orchestrator.errors import StoreError, Unreachable
from orchestrator.store.logs import LogReader
from orchestrator.store.store import Store

INTERVAL = 0.4
"""Seconds between looks at the record."""
LOG_WAIT = 1.0
"""Seconds that the news of a job's end waits for the rest of its log."""
PATIENCE = 300.0
"""Seconds that the server or the workers may be away before following gives up."""


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong and may pass: the server or all workers are away, or a log cannot be read."""

    message: str


Event = RunRecord | LogEntry | Trouble
Pick = Callable[[RunRecord], list[LogSource]]
"""Which logs are followed, as the run stands."""


async def follow(
    client: Client, run: str, *, store: Store | None, pick: Pick = sources
) -> AsyncGenerator[Event]:
    """Events until the run has ended and its logs are read; the last is the final record.

    Args:
        client: connected to the run's namespace.
        run: its id.
        store: where the logs are; None follows the record alone.
        pick: which logs to follow; those of all jobs.

    Raises:
        RunNotFound: there is no such run.
        Unreachable: nobody answered for `PATIENCE` seconds.
    """
    queue: asyncio.Queue[Event | BaseException | None] = asyncio.Queue(maxsize=1000)
    pump = asyncio.create_task(_Follower(client, run, store, pick, queue).run())
    try:
        while True:
            item = await queue.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)


class _Follower:
    def __init__(
        self,
        client: Client,
        run: str,
        store: Store | None,
        pick: Pick,
        queue: "asyncio.Queue[Event | BaseException | None]",
    ) -> None:
        self._client, self._run, self._store, self._pick, self._queue = client, run, store, pick, queue
        self._readers: dict[str, asyncio.Task[None]] = {}
        self._ended: dict[str, bool] = {}

    async def run(self) -> None:
        try:
            final = await self._follow_record()
            await asyncio.gather(*self._readers.values())
            await self._queue.put(final)
            await self._queue.put(None)
        except Exception as error:  # noqa: BLE001 - handed to the reader of the queue, who raises it
            await self._queue.put(error)
        finally:
            for reader in self._readers.values():
                reader.cancel()

    async def _follow_record(self) -> RunRecord:
        last: RunRecord | None = None
        while True:
            now = await self._patient_record()
            self._read_logs(now)
            if now.status not in ("pending", "running"):
                return now
            if now != last:
                await self._let_logs_go_first()
                await self._queue.put(now)
                last = now
            await asyncio.sleep(INTERVAL)

    async def _patient_record(self) -> RunRecord:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        told = False
        while True:
            try:
                return await record(self._client, self._run)
            except Unreachable as error:
                if loop.time() > deadline:
                    raise
                if not told:
                    await self._queue.put(Trouble(str(error)))
                    told = True
            await asyncio.sleep(INTERVAL)

    def _read_logs(self, now: RunRecord) -> None:
        if self._store is None:
            return
        for source in self._pick(now):
            self._ended[source.prefix] = not source.running or now.status not in ("pending", "running")
            if source.prefix not in self._readers:
                self._readers[source.prefix] = asyncio.create_task(self._read(self._store, source))

    async def _let_logs_go_first(self) -> None:
        """A job's last lines reach the reader before the news that it has ended."""
        ending = [task for prefix, task in self._readers.items() if self._ended[prefix] and not task.done()]
        if ending:
            await asyncio.wait(ending, timeout=LOG_WAIT)

    async def _read(self, store: Store, source: LogSource) -> None:
        try:
            async for line in LogReader(store, source.prefix).follow(lambda: self._ended[source.prefix]):
                entry = LogEntry(source.job, source.try_number, line.timestamp, line.text, source.service)
                await self._queue.put(entry)
        except StoreError as error:
            await self._queue.put(Trouble(f"the log of '{source.job}' cannot be read: {error}"))
