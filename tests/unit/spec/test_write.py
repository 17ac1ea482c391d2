"""Specs that are written and read again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.spec.source import read_source
from orchestrator.spec.write import write_spec

TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=40
) | st.sampled_from(
    [
        "on",
        "no",
        "0o17",
        "1e3",
        "012",
        "12:30",
        "~",
        "",
        "- a",
        "a: b",
        "#",
        "${{ x }}",
        "null",
        "5m",
        "a\nb\n",
        "a\n",
        " a\nb",
    ]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(TEXTS, parts, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_read_as_it_was(value: Any) -> None:
    text = write_spec({"name": "x", "params": value})
    source, problems = read_source(text, "x.yaml")
    assert problems == ()
    assert source is not None
    assert source.data == {"name": "x", "params": value}


def test_it_reads_like_a_person_s() -> None:
    same = ["a"]
    assert write_spec(
        {
            "name": "demo",
            "jobs": {"a": {"image": "alpine:latest", "commands": ("x\ny",), "a": same, "b": same}},
        }
    ) == (
        "name: demo\n"
        "jobs:\n"
        "  a:\n"
        "    image: alpine:latest\n"
        "    commands:\n"
        "    - |-\n"
        "      x\n"
        "      y\n"
        "    a:\n"
        "    - a\n"
        "    b:\n"
        "    - a\n"
    )


def test_a_value_that_yaml_does_not_have() -> None:
    with pytest.raises(ValueError, match="a spec cannot hold this: "):
        write_spec({"name": object()})
