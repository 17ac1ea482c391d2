"""The loop that keeps a host tidy, once for each engine and namespace however many workers there are."""

import asyncio
import fcntl
import logging
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

from orchestrator.errors import EngineError
from orchestrator.ids import short_hash
from workers.reaping import ledger
from workers.reaping.act import Act
from workers.reaping.home_files import remove_old_files
from workers.reaping.ledger import Finding
from workers.reaping.look import Look
from workers.supervision.identity import Namespace

log = logging.getLogger("orca.reaping")

LONGEST_PAUSE: Final = 60.0
"""Seconds between two looks."""
SHORTEST_PAUSE: Final = 0.5
LOOKS: Final = 10
"""Looks during one grace, where that is short."""


class Reaper:
    """Looks again and again, and does what has been due for long enough.

    Args:
        look: says what there is.
        act: does what is due.
        home: the state folder, where it keeps what it has seen.
        mark: names the engine and the namespace, see `mark_of`.
        grace: how long something must have been of no use, in seconds.
    """

    def __init__(self, look: Look, act: Act, *, home: Path, mark: str, grace: float) -> None:
        self._look, self._act, self._grace = look, act, grace
        self._pause = min(max(grace / LOOKS, SHORTEST_PAUSE), LONGEST_PAUSE)
        self._home = home
        self._lock, self._file = home / f"reaper-{mark}.lock", home / f"reaper-{mark}.json"
        self._silent = False

    async def run(self) -> NoReturn:
        """Until it is cancelled. Nothing that goes wrong ends it."""
        while True:
            with self._alone() as alone:
                while alone:
                    await self._borne(self._once)
                    await asyncio.sleep(self._pause)
            await asyncio.sleep(self._pause)

    async def findings(self) -> list[Finding]:
        """What there is, and how long each has to wait. Changes nothing. Raises EngineError."""
        decided = await self._look.run()
        now = time.time()
        return ledger.findings(decided, self._seen(now), now=now, grace=self._grace)

    async def reap(self, found: list[Finding]) -> dict[str, str]:
        """Do all that is to be done, due or not. Gives what could not be done: why, by the thing's id."""
        return await self._act.run([finding for finding in found if finding.wait is not None])

    async def _once(self) -> None:
        now = time.time()
        seen = self._seen(now)
        found = ledger.findings(await self._look.run(), seen, now=now, grace=self._grace)
        kept = ledger.remembered(found, seen, now=now)
        if kept or seen:
            ledger.write(self._file, kept)
        await self._act.run([finding for finding in found if finding.wait == 0])
        remove_old_files(self._home)

    def _seen(self, now: float) -> dict[str, float]:
        """Since when each thing has been of no use. Looking takes time as well, which counts up to another pause."""
        return ledger.counted(ledger.read(self._file), now=now, most=2 * self._pause)

    async def _borne(self, step: Callable[[], Awaitable[None]]) -> None:
        """An engine or a disk that fails now may answer at the next look; said once."""
        try:
            await step()
        except (EngineError, OSError) as error:
            self._complain(str(error))
        except Exception:
            log.exception("looking for leftovers failed; it is tried again")
        else:
            self._silent = False

    def _complain(self, why: str) -> None:
        log.log(logging.DEBUG if self._silent else logging.WARNING, "leftovers are not looked for: %s", why)
        self._silent = True

    @contextmanager
    def _alone(self) -> Generator[bool]:
        """Whether this is the only one; if it is, until the block's end."""
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            lock = self._lock.open("a+")
        except OSError as error:
            self._complain(f"'{self._lock}' cannot be written: {error.strerror or error}")
            yield False
            return
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True


def mark_of(engine: str, namespace: Namespace) -> str:
    """Tells the reapers of a host apart: by the engine's address and the namespace."""
    return short_hash(engine, namespace.name, namespace.id)
