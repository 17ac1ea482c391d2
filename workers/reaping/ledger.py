"""Since when something has been of no use: it goes only when that has been so for a while. Pure but for its file."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import FiniteFloat, TypeAdapter, ValidationError

from workers.reaping.decide import Verdict
from workers.reaping.things import Thing

DOUBTFUL = 6
"""How many times as long what the server does not know at all is waited out."""
_LOOK: Final = ""
"""The key of the time of the last look, beside the things' ids."""
_SEEN: Final = TypeAdapter(dict[str, FiniteFloat])


@dataclass(frozen=True)
class Finding:
    """Something on this host, and what becomes of it."""

    thing: Thing
    verdict: Verdict
    wait: float | None = None
    """Seconds until that is done; 0: now. None: nothing is done."""


def findings(
    decided: Iterable[tuple[Thing, Verdict]], seen: Mapping[str, float], *, now: float, grace: float
) -> list[Finding]:
    """With how long each has to wait.

    Args:
        decided: everything that was found.
        seen: since when what is of no use has been so: seconds since 1970 by the thing's id.
        now: the time.
        grace: how long that has to be so, in seconds.
    """
    found: list[Finding] = []
    for thing, verdict in decided:
        if verdict.fate not in ("remove", "stop"):
            found.append(Finding(thing, verdict))
            continue
        # A clock that was set back would otherwise let it wait for as long.
        since = min(seen.get(thing.id, now), now)
        limit = grace * DOUBTFUL if verdict.doubtful else grace
        found.append(Finding(thing, verdict, wait=max(0.0, since + limit - now)))
    return found


def remembered(found: Iterable[Finding], seen: Mapping[str, float], *, now: float) -> dict[str, float]:
    """What to keep until the next look: one that is of use again begins anew."""
    kept = {
        finding.thing.id: min(seen.get(finding.thing.id, now), now)
        for finding in found
        if finding.wait is not None
    }
    return {**kept, _LOOK: now} if kept else {}


def counted(seen: Mapping[str, float], *, now: float, most: float) -> dict[str, float]:
    """What was kept, as if at most `most` seconds had passed since: only what was looked at counts.

    More than that has passed where a clock was set forward, the host slept, or no worker was there.
    """
    if not seen:
        return {}
    # One that does not tell was kept by an older version.
    last = seen.get(_LOOK, max(seen.values()))
    unseen = max(0.0, now - last - most)
    return {thing: since + unseen for thing, since in seen.items() if thing != _LOOK}


def read(file: Path) -> dict[str, float]:
    """What an earlier look kept; nothing where that cannot be read: then the grace begins anew."""
    try:
        return _SEEN.validate_json(file.read_bytes(), strict=True)
    except (OSError, ValidationError):
        return {}


def write(file: Path, seen: Mapping[str, float]) -> None:
    """Keep it. Raises OSError."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_bytes(_SEEN.dump_json(dict(seen)))
    fresh.replace(file)
