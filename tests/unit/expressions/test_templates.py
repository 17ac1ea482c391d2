"""Text with `${{ }}`: its parts, its value, its meaning as a condition."""

import pytest

from orchestrator.errors import ExpressionError
from orchestrator.expressions import Hole, Segment, Status, Text, Value, condition, render, segments

CONTEXTS: dict[str, Value] = {
    "params": {"n": 3, "x": "X", "list": [1], "map": {}, "none": None, "t": "${{ no }}"}
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("", ()),
        ("plain $ {{ }}", (Text("plain $ {{ }}", 0),)),
        ("${{ a }}", (Hole("a", 4, 0, 8),)),
        ("x${{a}}y", (Text("x", 0), Hole("a", 4, 1, 7), Text("y", 7))),
        ("${{ '}}' }}${{'it''s }}'}}", (Hole("'}}'", 4, 0, 11), Hole("'it''s }}'", 14, 11, 26))),
        ("${{\n a\n}}\n", (Hole("a", 5, 0, 9), Text("\n", 9))),
    ],
)
def test_segments(template: str, expected: tuple[Segment, ...]) -> None:
    assert segments(template) == expected


@pytest.mark.parametrize(
    ("template", "message", "offset"),
    [
        (
            "a ${{ b",
            "The expression is not closed: there is a '${{' and no '}}' after it outside of quotes",
            2,
        ),
        (
            "${{ 'b }}",
            "The expression is not closed: there is a '${{' and no '}}' after it outside of quotes",
            0,
        ),
        ("x ${{  }}", "An expression was expected between '${{' and '}}'", 2),
        (
            "ab ${{ nope }}",
            "Unrecognized named-value: 'nope'. Located at position 1 within expression: nope",
            7,
        ),
        ("ab ${{ 1 + 1 }}", "Unexpected symbol: '+'. Located at position 3 within expression: 1 + 1", 9),
    ],
)
def test_errors(template: str, message: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        render(template, CONTEXTS)
    assert (str(caught.value), caught.value.offset) == (message, offset)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("${{ params.n }}", 3),
        ("${{ params.list }}", [1]),
        ("${{ params.none }}", None),
        (" ${{ params.n }}", " 3"),
        ("${{ params.n }}${{ params.x }}", "3X"),
        ("a-${{ params.list }}-${{ params.map }}-${{ params.none }}-${{ 1.50 }}", "a-Array-Object--1.5"),
        ("${{ params.t }}!", "${{ no }}!"),
    ],
)
def test_render(template: str, expected: object) -> None:
    assert render(template, CONTEXTS) == expected


def test_the_text_of_a_template_is_bounded() -> None:
    with pytest.raises(ExpressionError, match="The text gets longer than 1048576 characters"):
        render("${{ vars.x }}${{ vars.x }}", {"vars": {"x": "x" * 600_000}})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("params.n == 3", True),
        ("${{ params.n == 4 }}", False),
        ("  ${{ failure() }}", True),
        ("failure()", False),
        ("${{ false }} && true", True),
        ("params.none", False),
    ],
)
def test_condition(source: str, expected: bool) -> None:
    status = Status(success=True, failure=False, cancelled=False)
    assert condition(source, CONTEXTS, status=status) is expected


def test_an_empty_condition_is_an_error() -> None:
    with pytest.raises(ExpressionError, match="An expression was expected"):
        condition(" ", CONTEXTS)
