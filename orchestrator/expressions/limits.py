"""What bounds an expression, so that evaluating one is total and can run in replayed code.

The length and the depth are GitHub Actions' own. The other numbers are ours: they keep an evaluation well
under a second and a few dozen megabytes, whatever the expression and the values it meets. No behaviour but
counting.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from orchestrator.errors import ExpressionError

MAX_LENGTH: Final = 21_000
"""Characters of one expression."""

MAX_DEPTH: Final = 50
"""Levels of the syntax tree; parentheses add none."""

MAX_MEMORY: Final = 1_048_576
"""Bytes of the texts that an expression made and still holds: two for a character, as GitHub counts."""

MAX_TEXT: Final = MAX_MEMORY
"""Characters of the text that a template becomes."""

MAX_ITEMS: Final = 10_000
"""Items of a list that `range`, `split` or `batch` makes."""

MAX_WORK: Final = 8 * 1_048_576
"""Characters and items that one evaluation may go through, all its steps together."""

CACHED: Final = 16_384
"""Expressions whose trees are kept: those of a spec of ten thousand jobs, which several checks read in turn."""

ITEM: Final = 32
"""What comparing one item of a list counts beside its characters, as it takes about as long as reading so many."""

MAX_SHARED_WORK: Final = MAX_WORK // 2
"""What all evaluations inside one `shared_work` may go through together."""

MAX_JSON_DEPTH: Final = 100
"""Levels of nesting that `fromJSON` reads and `toJSON` writes."""


class _Pool:
    """What several evaluations have left together."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_SHARED_WORK


_pool: Final[ContextVar[_Pool | None]] = ContextVar("_pool", default=None)


@contextmanager
def shared_work() -> Generator[None]:
    """Inside the block all evaluations together are bounded, too: a spec may hold any number of small dear ones."""
    token = _pool.set(_Pool())
    try:
        yield
    finally:
        _pool.reset(token)


class Budget:
    """Counts what one evaluation goes through; each text and list that is read or made is charged here."""

    __slots__ = ("_left", "_shared", "_source", "held")

    def __init__(self, source: str) -> None:
        self.held = 0
        self._left = MAX_WORK
        self._shared = _pool.get()
        self._source = source

    def charge(self, amount: int) -> None:
        """Take `amount` characters or items off what is left.

        Raises:
            ExpressionError: nothing is left.
        """
        self._left -= amount
        if self._left < 0:
            self._refuse()
        if self._shared is not None:
            self._shared.left -= amount
            if self._shared.left < 0:
                raise ExpressionError("The constant expressions take too much work, all of them together")

    def make(self, length: int) -> None:
        """Make room for a new text of `length` characters, before it is made.

        Raises:
            ExpressionError: with it, the texts held are larger than `MAX_MEMORY`; or nothing is left.
        """
        self.held += bytes_of(length)
        if self.held > MAX_MEMORY:
            self._refuse()
        self.charge(length)

    def settle(self, before: int, kept: int | None) -> None:
        """A call is done: of what it made since `before`, only its text of `kept` characters stays."""
        if self.held > before:
            self.held = before + (bytes_of(kept) if kept is not None else 0)

    def _refuse(self) -> None:
        raise ExpressionError(
            "The maximum allowed memory size was exceeded while evaluating the following expression: "
            f"{shorten(self._source)}"
        )


def bytes_of(length: int) -> int:
    """What a text of `length` characters counts."""
    return 26 + 2 * length


def shorten(text: str, limit: int = 300) -> str:
    """`text` as a message shows it: whole, or its first `limit` characters and an ellipsis."""
    return text if len(text) <= limit else f"{text[:limit]}…"
