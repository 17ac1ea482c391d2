"""Which of many pairs of jobs have a way between them. Plain graph code on integers used as bit sets."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_CHUNK: Final = 512
"""Sources that are followed at once, one bit each, from the first of them to the last job that asks for one.

As those who ask mostly stand near whom they ask for, the stretches are short, and all of them together linear."""


def ancestor_pairs(
    order: Sequence[str], waits_for: Mapping[str, Sequence[str]], pairs: Iterable[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Those of `pairs` (later, earlier) in which the first waits for the second, directly or through others.

    Args:
        order: Names in topological order. Pairs with a name that is not in it are left out.
        waits_for: For each name the names that it waits for.
        pairs: What to ask.
    """
    position = {name: number for number, name in enumerate(order)}
    asked = [pair for pair in dict.fromkeys(pairs) if pair[0] in position and pair[1] in position]
    direct = {later: frozenset(waits_for[later]) for later, _ in asked}
    # Nearly all are direct, and those need not be followed.
    found = {pair for pair in asked if pair[1] in direct[pair[0]]}
    laters: dict[str, list[str]] = {}
    for later, earlier in asked:
        if earlier not in direct[later] and position[earlier] < position[later]:
            laters.setdefault(earlier, []).append(later)
    sources = sorted(laters, key=position.__getitem__)
    for start in range(0, len(sources), _CHUNK):
        chunk = sources[start : start + _CHUNK]
        bits = {name: 1 << number for number, name in enumerate(chunk)}
        last = max(position[later] for name in chunk for later in laters[name])
        seen: dict[str, int] = {}
        for name in order[position[chunk[0]] : last + 1]:
            mask = 0
            for other in waits_for[name]:
                mask |= seen.get(other, 0) | bits.get(other, 0)
            if mask:
                seen[name] = mask
        found.update(
            (later, earlier)
            for earlier, bit in bits.items()
            for later in laters[earlier]
            if seen.get(later, 0) & bit
        )
    return found
