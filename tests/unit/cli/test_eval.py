"""`orca eval` as a person and as a program uses it: one line of JSON, whatever the value and the contexts."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import COMMAND


def run(*words: str | bytes) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([COMMAND, "eval", *words], capture_output=True, text=True, check=False)


@pytest.fixture
def contexts(tmp_path: Path) -> Path:
    return tmp_path / "contexts.json"


@pytest.mark.parametrize(
    ("source", "text", "data"),
    [
        ("format('{0}-{1}', 'é', 3)", '"é-3"', "é-3"),
        ("fromJSON('[1.0, null]')", "[1, null]", [1, None]),
        ("NaN", "NaN", "NaN"),
        ("-Infinity", "-Infinity", "-Infinity"),
        ("fromJSON('{\"a\": [1e400]}')", '{"a": [Infinity]}', {"a": ["Infinity"]}),
        ("toJSON(NaN)", '"NaN"', "NaN"),
        ("success() && !failure() && always() && !cancelled()", "true", True),
    ],
)
def test_a_value_is_one_line_and_json_where_that_is_asked_for(source: str, text: str, data: object) -> None:
    assert run("--", source).stdout == f"{text}\n"
    done = run("-o", "json", "--", source)
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout, parse_constant=pytest.fail) == data


def test_numbers_of_contexts_are_the_languages(contexts: Path) -> None:
    contexts.write_text('{"params": {"a": 12345678901234567890123, "b": 1.0, "A": 7, "c": [2.0, 1e400]}}')
    assert run("params", "-c", str(contexts)).stdout == '{"a": 7, "b": 1, "c": [2, Infinity]}\n'
    contexts.write_text('{"params": 12345678901234567890123}')
    assert run("params", "-c", str(contexts)).stdout == "1.2345678901234568e+22\n"


def test_what_a_terminal_would_obey_or_refuse_is_escaped(contexts: Path) -> None:
    contexts.write_text('{"params": "a\\u009b1m\\u0000"}')
    assert run("params", "-c", str(contexts)).stdout == '"a\\u009b1m\\u0000"\n'
    assert run(b"'\xff'").stdout == '"\\udcff"\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not JSON: the text is empty"),
        ("{", "is not JSON: Expecting property name"),
        ('{"a": NaN}', "is not JSON: 'NaN' is not JSON"),
        ('{"a": "\\ud800"}', "is not JSON: a text in it has half of a surrogate pair"),
        ("[" * 5000, "is not JSON: nested deeper than 100 levels"),
        ("[]", "must hold a JSON object whose keys are contexts"),
    ],
)
def test_contexts_that_are_none_are_a_wrong_call(contexts: Path, text: str, reason: str) -> None:
    contexts.write_text(text)
    done = run("params", "-c", str(contexts))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: '{contexts}' {reason}")


def test_the_help_says_what_the_status_functions_answer() -> None:
    words = " ".join(line.strip(" │") for line in run("--help").stdout.splitlines())
    assert "success() and always() are true, failure() and cancelled() are false" in " ".join(words.split())
