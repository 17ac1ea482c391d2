"""What went wrong in a function, for people: the error's type, its text, and the last line of the author's own code."""

import sys
import sysconfig
import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

MAX_TEXT: Final = 1000
"""Characters of an error's own text."""
MAX_TOLD: Final = 256 * 1024
"""Characters of a traceback in the log."""
_OURS: Final = str(Path(__file__).parent)
_FOREIGN: Final = tuple(
    path for key in ("stdlib", "platstdlib", "purelib", "platlib") if (path := sysconfig.get_path(key))
)


class CallFault(Exception):
    """A call cannot be made, or not as it was asked for. The message is for people.

    Attributes:
        final: whether another try would end the same way.
    """

    def __init__(self, message: str, *, final: bool = True) -> None:
        super().__init__(clean(message))
        self.final = final


def described(error: BaseException) -> str:
    """`ValueError: no rows (travel/tools.py:12 in filter_price)`."""
    text, place = _text_of(error), _place_of(error)
    kind = type(error).__name__
    return clean(f"{kind}: {text}{place}" if text else f"{kind}{place}")


def clean(text: str) -> str:
    """`text` as Unicode: halves of characters, which no message can carry, become question marks."""
    return text.encode("utf-8", "replace").decode()


def _place_of(error: BaseException) -> str:
    """` (travel/tools.py:12 in filter_price)`: the innermost frame of the author's code, else of any code but ours."""
    trace = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)
    frames = [frame for frame in trace if _is_worth_telling(frame)]
    own = [frame for frame in frames if not frame.filename.startswith(_FOREIGN)]
    if isinstance(error, SyntaxError) and isinstance(error.filename, str):
        return f" ({_short(error.filename)}:{error.lineno})"
    if not frames:
        return ""
    last = (own or frames)[-1]
    where = "" if last.name == "<module>" else f" in {last.name}"
    return f" ({_short(last.filename)}:{last.lineno}{where})"


def told(error: BaseException) -> list[str]:
    """The traceback as lines, without the frames of the worker."""
    try:
        found = clean("".join(_traceback(error))).rstrip()
    except BaseException as broken:  # noqa: BLE001 - the author's code, as in `_text_of`
        return [f"the traceback cannot be had, since making it raises {type(broken).__name__}"]
    if len(found) > MAX_TOLD:
        found = f"{found[: MAX_TOLD // 2]}\n[{len(found) - MAX_TOLD:,} characters left out]\n{found[-MAX_TOLD // 2 :]}"
    return found.splitlines()


def _traceback(error: BaseException) -> list[str]:
    if isinstance(error, SyntaxError):
        return traceback.format_exception_only(error)
    return traceback.format_exception(type(error), error, _first_foreign(error.__traceback__))


def _text_of(error: BaseException) -> str:
    try:
        return str(error)[:MAX_TEXT].strip()
    except BaseException as broken:  # noqa: BLE001 - the author's code, which may raise what it likes
        return f"its text cannot be had, since making it raises {type(broken).__name__}"


def _is_worth_telling(frame: traceback.FrameSummary) -> bool:
    return not frame.filename.startswith((_OURS, "<frozen "))


def _first_foreign(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame on that is not the worker's nor the machinery's that it calls."""
    start = trace
    while start is not None:
        name = start.tb_frame.f_code.co_filename
        if not name.startswith((_OURS, "<frozen ", *_FOREIGN)):
            return start
        start = start.tb_next
    return trace


def _short(filename: str) -> str:
    """The file as the author knows it: below the folder on which Python found it."""
    for folder in sorted(filter(None, sys.path), key=len, reverse=True):
        if filename.startswith(f"{folder.rstrip('/')}/"):
            return filename[len(folder.rstrip("/")) + 1 :]
    return filename
