"""What may be taken from outside as it is: names of people and numbers. Pure: no Temporal, no clock, no await."""

import math
import unicodedata
from collections.abc import Mapping
from typing import cast

from orchestrator.plan.parts import Json

MAX_PERSON = 200
"""Characters of who says something."""
_LARGEST = 2**63
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of characters that nobody sees, or that change how the text around them reads."""
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")
"""Characters of other categories that show nothing either; so do the variation selectors."""


def person(by: str) -> str:
    """The name of somebody in the one form in which it is taken down and compared with an approver's."""
    return unicodedata.normalize("NFKC", by).strip()


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: how they are spelled in capitals does not make them two."""
    return _folded(one) == _folded(other)


def person_problem(by: str) -> str | None:
    """Why `by` is no name of anybody, in a sentence, if it is none."""
    if not person(by):
        return "the answer does not say who gives it: set `by`"
    return spelling_problem(by)


def spelling_problem(by: str) -> str | None:
    """The same where a name may be left out."""
    if len(by) > MAX_PERSON or len(person(by)) > MAX_PERSON:
        return f"the name of who answers is longer than {MAX_PERSON} characters"
    unseen = next((char for char in by.strip() if _is_unseen(char)), None)
    if unseen is not None:
        return (
            f"the name of who answers holds a character that nobody sees (U+{ord(unseen):04X}); leave it out"
        )
    return None


def is_number(value: Json) -> bool:
    """Whether `value` is a number that everything which reads a record can hold: 64 bits."""
    if isinstance(value, bool):
        return False
    # A whole number first: asking whether one of 400 digits is finite is an error by itself.
    if isinstance(value, int):
        return -_LARGEST <= value < _LARGEST
    return isinstance(value, float) and math.isfinite(value)


def holds_odd_number(value: Json) -> bool:
    """Whether there is a number anywhere in `value` that is none by `is_number`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return not is_number(value)
    if isinstance(value, Mapping):
        return any(holds_odd_number(item) for item in cast("Mapping[str, Json]", value).values())
    return isinstance(value, list) and any(holds_odd_number(item) for item in cast("list[Json]", value))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", person(name).casefold())


def _is_unseen(char: str) -> bool:
    selector = "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
    return selector or char in _FILLERS or unicodedata.category(char) in _UNSEEN
