"""A worker that only decides, as a process that can be killed: `python -m tests.support.deciding ADDRESS QUEUE`."""

import asyncio
import sys

from orchestrator.client.connect import connect
from tests.support.serving import worker_of


async def main(address: str, queue: str) -> None:
    async with worker_of(await connect(address), queue):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
