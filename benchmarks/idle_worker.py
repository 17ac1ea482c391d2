"""orca's own worker on an engine that does nothing: `python -m benchmarks.idle_worker`.

Settings come from the environment as for any worker.
"""

import asyncio
import os

from orchestrator.client.connect import connect, ensure_search_attributes
from tests.support.memory_host import MemoryHost
from workers.main import serve
from workers.settings import Settings
from workers.stopping import Stop


async def main() -> None:
    """Serve until killed."""
    client = await connect()
    await ensure_search_attributes(client)
    engine = MemoryHost()
    await serve(client, Settings.from_env(os.environ), engine, stop=Stop())


if __name__ == "__main__":
    asyncio.run(main())
