"""The patterns of `hashFiles`, as GitHub Actions' own matcher reads them: which paths they take, and in which order.

Pure: paths are texts. A path is absolute, below `ROOT`, which stands for the workspace.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from orchestrator.errors import ExpressionError

ROOT: Final = "/workspace"
"""Where jobs have the workspace; patterns that begin with it are relative to it as well."""
FOLLOW: Final = "--follow-symbolic-links"
"""As first argument: look into folders behind symbolic links."""
MAX_PATTERN: Final = 1000
"""Characters of one pattern."""
_LETTER: Final = "[^/]"
_ANY_PARTS: Final = "(?:/[^/]+)*"
_BELOW: Final = "(?:/[^/]+)+"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern: whether it takes paths out again, its parts, and what it matches."""

    negated: bool
    segments: tuple[str, ...]
    """Of the absolute pattern."""
    folders_only: bool
    """It ended with a `/`."""
    regex: re.Pattern[str]

    @property
    def search_path(self) -> str:
        """The path up to the first part that is no plain name: all matches are at or below it."""
        parts: list[str] = []
        for segment in self.segments:
            literal = _literal(segment)
            if not literal:
                break
            parts.append(literal)
        return "/" + "/".join(parts)


@dataclass(frozen=True, slots=True)
class FilePatterns:
    """All patterns of one call, in order; each one without `**` at its end also takes all that is below it."""

    patterns: tuple[Pattern, ...]
    follow_links: bool

    def takes_file(self, path: str) -> bool:
        """Whether the file at the absolute `path` belongs to the call: the last pattern that matches it decides."""
        taken = False
        for pattern in self.patterns:
            if pattern.negated == taken and not pattern.folders_only and pattern.regex.fullmatch(path):
                taken = not pattern.negated
        return taken

    def search_paths(self) -> tuple[str, ...]:
        """Where to look, in order: a path below another one that is looked through is left out."""
        paths = [pattern.search_path for pattern in self.patterns if not pattern.negated]
        known = frozenset(paths)
        return tuple(path for path in dict.fromkeys(paths) if not known.intersection(_ancestors(path)))


@lru_cache(maxsize=512)
def read_patterns(arguments: tuple[str, ...]) -> FilePatterns:
    """The arguments of a call, as texts; each may hold several patterns, one a line, and `#` begins a comment.

    Raises:
        ExpressionError: a pattern is not one, or an option is unknown.
    """
    follow = False
    if arguments and arguments[0].startswith("--"):
        if arguments[0].lower() != FOLLOW:
            raise ExpressionError(f"hashFiles knows the option '{FOLLOW}' and not '{arguments[0]}'")
        follow, arguments = True, arguments[1:]
    patterns: list[Pattern] = []
    for line in "\n".join(arguments).split("\n"):
        text = line.strip()
        if text and not text.startswith("#"):
            patterns += _with_descendants(_read(text))
    return FilePatterns(tuple(patterns), follow)


def call_key(arguments: Sequence[str]) -> str:
    """What names a call: the same for all calls that give the same hash."""
    return "\n".join(arguments)


def _read(text: str) -> Pattern:
    if len(text) > MAX_PATTERN:
        raise ExpressionError(f"a pattern of hashFiles has more than {MAX_PATTERN} characters")
    negated, rest = False, text
    while rest.startswith("!"):
        negated, rest = not negated, rest[1:].strip()
    if not rest:
        raise ExpressionError(f"the pattern '{text}' of hashFiles is empty")
    rest = re.sub("/+", "/", rest)
    parts = [part for part in rest.split("/") if part]
    for place, part in enumerate(parts):
        dots = _literal(part)
        if dots == ".." or (dots == "." and (place > 0 or part != "." or rest.startswith("/"))):
            raise ExpressionError(
                f"the pattern '{text}' of hashFiles has '{part}' in it; "
                "patterns are relative to the workspace and stay in it"
            )
    root: tuple[str, ...] = tuple(ROOT.strip("/").split("/"))
    if parts[:1] == ["."]:
        parts = parts[1:]
    elif parts[:1] == ["~"]:
        root = ()  # a home folder is no part of a workspace: what is below it matches nothing
    elif rest.startswith("/"):
        root = ()
    return _pattern((*root, *parts), negated=negated, folders_only=rest.endswith("/"))


def _with_descendants(pattern: Pattern) -> Iterator[Pattern]:
    yield pattern
    if pattern.folders_only or pattern.segments[-1:] != ("**",):
        below = re.compile(_regex(pattern.segments) + _BELOW, re.DOTALL)
        yield Pattern(pattern.negated, (*pattern.segments, "**"), folders_only=False, regex=below)


def _pattern(segments: tuple[str, ...], *, negated: bool, folders_only: bool) -> Pattern:
    return Pattern(negated, segments, folders_only, re.compile(_regex(segments), re.DOTALL))


def _regex(segments: Sequence[str]) -> str:
    """`**` as a whole part is any number of parts, none too, and at the end also what stands before it."""
    runs: list[list[str]] = [[]]
    for segment in segments:
        if segment == "**":
            runs.append([])
        else:
            runs[-1].append(segment)
    texts = ["".join(f"/{_segment_regex(segment)}" for segment in run) for run in runs]
    # The first place that fits is taken for good: what is matched next can only begin later otherwise.
    middle = [f"(?>{_ANY_PARTS}?{text}(?=/|$))" for text in texts[1:-1] if text]
    last = f"{_ANY_PARTS}{texts[-1]}" if len(texts) > 1 else ""
    return "".join([texts[0], *middle, last])


def _segment_regex(segment: str) -> str:
    """One part: `*` and `?` within it, `[…]`, and a backslash that takes the next letter as it is."""
    chunks = [""]
    at = 0
    while at < len(segment):
        letter = segment[at]
        if letter == "\\" and at + 1 < len(segment):
            chunks[-1] += re.escape(segment[at + 1])
            at += 2
        elif letter == "*":
            chunks.append("")
            at += 1
        elif letter == "[" and (end := _class_end(segment, at)) is not None:
            chunks[-1] += _class_regex(segment[at + 1 : end])
            at = end + 1
        else:
            chunks[-1] += _LETTER if letter == "?" else re.escape(letter)
            at += 1
    if len(chunks) == 1:
        return chunks[0]
    # As above: each piece between two stars is taken where it is first found, so that no pattern takes long.
    middle = [f"(?>{_LETTER}*?{chunk})" for chunk in chunks[1:-1] if chunk]
    return "".join([chunks[0], *middle, f"{_LETTER}*{chunks[-1]}"])


def _class_end(segment: str, start: int) -> int | None:
    """Where the `]` is that closes the class that begins at `start`; one right at its beginning is a letter."""
    at = start + 1
    while at < len(segment):
        if segment[at] == "\\":
            at += 2
            continue
        if segment[at] == "]" and at > start + 1:
            return at
        at += 1
    return None


def _class_regex(inner: str) -> str:
    """A class; one with a range that runs backwards, such as `[z-a]`, stands for itself."""
    negated = inner[:1] in ("!", "^")
    letters = [found[-1] for found in re.findall(r"\\.|.", inner[1:] if negated else inner, re.DOTALL)]
    parts: list[str] = []
    at = 0
    while at < len(letters):
        is_range = at + 2 < len(letters) and letters[at + 1] == "-"
        first, last = letters[at], letters[at + 2] if is_range else letters[at]
        if first > last:
            return re.escape(f"[{inner}]")
        parts.append(re.escape(first) if first == last else f"{re.escape(first)}-{re.escape(last)}")
        at += 3 if is_range else 1
    if not parts:
        return _LETTER
    return f"(?!/)[{'^' if negated else ''}{''.join(parts)}]"


def _literal(segment: str) -> str:
    """The plain name that a part is; empty where it is a pattern. `[x]` is a way to write `x`."""
    found: list[str] = []
    at = 0
    while at < len(segment):
        letter = segment[at]
        if letter == "\\" and at + 1 < len(segment):
            found.append(segment[at + 1])
            at += 2
            continue
        if letter in "*?":
            return ""
        end = segment.find("]", at + 1) if letter == "[" else -1
        if end > at + 1:
            inner = re.sub(r"\\(.)", r"\1", segment[at + 1 : end])
            if len(inner) > 1:
                return ""
            found.append(inner)
            at = end + 1
            continue
        found.append(letter)
        at += 1
    return "".join(found)


def _ancestors(path: str) -> Iterator[str]:
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path
