"""Data without its wrong parts, so that one mistake does not hide others: what is left is checked further.

Pure: containers on the way to a wrong part are copied, never changed. Nothing that went through here may run.
"""

from collections.abc import Iterable
from typing import Any, Final, cast

from orchestrator.spec.model import JOB_KINDS
from orchestrator.spec.places import Path

PLACEHOLDER_IMAGE: Final = "unknown"
"""Stands in a job of which the key that says its kind is wrong: the lack of that is no finding of its own."""


PLACEHOLDER_VALUES: Final = "${{ run }}"
"""Stands for a matrix or list with a mistake in it: nobody can say what its variants would have."""
_REPEATS: Final = ("matrix", "for_each", "include", "exclude")
_OPTIONS: Final = (("max_parallel",), ("fail_fast",))


def without(data: Any, wrong: Iterable[Path], missing: Iterable[Path]) -> tuple[Any, list[Path]]:
    """`data` without the values at the `wrong` paths, and with a placeholder for a `missing` name.

    A mapping in which another key is missing is taken out as a whole.

    Returns:
        What is left, and which items of lists were taken out, one after the other: those after each have moved up.
    """
    work = _Copying(data)
    gone: list[Path] = list(wrong)
    for path in missing:
        if path == ("name",):
            work.put(path, "unnamed")
        elif len(path) > 1 and path[-1] == "image" and _is_service(path[:-1]):
            work.put(path, PLACEHOLDER_IMAGE)
        elif len(path) > 1:
            gone.append(path[:-1])
    # From the back, so that the numbers of list items before stay true.
    for path in sorted(set(gone), key=_by_place, reverse=True):
        in_job = path[0] == "jobs" if path else False
        if in_job and len(path) == 2:
            # The name stays, so that what refers to the job does not seem wrong as well.
            work.put(path, {"image": PLACEHOLDER_IMAGE})
            continue
        if in_job and len(path) > 2 and path[2] in _REPEATS and path[3:] not in _OPTIONS:
            if path[2] in ("include", "exclude"):
                work.drop(path[:3])
            key = "for_each" if path[2] == "for_each" else "matrix"
            work.put((*path[:2], key), PLACEHOLDER_VALUES)
            continue
        if _is_service(path) or _is_options(path):
            stays = {"image": PLACEHOLDER_IMAGE} if _is_service(path) else PLACEHOLDER_VALUES
            work.put(path[:6], stays)
            continue
        work.drop(path)
        if path[-1:] == ("image",) and _is_service(path[:-1]):
            work.put(path, PLACEHOLDER_IMAGE)
        if in_job and len(path) == 3 and path[2] in ("image", *JOB_KINDS):
            work.put((*path[:2], "image"), PLACEHOLDER_IMAGE)
    return work.data, work.items


def _is_service(path: Path) -> bool:
    """Whether a service with a name stands at `path`. That stays too, for what refers to it."""
    named = len(path) == 2 or (len(path) == 4 and path[0] == "jobs")
    return named and path[-2] == "services" and isinstance(path[-1], str)


def _is_options(path: Path) -> bool:
    """Whether what people can choose from in a gate's form stands at `path`, or a part of it."""
    return path[:1] == ("jobs",) and path[2:4] == ("gate", "fields") and path[5:6] == ("options",)


def _by_place(path: Path) -> tuple[tuple[int, str], ...]:
    return tuple((step, "") if isinstance(step, int) else (-1, step) for step in path)


class _Copying:
    """Changes a tree by copying each container on the way once."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self.items: list[Path] = []
        """Of lists, that were taken out."""
        self._own: set[int] = set()
        self._kept: list[Any] = []

    def put(self, path: Path, value: Any) -> None:
        holder = self._holder(path)
        if isinstance(holder, dict):
            cast("dict[str, Any]", holder)[str(path[-1])] = value

    def drop(self, path: Path) -> None:
        """Takes out the value at `path`, or the deepest one on the way to it that exists."""
        while path:
            holder, last = self._holder(path), path[-1]
            if isinstance(holder, dict) and last in holder:
                del holder[last]
                return
            if isinstance(holder, list) and isinstance(last, int) and last < len(cast("list[Any]", holder)):
                del holder[last]
                self.items.append(path)
                return
            path = path[:-1]

    def _holder(self, path: Path) -> Any:
        """An own copy of what holds the last step of `path`; None when the way there does not exist."""
        if not isinstance(self.data, dict):
            return None
        self.data = node = self._copied(self.data)  # pyright: ignore[reportUnknownMemberType]
        for step in path[:-1]:
            try:
                inner = node[step]
            except (KeyError, IndexError, TypeError):
                return None
            if not isinstance(inner, dict | list):
                return None
            node[step] = inner = self._copied(inner)
            node = inner
        return node

    def _copied(self, container: Any) -> Any:
        if id(container) in self._own:
            return container
        copy = container.copy()
        self._own.add(id(copy))
        self._kept.append(copy)
        return copy
