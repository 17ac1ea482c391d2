"""Bytes to text that the YAML reader can take: size, encoding, control characters, line breaks.

Pure. Positions here are (line, column), both from 0, as the YAML reader counts them.
"""

import re
from typing import Final

MAX_BYTES: Final = 10_000_000
"""A spec's largest size. Larger files are refused before anything reads them."""

_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NOT_ALLOWED: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class TextError(Exception):
    """The text cannot be read. `line` and `column` count from 0."""

    def __init__(self, code: str, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column


def decode(data: str | bytes) -> str:
    """The text of `data`, without a byte order mark.

    Raises:
        TextError: it is too large, not UTF-8, or holds a character that YAML does not allow.
    """
    _check_size(len(data))
    if isinstance(data, bytes):
        data = _from_utf8(data)
    else:
        _check_size(len(data.encode("utf-8", "surrogatepass")))
    text = data.removeprefix("\ufeff")
    bad = _NOT_ALLOWED.search(text)
    if bad is not None:
        line, column = place(text, bad.start())
        raise TextError(
            "E003", f"the character U+{ord(bad[0]):04X} is not allowed in YAML; remove it", line, column
        )
    return text


def lines(text: str) -> list[str]:
    """The lines of `text`, broken where YAML breaks them."""
    return _BREAK.split(text)


def place(text: str, index: int) -> tuple[int, int]:
    """Line and column, from 0, of the character at `index`."""
    before = _BREAK.split(text[:index])
    return len(before) - 1, len(before[-1])


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise TextError(
            "E001",
            f"the file is larger than {MAX_BYTES // 1_000_000} MB, which is the most that a spec may have; "
            "put data into the workspace and let a job read it",
        )


def _from_utf8(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TextError("E002", "the file is UTF-16 text; save it as UTF-8")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = place(before, len(before))
        raise TextError(
            "E002",
            f"the file is not UTF-8 text: byte 0x{data[error.start]:02x} does not belong; save it as UTF-8",
            line,
            column,
        ) from None
