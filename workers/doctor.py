"""`python -m workers.doctor`: says as JSON how this host is, with the eyes of a worker, and what its reaper would do.

With `--reap` it does that now. A process of its own, since the command line never imports workers.
"""

import asyncio
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from temporalio.client import Client

from orchestrator.client.connect import connect
from orchestrator.client.leave import leave
from orchestrator.contract.doctor import EngineReport, HostReport, LeftOver
from orchestrator.contract.times import parse_rfc3339
from orchestrator.errors import EngineError, OrcaError
from orchestrator.store.store import open_store
from workers.engine.docker_host import DockerHost
from workers.engine.host import HostEngine
from workers.reaping.act import Act
from workers.reaping.asking import Asking, namespace_of
from workers.reaping.ledger import Finding
from workers.reaping.look import Look
from workers.reaping.reaper import Reaper, mark_of
from workers.settings import REAP_GRACE, Settings
from workers.supervision.threads import Threads

THREADS = 12
"""For the engine's blocking calls."""


def main() -> NoReturn:
    """Print a `HostReport` and end with 0, or say on stderr why there is none and end with an error's exit code."""
    try:
        report = asyncio.run(_main(reap="--reap" in sys.argv[1:]))
    except OrcaError as error:
        sys.stderr.write(f"{error}\n")
        leave(error.exit_code)
    sys.stdout.write(report.model_dump_json())
    leave(0)


async def _main(*, reap: bool) -> HostReport:
    settings, engine = Settings.from_env(os.environ), DockerHost()
    report = HostReport(host=settings.host_id, engine=_engine_report(engine), grace=settings.reap_grace)
    if report.engine.error:
        return report.model_copy(update={"blind": "the engine does not answer"})
    try:
        client = await connect()
    except OrcaError as error:
        return report.model_copy(update={"blind": str(error)})
    try:
        found = await left_overs(client, settings, engine, reap=reap)
    except OrcaError as error:
        return report.model_copy(update={"blind": str(error)})
    return report.model_copy(update={"found": tuple(found)})


async def left_overs(client: Client, settings: Settings, engine: HostEngine, *, reap: bool) -> list[LeftOver]:
    """What is on the engine, and what becomes of it; with `reap` that is done now.

    Raises:
        EngineError: the engine does not answer.
        StoreError: the store cannot be opened.
    """
    home = await namespace_of(client)
    with ThreadPoolExecutor(THREADS) as pool:
        threads = Threads(pool)
        look = Look(engine, threads, open_store(settings.store), home=home, answers=Asking(client, home))
        grace = REAP_GRACE if settings.reap_grace is None else settings.reap_grace
        mark = mark_of(engine.address, home)
        reaper = Reaper(look, Act(engine, threads), home=settings.home, mark=mark, grace=grace)
        found = await reaper.findings()
        failed = await reaper.reap(found) if reap else {}
    never = settings.reap_grace is None
    return [
        _told(finding, reap=reap, failed=failed.get(finding.thing.id, ""), never=never) for finding in found
    ]


def _told(finding: Finding, *, reap: bool, failed: str, never: bool) -> LeftOver:
    thing, verdict = finding.thing, finding.verdict
    owner = thing.owner
    return LeftOver(
        kind=thing.kind,
        id=thing.id,
        name=thing.name,
        run=owner.run if owner else "",
        of=owner.key if owner else "",
        fate=verdict.fate,
        why=verdict.why,
        wait=None if never and not reap else finding.wait,
        done=reap and finding.wait is not None and not failed,
        failed=failed,
    )


def _engine_report(engine: DockerHost) -> EngineReport:
    before = datetime.now(UTC)
    try:
        facts = engine.facts()
    except EngineError as error:
        return EngineReport(address=engine.address, error=str(error))
    # In the middle of asking, as well as one can tell.
    here = before + (datetime.now(UTC) - before) / 2
    free = size = None
    # Only an engine behind a socket of this machine keeps its folder here.
    if engine.address.startswith(("unix://", "http+unix://")) and Path(facts.root).is_dir():
        usage = shutil.disk_usage(facts.root)
        free, size = usage.free, usage.total
    return EngineReport(
        address=engine.address,
        version=facts.version,
        root=facts.root,
        free=free,
        size=size,
        ahead=(parse_rfc3339(facts.clock) - here).total_seconds(),
    )


if __name__ == "__main__":
    main()
