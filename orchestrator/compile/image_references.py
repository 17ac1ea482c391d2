"""Whether a text can be the name of an image: `registry.local:5000/org/postgres:15@sha256:…`. Pure.

The grammar is that of https://pkg.go.dev/github.com/distribution/reference, which engines and registries share.
"""

import re
from typing import Final

_REGISTRY: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
)
_PART: Final = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def image_problem(image: str) -> str | None:
    """Why `image` cannot be an image's name, as the end of a sentence that begins with it; None where it can."""
    if scheme := _SCHEME.match(image):
        rest = image[scheme.end() :] or "postgres:15"
        return f"begins with '{scheme[0]}', which an image's name does not have; write '{rest}'"
    name, at, digest = image.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        return f"has '{digest}' after its '@', where a digest must be: 'sha256:' and 64 hexadecimal digits"
    path, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        path, colon, tag = name, "", ""
    if colon and not tag:
        return f"ends its name with ':', and no tag follows; write '{path}:latest', or remove the ':'"
    if colon and not _TAG.fullmatch(tag):
        return f"has the tag '{tag}', and a tag has letters, digits, '_', '.' and '-', at most 128"
    return _path_problem(image, path)


def _path_problem(image: str, path: str) -> str | None:
    first, slash, rest = path.partition("/")
    if slash and (any(sign in first for sign in ".:") or first == "localhost" or first != first.lower()):
        if not _REGISTRY.fullmatch(first):
            return f"begins with '{first}', which is no host of a registry"
        path = rest
    if all(_PART.fullmatch(part) for part in path.split("/")):
        return None
    if all(_PART.fullmatch(part) for part in path.lower().split("/")):
        small = image.replace(path, path.lower(), 1)
        return f"has capital letters in its path, which must be lower-case; write '{small}'"
    return (
        f"has the path '{path}', and each part of a path has lower-case letters and digits, with '.', '_' or '-' "
        "between them"
    )
