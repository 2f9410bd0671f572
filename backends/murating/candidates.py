"""Which pairs are looked at, in which order: neighbours in the order of a keyed hash of the documents' ids.

Documents stand in a circle in that order. First every document is paired with the next one, then with the one after
that, and so on: each pair comes once, each document equally often, and none of the n^2 pairs is held. What a document
is paired with follows from ids and seed, not from the order of rows; and a part of the circle is nearly closed under
pairs, so that splitting documents by the same hash cuts few of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Places: TypeAlias = NDArray[np.intp]
Both: TypeAlias = tuple[Places, Places]

PURPOSE = "murating"


def prefix_of(seed: int) -> bytes:
    """What is hashed before the ids."""
    return f"{seed}:{PURPOSE}:".encode()


def ring(members: Places) -> Iterator[Both]:
    """Pairs of members of one circle, by distance: every unordered pair once, and none of a document with itself."""
    count = len(members)
    for step in range(1, count // 2 + 1):
        firsts = members[: count // 2] if 2 * step == count else members
        yield firsts, np.roll(members, -step)[: len(firsts)]


def between(first: Places, second: Places) -> Iterator[Both]:
    """Pairs of a member of one circle with one of another, those of like hashes first; none with itself."""
    if not len(first) or not len(second):
        return
    beside = np.arange(len(first)) * len(second) // len(first)
    for step in range(len(second)):
        shift = (step + 1) // 2 if step % 2 else -(step // 2)
        others = second[(beside + shift) % len(second)]
        distinct = first != others
        yield first[distinct], others[distinct]


def same(first: Places, second: Places) -> Iterator[Both]:
    """Members of both circles, each with itself."""
    common = first[np.isin(first, second)]
    yield common, common
