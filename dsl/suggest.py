"""The one word that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def suggest(word: str, allowed: Iterable[str], synonyms: Mapping[str, str] | None = None) -> str | None:
    """The allowed word closest to `word`, or None when none is close.

    Close is a known synonym, the same word in other case, or a distance of at most a third of the length of `word`
    (at least 1 from three letters on). Among equals the first in alphabetical order wins, whatever order they came in.
    """
    candidates = sorted(set(allowed))
    target = (synonyms or {}).get(word, (synonyms or {}).get(word.lower()))
    if target in candidates:
        return target
    limit = len(word) // 3
    scored = [(distance(word.lower(), c.lower(), limit), c) for c in candidates if abs(len(c) - len(word)) <= limit]
    close = [(d, c) for d, c in scored if d <= limit and c != word]
    return min(close)[1] if close else None


def distance(a: str, b: str, limit: int) -> int:
    """Edits that turn `a` into `b`: insert, delete, replace, swap two neighbours (optimal string alignment).

    Exact up to `limit`; anything larger is reported as some number above it.
    """
    before: list[int] = []
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) > limit and min(previous) > limit:
            return limit + 1
        before, previous = previous, current
    return previous[-1]
