"""What the engine sends piece by piece, and how reading it is ended from outside."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import requests

from workers.engine.docker_errors import translated

_ARCHIVE_CHUNK: Final = 1024 * 1024


class Body:
    """A response's body as a `ByteStream`."""

    def __init__(self, response: requests.Response, address: str, action: str) -> None:
        self._response = response
        self._chunks: Iterator[bytes] = iter(response.raw.stream(_ARCHIVE_CHUNK))
        self._address = address
        self._action = action

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with translated(self._address, self._action):
            chunk = next(self._chunks, b"")
        if not chunk:
            self.close()
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Let go of it."""
        self._response.close()


def hang_up(response: requests.Response) -> None:
    """End the reading of `response` in another thread."""
    with suppress(ValueError, RuntimeError, OSError):  # It was read to its end already.
        response.raw.shutdown()
