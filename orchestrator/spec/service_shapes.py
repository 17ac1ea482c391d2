"""Validators of what services have: as in `shapes`, short forms become long ones and what is wrong is said in words.

The fields and their spellings are the Compose specification's where it has them.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from orchestrator.errors import ExpressionError
from orchestrator.expressions import Hole, segments
from orchestrator.sizes import parse_size
from orchestrator.spec.shapes import wrong

MAX_PORT: Final = 65535
DEFAULT_ADDRESS: Final = "127.0.0.1"
"""Where a published port listens where the spec does not say: on the host alone, and not for its neighbours."""

_NUMBER: Final = "(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
_BYTE: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_ADDRESS: Final = rf"(?:{_BYTE}(?:\.{_BYTE}){{3}}|\[::1?\])"
PORT: Final = rf"(?:(?:({_ADDRESS}):)?({_NUMBER}):)?({_NUMBER})(?:/(tcp|udp))?"
"""An address of the host and its port, if there are any, the container's port, and the protocol."""
FOLDER: Final = r"(?!(?:/\.?)+(?::|$))(?![^:]*/\.\.(?:/|:|$))/[^:,$]*"
"""Absolute, below `/`, and without `..`."""
_SIZE: Final = "[1-9][0-9]{0,8}(?:[kKmMgG](?:[iI]?[bB])?)?"
_OPTION: Final = "(?:(?:size|nr_inodes|mode|uid|gid)=[0-9A-Za-z%]+|(?:no)?(?:exec|suid|dev)|ro|rw)"
MOUNT_OPTIONS: Final = rf"(?:{_SIZE}|{_OPTION}(?:,{_OPTION})*)"
HTTP_PATH: Final = r"/(?![!-~]*\$\{\{)[!-~]*"
_PORT_WISH: Final = "must be a port such as 5432, '15432:5432', '127.0.0.1:15432:5432' or '53/udp'"
_TEST_EXAMPLES: Final = "a shell's command as one text, or a list: [CMD, word, …] or [CMD-SHELL, text]"
_TEST_WISH: Final = f"must be {_TEST_EXAMPLES}, or [NONE] for no check at all"
_READY_KEYS: Final = ("tcp", "http", "log")


@dataclass(frozen=True, slots=True)
class PortWords:
    """A port as a spec writes it."""

    container: int
    host: int | None = None
    address: str = DEFAULT_ADDRESS
    protocol: Literal["tcp", "udp"] = "tcp"


def services(value: Any) -> Any:
    """The services of a job: a list, one text that counts as a list of one, or a mapping."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        return tuple(cast("list[Any]", value))
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise wrong(
        "must be a list of images and of the workflow's services, or a mapping of names to images or services"
    )


def list_or_map(value: Any) -> str | None:
    """Which of the two forms of `services` it is."""
    return "\0map" if isinstance(value, dict) else "\0list"


def shared_services(value: Any) -> Any:
    """The workflow's services: a mapping, as jobs name them."""
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise wrong("must be a mapping of names to images or services, as jobs refer to them by name")


def service(value: Any) -> Any:
    """A text is short for `image`."""
    if isinstance(value, str):
        return {"image": value}
    if value is None:
        raise wrong("has no value; write an image such as 'postgres:15', or remove the key", complete=True)
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise wrong("must be an image such as 'postgres:15', or a mapping with 'image', 'env' and so on")


def words(value: Any) -> tuple[Any, ...]:
    """`command` and `entrypoint`: a list, or a text that is split into words as a shell does it.

    What `${{ }}` gives is part of the word that it stands in, whatever it holds.
    """
    if isinstance(value, list) and value:
        return tuple(cast("list[Any]", value))
    if isinstance(value, str) and value.strip():
        return _split(value)
    raise wrong("must be a list of words, or a text that holds them, and have at least one")


def _split(text: str) -> tuple[str, ...]:
    if "\0" in text:
        raise wrong("holds the character NUL, which no command can", complete=True)
    try:
        found = segments(text)
    except ExpressionError:
        return (text,)  # the checks of expressions say why
    parts = [f"\0{number}\0" if isinstance(part, Hole) else part.text for number, part in enumerate(found)]
    try:
        split = shlex.split("".join(parts))
    except ValueError:
        raise wrong("has a quote that is not closed", complete=True) from None

    def written(mark: re.Match[str]) -> str:
        hole = found[int(mark[1])]
        return f"${{{{ {hole.source} }}}}" if isinstance(hole, Hole) else ""

    return tuple(re.sub("\0([0-9]+)\0", written, word) for word in split)


def health_check(value: Any) -> Any:
    """`test`, `ready` and `disable` are three answers to one question."""
    if not isinstance(value, dict):
        raise wrong("must be a mapping with 'test' or 'ready', 'interval' and so on")
    given = cast("dict[str, Any]", value)
    answers = [f"'{key}'" for key in ("test", "ready") if key in given]
    if given.get("disable") is True:
        answers.append("'disable: true'")
    if len(answers) > 1:
        raise wrong(f"has {' and '.join(answers)}, which exclude each other; keep one", complete=True)
    return given


def health_test(value: Any) -> tuple[Any, ...]:
    """A text is a shell's; a list says by its first word what it is. Neither is an expression."""
    words = cast("list[Any]", value) if isinstance(value, list) else [value]
    if any(isinstance(word, str) and "${{" in word for word in words):
        raise wrong(
            "must be known before a run, and '${{ }}' is not evaluated here; read the service's own environment as "
            "'$NAME' instead",
            complete=True,
        )
    if isinstance(value, str):
        return ("CMD-SHELL", _shell_test(value))
    if isinstance(value, list) and all(isinstance(word, str) for word in words):
        return _listed_test(words)
    raise wrong(_TEST_WISH)


def _shell_test(text: str) -> str:
    if text.strip() == "NONE":
        raise wrong(
            "is the text 'NONE', which a shell would take for a command; write [NONE] for no check at all",
            complete=True,
        )
    if not text.strip():
        raise wrong(_TEST_WISH)
    return text


def _listed_test(words: list[str]) -> tuple[str, ...]:
    if not words:
        raise wrong(f"is an empty list; write {_TEST_EXAMPLES}, or [NONE] for no check at all", complete=True)
    kind, *rest = words
    wish = ""
    match kind:
        case "CMD" if not rest:
            wish = "has no command after CMD; write such as [CMD, redis-cli, ping]"
        case "CMD-SHELL" if len(rest) != 1:
            shown = f"'{' '.join(rest)}'" if rest else "'redis-cli ping'"
            wish = f"must have one text after CMD-SHELL; write [CMD-SHELL, {shown}]"
        case "NONE" if rest:
            wish = "has words after NONE; write [NONE] for no check at all, or begin with CMD"
        case "CMD" | "CMD-SHELL" | "NONE":
            pass
        case _:
            shown = ", ".join(words)
            rest_shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
            wish = f"begins with '{kind[:60]}'; write [CMD, {rest_shown}]"
    if wish:
        raise wrong(wish, complete=True)
    return tuple(words)


def ready(value: Any) -> Any:
    """One way to tell that a service is ready."""
    if not isinstance(value, dict):
        raise wrong("must be a mapping with one of 'tcp', 'http' and 'log', such as {tcp: 5432}")
    given = cast("dict[str, Any]", value)
    known = [key for key in _READY_KEYS if key in given]
    # A mistyped key is told of as such.
    if len(known) > 1 or not given:
        raise wrong("must have exactly one of 'tcp', 'http' and 'log'", complete=True)
    return given


def http(value: Any) -> Any:
    """A text is short for `path`."""
    if isinstance(value, str):
        return {"path": value}
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise wrong("must be a path such as '/health', or a mapping with 'path' and 'port'")


def http_path(value: Any) -> str:
    """What a GET asks for."""
    if not isinstance(value, str) or not re.fullmatch(HTTP_PATH, value):
        raise wrong("must be a path that begins with '/', such as '/health'")
    return value


def log_pattern(value: Any) -> str:
    """A regular expression; the compiler looks into it, as into those of params."""
    if not isinstance(value, str) or not value or "${{" in value:
        raise wrong("must be a regular expression as text")
    return value


def port(value: Any) -> PortWords:
    """A port that the service listens on, and where on the host it is published if it is."""
    found = re.fullmatch(PORT, str(value)) if isinstance(value, int | str) else None
    if found is None:
        raise wrong(_PORT_WISH)
    address, host, container, protocol = found.groups()
    return PortWords(
        container=int(container),
        host=None if host is None else int(host),
        address=DEFAULT_ADDRESS if address is None else address.strip("[]"),
        protocol="udp" if protocol == "udp" else "tcp",
    )


def tmpfs(value: Any) -> dict[str, str]:
    """Folders in memory with their mount options: a list of `folder` and `folder:options`, or a mapping."""
    found: dict[str, str] = {}
    for written, options in _mounts([value] if isinstance(value, str) else value):
        folder = _folder(written)
        if folder in found:
            raise wrong(f"names the folder '{folder}' twice; remove one", complete=True)
        found[folder] = _options(options)
    return found


def _mounts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from cast("dict[str, Any]", value).items()
        return
    if not isinstance(value, list):
        raise wrong("must be a list of folders, or a mapping of folders to sizes or mount options")
    for item in cast("list[Any]", value):
        if not isinstance(item, str):
            raise wrong("must be a list of folders such as '/data' or '/data:size=64m'")
        folder, _, options = item.partition(":")
        yield folder, options or None


def _folder(text: str) -> str:
    """Without needless slashes, so that one folder has one spelling."""
    if re.fullmatch(FOLDER, text):
        return posixpath.normpath(f"/{text.lstrip('/')}")
    if not text.startswith("/"):
        why = "which must be absolute, such as '/data'"
    elif ".." in text.split("/"):
        why = "and '..' is not followed; write the folder that is meant"
    elif not text.strip("/."):
        why = "under which all of the image's files would be hidden; name a folder below it"
    else:
        why = "which holds a ',' or a '$'; name one without"
    raise wrong(f"has the folder '{text}', {why}", complete=True)


def _options(value: Any) -> str:
    """Mount options; a size alone is short for `size=…`."""
    if value is None:
        return ""
    text = str(value) if isinstance(value, int | str) else ""
    if re.fullmatch(MOUNT_OPTIONS, text):
        size = parse_size(text)
        return text if size is None else f"size={size}"
    shown = text if len(text) <= 60 else f"{text[:60]}…"
    raise wrong(
        f"has the mount options '{shown}'; write a size such as '64m', or options such as 'size=64m,mode=1777'",
        complete=True,
    )
