"""What is refused, in which words and at which place; and what the limits are."""

from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.errors import ExpressionError
from orchestrator.expressions import Value, evaluate, parse
from orchestrator.expressions.limits import MAX_DEPTH, MAX_LENGTH


def failure(call: Callable[[], Any]) -> tuple[str, int | None]:
    with pytest.raises(ExpressionError) as caught:
        call()
    return str(caught.value), caught.value.offset


@pytest.mark.parametrize(
    ("source", "reason", "offset"),
    [
        ("1 +", "Unexpected symbol: '+'", 2),
        ("1 - 2", "Unexpected symbol: '-'", 2),
        ("a-b c", "Unexpected symbol: 'c'", 4),
        ("1 2", "Unexpected symbol: '2'", 2),
        ("true && ", "Unexpected end of expression: '&&'", 5),
        ("(true", "Unexpected end of expression: 'true'", 1),
        ("params.", "Unexpected end of expression: '.'", 6),
        ("params..x", "Unexpected symbol: '.'", 7),
        ("params.1", "Unexpected symbol: '1'", 7),
        ("params[]", "Unexpected symbol: ']'", 7),
        ("params[*.x]", "Unexpected symbol: '.'", 8),
        ("params['x'", "Unexpected end of expression: ''x''", 7),
        ("'a'[0]", "Unexpected symbol: '['", 3),
        ("1.x", "Unexpected symbol: '1.x'", 0),
        (")", "Unexpected symbol: ')'", 0),
        ("(1, 2)", "Unexpected symbol: ','", 2),
        ("join(1,)", "Unexpected symbol: ')'", 7),
        ("()", "Unexpected symbol: ')'", 1),
        ("*", "Unexpected symbol: '*'", 0),
        ("a = b", "Unexpected symbol: '='", 2),
        ("a & b", "Unexpected symbol: '&'", 2),
        ("'open", "Unexpected symbol: ''open'", 0),
        ('"x"', "Unexpected symbol: '\"x\"'", 0),
        ("-0xff", "Unexpected symbol: '-0xff'", 0),
        ("True", "Unrecognized named-value: 'True'", 0),
        ("1 == nope.x", "Unrecognized named-value: 'nope'", 5),
        ("true || nope", "Unrecognized named-value: 'nope'", 8),
        ("false && nope()", "Unrecognized function: 'nope'", 9),
        ("contains('a')", "Too few parameters supplied: 'contains'", 0),
        ("1 && join(1, 2, 3)", "Too many parameters supplied: 'join'", 5),
        (
            "case(true, 1, false, 2)",
            "Even number of parameters supplied, requires an odd number of parameters: 'case'",
            0,
        ),
    ],
)
def test_places(source: str, reason: str, offset: int) -> None:
    message = f"{reason}. Located at position {offset + 1} within expression: {source}"
    assert failure(lambda: evaluate(source, {"a": None, "params": {}})) == (message, offset)


@pytest.mark.parametrize(
    ("source", "message", "offset"),
    [
        (
            "format('{0} {1}', 'a')",
            "The following format string references more arguments than were supplied: {0} {1}",
            0,
        ),
        ("1 == format('{0', 'a')", "The following format string is invalid: {0", 5),
        ("format('}', 'a')", "The following format string is invalid: }", 0),
        ("format('{x}', 'a')", "The following format string is invalid: {x}", 0),
        ("format('{256}', 'a')", "The following format string is invalid: {256}", 0),
        ("format('{0:N}', 1)", "The format specifiers 'N' are not valid for objects of type 'Number'", 0),
        ("case('x', 1, 2)", "case predicate must evaluate to a boolean value", 0),
        ("fromJSON('')", "Error parsing fromJSON: the text is empty", 0),
        ("fromJSON('NaN')", "Error parsing fromJSON: 'NaN' is not JSON", 0),
        (r"""fromJSON('"\ud800"')""", "Error parsing fromJSON: a text in it has half of a surrogate pair", 0),
        ("success()", "success() is not available here; it tells about a job's dependencies", 0),
        ("hashFiles('x')", "hashFiles() is not available here", 0),
        ("${{ }}", "An expression was expected", 0),
        (
            "parms.x",
            "Unrecognized named-value: 'parms'. Located at position 1 within expression: parms.x. "
            "Did you mean 'params'?",
            0,
        ),
    ],
)  # fmt: skip
def test_messages(source: str, message: str, offset: int) -> None:
    assert failure(lambda: evaluate(source, {})) == (message, offset)


def test_bad_json_names_the_place_in_it() -> None:
    message, _ = failure(lambda: evaluate("fromJSON('{\"a\": }')", {}))
    assert message == "Error parsing fromJSON: Expecting value: line 1 column 7 (char 6)"


def test_offsets_count_from_the_wrapping() -> None:
    assert failure(lambda: evaluate(" ${{ 1 == nope }} ", {})) == (
        "Unrecognized named-value: 'nope'. Located at position 6 within expression: 1 == nope",
        10,
    )


@pytest.mark.parametrize("shape", ["!{}", "toJSON({})", "(1 == {})", "fromJSON(1 && {})"])
def test_depth(shape: str) -> None:
    def nested(levels: int) -> str:
        source = "1"
        for _ in range(levels):
            source = shape.replace("{}", source)
        return source

    each = 2 if "&&" in shape else 1
    parse(nested((MAX_DEPTH - 1) // each))
    assert failure(lambda: parse(nested(MAX_DEPTH // each + 1)))[0] == "Exceeded max expression depth 50"


def test_depth_of_a_path() -> None:
    assert evaluate("vars" + ".x" * (MAX_DEPTH - 1), {}) is None
    assert failure(lambda: evaluate("vars" + ".x" * MAX_DEPTH, {}))[0] == "Exceeded max expression depth 50"


def test_parentheses_and_long_chains_add_no_depth() -> None:
    assert evaluate("(" * 9000 + "1" + ")" * 9000, {}) == 1
    assert evaluate(" && ".join(["true"] * 2000), {}) is True


def test_length() -> None:
    assert evaluate("1".ljust(MAX_LENGTH), {}) == 1
    assert failure(lambda: evaluate("1".ljust(MAX_LENGTH + 1), {})) == (
        "Exceeded max expression length 21000",
        0,
    )


BIG: dict[str, Value] = {"vars": {"text": "x" * 300_000, "list": ["y" * 1000] * 1000, "n": list(range(9000))}}
DEEP = "[" * 101 + "]" * 101


@pytest.mark.parametrize(
    "source",
    [
        "format('{0}{0}', vars.text)",
        "startsWith(format('{0}', vars.text), format('{0}', vars.text))",
        "join(vars.list, vars.text)",
        "toJSON(vars)",
        "replace(vars.text, 'x', 'xxxx')",
        "upper(format('{0}', vars.text))",
        " || ".join(["contains(vars.text, 'y')"] * 100),
        " || ".join(["contains(vars.n, 'y')"] * 800),
        " || ".join(["vars.text == vars.list[0]"] * 100),
    ],
)
def test_memory_and_work_are_bounded(source: str) -> None:
    message, _ = failure(lambda: evaluate(source, BIG))
    shown = source if len(source) <= 300 else source[:300] + "…"
    assert message == (
        f"The maximum allowed memory size was exceeded while evaluating the following expression: {shown}"
    )


def test_one_text_of_half_a_megabyte_is_fine() -> None:
    assert evaluate("length(format('{0}', vars.text))", BIG) == 300_000
    assert (
        evaluate("contains(format('{0}', vars.text), 'X') && contains(format('{0}', vars.text), 'X')", BIG)
        is True
    )


def test_nesting_of_json_is_bounded() -> None:
    message, _ = failure(lambda: evaluate("fromJSON(vars.x)", {"vars": {"x": DEEP}}))
    assert message == "Error parsing fromJSON: nested deeper than 100 levels"
    value: Value = []
    for _ in range(100):
        value = [value]
    message, _ = failure(lambda: evaluate("toJSON(vars.x)", {"vars": {"x": value}}))
    assert message == "toJSON() met a value that is nested deeper than 100 levels"
