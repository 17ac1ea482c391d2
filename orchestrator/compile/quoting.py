"""Walks a POSIX-family shell command and says, for each hole in it, how a variable is written at that place.

It knows the shell's quoting and nothing of expressions: a hole is a place in the text, and what is written there
comes from a `Places`. It reads what a shell reads and executes nothing. Where it loses its way (an unclosed quote)
the shell would too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

MAX_NESTING: Final = 50
ANSI_SHELLS: Final = ("bash", "zsh", "ksh", "mksh", "ash", "busybox")
"""Shells in which `$'…'` is one text with escapes for certain; in `sh` and `dash` it depends on the version."""

_CASE: Final = "case"
_KEYWORDS: Final = ("if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", _CASE, "esac")
_DECLARATIONS: Final = ("declare", "typeset", "local", "readonly", "export")
_ARITHMETIC_TESTS: Final = ("-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v")
_PARAMETER: Final = re.compile(r"[!#]?(?:\w+|[@*?$!#-])?(?:\[[^\]]*\])?(.?)", re.DOTALL)
_SUBSCRIPT: Final = re.compile(r"[A-Za-z_]\w*\[[^\]]*")


class Places(Protocol):
    """What is written for a hole, and what is said of one that nothing can be written for."""

    def name(self, hole: int) -> str:
        """The variable that has the value of hole number `hole`."""
        ...

    def refuse(self, hole: int, why: str) -> None:
        """Hole number `hole` stands where its value cannot be made safe, because of `why`."""
        ...


class TooDeep(Exception):  # noqa: N818 - the caller makes an error of it
    """Substitutions are nested deeper than `MAX_NESTING`."""


@dataclass(slots=True)
class _Commands:
    """Where in a list of commands the walk is: which word begins one, and which `)` ends a `case` pattern."""

    open: list[str] = field(default_factory=list[str])
    word: str | None = None
    """The word so far, with a NUL for each part that is not plain letters; None between words."""
    first: bool = True
    """Whether the next word can be a command."""
    command: str = ""
    calculates: bool = False
    """Whether this command evaluates its arguments as arithmetic."""
    tested: list[int] | None = None
    """The holes seen since `[[`."""

    def add(self, text: str) -> None:
        self.word = (self.word or "") + text

    def end_word(self) -> list[int]:
        """End the word, if there is one. Gives the holes of a `[[ … ]]` that calculates, when this word shows it."""
        word, self.word = self.word, None
        if word is None:
            return []
        if self.tested is not None:
            return self._tested(word)
        if self.first:
            self._first(word)
        elif self.command in _DECLARATIONS and re.fullmatch(r"-[A-Za-z]*i[A-Za-z]*", word):
            self.calculates = True
        return []

    def end_command(self) -> None:
        self.first, self.command, self.calculates = True, "", False

    def closes(self) -> bool:
        """Whether a `)` here ends what these commands stand in."""
        if not self.open:
            return True
        if self.open[-1] == "(":
            self.open.pop()
        return False

    def _first(self, word: str) -> None:
        if word == _CASE:
            self.open.append(_CASE)
        elif word == "esac" and self.open[-1:] == [_CASE]:
            self.open.pop()
        self.first = word in _KEYWORDS and word != _CASE
        self.command = word
        self.calculates = word in ("let", "integer")
        self.tested = [] if word == "[[" else None

    def _tested(self, word: str) -> list[int]:
        holes = self.tested or []
        if word == "]]":
            self.tested = None
        elif word in _ARITHMETIC_TESTS:
            self.calculates = True
        return holes if self.calculates else []


class Walk:
    """One walk through `text`, whose holes stand at the keys of `holes` as one character each.

    Args:
        text: the command.
        holes: the number of the hole at each place that is one.
        places: what is written for them.
        shell: the shell's bare name.
        nesting: how many substitutions are around `text`.
    """

    def __init__(
        self, text: str, holes: Mapping[int, int], places: Places, *, shell: str, nesting: int = 0
    ) -> None:
        self._text = text
        self._holes = holes
        self._places = places
        self._shell = shell
        self._nesting = nesting
        self._at = 0
        self._end = len(text)
        self._out: list[str] = []
        self._documents: list[tuple[str, bool, bool]] = []
        self._forbidden: str | None = None
        self._lost: str | None = None

    def run(self) -> str:
        """The command with every hole written.

        Raises:
            TooDeep: substitutions are nested too deep.
        """
        while self._at < self._end:
            self._commands()
            self._copy(1)  # a ")" that closes nothing
        return "".join(self._out)

    def _copy(self, length: int) -> None:
        length = min(length, self._end - self._at)
        self._out.append(self._text[self._at : self._at + length])
        self._at += length

    def _ahead(self, text: str) -> bool:
        return self._text.startswith(text, self._at, self._end)

    def _hole(self, before: str, after: str) -> None:
        hole = self._holes[self._at]
        self._at += 1
        why = self._forbidden or self._lost
        if why is None:
            self._out.append(f"{before}${{{self._places.name(hole)}}}{after}")
        else:
            self._places.refuse(hole, why)

    def _commands(self) -> None:
        """Commands up to the `)` that ends them, which stays, or to the end."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise TooDeep
        commands = _Commands()
        while self._at < self._end:
            letter = self._text[self._at]
            if self._at in self._holes:
                self._bare(commands)
            elif letter == "#" and commands.word is None:
                self._comment()
            elif letter in "'\"`$\\":
                commands.add("\0")
                self._quoted(letter)
            elif letter in " \t\n;&|()<>":
                self._end_word(commands)
                if letter == ")" and commands.closes():
                    break
                self._operator(letter, commands)
            else:
                commands.add(letter)
                self._copy(1)
        self._end_word(commands)
        self._nesting -= 1

    def _bare(self, commands: _Commands) -> None:
        hole = self._holes[self._at]
        if commands.tested is not None:
            commands.tested.append(hole)
        subscript = commands.first and _SUBSCRIPT.fullmatch(commands.word or "")
        if (commands.calculates and commands.tested is None) or subscript:
            self._places.refuse(hole, "the shell calculates there, and runs code that a value carries")
            self._at += 1
        else:
            self._hole('"', '"')
        commands.add("\0")

    def _end_word(self, commands: _Commands) -> None:
        for hole in commands.end_word():
            self._places.refuse(
                hole, "'[[' calculates with the operands of such a test, and runs code that a value carries"
            )

    def _operator(self, letter: str, commands: _Commands) -> None:
        if letter in "<>":
            if self._ahead("<<") and not self._ahead("<<<"):
                self._document()
            else:
                self._copy(3 if self._ahead("<<<") else 1)
            return
        if letter == "(" and commands.first and self._ahead("(("):
            self._arithmetic(2)
            return
        if letter == "(":
            commands.open.append("(")
        if letter not in " \t":
            commands.end_command()
        self._copy(1)
        if letter == "\n":
            self._documents_here()

    def _comment(self) -> None:
        while self._at < self._end and (self._at in self._holes or self._text[self._at] != "\n"):
            if self._at in self._holes:
                self._out.append("[value]")
                self._at += 1
            else:
                self._copy(1)

    def _quoted(self, letter: str) -> None:
        """What begins with `letter` outside of quotes."""
        if letter == "'":
            self._single()
        elif letter == '"':
            self._double()
        elif letter == "`":
            self._backtick(quoted=False)
        elif letter == "$":
            self._dollar(quoted=False)
        elif self._at + 1 in self._holes:
            self._at += 1  # it would quote the value's first letter, and all of the value is quoted
        else:
            self._copy(2)

    def _single(self) -> None:
        self._copy(1)
        while self._at < self._end:
            if self._at in self._holes:
                self._hole("'\"", "\"'")
            elif self._ahead("'"):
                self._copy(1)
                return
            else:
                self._copy(1)

    def _double(self) -> None:
        self._copy(1)
        while self._at < self._end:
            if self._ahead('"') and self._at not in self._holes:
                self._copy(1)
                return
            self._in_double()

    def _in_double(self) -> None:
        """One step through text in which `$`, backticks and backslashes work: double quotes, a here-document."""
        letter = self._text[self._at]
        if self._at in self._holes:
            self._hole("", "")
        elif letter == "\\":
            if self._at + 1 in self._holes:
                self._out.append("\\\\")
                self._at += 1
            else:
                self._copy(2)
        elif letter == "$":
            self._dollar(quoted=True)
        elif letter == "`":
            self._backtick(quoted=True)
        else:
            self._copy(1)

    def _dollar(self, *, quoted: bool) -> None:
        if self._at + 1 in self._holes:
            self._out.append("\\$")
            self._at += 1
        elif self._ahead("$(("):
            self._arithmetic(3)
        elif self._ahead("$("):
            self._copy(2)
            self._commands()
            self._copy(1)
        elif self._ahead("${"):
            self._parameter(quoted=quoted)
        elif self._ahead("$'") and not quoted:
            self._ansi()
        else:
            self._copy(2 if self._text[self._at + 1 : self._at + 2] in tuple("$#?!@*-") else 1)

    def _ansi(self) -> None:
        """`$'…'`: in some shells a text in which a backslash quotes, in others a `$` before a plain text."""
        escapes = self._shell in ANSI_SHELLS
        self._copy(2)
        with_reason = self._forbid("it stands in $'…', which not every shell reads alike")
        while self._at < self._end and not (self._ahead("'") and self._at not in self._holes):
            if self._at in self._holes:
                self._hole("", "")
            elif self._ahead("\\") and escapes:
                self._copy(1 if self._at + 1 in self._holes else 2)
            else:
                if self._ahead("\\'"):
                    self._lost = f"where the $'…' before it ends depends on which shell '{self._shell}' is"
                self._copy(1)
        self._copy(1)
        self._forbidden = with_reason

    def _forbid(self, why: str) -> str | None:
        """Refuse holes from here on. Gives what to restore `_forbidden` to."""
        before = self._forbidden
        self._forbidden = before or why
        return before

    def _arithmetic(self, opening: int) -> None:
        before = self._forbid("it stands in arithmetic, which runs code that a value carries")
        self._copy(opening)
        depth = 2
        while self._at < self._end and depth > 0:
            letter = self._text[self._at]
            if self._at not in self._holes and letter in "()":
                depth += 1 if letter == "(" else -1
                self._copy(1)
            else:
                self._in_double()
        self._forbidden = before

    def _parameter(self, *, quoted: bool) -> None:
        before = self._forbid("it stands in a ${…} of the shell")
        self._copy(2)
        match = _PARAMETER.match(self._text, self._at, self._end)
        plain = quoted and match is not None and match[1] not in tuple("#%/^,@")
        while self._at < self._end and not (self._ahead("}") and self._at not in self._holes):
            if self._ahead("'") and not plain:
                self._single()
            elif self._ahead('"'):
                self._double()
            else:
                self._in_double()
        self._copy(1)
        self._forbidden = before

    def _backtick(self, *, quoted: bool) -> None:
        """A backquoted command. With a hole in it, it is unquoted once, walked through, and quoted again."""
        start = self._at + 1
        at = start
        inner: list[str] = []
        holes: dict[int, int] = {}
        special = '\\`$"' if quoted else "\\`$"
        while at < self._end and (at in self._holes or self._text[at] != "`"):
            if at in self._holes:
                holes[len(inner)] = self._holes[at]
            elif self._text[at] == "\\" and at + 1 < self._end and at + 1 not in self._holes:
                if self._text[at + 1] not in special:
                    inner.append("\\")
                at += 1
            inner.append(self._text[at])
            at += 1
        if holes:
            walk = Walk("".join(inner), holes, self._places, shell=self._shell, nesting=self._nesting + 1)
            walk._forbidden, walk._lost = self._forbidden, self._lost
            text = walk.run()
            for letter in special.replace("$", ""):
                text = text.replace(letter, f"\\{letter}")
            self._out.append(f"`{text}")
        else:
            self._out.append(self._text[self._at : at])
        self._at = at
        self._copy(1)

    def _document(self) -> None:
        """`<<` and the word after it."""
        tabs = self._ahead("<<-")
        self._copy(3 if tabs else 2)
        while self._ahead(" ") or self._ahead("\t"):
            self._copy(1)
        start, word, quoted = self._at, "", False
        before = self._forbid("it stands in the word that ends a here-document")
        while self._at < self._end and (
            self._at in self._holes or self._text[self._at] not in " \t\n;&|()<>"
        ):
            letter = self._text[self._at]
            if self._at in self._holes:
                self._hole("", "")
            elif letter in "'\"":
                quoted = True
                end = self._text.find(letter, self._at + 1, self._end)
                end = self._end - 1 if end < 0 else end
                word += self._text[self._at + 1 : end]
                self._refuse_until(end + 1)
            elif letter == "\\":
                quoted = True
                word += self._text[self._at + 1 : self._at + 2]
                self._refuse_until(self._at + 2)
            else:
                word += letter
                self._copy(1)
        self._forbidden = before
        if self._at > start:
            self._documents.append((word, tabs, quoted))

    def _refuse_until(self, end: int) -> None:
        """Copy the text up to `end`; a hole in it is refused."""
        while self._at < min(end, self._end):
            if self._at in self._holes:
                self._hole("", "")
            else:
                self._copy(1)

    def _documents_here(self) -> None:
        """The bodies of the here-documents of the line that ended."""
        documents, self._documents = self._documents, []
        for word, tabs, quoted in documents:
            body_end, end = self._body(word, tabs=tabs)
            before, whole = self._forbidden, self._end
            self._end = body_end
            if quoted:
                self._forbid(
                    f"it stands in a here-document whose word is quoted, so that nothing in it is replaced; "
                    f"write '<<{word}' without quotes, or"
                )
                self._refuse_until(body_end)
            while self._at < self._end:
                self._in_double()
            self._forbidden, self._end = before, whole
            self._copy(end - self._at)

    def _body(self, word: str, *, tabs: bool) -> tuple[int, int]:
        """Where the body that begins here ends, and where the line after it that is `word` ends."""
        at = self._at
        while at < self._end:
            end = self._text.find("\n", at, self._end)
            end = self._end if end < 0 else end
            line = self._text[at:end]
            if (line.lstrip("\t") if tabs else line) == word:
                return at, end
            at = end + 1
        return self._end, self._end
