"""Shell commands as a tree of words, as far as it has to be known which words are commands and what feeds what.

Built while the quotes are walked through (`quoting`) and judged afterwards (`shell_risks`). Knows nothing of quotes
and judges nothing: a word comes as the text that the shell would make of it, with marks for what only a run knows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

HOLE: Final = "\0"
"""In a word's text: the value of a hole."""
OTHER: Final = "\1"
"""In a word's text: anything else that only the shell knows: a variable, what a command prints."""

Opening = Literal["$(", "<(", ">("]

_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*(?:\[.*?\])?\+?=", re.DOTALL)
_ARRAY: Final = re.compile(r"[A-Za-z_]\w*\+?=")
_OPENS: Final = {
    "if": "fi", "while": "done", "until": "done", "for": "done", "select": "done", "case": "esac", "{": "}",
}  # fmt: skip
_GOES_ON: Final = ("if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "coproc")
"""Words after which a command can begin."""


@dataclass(slots=True)
class Word:
    """One word of a command, or the text of a here-document."""

    parts: list[str] = field(default_factory=list[str])
    length: int = 0
    quoted: bool = False
    """Whether any of it stands in quotes, so that it is no keyword."""
    written: bool = False
    """It names a file that is written, in a redirection."""
    holes: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """For each `HOLE` where it is in `text`, and its number."""
    nested: list[tuple[int, Opening, "Tree"]] = field(default_factory=list[tuple[int, Opening, "Tree"]])
    """The commands whose output (for `>(`: input) stands at a place in `text`."""
    variables: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """The shell's variables that are read, and where in `text`."""
    calculated: list[str] = field(default_factory=list[str])
    """The shell's variables whose value is taken for a number, a name or code in a `$(( … ))` or `${ … }` of it."""

    def add(self, text: str) -> None:
        """Lengthen the word by `text` that is known."""
        self.parts.append(text.replace(HOLE, "?").replace(OTHER, "?"))
        self.length += len(text)

    def add_hole(self, number: int) -> None:
        """Lengthen the word by hole number `number`."""
        self.holes.append((self.length, number))
        self._mark(HOLE)

    def add_other(self, variable: str | None = None) -> None:
        """Lengthen the word by something that only the shell knows: `variable`, if it is one."""
        if variable is not None:
            self.variables.append((self.length, variable))
        self._mark(OTHER)

    def add_commands(self, opening: Opening, commands: "Tree") -> None:
        """Lengthen the word by what `commands` print."""
        self.nested.append((self.length, opening, commands))
        self._mark(OTHER)

    def _mark(self, mark: str) -> None:
        self.parts.append(mark)
        self.length += 1

    @property
    def text(self) -> str:
        """Without its quotes, and with `HOLE` and `OTHER`."""
        if len(self.parts) > 1:
            self.parts = ["".join(self.parts)]
        return self.parts[0] if self.parts else ""

    @property
    def plain(self) -> str | None:
        """The text, where all of it is known."""
        text = self.text
        return None if HOLE in text or OTHER in text else text

    @property
    def assigns(self) -> str | None:
        """The name and `=` that it begins with, where it is an assignment."""
        found = _ASSIGNMENT.match(self.text)
        return found[0] if found else None


@dataclass(slots=True)
class Command:
    """A simple command, a test `[[ … ]]`, or the head of a compound command (`for i in a b`)."""

    words: list[Word] = field(default_factory=list[Word])
    data: list[Word] = field(default_factory=list[Word])
    """What it is given to read: here-documents and here-strings."""
    targets: list[Word] = field(default_factory=list[Word])
    """The files of its redirections."""
    items: list[Word] = field(default_factory=list[Word])
    """What stands in the `name=( … )` among its words."""
    is_pattern: bool = False
    """It is no command but a pattern of a `case`."""


@dataclass(slots=True)
class Group:
    """Commands that are one element of a pipeline: `{ … }`, `( … )`, a loop, an `if`."""

    body: "Tree"
    data: list[Word] = field(default_factory=list[Word])
    targets: list[Word] = field(default_factory=list[Word])


Element = Command | Group
Pipeline = list[Element]
Tree = list[Pipeline]
"""Pipelines one after the other; how they are joined (`;`, `&&`) does not matter here."""


@dataclass(slots=True)
class _Frame:
    """A compound command that is not closed yet."""

    closer: str
    body: Tree = field(default_factory=list[Pipeline])
    pipeline: Pipeline = field(default_factory=list[Element])
    element: Element | None = None


class CommandList:
    """Builds the tree of a list of commands, word by word and operator by operator."""

    def __init__(self) -> None:
        self.word: Word | None = None
        """The word so far; None between words."""
        self._frames = [_Frame("")]
        self._first = True
        self._names_function = False
        self._expected: Literal["target", "written", "data"] | None = None
        self._test_depth: int | None = None

    def grow(self) -> Word:
        """The word at hand, which a caller makes longer."""
        if self.word is None:
            self.word = Word()
        return self.word

    def end_word(self) -> None:
        """End the word, if there is one."""
        word, self.word = self.word, None
        if word is None:
            return
        if self._expected is not None:
            element = self._element()
            word.written = self._expected == "written"
            (element.data if self._expected == "data" else element.targets).append(word)
            self._expected = None
        elif self._test_depth is not None:
            self._command().words.append(word)
            if word.plain == "]]":
                self._test_depth = None
        elif self._first and self._frames[-1].closer != "array":
            self._begin(word)
        else:
            self._command().words.append(word)
            if self._names_function:
                self._names_function = False
                self._first = True

    def redirect(self, expected: Literal["target", "written", "data"]) -> None:
        """The next word is a redirection's. A number right before it belongs to it."""
        word = self.word
        if word is not None and not word.quoted and word.text.isdigit():
            self.word = None
            if expected == "written" and word.text != "1":
                expected = "target"  # what is printed does not go there
        self.end_word()
        self._expected = expected

    def document(self, body: Word) -> None:
        """Give the command at hand a here-document whose text `body` will have."""
        self.redirect("data")
        self._expected = None
        self._element().data.append(body)

    @property
    def testing(self) -> bool:
        """Whether this is inside `[[ … ]]`, where most operators are words."""
        return self._test_depth is not None

    @property
    def begins_arithmetic(self) -> bool:
        """Whether a `((` here begins a calculation: as a command, or after `for`."""
        if self.testing:
            return False
        element = self._frames[-1].element
        after_for = isinstance(element, Command) and element.words and element.words[0].plain == "for"
        return self._first or bool(after_for)

    @property
    def depth(self) -> int:
        """How many compound commands are open."""
        return len(self._frames) - 1

    @property
    def closes_test(self) -> bool:
        """Whether a `)` here closes a `(` of the test."""
        return (self._test_depth or 0) > 0

    def test_operator(self, operator: str) -> None:
        """An operator inside `[[ … ]]`."""
        depth = self._test_depth or 0
        self._test_depth = depth + (operator == "(") - (operator == ")")
        self._command().words.append(Word([operator], 1))

    def pipe(self) -> None:
        """What comes next reads what this element prints."""
        self.end_word()
        self._frames[-1].element = None
        self._first = True

    def separate(self, *, newline: bool = False) -> None:
        """End the pipeline. A line break after a `|` does not."""
        self.end_word()
        frame = self._frames[-1]
        if frame.closer == "array":
            return
        self._first = True
        if newline and frame.element is None and frame.pipeline:
            return
        if frame.pipeline:
            frame.body.append(frame.pipeline)
        frame.pipeline, frame.element = [], None

    def open(self) -> None:
        """A `(`: of an array after `name=`, else of a group."""
        word = self.word
        is_array = word is not None and not word.quoted and _ARRAY.fullmatch(word.text) is not None
        self.end_word()
        if is_array or self._frames[-1].closer == "array":
            self._frames.append(_Frame("array"))
            return
        if isinstance(self._frames[-1].element, Command):
            self.separate()  # the name of a function
        self._push(")")

    def close(self) -> bool:
        """A `)`. Gives whether it ends what these commands stand in."""
        self.end_word()
        for at in range(len(self._frames) - 1, 0, -1):
            closer = self._frames[at].closer
            if closer == "array":
                self._close_array()
                return False
            if closer == "esac":
                self._command().is_pattern = True
                self.separate()
                return False
            if closer == ")":
                self._pop(at)
                return False
        return True

    def finish(self) -> Tree:
        """The tree, once everything has been read."""
        self.end_word()
        while len(self._frames) > 1:
            if self._frames[-1].closer == "array":
                self._close_array()
            else:
                self._pop(len(self._frames) - 1)
        self.separate()
        return self._frames[0].body

    def _begin(self, word: Word) -> None:
        """A word where a command can begin."""
        plain = None if word.quoted else word.plain
        if plain in _OPENS:
            self._push(_OPENS[plain])
            self._first = plain in _GOES_ON
            if not self._first:
                self._command().words.append(word)
        elif plain is not None and plain in _OPENS.values():
            at = self._innermost(plain)
            if at is not None:
                self._pop(at)
        elif plain in _GOES_ON:
            return
        elif word.assigns is not None:
            self._command().words.append(word)
        else:
            self._command().words.append(word)
            self._first = False
            self._names_function = plain == "function"
            if plain == "[[":
                self._test_depth = 0

    def _innermost(self, closer: str) -> int | None:
        for at in range(len(self._frames) - 1, 0, -1):
            if self._frames[at].closer == closer:
                return at
            if self._frames[at].closer == ")":
                return None
        return None

    def _push(self, closer: str) -> None:
        self._frames.append(_Frame(closer))
        self._first = True

    def _pop(self, at: int) -> None:
        """Close the frames from number `at` on: the outermost of them becomes the element at hand."""
        while len(self._frames) > at:
            self.separate()
            closed = self._frames.pop()
            group = Group(closed.body)
            frame = self._frames[-1]
            frame.pipeline.append(group)
            frame.element = group
        self._first = True

    def _close_array(self) -> None:
        frame = self._frames.pop()
        if isinstance(frame.element, Command):
            inner = frame.element
            self._command().items += [*inner.words, *inner.items, *inner.targets, *inner.data]

    def _element(self) -> Element:
        return self._frames[-1].element or self._command()

    def _command(self) -> Command:
        frame = self._frames[-1]
        if not isinstance(frame.element, Command):
            frame.element = Command()
            frame.pipeline.append(frame.element)
        return frame.element


def every_command(tree: Tree) -> Iterator[Command]:
    """Each command in `tree`, but for those in the substitutions of words."""
    for pipeline in tree:
        for element in pipeline:
            if isinstance(element, Group):
                yield from every_command(element.body)
            else:
                yield element


def every_part(element: Element) -> Iterator[Word]:
    """Each word of `element` itself, with what it is given to read and the files of its redirections."""
    yield from element.data
    yield from element.targets
    if isinstance(element, Command):
        yield from element.words
        yield from element.items
