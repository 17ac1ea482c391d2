"""After a container's end: looks whether that was its own, and stops what was started again."""

import asyncio
from typing import Final

from workers.engine.interface import ObservedContainer
from workers.supervision import verdict
from workers.supervision.site import Site
from workers.supervision.verdict import End, Foul

_LATER: Final = (0.2, 0.3, 0.7, 1.8)
"""Seconds before each further look: a removal or a restart by hand takes the container down first."""


async def look_back(site: Site, end: End, *, grace: float) -> tuple[ObservedContainer | None, Foul | None]:
    """What the container is like after its end, where that is worth a look, and what speaks against its own end.

    One that was started again is stopped, with `grace` seconds.

    Raises:
        EngineUnreachable: the engine went away. Its end is to be looked at once more when it is back.
    """
    if not verdict.doubtful(end):
        return None, None
    observed = await site.threads.call(site.engine.inspect, end.container)
    for pause in _LATER:
        if not verdict.unsettled(end, observed):
            break
        await asyncio.sleep(pause)
        observed = await site.threads.call(site.engine.inspect, end.container)
    foul = verdict.judge(end, observed)
    if foul is None and observed is not None and verdict.asks_for_engine(end):
        began = await site.threads.call(site.engine.engine_started)
        foul = verdict.judge_engine(end, observed, began)
    if foul is not None and foul.runs:
        await site.threads.call(site.engine.stop, end.container, grace=grace)
    return observed, foul
