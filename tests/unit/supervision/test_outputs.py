import io
import tarfile

import pytest

from orchestrator.contract.messages import MAX_OUTPUT_BYTES
from workers.supervision.outputs import MAX_FILE_BYTES, BadOutputs, parse_outputs, read_output_file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("\n\n", {}),
        ("a=1\n", {"a": "1"}),
        ("a=1", {"a": "1"}),
        ("a=\nb==x=\n", {"a": "", "b": "=x="}),
        ("a= spaced \r\nb=2\r\n", {"a": " spaced ", "b": "2"}),
        ("a=1\nb=2\na=3\n", {"a": "3", "b": "2"}),
        ("a=x<<y\n", {"a": "x<<y"}),
        ("a<<E\none\n\n two=2\nE\nb=1\n", {"a": "one\n\n two=2", "b": "1"}),
        ("a<<E\nE\n", {"a": ""}),
        ("a<<E\r\none\r\ntwo\r\nE\r\n", {"a": "one\r\ntwo"}),
        ("a<<E=F\nx\nE=F\n", {"a": "x"}),
        ("a<<b<<c\nx\nb<<c", {"a": "x"}),
        (
            "PATH=/x\nLD_PRELOAD=y\nORCA_x-y=z\n_=1\n",
            {"PATH": "/x", "LD_PRELOAD": "y", "ORCA_x-y": "z", "_": "1"},
        ),
        ("a=ü\n", {"a": "ü"}),
    ],
)
def test_what_is_taken(text: str, expected: dict[str, str]) -> None:
    assert parse_outputs(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=1\nnonsense\n", "line 2 is neither 'name=value' nor 'name<<MARK': 'nonsense'"),
        ("a<<E\nx\ny\n", "line 1: the block of 'a' has no end line 'E'"),
        ("a<<\nx\n", "line 1: 'a<<' needs a mark after '<<'"),
        ("=1\n", "line 1: '' cannot be an output's name"),
        (" a=1\n", "line 1: ' a' cannot be an output's name"),
        ("1a=1\n", "line 1: '1a' cannot be an output's name"),
        ("a.b=1\n", r"line 1: 'a\.b' cannot be an output's name"),
        ("a=" + "x" * MAX_OUTPUT_BYTES, f"the outputs take {MAX_OUTPUT_BYTES + 1} bytes"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadOutputs, match=message):
        parse_outputs(text)


def test_the_limit_is_on_what_remains() -> None:
    most = "x" * (MAX_OUTPUT_BYTES - 1)
    assert parse_outputs(f"a={most}\na={most}\n") == {"a": most}


def archive(data: bytes = b"", **changes: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("output")
        entry.size = len(data)
        for name, value in changes.items():
            setattr(entry, name, value)
        tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def test_the_file_comes_in_an_archive() -> None:
    data = archive("\ufeffa=1\n".encode())
    assert read_output_file(iter([data[:700], data[700:]])) == {"a": "1"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (archive(type=tarfile.SYMTYPE, linkname="/etc/passwd"), "is not a regular file any more"),
        (archive(type=tarfile.DIRTYPE), "is not a regular file any more"),
        (archive(b"a=\xff"), r"is not UTF-8 \(at byte 2\)"),
        (archive(b"x" * (MAX_FILE_BYTES + 1)), f"has {MAX_FILE_BYTES + 1} bytes; use an artifact"),
    ],
)
def test_files_that_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(BadOutputs, match=message):
        read_output_file(iter([data]))
