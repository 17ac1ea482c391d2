"""A host as a process of its own, for a test that kills it in the middle of a job: what it does is taken from `House`.

Arguments: the server's address, the task queue, and the folder of the store.
"""

import asyncio
import sys

from orchestrator.client.connect import connect
from tests.support.house import House
from tests.support.serving import serving


async def main(address: str, queue: str, store_folder: str, *, decides: bool = False) -> None:
    client = await connect(address)
    async with serving(
        store_folder, client, engine=House().engine, queue=queue, host="first", decides=decides
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
