"""Any source over any values gives a value or an `ExpressionError`; and the cost does not grow with the contexts."""

from collections.abc import Callable, Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import ExpressionError
from orchestrator.expressions import (
    KNOWN_CONTEXTS,
    KNOWN_FUNCTIONS,
    Status,
    Text,
    Value,
    check,
    condition,
    evaluate,
    explain,
    parse,
    render,
    segments,
    to_text,
)
from orchestrator.expressions.values import equal, less

STATUS = Status(success=True, failure=False, cancelled=False)
PRIMITIVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    PRIMITIVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
ATOMS = ["null", "true", "1", "-0x", "0xff", "'a'", "''", "vars", "vars.a", ".b", "[0]", ".*", "[*]", "(", ")", "!",
         "&&", "||", "==", "!=", "<", "<=", ",", " ", "'", "${{", "}}", "\n", "é", "nope"]  # fmt: skip
SOURCES = st.text(max_size=60) | st.lists(
    st.sampled_from([*ATOMS, *(f"{name}(" for name in KNOWN_FUNCTIONS)]), max_size=15
).map("".join)


def hash_files(*patterns: Value) -> Value:
    return ",".join(map(to_text, patterns))


HOST = {"hashFiles": hash_files}


def refused(call: Callable[[], object]) -> int | None:
    """The place at which the language refuses; any other exception fails the test."""
    try:
        call()
    except ExpressionError as error:
        return error.offset
    return None


@given(source=SOURCES, value=VALUES)
def test_any_source(source: str, value: Value) -> None:
    contexts: Mapping[str, Value] = {"vars": {"a": value, "b": [value]}}
    for use in (evaluate, render, condition):
        offset = refused(lambda use=use: use(source, contexts, status=STATUS, functions=HOST))
        assert offset is None or 0 <= offset <= len(source)
    problems = check(source)
    assert all(0 <= problem.offset <= len(source) for problem in problems)
    explain(source, contexts)


PATHS = st.builds(
    "{}{}".format,
    st.sampled_from(KNOWN_CONTEXTS),
    st.lists(
        st.sampled_from([".a", ".A", "['a']", "[0]", "[-1]", "[1e9]", "[null]", ".*", "[*]", "[vars]"]),
        max_size=4,
    ).map("".join),
)
TREES = st.recursive(
    PATHS | st.sampled_from(["null", "true", "0", "NaN", "-1.5", "''", "'a'", "'{0}'", "'[1]'"]),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||", "==", "!=", "<", ">="]), inner)
        | st.builds("!{}".format, inner)
        | st.builds(
            "{}({})".format,
            st.sampled_from(sorted(KNOWN_FUNCTIONS)),
            st.lists(inner, max_size=3).map(", ".join),
        )
    ),
    max_leaves=8,
)


@given(source=TREES, value=VALUES)
def test_any_expression_over_any_contexts(source: str, value: Value) -> None:
    contexts: dict[str, Value] = dict.fromkeys(KNOWN_CONTEXTS, value)
    contexts["vars"] = {"a": value, "A": [value]}
    found: list[Value] = []
    offset = refused(lambda: found.append(evaluate(source, contexts, status=STATUS, functions=HOST)))
    assert offset is None or 0 <= offset <= len(source)
    for item in found:
        assert isinstance(to_text(item), str)
        again: list[Value] = [evaluate(source, contexts, status=STATUS, functions=HOST)]
        assert to_text(again[0]) == to_text(item)


@given(
    name=st.sampled_from(sorted(set(KNOWN_FUNCTIONS) - {"hashFiles"})), values=st.lists(VALUES, max_size=4)
)
def test_any_call(name: str, values: list[Value]) -> None:
    arguments = ", ".join(f"vars.a{index}" for index in range(len(values)))
    contexts: Mapping[str, Value] = {"vars": {f"a{index}": value for index, value in enumerate(values)}}
    assert refused(lambda: evaluate(f"{name}({arguments})", contexts, status=STATUS)) in (None, 0)


@given(source=st.text("()[].,!<=&|*'a1 ", max_size=200))
def test_the_parser_never_breaks(source: str) -> None:
    try:
        node = parse(source)
    except ExpressionError:
        return
    assert 0 <= node.offset <= node.end <= len(source)


@given(template=st.text("${} 'a", max_size=40))
def test_segments_cover_the_template(template: str) -> None:
    try:
        found = segments(template)
    except ExpressionError:
        assert "${{" in template
        return
    spans = [(s.offset, s.offset + len(s.text)) if isinstance(s, Text) else (s.start, s.end) for s in found]
    assert [*(start for start, _ in spans), len(template)] == [0, *(end for _, end in spans)]


@given(left=PRIMITIVES, right=PRIMITIVES)
def test_order_and_equality_exclude_one_another(left: Value, right: Value) -> None:
    assert [equal(left, right), less(left, right), less(right, left)].count(True) <= 1
    assert equal(left, right) == equal(right, left)


class CountingJobs(Mapping[str, Value]):
    """Ten thousand jobs that count how often they are looked at."""

    def __init__(self) -> None:
        self.asked = 0

    def __getitem__(self, key: str) -> Value:
        self.asked += 1
        if not (key.startswith("job-") and key[4:].isdigit() and int(key[4:]) < 10_000):
            raise KeyError(key)
        return {"outputs": {"x": key}}

    def __iter__(self) -> Iterator[str]:
        self.asked += 10_000
        return (f"job-{index}" for index in range(10_000))

    def __len__(self) -> int:
        return 10_000


@pytest.mark.parametrize(
    ("source", "expected", "most"),
    [("jobs.job-9999.outputs.x", "job-9999", 2), ("jobs.JOB-77.outputs.x", "job-77", 10_003)],
)
def test_a_hit_costs_the_same_in_ten_thousand_jobs(source: str, expected: str, most: int) -> None:
    jobs = CountingJobs()
    assert evaluate(source, {"jobs": jobs}) == expected
    assert jobs.asked <= most
