"""From a matrix or a list to variants: GitHub's documented examples, and its rules against a second reading of them."""

# Sentences stand whole, as people read them.
# ruff: noqa: E501

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.expressions import evaluate, render, to_text, truthy
from orchestrator.plan.model import Matrix, Strategy, Variant
from orchestrator.plan.parts import Json
from orchestrator.plan.variants import MAX_NAME, VariantsError, expand, expand_items, expand_matrix

# GitHub's documentation, "Running variations of jobs in a workflow" and the reference of
# `jobs.<job_id>.strategy.matrix`: each example with the combinations that it lists, in its order. Where the text only
# counts them, the order is that of its reference implementation.
DOCUMENTED: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "single dimension": ({"version": [10, 12, 14]}, [{"version": 10}, {"version": 12}, {"version": 14}]),
    "two dimensions, the first varies slowest": (
        {"version": [10, 12, 14], "os": ["ubuntu-latest", "windows-latest"]},
        [
            {"version": 10, "os": "ubuntu-latest"},
            {"version": 10, "os": "windows-latest"},
            {"version": 12, "os": "ubuntu-latest"},
            {"version": 12, "os": "windows-latest"},
            {"version": 14, "os": "ubuntu-latest"},
            {"version": 14, "os": "windows-latest"},
        ],
    ),
    "objects as values": (
        {
            "os": ["ubuntu-latest", "macos-latest"],
            "node": [{"version": 14}, {"version": 20, "env": "NODE_OPTIONS=--openssl-legacy-provider"}],
        },
        [
            {"os": "ubuntu-latest", "node": {"version": 14}},
            {
                "os": "ubuntu-latest",
                "node": {"version": 20, "env": "NODE_OPTIONS=--openssl-legacy-provider"},
            },
            {"os": "macos-latest", "node": {"version": 14}},
            {"os": "macos-latest", "node": {"version": 20, "env": "NODE_OPTIONS=--openssl-legacy-provider"}},
        ],
    ),
    "include, all rules": (
        {
            "fruit": ["apple", "pear"],
            "animal": ["cat", "dog"],
            "include": [
                {"color": "green"},
                {"color": "pink", "animal": "cat"},
                {"fruit": "apple", "shape": "circle"},
                {"fruit": "banana"},
                {"fruit": "banana", "animal": "cat"},
            ],
        },
        [
            {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
            {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
            {"fruit": "pear", "animal": "cat", "color": "pink"},
            {"fruit": "pear", "animal": "dog", "color": "green"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ],
    ),
    "expanding configurations": (
        {
            "os": ["windows-latest", "ubuntu-latest"],
            "node": [12, 14, 16],
            "include": [{"os": "windows-latest", "node": 16, "npm": 6}],
        },
        [
            {"os": "windows-latest", "node": 12},
            {"os": "windows-latest", "node": 14},
            {"os": "windows-latest", "node": 16, "npm": 6},
            {"os": "ubuntu-latest", "node": 12},
            {"os": "ubuntu-latest", "node": 14},
            {"os": "ubuntu-latest", "node": 16},
        ],
    ),
    "adding configurations": (
        {
            "os": ["macos-latest", "windows-latest", "ubuntu-latest"],
            "version": [12, 14, 16],
            "include": [{"os": "windows-latest", "version": 17}],
        },
        [
            *(
                {"os": os, "version": version}
                for os in ("macos-latest", "windows-latest", "ubuntu-latest")
                for version in (12, 14, 16)
            ),
            {"os": "windows-latest", "version": 17},
        ],
    ),
    "include only": (
        {
            "include": [
                {"site": "production", "datacenter": "site-a"},
                {"site": "staging", "datacenter": "site-b"},
            ]
        },
        [{"site": "production", "datacenter": "site-a"}, {"site": "staging", "datacenter": "site-b"}],
    ),
    "excluding configurations": (
        {
            "os": ["macos-latest", "windows-latest"],
            "version": [12, 14, 16],
            "environment": ["staging", "production"],
            "exclude": [
                {"os": "macos-latest", "version": 12, "environment": "production"},
                {"os": "windows-latest", "version": 16},
            ],
        },
        [
            {"os": "macos-latest", "version": 12, "environment": "staging"},
            {"os": "macos-latest", "version": 14, "environment": "staging"},
            {"os": "macos-latest", "version": 14, "environment": "production"},
            {"os": "macos-latest", "version": 16, "environment": "staging"},
            {"os": "macos-latest", "version": 16, "environment": "production"},
            {"os": "windows-latest", "version": 12, "environment": "staging"},
            {"os": "windows-latest", "version": 12, "environment": "production"},
            {"os": "windows-latest", "version": 14, "environment": "staging"},
            {"os": "windows-latest", "version": 14, "environment": "production"},
        ],
    ),
    "an include brings back what an exclude took out": (
        {
            "os": ["a", "b"],
            "version": [1, 2],
            "exclude": [{"os": "a"}],
            "include": [{"os": "a", "version": 2}],
        },
        [{"os": "b", "version": 1}, {"os": "b", "version": 2}, {"os": "a", "version": 2}],
    ),
    "failures": (
        {
            "version": [6, 7, 8],
            "experimental": [False],
            "include": [{"version": 9, "experimental": True}],
        },
        [
            {"version": 6, "experimental": False},
            {"version": 7, "experimental": False},
            {"version": 8, "experimental": False},
            {"version": 9, "experimental": True},
        ],
    ),
}


def parts(matrix: dict[str, Any]) -> tuple[dict[str, Any], list[Any], list[Any]]:
    axes = {key: value for key, value in matrix.items() if key not in ("include", "exclude")}
    return axes, matrix.get("include", []), matrix.get("exclude", [])


@pytest.mark.parametrize("case", DOCUMENTED)
def test_the_documented_examples_give_the_documented_variants(case: str) -> None:
    matrix, expected = DOCUMENTED[case]
    found = expand_matrix(*parts(matrix))
    assert [variant.values for variant in found] == expected
    assert [list(variant.values) for variant in found] == [list(values) for values in expected]


def test_the_documented_example_of_a_context() -> None:
    strategy = Strategy(matrix=Matrix(axes={"version": "${{ github.event.client_payload.versions }}"}))
    contexts: dict[str, Any] = {"github": {"event": {"client_payload": {"versions": [12, 14, 16]}}}}
    found = expand(strategy, lambda template: render(template, contexts))
    assert found == tuple(Variant(name=str(version), values={"version": version}) for version in (12, 14, 16))


# --- the rules once more, read from GitHub's reference implementation in the plainest way ---


def leaf_conditions(filter_: Json, path: str) -> Iterator[str]:
    """Each leaf of a filter as the expression that GitHub compares it with."""
    if isinstance(filter_, dict):
        for key, value in filter_.items():  # pyright: ignore[reportUnknownVariableType]
            yield from leaf_conditions(value, f"{path}[{literal(str(key))}]")  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(filter_, list):
        for number, value in enumerate(filter_):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            yield from leaf_conditions(value, f"{path}[{number}]")
    else:
        yield f"{path} == {literal(filter_)}"


def literal(value: Json) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "null" if value is None else to_text(value)


def holds(filter_: dict[str, Any], matrix: dict[str, Any]) -> bool:
    conditions = leaf_conditions(filter_, "matrix")
    return all(truthy(evaluate(condition, {"matrix": matrix})) for condition in conditions)


def oracle(axes: dict[str, Any], include: list[Any], exclude: list[Any]) -> list[dict[str, Any]]:
    lower = {axis.lower() for axis in axes}
    size = 1 if axes else 0
    for values in axes.values():
        size *= len(values)
    result: list[dict[str, Any]] = []
    matched: set[int] = set()
    for index in range(size):
        matrix: dict[str, Any] = {}
        block = size
        for axis, values in axes.items():
            block //= len(values)
            matrix[axis] = values[index // block % len(values)]
        if any(holds(entry, matrix) for entry in exclude):
            continue
        extra: dict[str, tuple[str, Any]] = {}
        for number, entry in enumerate(include):
            if holds({key: value for key, value in entry.items() if key.lower() in lower}, matrix):
                matched.add(number)
                for key, value in entry.items():
                    if key.lower() not in lower:
                        extra[key.lower()] = (extra.get(key.lower(), (key, None))[0], value)
        result.append({**matrix, **dict(extra.values())})
    for number, entry in enumerate(include):
        if number not in matched:
            first = {key: value for key, value in entry.items() if key.lower() in lower}
            result.append({**first, **entry})
    return result


SCALARS = st.sampled_from([None, True, False, 0, 1, 1.0, 2, 1.5, "", "1", "a", "A", "true", "it's", "b"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["x", "X1", "0"]), inner, max_size=2)
    ),
    max_leaves=4,
)
AXES = st.dictionaries(
    st.sampled_from(["os", "node-version", "arch"]), st.lists(VALUES, min_size=1, max_size=3), max_size=3
)


@st.composite
def matrices(draw: st.DrawFn) -> tuple[dict[str, Any], list[Any], list[Any]]:
    axes = draw(AXES)
    pool = [value for values in axes.values() for value in values] or [1]

    def entry(keys: list[str]) -> dict[str, Any]:
        chosen = draw(st.lists(st.sampled_from(keys), min_size=1, max_size=3, unique=True))
        named = [key.upper() if draw(st.booleans()) else key for key in chosen]
        return {key: draw(st.one_of(st.sampled_from(pool), VALUES)) for key in named}

    include = [entry([*axes, "color", "shape"]) for _ in range(draw(st.integers(0, 4)))]
    exclude = [entry(list(axes)) for _ in range(draw(st.integers(0, 2)))] if axes else []
    return axes, include, exclude


@settings(max_examples=600, deadline=None)
@given(matrices())
def test_any_matrix_expands_as_the_rules_say(given_: tuple[dict[str, Any], list[Any], list[Any]]) -> None:
    axes, include, exclude = given_
    expected = oracle(axes, include, exclude)
    if not expected:
        with pytest.raises(VariantsError) as caught:
            expand_matrix(axes, include, exclude)
        assert caught.value.fault == "empty"
        return
    found = expand_matrix(axes, include, exclude)
    assert [list(variant.values.items()) for variant in found] == [list(one.items()) for one in expected]
    names = [variant.name for variant in found]
    assert len(set(names)) == len(names)
    assert all(0 < len(name) <= MAX_NAME + 6 and name.isprintable() for name in names)


# --- names ---


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (["3.11", "alpine"], "3.11, alpine"),
        ([3.10, True, None, ""], "3.1, true"),
        ([{"n": "x", "deep": [1, {"m": "y"}]}, 2], "x, 1, y, 2"),
        (["a\nb\t c\x1b[31m"], "a b c [31m"),
        ([None], "empty"),
        (["x" * 200], "x" * 97 + "..."),
    ],
)
def test_a_name_is_made_of_the_values_as_at_github(values: list[Any], name: str) -> None:
    found = expand_matrix({f"axis{number}": [value] for number, value in enumerate(values)})
    assert [variant.name for variant in found] == [name]


def test_a_name_has_the_axes_alone_but_all_values_of_an_added_one() -> None:
    found = expand_matrix({"os": ["a"]}, [{"extra": 1}, {"os": "b", "extra": 2}])
    assert [variant.name for variant in found] == ["a", "b, 2"]


def test_names_that_meet_are_counted_and_no_counted_one_meets_another() -> None:
    found = expand_matrix({"v": ["a", "a", "a #2", 1, "1", True, "true", "a"]})
    names = [variant.name for variant in found]
    assert names == ["a", "a #3", "a #2", "1", "1 #2", "true", "true #2", "a #4"]


def test_a_title_names_the_variants_where_it_reads_them_and_only_then() -> None:
    axes = {"os": ["a", "b"], "v": [1, 2]}
    titled = expand_matrix(axes, title="on ${{ matrix.os }}")
    assert [variant.name for variant in titled] == ["on a", "on a #2", "on b", "on b #2"]
    assert [variant.name for variant in expand_matrix(axes, title="Test")] == ["a, 1", "a, 2", "b, 1", "b, 2"]
    assert [variant.name for variant in expand_items([1, 2], title="${{ item }}!")] == ["1!", "2!"]


# --- what is wrong ---


WRONG: list[tuple[dict[str, Any], tuple[str | int, ...], str, str]] = [
        ({"a": 3}, ("a",), "shape", "axis 'a' of the matrix must be a list of values, not '3'"),
        ({"a": "x"}, ("a",), "shape", "axis 'a' of the matrix must be a list of values, not 'x'"),
        ({"a": []}, ("a",), "empty", "axis 'a' of the matrix has no values"),
        ({"os": [1], "OS": [2]}, ("OS",), "shape", "the axes 'os' and 'OS' of the matrix differ only in case"),
        ({"a": [1], "include": {"b": 1}}, ("include",), "shape", "'include' of the matrix must be a list of mappings, not a mapping"),
        ({"a": [1], "include": [{"b": 1}, "x"]}, ("include", 1), "shape", "item 2 of 'include' of the matrix must be a mapping with at least one value"),
        ({"a": [1], "exclude": [{}]}, ("exclude", 0), "shape", "item 1 of 'exclude' of the matrix must be a mapping with at least one value"),
        ({"a": [1], "include": [{"b": 1, "B": 2}]}, ("include", 0, "B"), "shape", "the keys 'b' and 'B' of item 1 of 'include' of the matrix differ only in case"),
        ({"a": [1], "exclude": [{"a": 1}, {"b": 1}]}, ("exclude", 1, "b"), "axis", "'exclude' names 'b', which is no axis of this matrix; it has 'a'"),
        ({"include": [{"b": 1}], "exclude": [{"b": 1}]}, ("exclude", 0, "b"), "axis", "'exclude' names 'b', which is no axis of this matrix; it has no axes"),
        ({"a": [1], "exclude": [{"A": "1"}]}, (), "empty", "the matrix has no combination left: 'exclude' takes out all of them"),
        ({}, (), "empty", "the matrix has no values: give it at least one axis or one 'include'"),
        ({"a": list(range(257))}, (), "count", "there are 257 variants, and this spec allows 256; raise 'max_variants' at its top level"),
        ({"a": list(range(256)), "include": [{"a": -1}]}, (), "count", "there are 257 variants, and this spec allows 256; raise 'max_variants' at its top level"),
        ({c: list(range(30)) for c in "abcd"}, (), "count", "there are more than 10,000 variants, which is more than any job may have"),
        ({c: list(range(30)) for c in "abcd"} | {"exclude": [{"a": 1}]}, (), "count", "the matrix has 810,000 combinations before its 'exclude', and at most 500,000 can be looked through; write those that shall run as 'include', or compute them in a job before it"),
        ({"a": [{"x": n} for n in range(200)], "include": [{"a": {"x": n}} for n in range(2000)]}, (), "count", "to compare 'include' and 'exclude' with the values of the axes takes 800,000 comparisons, and at most 100,000 are possible; write fewer entries with lists or mappings, or give the values a name in an axis"),
        ({"a": ["x" * 100_000] * 50}, (), "count", "the values of all variants together are longer than 4,000,000 characters; keep long texts in files and give variants their names"),
]  # fmt: skip


@pytest.mark.parametrize(("matrix", "path", "fault", "message"), WRONG)
def test_what_cannot_be_expanded_says_why_and_where(
    matrix: dict[str, Any], path: tuple[str | int, ...], fault: str, message: str
) -> None:
    with pytest.raises(VariantsError) as caught:
        expand_matrix(*parts(matrix))
    assert (str(caught.value), caught.value.path, caught.value.fault) == (message, path, fault)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (3, "'for_each' must be a list or a mapping, not '3'"),
        (None, "'for_each' must be a list or a mapping, not nothing"),
        (list(range(257)), "there are 257 variants, and this spec allows 256; raise 'max_variants' at its top level"),
    ],
)  # fmt: skip
def test_items_that_are_none_or_too_many(items: Any, message: str) -> None:
    with pytest.raises(VariantsError) as caught:
        expand_items(items)
    assert str(caught.value) == message
