"""Reads `$ORCA_OUTPUT` with GitHub's grammar: lines `name=value`, and blocks `name<<MARK` … `MARK`."""

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.contract.messages import MAX_OUTPUT_BYTES
from workers.supervision.tar_stream import read_tar

MAX_FILE_BYTES: Final = 1024 * 1024
"""Of the file itself; names written twice and block marks may make it larger than the outputs."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LINE: Final = re.compile(r"([^\r\n]*)(\r\n|\n|\r|$)")


class BadOutputs(Exception):
    """The file cannot be taken; the message says why, in a sentence for people."""


def read_output_file(chunks: Iterator[bytes]) -> dict[str, str]:
    """Outputs from the engine's archive of the output file.

    Raises:
        BadOutputs: the file is malformed, too large, or no file.
    """
    with read_tar(chunks) as archive:
        member = archive.next()
        content = None if member is None or not member.isreg() else archive.extractfile(member)
        if member is None or content is None:
            raise BadOutputs("$ORCA_OUTPUT is not a regular file any more")
        if member.size > MAX_FILE_BYTES:
            raise BadOutputs(f"$ORCA_OUTPUT has {member.size} bytes; use an artifact for large data")
        data = content.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadOutputs(
            f"$ORCA_OUTPUT is not UTF-8 (at byte {error.start}); use an artifact for it"
        ) from error
    return parse_outputs(text)


def parse_outputs(text: str) -> dict[str, str]:
    """Names and values in the order of first writing; the last value written under a name counts.

    Raises:
        BadOutputs: a line has neither form, a name is not one, a block has no end, or all is too large.
    """
    outputs: dict[str, str] = {}
    lines = _Lines(text)
    while (line := lines.next()) is not None:
        if not line:
            continue
        equals, block = line.find("="), line.find("<<")
        if equals >= 0 and (block < 0 or equals < block):
            name, value = line[:equals], line[equals + 1 :]
        elif block >= 0:
            name, value = line[:block], _block(lines, line[:block], mark=line[block + 2 :])
        else:
            raise BadOutputs(f"line {lines.number} is neither 'name=value' nor 'name<<MARK': '{line[:80]}'")
        if not _NAME.fullmatch(name):
            raise BadOutputs(
                f"line {lines.number}: '{name[:80]}' cannot be an output's name; use letters, digits, '_' and '-',"
                " not beginning with a digit"
            )
        outputs[name] = value
    size = sum(len(name.encode()) + len(value.encode()) for name, value in outputs.items())
    if size > MAX_OUTPUT_BYTES:
        raise BadOutputs(
            f"the outputs take {size} bytes, the limit is {MAX_OUTPUT_BYTES}; use an artifact for large data"
        )
    return outputs


def _block(lines: "_Lines", name: str, *, mark: str) -> str:
    start = lines.number
    if not mark:
        raise BadOutputs(f"line {start}: '{name[:80]}<<' needs a mark after '<<'")
    value, ending = "", ""
    while (line := lines.next()) is not None:
        if line == mark:
            return value
        value, ending = value + ending + line, lines.ending
    raise BadOutputs(f"line {start}: the block of '{name[:80]}' has no end line '{mark[:80]}'")


class _Lines:
    """Lines of a text one by one, with the line ends they had."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self.number = 0
        self.ending = ""

    def next(self) -> str | None:
        if self._place >= len(self._text):
            return None
        found = _LINE.match(self._text, self._place)
        assert found is not None
        self._place = found.end()
        self.number += 1
        self.ending = found[2]
        return found[1]
