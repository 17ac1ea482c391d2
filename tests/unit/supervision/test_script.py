import shutil
import subprocess

import pytest

from orchestrator.contract.messages import ContainerRequest
from tests.support.tries import request
from workers.engine.interface import LogEntry
from workers.supervision.script import MAX_INLINE, Launch, is_root, launch, mark_prefix
from workers.supervision.transcript import Transcript, first_line

SHELLS = [shell for shell in (["busybox", "sh"], ["dash"], ["bash"], ["sh"]) if shutil.which(shell[0])]


def script_of(wanted: ContainerRequest) -> str:
    how = launch(wanted, as_root=False)
    assert how.entrypoint is not None
    return how.entrypoint[-1]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@pytest.mark.parametrize(
    ("commands", "printed", "code"),
    [
        (["echo a; echo b >&2", "echo c"], ["<0>", "a", "b", "<1>", "c", "<end>"], 0),
        (["cd /; x=1; f() { echo $x; }", "pwd; f"], ["<0>", "<1>", "/", "1", "<end>"], 0),
        (["false && true", "echo never"], ["<0>", "<cut>"], 1),
        (["false; echo never"], ["<0>", "<cut>"], 1),
        (["set +e; false; echo on", "(exit 4)", "echo never"], ["<0>", "on", "<1>", "<cut>"], 4),
        (["exit 5", "echo never"], ["<0>", "<cut>"], 5),
        (["exit 0", "echo never"], ["<0>", "<cut>"], 0),
        (["printf 'no line end'", "echo 'it'\"'\"'s'"], ["<0>", "no line end<1>", "it's", "<end>"], 0),
        (["cat <<'X'\nhere $x\nX\n", "# no", "echo z"], ["<0>", "here $x", "<1>", "<2>", "z", "<end>"], 0),
        (["", "echo z"], ["<0>", "<1>", "z", "<end>"], 0),
        (["trap 'echo mine' EXIT", "echo a"], ["<0>", "<1>", "a", "mine"], 0),
    ],
)  # fmt: skip
def test_commands_run_in_one_shell_and_stop_at_the_first_failure(
    shell: list[str], commands: list[str], printed: list[str], code: int
) -> None:
    wanted = request("run", *commands)
    done = subprocess.run(
        [*shell, "-c", script_of(wanted)], capture_output=True, text=True, check=False, cwd="/tmp"
    )
    mark = mark_prefix(wanted)
    text = done.stdout.replace(f"{mark}end:0:whole:0", "<end>").replace(f"{mark}end:0:{code}", "<cut>")
    for index in range(len(commands)):
        text = text.replace(f"{mark}begin:{index}", f"<{index}>")
    assert (text.splitlines(), done.stderr, done.returncode) == (printed, "", code)


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@pytest.mark.parametrize("command", ["echo 'open", "if true; then", "orca-no-such-command"])
def test_a_command_that_the_shell_cannot_take_fails_by_itself(shell: list[str], command: str) -> None:
    wanted = request("run", "echo before", command, "echo never")
    done = subprocess.run([*shell, "-c", script_of(wanted)], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode != 0
    assert lines[:3] == [f"{mark_prefix(wanted)}begin:0", "before", f"{mark_prefix(wanted)}begin:1"]
    assert "never" not in lines


def test_bash_sees_failures_in_pipes() -> None:
    wanted = request("run", "false | true", "echo never", shell="bash")
    done = subprocess.run(["bash", "-c", script_of(wanted)], capture_output=True, text=True, check=False)
    assert (done.returncode, "never" in done.stdout) == (1, False)


LONG = "x" * MAX_INLINE
PYTHON = "import sys\n"


@pytest.mark.parametrize(
    ("changes", "commands", "as_root", "expected"),
    [
        ({}, [], True, Launch(None, None, None, False, False)),
        ({"entrypoint": ("/run",)}, [], True, Launch(("/run",), None, None, False, False)),
        (
            {"shell": "python"},
            ["a", "b"],
            True,
            Launch(("python", "/orca/script"), None, "a\nb\n", False, False),
        ),
        (
            {"shell": "perl -w {0} x", "entrypoint": ("/e",)},
            ["a"],
            False,
            Launch(("/e",), ("perl", "-w", "/orca/script", "x"), "a\n", False, False),
        ),
    ],
)
def test_launches_without_marks(
    changes: dict[str, object], commands: list[str], as_root: bool, expected: Launch
) -> None:
    assert launch(request("run", *commands, **changes), as_root=as_root) == expected


@pytest.mark.parametrize(
    ("changes", "command", "as_root", "words", "in_file", "needs_folder"),
    [
        ({}, "a", True, ["sh", "-c"], False, False),
        ({}, "a", False, ["sh", "-c"], False, True),
        ({"shell": "/bin/bash -x"}, "a", True, ["/bin/bash", "-x", "-c"], False, False),
        ({"shell": "bash -e {0}"}, "a", True, ["bash", "-e", "/orca/script"], True, True),
        ({}, LONG, True, ["sh", "/orca/script"], True, True),
    ],
)
def test_launches_with_marks(
    changes: dict[str, object], command: str, as_root: bool, words: list[str], in_file: bool, needs_folder: bool
) -> None:  # fmt: skip
    how = launch(request("run", command, **changes), as_root=as_root)
    assert how.entrypoint is not None
    assert list(how.entrypoint[: len(words)]) == words
    assert (how.command, how.marked, how.needs_folder) == (None, True, needs_folder)
    assert (how.script is not None) == in_file


def test_an_entrypoint_wraps_the_shell() -> None:
    how = launch(request("run", "a", entrypoint=("/init", "--")), as_root=True)
    assert how.command is not None
    assert (how.entrypoint, how.command[:2]) == (("/init", "--"), ("sh", "-c"))


@pytest.mark.parametrize(
    ("user", "root"),
    [(None, True), ("", True), ("root", True), ("0:5", True), ("1000", False), ("app:0", False)],
)
def test_who_is_root(user: str | None, root: bool) -> None:
    assert is_root(user) == root


MARK = mark_prefix(request("run"))


def entry(second: float, text: str) -> LogEntry:
    return LogEntry(f"2026-01-01T00:00:{second:012.9f}Z", text)


def test_a_transcript() -> None:
    transcript = Transcript(["first\nmore", "second"], MARK)
    lines = transcript.feed(
        [
            entry(1.0, f"{MARK}begin:0"),
            entry(1.1, "out"),
            entry(1.2, f"no line end{MARK}begin:1"),
            entry(1.3, f"+ echo '{MARK}begin:1'"),
            entry(1.4, "\x01orca:ffffffff:begin:9"),
            entry(3.75, f"{MARK}end:1"),
        ]
    )
    lines += transcript.close(2, entry(9, "").timestamp)
    lines += transcript.close(2, entry(9, "").timestamp)
    assert [(line.timestamp[17:22], line.text) for line in lines] == [
        ("01.00", "$ first …"),
        ("01.10", "out"),
        ("01.20", "no line end"),
        ("01.20", "[0.2 s, exit 0]"),
        ("01.20", "$ second"),
        ("01.40", "\x01orca:ffffffff:begin:9"),
        ("03.75", "[2.5 s, exit 2]"),
    ]
    assert (transcript.current, transcript.outputs_written) == (1, True)
    assert list(transcript.tail) == ["out", "no line end", "\x01orca:ffffffff:begin:9"]


def test_a_transcript_without_marks() -> None:
    transcript = Transcript([], MARK)
    assert [line.text for line in transcript.feed([entry(1, "a"), entry(2, "")])] == ["a", ""]
    assert transcript.close(0, entry(3, "").timestamp) == []
    assert (transcript.current, transcript.outputs_written, transcript.ended_at) == (None, None, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", "a"), ("\n  a b \n", "a b"), ("a\nb", "a …"), ("abcdef", "abcde …"), ("", "")],
)
def test_first_lines(text: str, expected: str) -> None:
    assert first_line(text, limit=5) == expected
