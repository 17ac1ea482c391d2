"""One round: a run on real parts that are broken while it goes on, and what is seen once all parts are there again."""

import asyncio
import json
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from docker.errors import DockerException
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from orchestrator.client.connect import connect_embedded
from orchestrator.client.prepare import check, prepare
from orchestrator.client.runs import submit
from orchestrator.client.takers import has_worker
from orchestrator.contract.names import DEFAULT_TASK_QUEUE
from orchestrator.embedded.home import Home
from orchestrator.errors import OrcaError, TemporalUnreachable
from orchestrator.store.store import open_store
from tests.chaos import looking, people, workflow
from tests.chaos.breaking import Breaking, Done
from tests.chaos.faults import Schedule
from tests.chaos.invariants import adoptions, broken, lost_tries
from tests.chaos.lab import Breakable, Engine, Lab, Server, Worker
from tests.chaos.lines import torn_lines
from tests.chaos.seen import RunSeen, Seen
from tests.support.cli import Orca

END_LIMIT: Final = 240.0
"""Seconds after submission within which a run has to end, whatever is broken. A quiet machine needs far less."""
SWEEP_LIMIT: Final = 20.0
"""Seconds after the run's end within which the host has to be empty."""
READY_LIMIT: Final = 180.0
"""Seconds that server and worker may take to be there before a round, on a machine with much else to do."""


@dataclass(frozen=True)
class Result:
    """What came of a round."""

    schedule: Schedule
    run: str
    breaches: tuple[str, ...]
    """Empty: all invariants hold."""
    done: tuple[Done, ...]
    seconds: float
    """From submission to the run's end."""
    adoptions: int
    lost: int
    """Tries whose container was taken away by an engine, or lost sight of."""
    lost_functions: int
    """Tries whose function ended with its worker."""
    torn: int
    """Lines that an engine lost as it was killed."""
    starts: int
    """Of containers."""
    idle: int
    """Those of them after which nothing had begun."""
    unremovable: int
    """Containers that their engine could not remove."""
    ended_by_itself: int
    """Times that a worker which could not reach its server ended, and was started again."""
    evidence: Path | None
    """Where it is kept; None where it is not."""


@dataclass
class _Round:
    """The parts of one round."""

    lab: Lab
    schedule: Schedule
    folder: Path
    server: Server = field(init=False)
    worker: Worker = field(init=False)
    breaking: Breaking = field(init=False)
    troubles: list[str] = field(default_factory=list[str])
    run: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Nothing is started yet."""
        self.folder.mkdir(parents=True)
        orca = Orca(self.folder / "home", {"ORCA_STORE": str(self.folder / "store")})
        orca.home.mkdir()
        self.calls.touch()
        self.server = Server(Home(orca.home), port=self.lab.port, ui_port=self.lab.ui_port)
        self.worker = Worker(self.lab.host, orca, port=self.lab.port, calls=self.calls)
        parts: dict[Any, Breakable] = {
            "worker": self.worker, "server": self.server, "engine": Engine(self.lab.host),
        }  # fmt: skip
        self.breaking = Breaking(parts, self.worker)

    @property
    def calls(self) -> Path:
        return self.folder / "calls"

    async def play(self) -> Seen:
        """To its end, or to where it is stuck."""
        client = await self._start()
        store = open_store(str(self.folder / "store"))
        prepared = await prepare(check(workflow.write(self.folder), []), store=store)
        self.run = await submit(client, prepared, task_queue=DEFAULT_TASK_QUEUE, submitted_by="chaos")
        began = time.monotonic()
        beside = [
            asyncio.create_task(people.act(client, self.run, self.troubles)),
            asyncio.create_task(self.breaking.look_after_worker()),
        ]
        faults = asyncio.create_task(self.breaking.run(self.schedule.faults))
        stuck = ""
        try:
            async with asyncio.timeout(END_LIMIT):
                await _until_closed(client, self.run)
        except TimeoutError:
            stuck = f"run '{self.run}' had not ended after {END_LIMIT:.0f} s"
        self.seconds = time.monotonic() - began
        try:
            faults.cancel()
            await asyncio.wait({faults})
            if not faults.cancelled() and (error := faults.exception()) is not None:
                raise error
            beside[0].cancel()
            # The worker is looked after until the host is empty: it may just be starting again.
            left = () if stuck else await self._left()
            dead = await asyncio.to_thread(self.lab.host.dead)
            runs = await self._runs(client, stuck=stuck)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        return Seen(
            schedule=self.schedule,
            done=tuple(self.breaking.done),
            stuck=stuck,
            runs=runs,
            starts=looking.starts(self.lab.host.starts),
            calls=tuple(self.calls.read_text().splitlines()),
            left=left,
            own_ends=tuple(self.worker.own_ends),
            unremovable=tuple(name for name in dead if self.run in name),
        )

    async def _start(self) -> Client:
        await asyncio.to_thread(self.server.start)
        async with asyncio.timeout(READY_LIMIT):
            client = await _connected(f"127.0.0.1:{self.lab.port}")
            await asyncio.to_thread(self.worker.start)
            while not await has_worker(client, DEFAULT_TASK_QUEUE):
                await asyncio.sleep(0.1)
        return client

    async def _left(self) -> tuple[str, ...]:
        deadline = time.monotonic() + SWEEP_LIMIT
        while left := await asyncio.to_thread(self._unwanted):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.3)
        return tuple(left)

    def _unwanted(self) -> list[str]:
        """What is there of orca's, but for what its engine cannot remove: that may be of an earlier round too."""
        dead = self.lab.host.dead()
        return [name for name in self.lab.host.left() if name not in dead]

    async def _runs(self, client: Client, *, stuck: str) -> tuple[RunSeen, ...]:
        """What is seen of a stuck run is evidence alone."""
        store = open_store(str(self.folder / "store"))
        if not stuck:
            return await looking.runs_of(client, store, self.run, evidence=self.folder)
        with suppress(OrcaError, RPCError, OSError):
            await looking.runs_of(client, store, self.run, evidence=self.folder)
        return ()

    async def end(self) -> None:
        """Bring what runs to its end, and the logs into the folder."""
        with suppress(AssertionError):
            await asyncio.to_thread(self.worker.stop)
        await asyncio.to_thread(self.server.stop)
        for name in ("log", "worker.log"):
            source = self.lab.host.logs / name
            if source.exists():
                shutil.copy(source, self.folder / f"host-{name}")
                source.write_text("")

    def keep(self, breaches: list[str], seen: Seen | None) -> None:
        """Write down what nothing else tells."""
        told = {
            "seed": self.schedule.seed,
            "round": self.schedule.number,
            "live_restore": self.schedule.live_restore,
            "run": self.run,
            "breaches": breaches,
            "schedule": [str(fault) for fault in self.schedule.faults],
            "done": [vars(done) for done in self.breaking.done],
            "troubles": self.troubles,
            "left": [] if seen is None else seen.left,
            "starts": [] if seen is None else [vars(start) for start in seen.starts],
            "calls": [] if seen is None else seen.calls,
            "own_ends": [vars(end) for end in self.worker.own_ends],
        }
        (self.folder / "round.json").write_text(json.dumps(told, indent=1))


async def run_round(lab: Lab, schedule: Schedule, *, folder: Path, keep: bool = False) -> Result:
    """Play one round in a lab.

    Args:
        lab: where; it is left empty.
        schedule: which.
        folder: a new folder for all that it leaves; removed where all is well, unless told to `keep` it.
        keep: see above.
    """
    await asyncio.to_thread(lab.ready, live_restore=schedule.live_restore)
    one = _Round(lab, schedule, folder)
    seen: Seen | None = None
    try:
        seen = await one.play()
        breaches = broken(seen)
    except Exception as error:  # noqa: BLE001 - whatever ends a round is a finding, and the next one is played
        breaches = [f"the round could not be played: {type(error).__name__}: {error}"]
    finally:
        await one.end()
    one.keep(breaches, seen)
    if breaches:
        (folder / "containers.txt").write_text(await asyncio.to_thread(_containers, lab))
    await asyncio.to_thread(lab.sweep)
    kept = bool(breaches) or keep
    if not kept:
        shutil.rmtree(folder)
    return Result(
        schedule=schedule,
        run=one.run,
        breaches=tuple(breaches),
        done=tuple(one.breaking.done),
        seconds=one.seconds,
        adoptions=0 if seen is None else adoptions(seen),
        lost=0 if seen is None else lost_tries(seen, "container"),
        lost_functions=0 if seen is None else lost_tries(seen, "call"),
        torn=0 if seen is None else torn_lines(seen),
        starts=0 if seen is None else len(seen.starts),
        idle=0 if seen is None else sum(start.idle for start in seen.starts),
        unremovable=0 if seen is None else len(seen.unremovable),
        ended_by_itself=len(one.worker.own_ends),
        evidence=folder if kept else None,
    )


async def _connected(address: str) -> Client:
    """A server whose port answers may not be ready for long on a busy machine."""
    while True:
        with suppress(TemporalUnreachable):
            return await connect_embedded(address)


async def _until_closed(client: Client, run: str) -> None:
    handle = client.get_workflow_handle(run)
    while True:
        with suppress(RPCError):
            found = await handle.describe(rpc_timeout=timedelta(seconds=3))
            if found.status is not WorkflowExecutionStatus.RUNNING:
                return
        await asyncio.sleep(0.1)


def _containers(lab: Lab) -> str:
    """What `docker ps --all` would say; where a fault was cut short its engine may be away."""
    try:
        with lab.host.engine() as engine:
            found = engine.containers.list(all=True, ignore_removed=True)
    except DockerException as error:
        return f"the engine does not answer: {error}\n"
    return "".join(f"{one.name} {one.status} {one.labels}\n" for one in found)
