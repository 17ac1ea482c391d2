"""Which files an artifact's path or glob names. Pure. `*` and `?` stay within a name, `**` goes across folders."""

import posixpath
import re
from dataclasses import dataclass

_MAGIC = re.compile(r"[*?]")


@dataclass(frozen=True)
class Selection:
    """A path or glob made absolute."""

    base: str
    """The file or folder that the engine is asked for; absolute."""
    pattern: re.Pattern[str] | None
    """What entries must match, relative to `/`; None takes everything below `base`."""

    def rename(self, entry: str) -> str | None:
        """The path relative to `/` of an entry of the archive of `base`; None when it is not selected.

        The engine's entries begin with the last part of `base`, or with nothing where that is `/`.
        """
        path = posixpath.join(posixpath.dirname(self.base), entry).lstrip("/")
        if self.pattern is None or self.pattern.fullmatch(path):
            return path
        return None


def select(path: str, *, working_dir: str) -> Selection:
    """The selection for `path`, which is relative to `working_dir` unless it is absolute."""
    absolute = posixpath.normpath(posixpath.join("/", working_dir, path))
    absolute = "/" + absolute.lstrip("/")
    if not _MAGIC.search(absolute):
        return Selection(absolute, None)
    parts = absolute.strip("/").split("/")
    fixed = next(index for index, part in enumerate(parts) if _MAGIC.search(part))
    return Selection("/" + "/".join(parts[:fixed]), re.compile(_translated(parts), re.DOTALL))


def _translated(parts: list[str]) -> str:
    """A regular expression for the parts of a glob; a folder that matches brings all that is in it."""
    text = ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            text += ".+" if last else "(?:.+/)?"
        else:
            text += _part(part) + ("" if last else "/")
    return text + "(?:/.*)?"


def _part(part: str) -> str:
    return re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
