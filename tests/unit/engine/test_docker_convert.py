import struct
from itertools import pairwise

import pytest

from workers.engine.docker_convert import (
    LogDecoder,
    create_options,
    host_options,
    label_filter,
    observed,
    unix_time,
)
from workers.engine.interface import ContainerSpec, LogEntry, ObservedContainer


def stamp(number: int) -> str:
    return f"2026-01-01T00:00:00.{number:09d}Z"


def frame(number: int, text: str, stream: int = 1) -> bytes:
    payload = f"{stamp(number)} {text}".encode()
    return struct.pack(">BxxxL", stream, len(payload)) + payload


PART = "p" * 16384
FRAMES: list[tuple[bytes, list[LogEntry]]] = [
    (frame(1, "one\n"), [LogEntry(stamp(1), "one")]),
    (frame(2, "\n"), [LogEntry(stamp(2), "")]),
    (frame(3, "crlf\r\n", 2), [LogEntry(stamp(3), "crlf")]),
    # A line in pieces on one stream, another stream's line in between.
    (frame(4, PART), []),
    (frame(5, "other\n", 2), [LogEntry(stamp(5), "other")]),
    (frame(6, "end\n"), [LogEntry(stamp(4), PART + "end")]),
    # Longer than we keep together.
    *((frame(7 + index, PART), []) for index in range(3)),
    (frame(10, PART), [LogEntry(stamp(7), PART * 4)]),
    (frame(11, "rest\n"), [LogEntry(stamp(11), "rest")]),
    (frame(12, "no line end"), []),
]
EXPECTED = [entry for _, entries in FRAMES for entry in entries]
STREAM = b"".join(data for data, _ in FRAMES)


def test_frames_one_by_one() -> None:
    decoder = LogDecoder()
    assert [decoder.feed(data) for data, _ in FRAMES] == [entries for _, entries in FRAMES]
    assert decoder.finish() == [LogEntry(stamp(12), "no line end")]
    assert decoder.finish() == []


@pytest.mark.parametrize("size", [1, 7, 8, 9, 1000, 65536, len(STREAM)])
def test_frames_cut_anywhere(size: int) -> None:
    decoder = LogDecoder()
    cuts = [*range(0, len(STREAM), size), len(STREAM)]
    found = [entry for start, end in pairwise(cuts) for entry in decoder.feed(STREAM[start:end])]
    assert [*found, *decoder.finish()] == [*EXPECTED, LogEntry(stamp(12), "no line end")]


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    payload = stamp(1).encode() + b" \xff\x00!\n"
    assert LogDecoder().feed(struct.pack(">BxxxL", 1, len(payload)) + payload) == [
        LogEntry(stamp(1), "\ufffd\0!")
    ]


def test_a_spec_as_docker_wants_it() -> None:
    spec = ContainerSpec(
        name="n",
        image="i",
        entrypoint=("sh",),
        command=("-c", "x"),
        env={"A": "1"},
        working_dir="/w",
        user="1:2",
        labels={"l": "v"},
        cpus=0.5,
        memory=64,
        pids=7,
    )
    assert create_options(spec) == {
        "image": "i",
        "name": "n",
        "command": ["-c", "x"],
        "entrypoint": ["sh"],
        "environment": {"A": "1"},
        "working_dir": "/w",
        "user": "1:2",
        "labels": {"l": "v"},
        "ports": None,
        "healthcheck": None,
    }
    assert host_options(spec, init=True) == {
        "init": True,
        "nano_cpus": 500_000_000,
        "mem_limit": 64,
        "memswap_limit": 64,
        "pids_limit": 7,
    }
    plain = ContainerSpec(name="n", image="i")
    assert host_options(plain, init=False) == {"init": False}
    assert (create_options(plain)["command"], create_options(plain)["entrypoint"]) == (None, None)


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        ("created", "created", None),
        ("running", "running", None),
        ("restarting", "running", None),
        ("paused", "paused", None),
        ("exited", "exited", 5),
        ("removing", "dead", 5),
        ("dead", "dead", 5),
    ],
)
def test_an_inspection(status: str, state: str, code: int | None) -> None:
    answer = {
        "Id": "abc",
        "Name": "/n",
        "Config": {"Labels": None},
        "State": {
            "Status": status,
            "ExitCode": 5,
            "OOMKilled": True,
            "StartedAt": "0001-01-01T00:00:00Z",
            "FinishedAt": stamp(1),
            "Error": "",
        },
    }
    assert observed(answer) == ObservedContainer(
        id="abc",
        name="n",
        state=state,  # pyright: ignore[reportArgumentType]
        labels={},
        exit_code=code,
        oom_killed=True,
        started_at=None,
        finished_at=stamp(1),
    )


def test_filters_and_times() -> None:
    assert label_filter({"a": None, "b": "1"}) == ["a", "b=1"]
    assert unix_time("1970-01-01T00:00:01.000000005Z") == "1.000000005"
