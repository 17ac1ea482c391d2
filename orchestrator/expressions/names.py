"""Which contexts and functions the language has, and how a name that is none of them is told.

Names are found in any case; tables have them as documentation writes them. No evaluation here.
"""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final

from orchestrator.expressions.additions import ADDITIONS
from orchestrator.expressions.functions import GITHUB, MAX_ARGUMENTS, STATUS_FUNCTIONS, Function

ALIASES: Final[Mapping[str, str]] = {"inputs": "params", "needs": "jobs", "github": "git"}
"""A context's other name, as people from GitHub Actions write it, and its own."""

KNOWN_CONTEXTS: Final[tuple[str, ...]] = (
    "params", "env", "vars", "matrix", "item", "jobs", "run", "git", "services", "secrets", *ALIASES,
)  # fmt: skip
"""Every context, under each of its names."""

PURE_FUNCTIONS: Final[Mapping[str, Function]] = {
    function.name.lower(): function for function in (*GITHUB, *ADDITIONS)
}
"""The functions that need nothing but their arguments, by their name in lower case."""

KNOWN_FUNCTIONS: Final[Mapping[str, tuple[int, int]]] = {
    **{function.name: (function.least, function.most) for function in GITHUB},
    "hashFiles": (1, MAX_ARGUMENTS),
    **dict.fromkeys(STATUS_FUNCTIONS, (0, 0)),
    **{function.name: (function.least, function.most) for function in ADDITIONS},
}
"""Every function, and how many arguments it takes at least and at most. `case` takes an odd number."""

_ARITIES: Final = {name.lower(): arity for name, arity in KNOWN_FUNCTIONS.items()}


def arity_problem(name: str, count: int) -> str | None:
    """What is wrong with calling the known function `name` with `count` arguments, if anything."""
    least, most = _ARITIES[name.lower()]
    if count < least:
        return "Too few parameters supplied"
    if count > most:
        return "Too many parameters supplied"
    if name.lower() == "case" and count % 2 == 0:
        return "Even number of parameters supplied, requires an odd number of parameters"
    return None


def is_function(name: str) -> bool:
    """Whether the language has a function `name`, in any case."""
    return name.lower() in _ARITIES


def suggest(name: str, known: Collection[str]) -> str | None:
    """The name of `known` that was probably meant by `name`; none when none is near."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    matches = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[matches[0]] if matches else None
