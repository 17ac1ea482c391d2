"""How `with` becomes arguments."""

from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.handlers import Context
from workers.calling.arguments import bound
from workers.calling.faults import CallFault

CTX = Context(job="a")


def by_name(hotels: list[int], max_price: int = 5) -> Any:
    return hotels, max_price


def seed(ctx: Context, config: dict[str, Any]) -> Any:
    return ctx.job, config


def mixed(ctx: Context, rows: int, /, *, limit: int, **rest: Any) -> Any:
    return ctx.job, rows, limit, rest


def whole(input_data: dict[str, Any]) -> Any:
    return input_data


def parts(*rest: int) -> Any:
    return rest


def nothing() -> Any:
    return "nothing"


FITTING: list[tuple[Callable[..., Any], dict[str, Any], Any]] = [
    (by_name, {"hotels": [1]}, ([1], 5)),
    (by_name, {"hotels": [1], "max_price": 2}, ([1], 2)),
    (seed, {"a": 1, "b": 2}, ("a", {"a": 1, "b": 2})),
    (seed, {}, ("a", {})),
    (seed, {"config": {"x": 1}}, ("a", {"x": 1})),
    (mixed, {"rows": 1, "limit": 2, "other": 3}, ("a", 1, 2, {"other": 3})),
    (whole, {"a": 1}, {"a": 1}),
    (nothing, {}, "nothing"),
    (parts, {}, ()),
    (dict, {"a": 1}, {"a": 1}),
]


@pytest.mark.parametrize(("function", "given", "result"), FITTING)
def test_arguments_go_where_their_names_say(
    function: Callable[..., Any], given: dict[str, Any], result: Any
) -> None:
    positional, named = bound(function, given, CTX)
    assert function(*positional, **named) == result


@pytest.mark.parametrize(
    ("function", "given", "said"),
    [
        (by_name, {}, "by_name() needs 'hotels', which `with` does not have"),
        (
            by_name,
            {"hotel": [1]},
            "by_name() needs 'hotels', which `with` does not have; does not take 'hotel' (did you mean 'hotels'?)",
        ),
        (
            by_name,
            {"hotels": [], "zzz": 1},
            "by_name() does not take 'zzz' (it takes 'hotels', 'max_price')",
        ),
        (nothing, {"a": 1}, "nothing() does not take 'a' (it takes nothing)"),
    ],
)
def test_too_little_or_too_much(function: Callable[..., Any], given: dict[str, Any], said: str) -> None:
    with pytest.raises(CallFault) as caught:
        bound(function, given, CTX)
    assert str(caught.value) == f"{said}; its parameters are the keys of `with`"
