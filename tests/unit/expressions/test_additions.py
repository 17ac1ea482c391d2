"""The functions that are orca's own."""

import pytest

from orchestrator.errors import ExpressionError
from orchestrator.expressions import KNOWN_FUNCTIONS, Value, evaluate
from orchestrator.expressions.additions import ADDITIONS

CONTEXTS: dict[str, Value] = {
    "vars": {
        "list": [3, "b", None],
        "map": {"k": 1, "l": [2]},
        "text": " A ä ",
        "none": None,
        "many": [0] * 10_001,
    }
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("upper('straße')", "STRASSE"),
        ("lower(vars.text)", " a ä "),
        ("trim(vars.text)", "A ä"),
        ("upper(null)", ""),
        ("first(vars.list)", 3),
        ("last(vars.list)", None),
        ("first('xyz')", "x"),
        ("last('xyz')", "z"),
        ("first(null)", None),
        ("last(fromJSON('[]'))", None),
        ("length(vars.list)", 3),
        ("length(vars.map)", 2),
        ("length('ä')", 1),
        ("length(vars.none)", 0),
        ("replace('a.b.c', '.', '-')", "a-b-c"),
        ("replace('abc', '', 'x')", "abc"),
        ("replace(121, 1, 3)", "323"),
        ("split('a,b,,c')", ["a", "b", "", "c"]),
        ("split('a::b', '::')", ["a", "b"]),
        ("split('')", []),
        ("batch(vars.list, 2)", [[3, "b"], [None]]),
        ("batch(null, 2)", []),
        ("default(vars.none, 'x')", "x"),
        ("default('', 'x')", "x"),
        ("default(0, 'x')", 0),
        ("default(false, fromJSON('bad'))", False),
        ("keys(vars.map)", ["k", "l"]),
        ("values(vars.map)", [1, [2]]),
        ("keys(vars.none)", []),
        ("range(3)", [0, 1, 2]),
        ("range(1, 3)", [1, 2]),
        ("range(5, 0, -2)", [5, 3, 1]),
        ("range('2')", [0, 1]),
        ("range(0, -5)", []),
        ("length(range(10000))", 10_000),
    ],
)
def test_values(source: str, expected: object) -> None:
    assert evaluate(source, CONTEXTS) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("upper(vars.list)", "upper() works on text, not on an array"),
        ("first(vars.map)", "first() works on a list, not on an object"),
        ("length(5)", "length() works on text, a list or an object, not on a number"),
        ("split('a', '')", "split() needs a separator that is not empty"),
        ("batch(vars.list, 0)", "batch() needs a size of at least 1, not 0"),
        ("batch(vars.list, 1.5)", "batch() needs a whole number, not '1.5'"),
        ("batch(vars.many, 1)", "batch() makes at most 10000 items; this would be 10001"),
        ("keys(vars.list)", "keys() works on an object, not on an array"),
        ("range(10001)", "range() makes at most 10000 items; this would be 10001"),
        ("range(0, 1e15)", "range() makes at most 10000 items; this would be 1000000000000000"),
        ("range(0, 5, 0)", "range() needs a step that is not 0"),
        ("range(NaN)", "range() needs a whole number, not 'NaN'"),
    ],
)
def test_errors(source: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(source, CONTEXTS)
    assert (str(caught.value), caught.value.offset) == (message, 0)


def test_table_is_the_documented_one() -> None:
    names = "batch default first keys last length lower range replace split trim upper values"
    assert " ".join(function.name for function in ADDITIONS) == names
    assert {name: KNOWN_FUNCTIONS[name] for name in ("range", "case", "hashFiles", "success")} == {
        "range": (1, 3), "case": (3, 255), "hashFiles": (1, 255), "success": (0, 0),
    }  # fmt: skip
