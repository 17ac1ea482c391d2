"""A worker as `orca worker` makes it, of its settings' version, but with an engine in memory: see `House`.

A process of its own, told by its environment, until SIGTERM.
"""

import asyncio
import logging
import os
import signal

from orchestrator.client.connect import connect
from orchestrator.client.leave import leave
from tests.support.house import House
from workers.main import serve
from workers.settings import Settings
from workers.stopping import Stop


async def main() -> None:
    logging.basicConfig(level=logging.INFO)
    stop = Stop()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.ask)
    await serve(await connect(), Settings.from_env(os.environ), House().engine, stop=stop)


if __name__ == "__main__":
    asyncio.run(main())
    leave(0)
