"""Source to tokens, one at a time, so that the first mistake in the source is the one that is told.

What a `.` or a word means depends on the token before it, as in GitHub's language: `.5` is a number, `a.5` is
not. Knows nothing of precedence or of which names exist.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from math import inf, isnan, nan
from typing import Final

from orchestrator.errors import ExpressionError
from orchestrator.expressions.limits import shorten
from orchestrator.expressions.numbers import WHITE_SPACE, parse_number, tidy


class TokenKind(Enum):
    """What a token is."""

    OPEN = auto()
    CLOSE = auto()
    OPEN_INDEX = auto()
    CLOSE_INDEX = auto()
    COMMA = auto()
    DOT = auto()
    STAR = auto()
    NOT = auto()
    BINARY = auto()
    LITERAL = auto()
    PROPERTY = auto()
    CONTEXT = auto()
    FUNCTION = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its text as written, its place, and for a literal its value."""

    kind: TokenKind
    text: str
    offset: int
    value: bool | int | float | str | None = None

    @property
    def end(self) -> int:
        """The place after its last character."""
        return self.offset + len(self.text)


class ParseError(ExpressionError):
    """An expression that cannot be parsed, or names what does not exist.

    Attributes:
        reason: the message without the place and the expression, for where a caret shows them.
    """

    def __init__(self, reason: str, offset: int | None = None, *, detail: str = "") -> None:
        super().__init__(reason + detail, offset)
        self.reason = reason


def error_at(reason: str, offset: int, *, source: str, start: int, end: int) -> ParseError:
    """The error `reason` at `offset`, with its place in the expression `source[start:end]`."""
    expression = shorten(source[start:end])
    return ParseError(
        reason, offset, detail=f". Located at position {offset - start + 1} within expression: {expression}"
    )


_PUNCTUATION: Final = {
    "(": TokenKind.OPEN,
    ")": TokenKind.CLOSE,
    "[": TokenKind.OPEN_INDEX,
    "]": TokenKind.CLOSE_INDEX,
    ",": TokenKind.COMMA,
    "*": TokenKind.STAR,
}
_OPERATORS: Final = ("==", "!=", "<=", ">=", "&&", "||", "<", ">", "!")
_BOUNDARY: Final = frozenset("()[],.!<>=&|" + WHITE_SPACE)
_OPENING: Final = (
    None,
    TokenKind.COMMA,
    TokenKind.OPEN,
    TokenKind.OPEN_INDEX,
    TokenKind.NOT,
    TokenKind.BINARY,
)
_WORDS: Final[dict[str, bool | float | None]] = {
    "null": None,
    "true": True,
    "false": False,
    "NaN": nan,
    "Infinity": inf,
}
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_NAME: Final = _LETTERS | frozenset("0123456789-")


class Lexer:
    """Reads the tokens of `source[start:end]`; offsets count from the source's first character."""

    def __init__(self, source: str, start: int, end: int) -> None:
        self._source = source
        self._start = start
        self._end = end
        self._at = start

    def tokens(self) -> Iterator[Token]:
        """Every token in order.

        Raises:
            ParseError: at the first characters that are no token.
        """
        before: TokenKind | None = None
        while (token := self._next(before)) is not None:
            yield token
            before = token.kind

    def error(self, what: str, text: str, offset: int) -> ParseError:
        """The error `what` about `text` at `offset`, with the place that GitHub's message has."""
        reason = f"{what}: '{shorten(text)}'"
        return error_at(reason, offset, source=self._source, start=self._start, end=self._end)

    def _next(self, before: TokenKind | None) -> Token | None:  # noqa: PLR0911 - one return for each kind
        while self._at < self._end and self._source[self._at] in WHITE_SPACE:
            self._at += 1
        if self._at >= self._end:
            return None
        letter = self._source[self._at]
        if letter in _PUNCTUATION:
            return self._take(_PUNCTUATION[letter], 1)
        if letter == "'":
            return self._text()
        if letter in "!<>=&|":
            return self._operator()
        if letter == "." and before not in _OPENING:
            return self._take(TokenKind.DOT, 1)
        if letter in "+-.0123456789":
            return self._number()
        return self._word(before)

    def _take(self, kind: TokenKind, length: int, value: bool | float | str | None = None) -> Token:
        offset = self._at
        self._at += length
        return Token(kind, self._source[offset : self._at], offset, value)

    def _unexpected(self, length: int) -> ParseError:
        text = self._source[self._at : self._at + length]
        error = self.error("Unexpected symbol", text, self._at)
        if text.startswith('"'):
            error.reason += "; a text is written in single quotes"
        return error

    def _run(self, extra: str = "") -> int:
        """The length up to the next boundary; a character of `extra` is none, nor is the first one."""
        at = self._at + 1
        while at < self._end and (self._source[at] not in _BOUNDARY or self._source[at] in extra):
            at += 1
        return at - self._at

    def _text(self) -> Token:
        at = self._at + 1
        while True:
            at = self._source.find("'", at, self._end)
            if at < 0:
                raise self._unexpected(self._end - self._at)
            if self._source[at + 1 : min(at + 2, self._end)] != "'":
                break
            at += 2
        value = self._source[self._at + 1 : at].replace("''", "'")
        return self._take(TokenKind.LITERAL, at + 1 - self._at, value)

    def _operator(self) -> Token:
        for operator in _OPERATORS:
            if self._source.startswith(operator, self._at, self._end):
                kind = TokenKind.NOT if operator == "!" else TokenKind.BINARY
                return self._take(kind, len(operator))
        raise self._unexpected(self._run())

    def _number(self) -> Token:
        length = self._run(extra=".")
        value = parse_number(self._source[self._at : self._at + length])
        if isnan(value):
            raise self._unexpected(length)
        return self._take(TokenKind.LITERAL, length, tidy(value))

    def _word(self, before: TokenKind | None) -> Token:
        length = self._run()
        word = self._source[self._at : self._at + length]
        if word[0] not in _LETTERS or not _NAME.issuperset(word):
            raise self._unexpected(length)
        if before is TokenKind.DOT:
            return self._take(TokenKind.PROPERTY, length, word)
        if word in _WORDS:
            return self._take(TokenKind.LITERAL, length, _WORDS[word])
        rest = self._at + length
        while rest < self._end and self._source[rest] in WHITE_SPACE:
            rest += 1
        calls = rest < self._end and self._source[rest] == "("
        return self._take(TokenKind.FUNCTION if calls else TokenKind.CONTEXT, length)
