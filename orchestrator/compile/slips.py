"""What is wrong with something that an expression reads, before it has a place in a file. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slip:
    """What is wrong with one reference."""

    code: str
    message: str
    word: str = ""
    known: tuple[str, ...] = ()
    """The word that is wrong, and those among which the right one may be."""


def listed(words: tuple[str, ...]) -> str:
    """`'a', 'b' and 3 more`: at most ten of them, quoted."""
    shown = ", ".join(f"'{word}'" for word in words[:10])
    return shown if len(words) <= 10 else f"{shown} and {len(words) - 10} more"
