"""What went wrong in a function, for people: the error's type, its text, and the last line of the author's own code."""

import sys
import sysconfig
import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

MAX_TEXT: Final = 1000
"""Characters of an error's own text."""
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
        super().__init__(message)
        self.final = final


def described(error: BaseException) -> str:
    """`ValueError: no rows (travel/tools.py:12 in filter_price)`."""
    text = str(error)[:MAX_TEXT].strip()
    kind = type(error).__name__
    return f"{kind}: {text}{place_of(error)}" if text else f"{kind}{place_of(error)}"


def place_of(error: BaseException) -> str:
    """` (travel/tools.py:12 in filter_price)`: the innermost frame of the author's code, else of any code but ours."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_worth_telling(frame)]
    own = [frame for frame in frames if not frame.filename.startswith(_FOREIGN)]
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({_short(error.filename)}:{error.lineno})"
    if not frames:
        return ""
    last = (own or frames)[-1]
    where = "" if last.name == "<module>" else f" in {last.name}"
    return f" ({_short(last.filename)}:{last.lineno}{where})"


def told(error: BaseException) -> list[str]:
    """The traceback as lines, without the frames of the worker."""
    if isinstance(error, SyntaxError):
        lines = traceback.format_exception_only(error)
    else:
        lines = traceback.format_exception(type(error), error, _first_foreign(error.__traceback__))
    return "".join(lines).rstrip().splitlines()


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
