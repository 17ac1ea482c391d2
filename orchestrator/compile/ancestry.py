"""Which of many pairs of jobs have a way between them. Plain graph code on integers used as bit sets."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_CHUNK: Final = 4096
"""Sources that are followed at once: one bit each. It bounds memory, and time to a small multiple of the edges."""


def ancestor_pairs(
    order: Sequence[str], waits_for: Mapping[str, Sequence[str]], pairs: Iterable[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Those of `pairs` (later, earlier) in which the first waits for the second, directly or through others.

    Args:
        order: Names in topological order. Pairs with a name that is not in it are left out.
        waits_for: For each name the names that it waits for.
        pairs: What to ask.
    """
    known = set(order)
    found: set[tuple[str, str]] = set()
    open_ = [pair for pair in dict.fromkeys(pairs) if pair[0] in known and pair[1] in known]
    sources = list(dict.fromkeys(earlier for _, earlier in open_))
    for start in range(0, len(sources), _CHUNK):
        bits = {name: 1 << number for number, name in enumerate(sources[start : start + _CHUNK])}
        seen: dict[str, int] = {}
        for name in order:
            mask = 0
            for other in waits_for[name]:
                mask |= seen.get(other, 0) | bits.get(other, 0)
            seen[name] = mask
        found.update(pair for pair in open_ if pair[1] in bits and seen[pair[0]] & bits[pair[1]])
    return found
