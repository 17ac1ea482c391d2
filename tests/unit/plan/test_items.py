"""The variants of `for_each`: what they are called, and in which order they come."""

from typing import Any

import pytest

from orchestrator.plan.variants import expand_items


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (["a", 3.0, True], [("a", "a"), ("3", 3.0), ("true", True)]),
        (
            [{"name": "x", "id": 1}, {"id": 2}, {"a": 1}, [2, [None, "x"]], None, "", [[None]], {"a": ""}],
            [
                ("x", {"name": "x", "id": 1}),
                ("2", {"id": 2}),
                ("1", {"a": 1}),
                ("2, x", [2, [None, "x"]]),
                ("item 5", None),
                ("item 6", ""),
                ("item 7", [[None]]),
                ("item 8", {"a": ""}),
            ],
        ),
        (
            {"eu": 1, "us": {"n": 2}},
            [("eu", {"key": "eu", "value": 1}), ("us", {"key": "us", "value": {"n": 2}})],
        ),
        ([], []),
        ({}, []),
    ],
)
def test_items_of_a_list_and_of_a_mapping(items: Any, expected: list[tuple[str, Any]]) -> None:
    assert [(variant.name, variant.item) for variant in expand_items(items)] == expected


def test_items_with_parts_keep_their_names_in_another_order() -> None:
    items = [
        {"os": "alpine", "versions": [3.11, 3.12]},
        [2, 3],
        {"name": {"first": "Ada"}},
        {"key": "k", "id": 0},
    ]
    names = {variant.name: variant.item for variant in expand_items(items)}
    assert list(names) == ["alpine, 3.11, 3.12", "2, 3", "Ada", "0"]
    assert {variant.name: variant.item for variant in expand_items(items[::-1])} == names


def test_the_name_of_a_large_item_is_cut() -> None:
    (variant,) = expand_items([list(range(10_000))])
    assert len(variant.name) == 100
    assert variant.name.startswith("0, 1, 2, ")
    assert variant.name.endswith("...")
