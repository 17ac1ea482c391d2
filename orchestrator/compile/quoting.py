"""Walks a POSIX-family shell command and says, for each hole in it, how a variable is written at that place.

It knows the shell's quoting and nothing of expressions: a hole is a place in the text, and what is written there
comes from a `Places`. It reads what a shell reads and executes nothing. Where it loses its way (an unclosed quote)
the shell would too. What the words mean is not known here; they are gathered for `shell_risks`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from orchestrator.compile.shell_cursor import ARITHMETIC, MAX_NESTING, Cursor, Places, TooDeep
from orchestrator.compile.shell_words import CommandList, Opening, Tree, Word

ANSI_SHELLS: Final = ("bash", "zsh", "ksh", "mksh", "ash", "busybox")
"""Shells in which `$'…'` is one text with escapes for certain; in `sh` and `dash` it depends on the version."""

_PARAMETER: Final = re.compile(r"[!#]?(?:\w+|[@*?$!#-])?(?:\[[^\]]*\])?(.?)", re.DOTALL)
_VARIABLE: Final = re.compile(r"\$([A-Za-z_]\w*|[0-9#?!@*$-])")
_BRACED: Final = re.compile(r"\$\{([A-Za-z_]\w*)")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_CALCULATING: Final = re.compile(r"\$\{(?:!(?!\w+(?:\[[@*]\]|[@*])\})|(?=\w+@P)|\w+\[|\w+:(?![-=?+]))")
"""`${!x}`, `${x@P}`, `${a[x]}`, `${a:x}`: what the variables that follow hold is a name, a prompt or a number there."""


class Walk(Cursor):
    """One walk through a command; see `Cursor` for how it is made."""

    _documents: list[tuple[str, bool, bool, Word]]
    """The here-documents whose bodies begin after this line: word, `<<-`, quoted word, body."""
    tree: Tree
    """The commands that `run` came by."""

    def __init__(
        self, text: str, holes: Mapping[int, int], places: Places, *, shell: str, nesting: int = 0
    ) -> None:
        super().__init__(text, holes, places, shell=shell, nesting=nesting)
        self._documents = []
        self.tree = []

    def run(self) -> str:
        """The command with every hole written.

        Raises:
            TooDeep: substitutions are nested too deep.
        """
        while self._at < self._end:
            self.tree += self._commands()
            self._copy(1)  # a ")" that closes nothing
        return "".join(self._out)

    def _commands(self) -> Tree:
        """Commands up to the `)` that ends them, which stays, or to the end."""
        commands, around, depth = CommandList(), self._word, self._depth
        while self._at < self._end:
            self._depth = depth + commands.depth
            if self._depth > MAX_NESTING:
                raise TooDeep
            letter = self._text[self._at]
            if self._at in self._holes:
                self._word = commands.grow()
                self._hole('"', '"')
            elif letter == "#" and commands.word is None:
                self._comment()
            elif letter in "'\"`$\\":
                self._word = commands.grow()
                self._quoted(letter)
            elif letter in " \t":
                commands.end_word()
                self._copy(1)
            elif letter in "\n;&|()<>":
                if letter == ")" and self._closes(commands):
                    break
                self._operator(letter, commands)
            else:
                self._word = commands.grow()
                self._take(1)
        self._word, self._depth = around, depth
        return commands.finish()

    def _closes(self, commands: CommandList) -> bool:
        commands.end_word()
        return not commands.closes_test and commands.close()

    def _operator(self, letter: str, commands: CommandList) -> None:
        if letter in "<>" or self._ahead("&>"):
            self._redirection(letter, commands)
        elif self._ahead("((") and commands.begins_arithmetic:
            commands.end_word()
            self._word = commands.grow()
            self._word.add("((")
            self._calculated(lambda: self._arithmetic(2))
        elif commands.testing:
            commands.test_operator(letter)
            self._copy(1)
        else:
            if letter == "(":
                commands.open()
            elif letter == "|" and not self._ahead("||"):
                commands.pipe()
                self._copy(1 if self._ahead("|&") else 0)
            elif letter != ")":
                commands.separate(newline=letter == "\n")
                self._copy(1 if self._ahead("||") or self._ahead("&&") else 0)
            self._copy(1)
        if letter == "\n":
            self._documents_here()

    def _redirection(self, letter: str, commands: CommandList) -> None:
        if self._ahead("<<<"):
            commands.redirect("data")
            self._copy(3)
        elif self._ahead("<<"):
            self._document(commands)
        elif self._ahead("<(") or self._ahead(">("):
            self._word = commands.grow()
            self._nested("<(" if self._ahead("<(") else ">(")
        elif commands.testing:
            commands.test_operator(self._text[self._at])
            self._copy(1)
        else:
            commands.redirect("target" if letter == "<" else "written")
            self._copy(2 if self._text[self._at + 1 : self._at + 2] in ("&", ">", "|") else 1)

    def _nested(self, opening: Opening) -> None:
        """Commands in parentheses, whose output (for `>(`: input) is part of the word at hand."""
        self._copy(2)
        self._word.add_commands(opening, self._commands())
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
            self._copy(1)
            self._word.quoted = True
            if self._ahead("\n"):
                self._copy(1)
            else:
                self._take(1)

    def _single(self) -> None:
        self._word.quoted = True
        self._copy(1)
        while self._at < self._end:
            if self._at in self._holes:
                self._hole("'\"", "\"'")
            elif self._ahead("'"):
                self._copy(1)
                return
            else:
                self._take(1)

    def _double(self) -> None:
        self._word.quoted = True
        self._copy(1)
        while self._at < self._end:
            if self._ahead('"'):
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
                self._word.add("\\")
                self._at += 1
            elif self._text[self._at + 1 : self._at + 2] in tuple('$`"\\'):
                self._copy(1)
                self._take(1)
            else:
                self._take(2)
        elif letter == "$":
            self._dollar(quoted=True)
        elif letter == "`":
            self._backtick(quoted=True)
        else:
            self._take(1)

    def _dollar(self, *, quoted: bool) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise TooDeep
        self._substitution(quoted=quoted)
        self._nesting -= 1

    def _substitution(self, *, quoted: bool) -> None:
        if self._at + 1 in self._holes:
            self._out.append("\\$")
            self._word.add("$")
            self._at += 1
        elif self._ahead("$(("):
            self._calculated(lambda: self._aside(lambda: self._arithmetic(3)))
        elif self._ahead("$["):
            self._calculated(lambda: self._aside(self._old_arithmetic))
        elif self._ahead("$("):
            self._nested("$(")
        elif self._ahead("${"):
            self._parameter_word(quoted=quoted)
        elif self._ahead("$'") and not quoted:
            self._aside(self._ansi)
        elif (found := _VARIABLE.match(self._text, self._at, self._end)) is not None:
            self._word.add_other(found[1])
            self._copy(len(found[0]))
        else:
            self._take(1)

    def _aside(self, read: Callable[[], None], variable: str | None = None) -> None:
        """Read what makes a part of the word that only the shell knows."""
        self._word.add_other(variable)
        around, self._word = self._word, Word()
        read()
        self._word = around

    def _calculated(self, read: Callable[[], None]) -> None:
        """Read arithmetic, and note the variables in it."""
        start = self._at
        read()
        self._word.calculated += _NAME.findall(self._text, start, self._at)

    def _parameter_word(self, *, quoted: bool) -> None:
        name = _BRACED.match(self._text, self._at, self._end)
        start = self._at
        self._aside(lambda: self._parameter(quoted=quoted), name[1] if name is not None else None)
        found = _CALCULATING.match(self._text, start, self._at)
        if found is not None:
            self._word.calculated += _NAME.findall(self._text, found.end(), self._at)

    def _ansi(self) -> None:
        """`$'…'`: in some shells a text in which a backslash quotes, in others a `$` before a plain text."""
        escapes = self._shell in ANSI_SHELLS
        self._copy(2)
        with_reason = self._forbid("it stands in $'…', which not every shell reads alike")
        while self._at < self._end and not self._ahead("'"):
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

    def _arithmetic(self, opening: int) -> None:
        before = self._forbid(ARITHMETIC)
        self._copy(opening)
        depth = 2
        while self._at < self._end and depth > 0:
            letter = self._text[self._at]
            if letter in "()":
                depth += 1 if letter == "(" else -1
                self._copy(1)
            else:
                self._in_double()
        self._forbidden = before

    def _old_arithmetic(self) -> None:
        before = self._forbid(ARITHMETIC)
        self._copy(2)
        while self._at < self._end and not self._ahead("]"):
            self._in_double()
        self._forbidden = before

    def _parameter(self, *, quoted: bool) -> None:
        before = self._forbid("it stands in a ${…} of the shell")
        self._copy(2)
        match = _PARAMETER.match(self._text, self._at, self._end)
        plain = quoted and match is not None and match[1] not in tuple("#%/^,@")
        while self._at < self._end and not self._ahead("}"):
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
            walk._forbidden, walk._lost, walk._depth = self._forbidden, self._lost, self._depth
            text = walk.run()
            self._word.add_commands("$(", walk.tree)
            for letter in special.replace("$", ""):
                text = text.replace(letter, f"\\{letter}")
            self._out.append(f"`{text}")
        else:
            self._word.add_other()
            self._out.append(self._text[self._at : at])
        self._at = at
        self._copy(1)

    def _document(self, commands: CommandList) -> None:
        """`<<` and the word after it."""
        body, around = Word(), self._word
        commands.document(body)
        self._word = Word()
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
        self._forbidden, self._word = before, around
        if self._at > start:
            self._documents.append((word, tabs, quoted, body))

    def _documents_here(self) -> None:
        """The bodies of the here-documents of the line that ended."""
        documents, self._documents = self._documents, []
        around = self._word
        for word, tabs, quoted, body in documents:
            body_end, end = self._body(word, tabs=tabs)
            before, whole = self._forbidden, self._end
            self._word = body
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
        self._word = around

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
