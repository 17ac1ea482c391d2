"""How what stands in `with` becomes the arguments of a function. Pure."""

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from orchestrator.handlers import Context
from workers.calling.faults import CallFault

CONTEXT: Final = "ctx"
"""A parameter of this name is given the context."""
WHOLE: Final = ("config", "input_data")
"""A parameter of one of these names is given all of `with`, unless `with` has something of that name."""

_BY_NAME: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def bound(
    function: Callable[..., Any], given: Mapping[str, Any], context: Context
) -> tuple[list[Any], dict[str, Any]]:
    """Positional and named arguments for `function`.

    `def f(hotels, max_price)` takes its parameters by name out of `with`; `def f(ctx, config)` takes the context and
    all of `with` at once. Mixed forms work as the names say.

    Raises:
        CallFault: `with` has too little or too much for it.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        # Some that are written in C do not say what they take.
        return [], dict(given)
    left = dict(given)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    missing: list[str] = []
    takes_rest = False
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            takes_rest = True
            continue
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            continue
        if parameter.name == CONTEXT and CONTEXT not in given:
            value: Any = context
        elif parameter.name in WHOLE and parameter.name not in given:
            value, left = dict(given), {}
        elif parameter.name in given:
            value = given[parameter.name]
            left.pop(parameter.name, None)
        elif parameter.default is not inspect.Parameter.empty:
            continue
        else:
            missing.append(parameter.name)
            continue
        if parameter.kind in _BY_NAME:
            named[parameter.name] = value
        else:
            positional.append(value)
    if takes_rest:
        named, left = {**left, **named}, {}
    _complain(function, missing, list(left), [parameter.name for parameter in parameters])
    return positional, named


def _complain(function: Callable[..., Any], missing: list[str], unknown: list[str], known: list[str]) -> None:
    if not missing and not unknown:
        return
    name = getattr(function, "__name__", "the function")
    problems = [f"needs '{item}', which `with` does not have" for item in missing]
    for item in unknown:
        near = difflib.get_close_matches(item, known, n=1)
        takes = ", ".join(f"'{one}'" for one in known if one != CONTEXT) or "nothing"
        hint = f"did you mean '{near[0]}'?" if near else f"it takes {takes}"
        problems.append(f"does not take '{item}' ({hint})")
    raise CallFault(f"{name}() {'; '.join(problems)}; its parameters are the keys of `with`")
