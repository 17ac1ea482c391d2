"""A stream of bytes from the engine in memory."""


class Chunks:
    """`ByteStream` over bytes that are there."""

    def __init__(self, data: bytes) -> None:
        self._pieces = iter([data[start : start + 1000] for start in range(0, len(data), 1000)])

    def __iter__(self) -> "Chunks":
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        self._pieces = iter([])
