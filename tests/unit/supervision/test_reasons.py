import pytest

from orchestrator.contract.failures import FailureKind
from tests.support.tries import request
from workers.engine.interface import LogEntry
from workers.supervision.reasons import (
    duration_text,
    exit_reason,
    oom_reason,
    reason,
    timeout_reason,
)
from workers.supervision.script import mark_prefix
from workers.supervision.transcript import Transcript

REQUEST = request("run", "make it\nall", "test it")
STAMP = "2026-01-01T00:00:00.000000000Z"


@pytest.mark.parametrize(
    ("began", "said", "code", "expected"),
    [
        (0, [], 2, "exit: command 1 of 2, 'make it …', ended with exit code 2"),
        (
            1,
            ["x", " oh no ", ""],
            1,
            "exit: command 2 of 2, 'test it', ended with exit code 1; last line: oh no",
        ),
        (1, [], 127, "exit: command not found in command 2 of 2, 'test it' (exit code 127)"),
        (1, [], 126, "exit: command 2 of 2, 'test it', cannot be executed (exit code 126)"),
        (1, [], 137, "exit: command 2 of 2, 'test it', was ended by SIGKILL (exit code 137)"),
        (1, [], 255, "exit: command 2 of 2, 'test it', ended with exit code 255"),
        (None, [], 3, "exit: the container ended with exit code 3"),
        (
            None,
            ["[FATAL tini (7)] exec sh failed: No such file or directory"],
            127,
            "start: the shell 'sh' could not be started in image 'alpine:latest' (exit code 127); use an image that"
            " has it, or name another one with 'shell'",
        ),
    ],
)
def test_exits(began: int | None, said: list[str], code: int, expected: str) -> None:
    transcript = Transcript(REQUEST.commands, mark_prefix(REQUEST))
    begun = [] if began is None else [LogEntry(STAMP, f"{mark_prefix(REQUEST)}begin:{began}")]
    transcript.feed([*begun, *(LogEntry(STAMP, text) for text in said)])
    assert str(exit_reason(REQUEST, code, transcript)) == expected


def test_other_reasons() -> None:
    assert [str(oom_reason(64 * 1024**2)), str(oom_reason(None))] == [
        "oom: the container went over its memory limit of 64 MiB",
        "oom: the container went over the memory of its host",
    ]
    assert (
        str(timeout_reason(90)) == "timeout: the job took longer than its limit of 1 min 30 s and was stopped"
    )
    assert len(reason(FailureKind.EXIT, "x" * 5000).message) == 2000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "0.5 s"), (59, "59 s"), (60, "1 min"), (3725, "1 h 2 min 5 s"), (21600, "6 h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
