"""Params: what is given becomes typed values, and everything that is wrong is said at once."""

from collections.abc import Mapping

import pytest

from orchestrator.errors import UsageError
from orchestrator.plan.model import Param
from orchestrator.plan.params import bind_params, declaration_problems, parse_given
from orchestrator.plan.parts import Json

DECLARED = (
    Param(name="tag", required=True, pattern=r"^\d+\.\d+$"),
    Param(name="env", enum=("dev", "prod"), default="dev", has_default=True),
    Param(name="count", type="integer", default=1, has_default=True),
    Param(name="ratio", type="number"),
    Param(name="fast", type="boolean", default=None, has_default=True),
    Param(name="regions", type="array", enum=([], ["eu"])),
    Param(name="extra", type="object"),
)


@pytest.mark.parametrize(
    ("given", "bound"),
    [
        ({"tag": "1.0"}, {}),
        ({"tag": "1.0", "count": "3"}, {"count": 3}),
        ({"tag": "1.0", "count": 3.0}, {"count": 3}),
        ({"tag": "1.0", "ratio": "0.5"}, {"ratio": 0.5}),
        ({"tag": "1.0", "ratio": 2}, {"ratio": 2}),
        ({"tag": "1.0", "fast": "True"}, {"fast": True}),
        ({"tag": "1.0", "fast": False}, {"fast": False}),
        ({"tag": "1.0", "regions": '["eu"]'}, {"regions": ["eu"]}),
        ({"tag": "1.0", "extra": '{"a": {"b": 1}}'}, {"extra": {"a": {"b": 1}}}),
        ({"tag": "1.0", "extra": {}, "env": "prod"}, {"extra": {}, "env": "prod"}),
    ],
)
def test_bound_values(given: Mapping[str, Json], bound: Mapping[str, Json]) -> None:
    defaults = {
        "tag": "1.0",
        "env": "dev",
        "count": 1,
        "ratio": None,
        "fast": None,
        "regions": None,
        "extra": None,
    }
    assert bind_params(DECLARED, given) == {**defaults, **bound}


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({}, ["param 'tag' is required: give it with --param tag=VALUE"]),
        ({"tag": "1"}, [r"param 'tag' must match the pattern ^\d+\.\d+$, which '1' does not"]),
        ({"tag": 1.0}, ["param 'tag' must be text, not 1.0"]),
        (
            {"tga": "1.0", "tag": "1.0", "zzz": 1},
            [
                "unknown param 'tga'; did you mean 'tag'?",
                "unknown param 'zzz'; the spec has tag, env, count, ratio, fast, regions, extra",
            ],
        ),
        (
            {"tag": "1.0", "env": "test", "count": "x", "ratio": "NaN", "fast": "yes", "regions": "eu", "extra": "[]"},
            [
                "param 'env' must be one of 'dev', 'prod', not 'test'",
                "param 'count' must be a whole number, not 'x'",
                "param 'ratio' must be a number, not NaN",
                "param 'fast' must be true or false, not 'yes'",
                "param 'regions' must be a list, as JSON, not 'eu'",
                "param 'extra' must be a mapping, as JSON, not []",
            ],
        ),
        ({"tag": "1.0", "count": True}, ["param 'count' must be a whole number, not true"]),
        ({"tag": "1.0", "count": 1.5}, ["param 'count' must be a whole number, not 1.5"]),
        ({"tag": "1.0", "count": "9" * 500}, ["param 'count' must be a whole number, not 500 characters"]),
        ({"tag": "1.0", "regions": ["us"]}, ["param 'regions' must be one of [], [\"eu\"], not [\"us\"]"]),
        (
            {"tag": "1.0", "extra": {"a": [float("inf")]}},
            ["param 'extra' must be a mapping, as JSON, not {\"a\": [Infinity]}"],
        ),
        ({"tag": "1.0", "extra": "[" * 100_000}, ["param 'extra' must be a mapping, as JSON, not '" + "[" * 60 + "…'"]),
    ],
)  # fmt: skip
def test_every_problem_is_named(given: Mapping[str, Json], problems: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        bind_params(DECLARED, given)
    assert str(caught.value).splitlines() == problems


def test_text_is_taken_as_it_is() -> None:
    assert parse_given(Param(name="p"), " 3 ") == " 3 "


def test_a_pattern_is_searched_and_true_is_not_one() -> None:
    assert bind_params([Param(name="p", pattern="b+")], {"p": "abba"}) == {"p": "abba"}
    with pytest.raises(UsageError, match="must be one of 1, not true"):
        bind_params([Param(name="p", type="boolean", enum=(1,))], {"p": True})


@pytest.mark.parametrize(
    ("param", "keys"),
    [
        (Param(name="p"), []),
        (Param(name="p", pattern="("), ["pattern"]),
        (Param(name="p", pattern="(" * 5000), ["pattern"]),
        (Param(name="p", pattern="a{99999999999999999999}"), ["pattern"]),
        (Param(name="p", pattern="[[a]", default="b", has_default=True), ["pattern"]),
        (Param(name="p", pattern=r"[\[a]", default="b", has_default=True), ["default"]),
        (Param(name="p", pattern="(a+)+$", default="a" * 5000 + "!", has_default=True), ["default"]),
        (Param(name="p", pattern="x" * 1001), ["pattern"]),
        (Param(name="p", pattern="(a{999}){999}"), ["pattern"]),
        (Param(name="p", type="integer", pattern="x"), ["pattern"]),
        (Param(name="p", type="integer", enum=(1, "2", 3.5)), ["enum", "enum"]),
        (Param(name="p", type="integer", default="1", has_default=True), ["default"]),
        (Param(name="p", enum=("a",), default="b", has_default=True), ["default"]),
        (Param(name="p", enum=("a",), default=None, has_default=True), []),
    ],
)
def test_declarations(param: Param, keys: list[str]) -> None:
    assert [key for key, _ in declaration_problems(param)] == keys
