"""What the images of a run are now, as its workers see them: one question before an attempt is resumed, and its answer.

An image is known by marks: short forms of its id and of the digests under which registries know it. Ids differ between
hosts that keep images in different ways, and digests are lost where an image is loaded from a file, so that two images
count as the same where they have a mark in common.
"""

from collections.abc import Iterable
from typing import Final

from orchestrator.plan.parts import Frozen, PullPolicy

LOOK_AT_IMAGES: Final = "look at images"
"""Type of the activity that looks, as the Web UI shows it. It belongs to no workflow."""
MAX_MARKS: Final = 4
"""Of one image."""
_LENGTH: Final = 16
"""Hex digits of a mark: a record holds thousands of them."""


class ImageAsked(Frozen):
    """An image by its written name, evaluated."""

    image: str
    pull: PullPolicy = "missing"


class ImagesAsked(Frozen):
    """What a worker is to look at."""

    images: tuple[ImageAsked, ...]


class ImageFound(Frozen):
    """What a container made now would be made of, as far as a host knows."""

    asked: ImageAsked
    marks: tuple[str, ...] = ()
    unknown: str = ""
    """Why there are no marks, in a clause."""


class ImagesFound(Frozen):
    """The answer: one for each that was asked for."""

    host: str
    images: tuple[ImageFound, ...]


def marks_of(image: str, digests: Iterable[str] = ()) -> tuple[str, ...]:
    """The marks of an image: of its id, and of its digests in registries. None where it has no id."""
    found = dict.fromkeys(mark_of(one) for one in (image, *sorted(digests)) if one)
    return tuple(found)[:MAX_MARKS]


def mark_of(digest: str) -> str:
    """The short form of `sha256:…`."""
    return digest.partition(":")[2][:_LENGTH] or digest[:_LENGTH]
