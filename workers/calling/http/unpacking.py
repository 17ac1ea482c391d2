"""Unpacks an answer's body as it comes, never further than a limit. Pure."""

import zlib
from typing import Final

ACCEPTED: Final = "gzip"
"""How requests say that an answer may be packed."""
_WINDOWS: Final = {
    "": 0,
    "gzip": zlib.MAX_WBITS | 16,
    "x-gzip": zlib.MAX_WBITS | 16,
    "deflate": zlib.MAX_WBITS,
}
"""What zlib is told of each way to pack."""
_SLACK: Final = 64 * 1024
"""Bytes by which what is packed may exceed what it unpacks to: headers, and blocks that could not be made smaller."""


class TooLarge(Exception):
    """The body is larger than its limit."""


class Damaged(Exception):
    """The body is not packed as its answer says, or is cut off."""


class Unknown(Exception):
    """The body is packed in a way that is not known here."""


class Body:
    """A body that arrives in parts.

    Args:
        encoding: the answer's `content-encoding`. One layer of gzip or deflate is unpacked: with more of them a body
            could grow a thousandfold from each to the next, before any limit sees it.
        limit: bytes that it may unpack to, and about as many may arrive.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        layers = [
            name for part in encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")
        ]
        self._window = _WINDOWS.get(",".join(layers))
        self._limit = limit
        self._arrived = 0
        self._unpacked = bytearray()
        self._inflating = zlib.decompressobj(self._window or zlib.MAX_WBITS)

    def take(self, part: bytes) -> None:
        """Add what arrived.

        Raises:
            TooLarge: it is more than the limit.
            Damaged: it cannot be unpacked.
            Unknown: it cannot be unpacked here.
        """
        if self._window is None:
            raise Unknown
        if not self._window:
            self._unpacked += part
        else:
            self._inflate(part)
        self._arrived += len(part)
        # A packed body may go on without end and unpack to nothing.
        if len(self._unpacked) > self._limit or self._arrived > self._limit + _SLACK:
            raise TooLarge

    def whole(self) -> bytes:
        """All of it, once it has arrived.

        Raises:
            Damaged: its end is missing.
        """
        if self._window and self._arrived and not self._inflating.eof:
            raise Damaged
        return bytes(self._unpacked)

    def _inflate(self, part: bytes) -> None:
        assert self._window
        if self._window == zlib.MAX_WBITS and not self._arrived and part and part[0] & 0x0F != zlib.DEFLATED:
            # Some servers send deflate without the header that the standard asks for.
            self._inflating = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            while part and len(self._unpacked) <= self._limit:
                if self._inflating.eof:
                    # A gzip file may consist of several.
                    self._inflating = zlib.decompressobj(self._window)
                # One byte more than may be tells that there is too much.
                self._unpacked += self._inflating.decompress(part, self._limit + 1 - len(self._unpacked))
                part = self._inflating.unused_data
        except zlib.error as error:
            raise Damaged from error
