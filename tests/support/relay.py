"""A way to the server that a test can cut, as when a host loses its network."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Relay:
    """Passes connections on to a server.

    Attributes:
        address: where it listens.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._cut = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.address = ""

    def cut(self) -> None:
        """Break off all connections, and take none until `mend`."""
        self._cut = True
        for task in self._tasks:
            task.cancel()

    def mend(self) -> None:
        """Take connections again."""
        self._cut = False

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        if self._cut:
            writer.close()
            return
        host, _, port = self._server.rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        for source, target in ((reader, back), (there, writer)):
            task = asyncio.create_task(_copy(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(64 * 1024):
            target.write(data)
            await target.drain()
    except (ConnectionError, asyncio.CancelledError):
        return  # The other side has gone, or the relay was cut: this connection is at its end.
    finally:
        target.transport.abort()


@asynccontextmanager
async def relaying(server: str) -> AsyncGenerator[Relay]:
    """A relay to that server for the block."""
    relay = Relay(server)
    listening = await asyncio.start_server(relay.pass_on, "127.0.0.1", 0)
    relay.address = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        listening.close()
        relay.cut()
