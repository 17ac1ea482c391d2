"""Small parts of sentences about a plan: lists, counts, durations, expressions in one line. Pure."""

from collections.abc import Sequence

from orchestrator.errors import ExpressionError
from orchestrator.expressions import Hole, segments


def bare(text: str) -> str:
    """An expression in one line, without the `${{ }}` around it where that is all there is."""
    try:
        parts = segments(text.strip())
    except ExpressionError:
        parts = ()  # A compiled plan has none such; one from elsewhere is shown as it is.
    if len(parts) == 1 and isinstance(parts[0], Hole):
        return one_line(parts[0].source)
    return one_line(text)


def one_line(text: str) -> str:
    """`text` with every stretch of white space as one blank."""
    return " ".join(text.split())


def listed(names: Sequence[str], limit: int, *, between: str = ", ") -> str:
    """The first `limit` names, and how many more there are."""
    shown = between.join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit:,} more"


def count(number: int, what: str) -> str:
    """`1 job`, `2,000 jobs`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters; an ellipsis stands for the rest."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def lasting(seconds: float) -> str:
    """A duration as a spec says it: `90 s`, `5 m`, `1 h 30 m`, `2 d`."""
    if seconds < 60 or seconds != int(seconds):
        return f"{seconds:g} s"
    rest, parts = int(seconds), list[str]()
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        many, rest = divmod(rest, size)
        parts += [f"{many} {unit}"] if many else []
    return " ".join(parts)
