"""Text to data with places: what YAML means here, where things stand, and what is refused."""

import math
from typing import Any

import pytest
import yaml

from orchestrator.spec.places import Source, Spot
from orchestrator.spec.source import read_source
from orchestrator.spec.text import MAX_BYTES


def source_of(text: str | bytes) -> Source:
    source, found = read_source(text, "t.yaml")
    assert source is not None
    assert found == ()
    return source


def findings(text: str | bytes) -> list[tuple[str, int, int]]:
    return [(item.code, item.line, item.column) for item in read_source(text, "t.yaml")[1]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"), ("No", "No"), ("yes", "yes"), ("y", "y"), ("true", True), ("False", False), ("TRUE", True),
        ("tRue", "tRue"), ("null", None), ("~", None), ("", None), ("12", 12), ("-7", -7), ("+7", 7), ("012", 12),
        ("0o17", 15), ("0x1F", 31), ("1_000", "1_000"), ("12:30", "12:30"), ("1.5", 1.5), (".5", 0.5), ("1.", 1.0),
        ("1e3", 1000.0), ("-1.5E-2", -0.015), (".inf", math.inf), ("-.INF", -math.inf), ("2020-01-01", "2020-01-01"),
        ("0b11", "0b11"), ("'12'", "12"), ('"true"', "true"), (".", "."), ("1.2.3", "1.2.3"),
        ("=", "="), ("18446744073709551615", 2**64 - 1),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    assert source_of(f"v: {text}").data == {"v": value}
    assert type(source_of(f"v: {text}").data["v"]) is type(value)


def test_not_a_number_is_one() -> None:
    assert math.isnan(source_of("v: .nan").data["v"])


def test_data_is_what_the_plain_reader_makes_of_it() -> None:
    text = """
base: &base {image: a, env: {X: "1", Y: two}}
list: [1, [2, three], {four: 5}, *base]
one: {<<: *base, image: b}
two:
  <<: [{image: c, user: d}, *base]
block: |
  a
   b
folded: >-
  c
  d
"""
    assert source_of(text).data == yaml.safe_load(text)


def test_merged_keys_never_replace_written_ones_and_earlier_ones_win() -> None:
    data = source_of("{a: {<<: [{x: 1, y: 1}, {y: 2, z: 2}], x: 0}, '<<': text}").data
    assert data == {"a": {"x": 0, "y": 1, "z": 2}, "<<": "text"}


def test_places_of_keys_and_values() -> None:
    source = source_of("a:\n  b: [x, 'yy']\n  c: &n {d: 1}\ne: *n\n")
    assert source.key(("a", "b")) == Spot(2, 3, 4)
    assert source.value(("a", "b")) == Spot(2, 6)
    assert source.value(("a", "b", 1)) == Spot(2, 10, 14)
    assert source.value(("a", "c", "d")) == Spot(3, 13, 14)
    assert source.key(("e", "d")) == Spot(3, 10, 11)
    assert source.value(("e",)) == Spot(4, 4)
    assert source.value(("a", "b", 7)) == Spot(2, 6)
    assert source.key(("a", "nothing")) == Spot(1, 1)
    assert source.value(()) == Spot(1, 1)


@pytest.mark.parametrize(
    ("text", "part", "expected"),
    [
        ("v: one two", "two", Spot(1, 8, 11)),
        ('v: "one two"', "two", Spot(1, 9, 12)),
        ("v: 'one two'", "two", Spot(1, 9, 12)),
        ("v: 'it''s one two'", "two", Spot(1, 15, 18)),
        ("v: 'one == ''two'''", "'two'", Spot(1, 12, 19)),
        ('v: "a \\"b\\" \\\\ two"', "two", Spot(1, 16, 19)),
        ('v: "a \\"b\\" two"', '"b"', Spot(1, 7, 12)),
        ("v: |\n    one\n    two three", "two", Spot(3, 5, 8)),
        ("v: |\n  one\n\n  two three", "three", Spot(4, 7, 12)),
        ("v: |\n  one\n  two\n", "one\ntwo", Spot(2, 3, 6)),
        ("v: >\n  one\n  two", "two", Spot(3, 3, 6)),
        ("v: >-\n  two one two\n\n    more\n  two", "more", Spot(4, 5, 9)),
        ("v: one\n  two\n  three two\nw: two", "three", Spot(3, 3, 8)),
        ("v: one\n  two", "one two", Spot(1, 4)),
        ('v: "a\\tone two"', "two", Spot(1, 4)),
        ("v: 'one\n  two'\nw: two", "two", Spot(1, 4)),
        ("u: &x one two\nv: *x\nw: two", "two", Spot(2, 4)),
    ],
)
def test_places_inside_a_text(text: str, part: str, expected: Spot) -> None:
    source = source_of(text)
    assert source.inside(("v",), source.data["v"].index(part), len(part)) == expected


def test_the_second_of_two_words_in_a_folded_text_is_found() -> None:
    source = source_of("v: >\n  two one two\n  two")
    assert source.inside(("v",), len("two one two "), 3) == Spot(3, 3, 6)
    assert source.inside(("v",), len("two one "), 3) == Spot(2, 11, 14)


def test_columns_count_characters_and_lines_break_as_in_yaml() -> None:
    source = source_of("ä: {ö: ü}\r\nb: 1\rc: 2")
    assert source.value(("ä", "ö")) == Spot(1, 8, 9)
    assert source.value(("c",)) == Spot(3, 4, 5)
    assert source_of(b"\xef\xbb\xbfa: 1").value(("a",)) == Spot(1, 4, 5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a: \xff", [("E002", 1, 4)]),
        (b"\xff\xfea\x00", [("E002", 1, 1)]),
        ("a: 1\nb: \x07", [("E003", 2, 4)]),
        ("a: \ud800", [("E003", 1, 4)]),
        ('a: "\\0"', [("E003", 1, 4)]),
        ("a: [1", [("E004", 1, 6)]),
        ("a: 'x", [("E004", 1, 6)]),
        ("a: b: c", [("E004", 1, 5)]),
        ("a:\n\t- 1", [("E004", 2, 1)]),
        ("a: @x", [("E004", 1, 4)]),
        ("%YAML 9.9\n---\na: 1", [("E004", 1, 1)]),
        ("a: 1\na: 2\nb: {c: 1, c: 2}", [("E005", 2, 1), ("E005", 3, 11)]),
        ("<<: {}\n<<: {}", [("E005", 2, 1)]),
        ("1: a\ntrue: b\n~: c\n[x]: d\n{y: z}: e", [("E006", n, 1) for n in range(1, 6)]),
        ("a: &x {}\n*x : 1", [("E006", 2, 1)]),
        ("a: !!int 1\nb: !mine {}", [("E007", 1, 4), ("E007", 2, 4)]),
        ("a: 1\n---\nb: 2", [("E008", 2, 1)]),
        ("a: *b", [("E009", 1, 4)]),
        ("a: &a [*a]", [("E010", 1, 8)]),
        ("[" * 101, [("E012", 1, 101)]),
        ("- " * 101 + "x", [("E012", 1, 201)]),
        ("v: &a " + "[" * 60 + "]" * 60 + "\nw: " + "[" * 60 + "*a" + "]" * 60, [("E012", 2, 64)]),
        ("a: 99999999999999999999\nb: 1e999\nc: " + "9" * 5000, [("E013", n, 4) for n in (1, 2, 3)]),
        ("", [("E014", 1, 1)]),
        ("# nothing\n", [("E014", 1, 1)]),
        ("a: {<<: 1}\nb: {<<: [1]}", [("E015", 1, 9), ("E015", 2, 10)]),
    ],
)
def test_what_is_refused_and_where(text: str | bytes, expected: list[tuple[str, int, int]]) -> None:
    assert findings(text) == expected


def bomb(levels: int, width: int, leaf: str = "x") -> str:
    lines = [f"l0: &l0 [{', '.join([leaf] * width)}]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        bomb(30, 9),
        bomb(2, 900, leaf="x" * 9_000),
        "m0: &m0 {a: b}" + "".join(
            f"\nm{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}" for n in range(1, 9)
        ),
    ],
    ids=["nested", "long texts", "merges"],
)  # fmt: skip
def test_alias_bombs_are_refused_before_they_cost_anything(text: str) -> None:
    assert [code for code, _, _ in findings(text)] == ["E011"]


def test_aliases_of_a_large_honest_spec_are_fine() -> None:
    jobs = "".join(f"  j{n}: {{<<: *base, user: u{n}}}\n" for n in range(5000))
    data: Any = source_of("base: &base {image: a, env: {A: b, C: d}}\njobs:\n" + jobs).data
    assert data["jobs"]["j4999"] == {"user": "u4999", "image": "a", "env": {"A": "b", "C": "d"}}


@pytest.mark.parametrize(
    "text", ["a: " + "x" * 2 * MAX_BYTES, b"a" * (MAX_BYTES + 1), "ä" * (MAX_BYTES // 2 + 1)]
)
def test_a_file_that_is_too_large_is_refused_unread(text: str | bytes) -> None:
    assert findings(text) == [("E001", 1, 1)]


def test_600_000_values_are_enough() -> None:
    assert [code for code, _, _ in findings("- x\n" * 600_001)] == ["E011"]
