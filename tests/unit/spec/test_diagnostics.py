"""How findings look: the caret under the place, whatever stands before it, and what becomes of too many."""

import pytest

from orchestrator.compile import compile_text
from orchestrator.errors import SpecError
from orchestrator.spec.diagnostics import MAX_DIAGNOSTICS, Diagnostic, Suggester, in_order


def found_in(text: str) -> Diagnostic:
    with pytest.raises(SpecError) as caught:
        compile_text(text, "f.yaml")
    (one,) = (item for item in caught.value.diagnostics if item.code != "W101")
    assert isinstance(one, Diagnostic)
    return one


@pytest.mark.parametrize(
    ("line", "before", "carets"),
    [
        ("  b: {image: i, requires: [biuld]}", " " * 27, 5),
        ("  b: {image: i, requires: ['biuld']}", " " * 27, 7),
        ("  b: {image: i, user: 日本, requires: [biuld]}", " " * 39, 5),
        ("  b: {image: i, user: e\u0301\ufe0f, requires: [biuld]}", " " * 36, 5),
        ("  b: {image: i,\trequires: [biuld]}", " " * 15 + "\t" + " " * 11, 5),
        ('  b: {image: i, env: {X: "${{ jobs.biuld.status }}"}}', " " * 30, 17),
        ("  b: {image: i, if: \"'日本' == git.ref || lenght('x')\"}", " " * 42, 6),
        ("  b: {image: i, if: \"env['日本'] == github.ref || gir.a\"}", " " * 50, 3),
    ],
)
def test_the_caret_stands_under_the_word(line: str, before: str, carets: int) -> None:
    lines = found_in(f"name: n\njobs:\n  build: {{image: i}}\n{line}\n").pretty().split("\n")
    assert lines[-2:] == [f"    4 | {line}", f"      | {before}{'^' * carets}"]


def test_colours_and_none() -> None:
    one = found_in("name: n\nextra: 1\njobs: {a: {image: i}}\n")
    assert one.pretty() == (
        "f.yaml:2:1: error[E101]: the spec has the unknown key 'extra'\n    2 | extra: 1\n      | ^^^^^"
    )
    assert one.pretty(colour=True) == (
        "f.yaml:2:1: \x1b[1;31merror[E101]\x1b[0m: the spec has the unknown key 'extra'\n    2 | extra: 1\n"
        "      | \x1b[1;31m^^^^^\x1b[0m"
    )


def test_a_very_long_line_is_not_shown() -> None:
    one = found_in("name: n\njobs: {a: {image: i, comands: [" + "x" * 500 + "]}}\n")
    assert "\n" not in one.pretty()
    assert (one.line, one.column, one.end) == (2, 22, 29)


def finding(line: int, code: str = "W101") -> Diagnostic:
    severity = "error" if code.startswith("E") else "warning"
    return Diagnostic(code=code, message="m", file="f", line=line, column=1, severity=severity)


def test_findings_come_in_order_and_once() -> None:
    assert in_order([finding(2), finding(1), finding(2)]) == (finding(1), finding(2))


def test_an_error_never_falls_behind_the_cut() -> None:
    shown = in_order([*(finding(line) for line in range(MAX_DIAGNOSTICS + 5)), finding(9999, "E101")])
    assert len(shown) == MAX_DIAGNOSTICS + 1
    assert shown[-2] == finding(9999, "E101")
    assert shown[-1].message == "and 6 more findings, which are not shown"


def test_suggestions_stop_when_they_would_cost_too_much() -> None:
    suggester = Suggester()
    known = tuple(f"name-{number}" for number in range(40_000))
    answers = [suggester.closest("name-7777x", known) for _ in range(3)]
    assert answers == ["name-7777", "name-7777", None]
