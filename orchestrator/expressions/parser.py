"""Source to syntax tree. Which contexts and functions exist is not asked here (`analysis` does).

An operator-precedence parser with its own stack instead of recursion: any nesting of parentheses parses, and
the depth that is limited is the tree's, as in GitHub's language.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, cast

from orchestrator.expressions.lexer import Lexer, ParseError, Token, TokenKind
from orchestrator.expressions.limits import CACHED, MAX_DEPTH, MAX_LENGTH
from orchestrator.expressions.numbers import WHITE_SPACE
from orchestrator.expressions.syntax import (
    Comparator,
    Comparison,
    Connective,
    Context,
    FunctionCall,
    Index,
    Literal,
    Logical,
    Node,
    Not,
    Star,
)

_PRECEDENCE: Final = {
    "!": 6, "<": 5, "<=": 5, ">": 5, ">=": 5, "==": 4, "!=": 4, "&&": 3, "||": 2,
}  # fmt: skip
_INDEXABLE: Final = (
    TokenKind.CLOSE,
    TokenKind.CLOSE_INDEX,
    TokenKind.STAR,
    TokenKind.PROPERTY,
    TokenKind.CONTEXT,
)


@dataclass(slots=True)
class _Operand:
    """A finished part of the tree; `start` and `end` take in the parentheses around it."""

    node: Node
    height: int
    start: int
    end: int


@dataclass(slots=True)
class _Frame:
    """What was opened and not closed yet: the whole (no token), a group, a call, or an index."""

    opening: Token | None = None
    function: Token | None = None
    target: _Operand | None = None
    operands: list[_Operand] = field(default_factory=list[_Operand])
    operators: list[Token] = field(default_factory=list[Token])
    arguments: list[_Operand] = field(default_factory=list[_Operand])


@lru_cache(maxsize=CACHED)
def parse(source: str) -> Node:
    """The tree of `source`: a bare expression, or one wrapped whole in `${{ }}`. An empty one is `null`.

    Raises:
        ParseError: it is not an expression, longer than 21 000 characters, or deeper than 50 levels.
    """
    start, end = span(source)
    if end - start > MAX_LENGTH:
        raise ParseError(f"Exceeded max expression length {MAX_LENGTH}", start)
    return _Parser(source, start, end).parse()


def span(source: str) -> tuple[int, int]:
    """Where the expression stands in `source`, without the `${{` and `}}` that may wrap it.

    Raises:
        ParseError: the wrapping is there and nothing is in it.
    """
    start, end = _trim(source, 0, len(source))
    if not source.startswith("${{", start) or hole_end(source, start + 3) != end - 2:
        return 0, len(source)
    inner = _trim(source, start + 3, end - 2)
    if inner[0] == inner[1]:
        raise ParseError("An expression was expected", start)
    return inner


def hole_end(template: str, start: int) -> int:
    """Where the `}}` stands that ends the expression at `start`, or -1; one in a quoted text ends nothing."""
    at = start
    while True:
        end = template.find("}}", at)
        # Only up to there: a template of many holes would else be searched to its end for each of them.
        quote = template.find("'", at, end) if end >= 0 else -1
        if quote < 0:
            return end
        at = template.find("'", quote + 1) + 1
        if at == 0:
            return -1


def _trim(source: str, start: int, end: int) -> tuple[int, int]:
    while start < end and source[start] in WHITE_SPACE:
        start += 1
    while start < end and source[end - 1] in WHITE_SPACE:
        end -= 1
    return start, end


class _Parser:
    def __init__(self, source: str, start: int, end: int) -> None:
        self._lexer = Lexer(source, start, end)
        self._frames = [_Frame()]
        self._before: Token | None = None
        self._wants_operand = True
        self._start = start

    def parse(self) -> Node:
        for token in self._lexer.tokens():
            if self._wants_operand:
                self._operand(token)
            else:
                self._after_operand(token)
            self._before = token
        if self._before is None:
            return Literal(None, self._start, self._start)
        if self._wants_operand or len(self._frames) > 1:
            raise self._lexer.error("Unexpected end of expression", self._before.text, self._before.offset)
        return self._finish().node

    def _operand(self, token: Token) -> None:
        kind, before = token.kind, self._before
        after_dot = before is not None and before.kind is TokenKind.DOT
        frame = self._frames[-1]
        if after_dot:
            self._property(token)
        elif kind is TokenKind.LITERAL:
            self._push(Literal(token.value, token.offset, token.end))
        elif kind is TokenKind.CONTEXT:
            self._push(Context(token.text, token.offset, token.end))
        elif kind is TokenKind.FUNCTION:
            pass  # its "(" follows, and opens the frame
        elif kind is TokenKind.NOT:
            frame.operators.append(token)
        elif kind is TokenKind.OPEN:
            called = before if before is not None and before.kind is TokenKind.FUNCTION else None
            self._frames.append(_Frame(token, function=called))
        elif kind is TokenKind.CLOSE and frame.function is not None and before is frame.opening:
            self._close_call(token)
        elif kind is TokenKind.STAR and frame.target is not None and before is frame.opening:
            self._push(Star(token.offset, token.end))
        else:
            raise self._unexpected(token)

    def _property(self, token: Token) -> None:
        if token.kind is TokenKind.PROPERTY:
            key: Node = Literal(token.text, token.offset, token.end)
        elif token.kind is TokenKind.STAR:
            key = Star(token.offset, token.end)
        else:
            raise self._unexpected(token)
        target = self._frames[-1].operands.pop()
        self._push_index(target, _Operand(key, 1, token.offset, token.end), token.end)

    def _after_operand(self, token: Token) -> None:
        kind, before, frame = token.kind, self._before, self._frames[-1]
        indexable = before is not None and before.kind in _INDEXABLE
        whole_star = frame.target is not None and isinstance(frame.operands[-1].node, Star)
        if whole_star and kind is not TokenKind.CLOSE_INDEX:
            raise self._unexpected(token)
        if kind is TokenKind.BINARY:
            self._flush(_PRECEDENCE[token.text])
            frame.operators.append(token)
            self._wants_operand = True
        elif kind is TokenKind.DOT and indexable:
            self._wants_operand = True
        elif kind is TokenKind.OPEN_INDEX and indexable:
            self._frames.append(_Frame(token, target=frame.operands.pop()))
            self._wants_operand = True
        elif kind is TokenKind.COMMA and frame.function is not None:
            frame.arguments.append(self._finish())
            self._wants_operand = True
        elif kind is TokenKind.CLOSE_INDEX and frame.target is not None:
            key = self._finish()
            self._frames.pop()
            self._push_index(frame.target, key, token.end)
        elif kind is TokenKind.CLOSE and frame.function is not None:
            frame.arguments.append(self._finish())
            self._close_call(token)
        elif kind is TokenKind.CLOSE and frame.opening is not None and frame.target is None:
            inner = self._finish()
            self._frames.pop()
            self._add(_Operand(inner.node, inner.height, frame.opening.offset, token.end))
        else:
            raise self._unexpected(token)

    def _close_call(self, token: Token) -> None:
        frame = self._frames.pop()
        function = cast("Token", frame.function)
        height = 1 + max((argument.height for argument in frame.arguments), default=0)
        nodes = tuple(argument.node for argument in frame.arguments)
        node = FunctionCall(function.text, nodes, function.offset, token.end)
        self._add(_Operand(node, height, node.offset, node.end))

    def _push(self, node: Node) -> None:
        self._add(_Operand(node, 1, node.offset, node.end))

    def _push_index(self, target: _Operand, key: _Operand, end: int) -> None:
        height = 1 + max(target.height, key.height)
        self._add(_Operand(Index(target.node, key.node, target.start, end), height, target.start, end))

    def _add(self, operand: _Operand) -> None:
        if operand.height > MAX_DEPTH:
            raise ParseError(f"Exceeded max expression depth {MAX_DEPTH}", operand.start)
        self._frames[-1].operands.append(operand)
        self._wants_operand = False

    def _finish(self) -> _Operand:
        """The innermost frame's one operand, when all its operators are applied."""
        self._flush(0)
        return self._frames[-1].operands.pop()

    def _flush(self, precedence: int) -> None:
        """Apply the operators on top of the innermost frame that bind at least as tightly as `precedence`."""
        frame = self._frames[-1]
        while frame.operators and _PRECEDENCE[frame.operators[-1].text] >= precedence:
            operator = frame.operators.pop()
            right = frame.operands.pop()
            if operator.kind is TokenKind.NOT:
                node: Node = Not(right.node, operator.offset, right.end)
                self._add(_Operand(node, right.height + 1, operator.offset, right.end))
                continue
            left = frame.operands.pop()
            if operator.text in ("&&", "||"):
                self._add(_join(operator.text, left, right))
            else:
                comparator = cast("Comparator", operator.text)
                node = Comparison(comparator, left.node, right.node, left.start, right.end)
                height = 1 + max(left.height, right.height)
                self._add(_Operand(node, height, left.start, right.end))

    def _unexpected(self, token: Token) -> ParseError:
        return self._lexer.error("Unexpected symbol", token.text, token.offset)


def _join(operator: Connective, left: _Operand, right: _Operand) -> _Operand:
    """`left && right` as one node with the operands of an operand that is itself an `&&`."""
    operands: list[Node] = []
    height = 0
    for side in (left, right):
        if isinstance(side.node, Logical) and side.node.operator == operator:
            operands.extend(side.node.operands)
            height = max(height, side.height - 1)
        else:
            operands.append(side.node)
            height = max(height, side.height)
    node = Logical(operator, tuple(operands), left.start, right.end)
    return _Operand(node, height + 1, left.start, right.end)
