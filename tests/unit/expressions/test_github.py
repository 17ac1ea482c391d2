"""GitHub Actions' rules, one table for each: literals, operators, access, coercion, functions."""

import json
from math import inf, isnan

import pytest

from orchestrator.expressions import Status, Value, evaluate, to_text, truthy

CONTEXTS: dict[str, Value] = {
    "params": {
        "name": "Ada",
        "count": 3,
        "ratio": 0.5,
        "on": True,
        "with-hyphen": "h",
        "none": None,
        "empty": "",
    },
    "github": {"ref": "refs/heads/main", "sha": "abc"},
    "matrix": {"os": "linux", "versions": [3.11, 3.12], "nested": {"A": {"v": 1}, "B": {"v": 2}, "C": 5}},
    "jobs": {"a": {"outputs": {"x": "1"}}, "b": {"outputs": {"x": "2", "y": "3"}}, "c": {"outputs": {}}},
}


def check(source: str, expected: object) -> None:
    value = evaluate(source, CONTEXTS)
    assert (type(value), value) == (type(expected), expected), source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("null", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("711", 711),
        ("-9.2", -9.2),
        ("+1.50", 1.5),
        (".25", 0.25),
        ("5.", 5),
        ("1.0", 1),
        ("-0", 0),
        ("0xff", 255),
        ("0xFFFFFFFF", -1),
        ("0o17", 15),
        ("-2.99e-2", -0.0299),
        ("2E3", 2000),
        ("1e400", inf),
        ("Infinity", inf),
        ("-Infinity", -inf),
        ("+Infinity", inf),
        ("'Mona the Octocat'", "Mona the Octocat"),
        ("'It''s '' open'", "It's ' open"),
        ("''", ""),
        ("  \t\n true ", True),
        ("", None),
        ("${{ 'a }} b' }}", "a }} b"),
    ],
)
def test_literals(source: str, expected: object) -> None:
    check(source, expected)


def test_nan_is_a_number_that_equals_nothing() -> None:
    value = evaluate("NaN", {})
    assert isinstance(value, float)
    assert isnan(value)
    assert [evaluate(s, {}) for s in ("NaN == NaN", "NaN != NaN", "NaN < 1", "NaN >= NaN", "!NaN")] == [
        False, True, False, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("!true == false", True),
        ("!(true == false)", True),
        ("true || false && false", True),
        ("(true || false) && false", False),
        ("1 < 2 == true", True),
        ("1 == 1 < 2", True),
        ("1 < 2 < 3", True),
        ("3 > 2 > 1", False),
        ("!!'x'", True),
        ("'a' && 'b'", "b"),
        ("'' && 'b'", ""),
        ("0 || null", None),
        ("null || 'x' || 'y'", "x"),
        ("params.on && 'yes' || 'no'", "yes"),
        ("params.none && 'yes' || 'no'", "no"),
        ("((((((1))))))", 1),
    ],
)
def test_operators_and_precedence(source: str, expected: object) -> None:
    check(source, expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("null == 0", True),
        ("null == ''", True),
        ("null == false", True),
        ("null == null", True),
        ("true == 1", True),
        ("true == 'true'", False),
        ("true == '1'", True),
        ("'0x10' == 16", True),
        ("'0o10' == 8", True),
        ("' 1e1 ' == 10", True),
        ("'1_0' == 10", False),
        ("'٣' == 3", False),
        ("' infinity ' == Infinity", True),
        ("'' == 0", True),
        ("'abc' == 0", False),
        ("'ABC' == 'abc'", True),
        ("'ΣΊΣΥΦΟΣ' == 'σίσυφος'", True),
        ("'ı' == 'I'", False),
        ("'straße' == 'STRASSE'", False),
        ("'ᾳ' == 'ᾼ'", True),
        ("'a' < 'B'", True),
        ("'b' > 'A'", True),
        ("'10' < 9", False),
        ("'10' < '9'", True),
        ("true > false", True),
        ("null >= 0", True),
        ("null > -1", True),
        ("null < 'x'", False),
        ("'\U00010000' < '\ufb00'", True),
        ("9007199254740993 == 9007199254740992", True),
        ("matrix == matrix", True),
        ("matrix.versions == matrix.versions", True),
        ("fromJSON('[1]') == fromJSON('[1]')", False),
        ("matrix >= matrix", True),
        ("matrix > 0", False),
        ("matrix.versions == null", False),
        ("fromJSON('[]') == 'Array'", False),
    ],
)
def test_equality_and_order(source: str, expected: object) -> None:
    check(source, expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("params.name", "Ada"),
        ("PARAMS.Name", "Ada"),
        ("params['NAME']", "Ada"),
        ("params.with-hyphen", "h"),
        ("params.nope", None),
        ("params.nope.deeper[0]", None),
        ("params.name.length", None),
        ("github.ref", "refs/heads/main"),
        ("git.sha", "abc"),
        ("matrix.versions[1]", 3.12),
        ("matrix.versions['1']", 3.12),
        ("matrix.versions[1.9]", 3.12),
        ("matrix.versions[true]", 3.12),
        ("matrix.versions[null]", 3.11),
        ("matrix.versions[2]", None),
        ("matrix.versions[-1]", None),
        ("matrix.versions['x']", None),
        ("matrix.versions[Infinity]", None),
        ("matrix[matrix.nested]", None),
        ("(matrix).os", "linux"),
        ("fromJSON('{\"a\": [1, 2]}').a[1]", 2),
        ("jobs.*.outputs.x", ["1", "2"]),
        ("jobs.*.outputs.*", ["1", "2", "3"]),
        ("jobs[*].outputs['y']", ["3"]),
        ("matrix.nested.*.v", [1, 2]),
        ("matrix.versions.*", [3.11, 3.12]),
        ("params.name.*", []),
        ("params.nope.*.x", []),
        ("matrix.nested.*[0]", []),
        ("vars.anything", None),
    ],
)
def test_access(source: str, expected: object) -> None:
    check(source, expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("contains('Hello world', 'LLO')", True),
        ("contains('abc', '')", True),
        ("contains(123, 2)", True),
        ("contains(params.none, '')", True),
        ("contains(fromJSON('[\"push\", 1]'), 'PUSH')", True),
        ("contains(fromJSON('[\"push\", 1]'), '1')", True),
        ("contains(fromJSON('[\"push\"]'), 'us')", False),
        ("contains(fromJSON('{\"a\": 1}'), 'a')", False),
        ("contains('Array', fromJSON('[]'))", False),
        ("contains(jobs.*.outputs.x, '2')", True),
        ("startsWith('Hello world', 'hE')", True),
        ("startsWith('Hello', 'ello')", False),
        ("startsWith(1234, 12)", True),
        ("startsWith(matrix, '')", False),
        ("endsWith('Hello world', 'LD')", True),
        ("endsWith('x', 'xx')", False),
        ("format('Hello {0} {1} {0}', 'Mona', 'Octo')", "Hello Mona Octo Mona"),
        ("format('{{Hello {0}!}}', 'Mona')", "{Hello Mona!}"),
        ("format('{{{0}}}', 1)", "{1}"),
        ("format('{0}{1}{2}{3}{4}', null, true, 1.0, matrix, matrix.versions)", "true1ObjectArray"),
        ("format('plain', fromJSON('bad'))", "plain"),
        ("format('{0:}', 'x')", "x"),
        ("join(matrix.versions)", "3.11,3.12"),
        ("join(matrix.versions, ' | ')", "3.11 | 3.12"),
        ("join('text', '-')", "text"),
        ("join(null)", ""),
        ("join(matrix)", ""),
        ("join(fromJSON('[null, true, [1], {}, 1e21]'), ';')", ";true;Array;Object;1E+21"),
        ("join(matrix.versions, matrix)", "3.11,3.12"),
        ("case(false, 'a', 1 == 1, 'b', 'c')", "b"),
        ("case(false, fromJSON('bad'), 'c')", "c"),
        ("fromJSON('[1, 2.50, \"a\", null, true, 1e400]')", [1, 2.5, "a", None, True, inf]),
        ('fromJSON(\'{"A": 1, "a": 2}\')', {"A": 2}),
        ('fromJSON(\'{"a": 1, "b": 0, "A": 2, "a": 3}\')', {"a": 2, "b": 0}),
        ('toJSON(fromJSON(\'{"a": 1, "b": 0, "a": 3}\'))', '{\n  "a": 3,\n  "b": 0\n}'),
        ("fromJSON(true)", True),
        ("fromJSON(toJSON(matrix.nested)).b.V", 2),
        ("TOjson('x')", '"x"'),
    ],
)
def test_functions(source: str, expected: object) -> None:
    check(source, expected)


JSON: list[tuple[Value, str]] = [
    (None, "null"),
    (1.0, "1"),
    (1e21, "1E+21"),
    (float("nan"), "NaN"),
    ([], "[]"),
    ({}, "{}"),
    ([1, [], {}], "[\n  1,\n  [],\n  {}\n]"),
    ({"a": {"b": [True]}, "c": "x"}, '{\n  "a": {\n    "b": [\n      true\n    ]\n  },\n  "c": "x"\n}'),
    (
        "\"\\/\b\t\n\f\r\x01\x1f\x7f\x85\u2028'<é\U0001f600",
        r'"\"\\/\b\t\n\f\r\u0001\u001f' + "\x7f" + r"\u0085\u2028'<é" + '\U0001f600"',
    ),
]


@pytest.mark.parametrize(("value", "expected"), JSON)
def test_to_json(value: Value, expected: str) -> None:
    assert evaluate("toJSON(vars.x)", {"vars": {"x": value}}) == expected


def test_to_json_is_read_back() -> None:
    value: Value = {"list": [1, 2.5, None, False, "ü\n"], "empty": {}, "deep": {"er": [[]]}}
    text = evaluate("toJSON(vars)", {"vars": value})
    assert isinstance(text, str)
    assert (json.loads(text), evaluate("fromJSON(vars.t)", {"vars": {"t": text}})) == (value, value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.333333333333333"),
        (123456789012345, "123456789012345"),
        (1234567890123456, "1.23456789012346E+15"),
        (1e15, "1E+15"),
        (0.0001, "0.0001"),
        (0.00001, "1E-05"),
        (1e100, "1E+100"),
        (10**400, "Infinity"),
        (float("nan"), "NaN"),
        (inf, "Infinity"),
        (-inf, "-Infinity"),
        ("x", "x"),
        ([1], "Array"),
        ((), "Array"),
        ({"a": 1}, "Object"),
    ],
)
def test_text_of_a_value(value: Value, text: str) -> None:
    assert to_text(value) == text


def test_what_holds_as_a_condition() -> None:
    falsy: list[Value] = [None, False, 0, -0.0, 0.0, float("nan"), ""]
    true: list[Value] = [True, 1, -1, inf, " ", "0", "false", [], {}, ()]
    assert ([truthy(value) for value in falsy], [truthy(value) for value in true]) == (
        [False] * 7,
        [True] * 10,
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status(success=True, failure=False, cancelled=False), [True, False, False, True]),
        (Status(success=False, failure=True, cancelled=True), [False, True, True, True]),
    ],
)
def test_status_functions(status: Status, expected: list[bool]) -> None:
    names = ("success", "failure", "Cancelled", "ALWAYS")
    assert [evaluate(f"{name}()", {}, status=status) for name in names] == expected


def test_host_functions_get_evaluated_arguments() -> None:
    seen: list[Value] = []

    def hash_files(*patterns: Value) -> Value:
        seen.extend(patterns)
        return "d" * 64

    value = evaluate("hashfiles('a*', params.name) && 'ok'", CONTEXTS, functions={"hashFiles": hash_files})
    assert (value, seen) == ("ok", ["a*", "Ada"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (1.0, 1),
        (-0.0, 0),
        (0.1, 0.1),
        (2**53, 2**53),
        (12345678901234567890123, 1.2345678901234568e22),
        (10**400, inf),
        (True, True),
    ],
)
def test_numbers_of_contexts_are_doubles_and_integers_where_they_are_whole(
    given: Value, expected: Value
) -> None:
    contexts: dict[str, Value] = {"params": {"n": given, "list": [given, "x"]}}
    for source in ("params.n", "params.list[0]", "null || params.n || params.n"):
        value = evaluate(source, contexts)
        assert (type(value), value) == (type(expected), expected), source
    assert repr(evaluate("params.list.*", contexts)) == repr([expected, "x"])
