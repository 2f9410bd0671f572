"""Quality densities of rank intervals, in plain Python.

InfoLaw's density is a step function of the quality rank: exp(-theta d) on the calibration's own bucket d. The density
of any other interval is its mean there, so that cutting the ranks differently changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from mixc.compiler.problem import Bucket, InfoLaw

CLOSEST = 1e-6  # edges nearer than this are one edge: a bucket narrower than a millionth decides nothing


def interval_density(law: InfoLaw, low: float, high: float) -> float:
    """Mean of exp(-theta d(rank)) over ranks [low, high), 0 = best; 1 is the density of the best bucket."""
    lows = (0.0, *law.edges[:-1])
    widths = [max(0.0, min(high, upper) - max(low, lower)) for lower, upper in zip(lows, law.edges, strict=True)]
    met = [(width, math.exp(-law.theta * d)) for d, width in enumerate(widths) if width > 0]
    if len(met) == 1:
        return met[0][1]
    return math.fsum(width * density for width, density in met) / (high - low)


def pool_density(law: InfoLaw) -> float:
    """The mean density of a whole pool, sum_d B_d exp(-theta d): what an unrated pool is assumed to be worth."""
    return interval_density(law, 0.0, 1.0)


def with_edges(edges: Iterable[float], extra: Iterable[float]) -> tuple[float, ...]:
    """`edges` with those of `extra` inserted that lie inside (0, 1) and are not already there; ends in 1."""
    kept = sorted({edge for edge in edges if 0 < edge < 1})
    for edge in sorted(set(extra)):
        if CLOSEST < edge < 1 - CLOSEST and all(abs(edge - other) > CLOSEST for other in kept):
            kept.append(edge)
    return (*sorted(kept), 1.0)


def cut(tokens: int, edges: tuple[float, ...], law: InfoLaw, factor: float = 1.0) -> tuple[Bucket, ...]:
    """A rated pool in buckets: whole tokens in proportion to the widths, summing to `tokens` exactly.

    Tokens above rank e are floor(e * tokens) for every edge e, so inserting an edge moves no other boundary.
    `factor` multiplies every density.
    """
    lows = (0.0, *edges[:-1])
    above = [tokens * Fraction(repr(edge)) // 1 for edge in edges]
    counts = [upper - lower for lower, upper in zip([0, *above[:-1]], above, strict=True)]
    return tuple(
        Bucket(low, high, int(count), factor * interval_density(law, low, high))
        for low, high, count in zip(lows, edges, counts, strict=True)
    )
