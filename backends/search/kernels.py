"""The kernel of the smooth surrogate: a sum over blocks, and a part for all blocks together; its slopes.

With z the standardised features times a weight of each kind (how much ln F, omega, … matter, learned once for all
domains), z_m those of block m, s_m a block's amplitude and b_m its weight in the joint part:

    k(z, z') = sum_m s_m [ (1 + z_m z_m' / 2)^2 + r exp(-|z_m - z_m'|^2 / 2) ]  +  p (1 + B / 2)^2  +  g exp(-D / 2)
    B = sum_m b_m z_m z_m',   D = sum_m b_m |z_m - z_m'|^2

The first part is smooth and additive over domains, with all interactions within one; the second lets domains interact.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

CACHED = 60_000  # numbers of a matrix that are worked on at once
LEAST_NOISE = 1e-5  # of the spread of the losses, squared


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Logarithms of what the kernel is made of: kinds [K], blocks [B], joint [B], (r, p, g), noise."""

    kinds: Floats
    blocks: Floats
    joint: Floats
    parts: Floats
    noise: float

    @property
    def variance(self) -> float:
        """The noise of a standardised loss, squared; never less than rounding needs."""
        return float(np.exp(self.noise) + LEAST_NOISE)

    @classmethod
    def of(cls, flat: Floats, kinds: int, blocks: int) -> Weights:
        """From one vector [K + 2 B + 4]."""
        a, b, c, d = np.split(flat[:-1], np.cumsum([kinds, blocks, blocks]))
        return cls(a, b, c, d, float(flat[-1]))


def kernel(a: Floats, b: Floats, weights: Weights, blocks: Codes) -> Floats:
    """k of every pair [n, n'] of scaled features, a few rows at once: what is in the cache need not be fetched."""
    result = np.empty((len(a), len(b)))
    rows = max(1, CACHED // max(len(b), 1))
    for i in range(0, len(a), rows):
        result[i : i + rows] = _kernel(a[i : i + rows], b, weights, columns_of(blocks))
    return result


def _kernel(a: Floats, b: Floats, weights: Weights, columns: list[tuple[int, slice]]) -> Floats:
    r, p, g = np.exp(weights.parts)
    total = np.zeros((len(a), len(b)))
    inner, apart = np.zeros_like(total), np.zeros_like(total)
    for m, part in columns:
        dot, distance = pairs_of(a[:, part], b[:, part])
        s, joint = np.exp(weights.blocks[m]), np.exp(weights.joint[m])
        inner += joint * dot
        apart += joint * distance
        total += s * ((1.0 + dot / 2) ** 2 + r * np.exp(distance / -2))
    return np.asarray(total + p * (1.0 + inner / 2) ** 2 + g * np.exp(apart / -2))


def columns_of(blocks: Codes) -> list[tuple[int, slice]]:
    """Each block's features, which lie together."""
    edges = np.flatnonzero(np.diff(blocks, prepend=-1, append=-1))
    return [(int(blocks[low]), slice(int(low), int(high))) for low, high in pairwise(edges)]


def pairs_of(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Inner products and squared distances of rows."""
    dot = a @ b.T
    return dot, np.maximum((a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * dot, 0.0)


def slope_at(z: Floats, runs: Floats, by_run: Floats, weights: Weights, blocks: Codes) -> Floats:
    """The gradient [D] in z of sum_i by_run_i k(z, z_i)."""
    r, p, g = np.exp(weights.parts)
    inner, apart = np.zeros(len(runs)), np.zeros(len(runs))
    near: list[tuple[slice, float, Floats, Floats]] = []
    for m, columns in columns_of(blocks):
        there, here = runs[:, columns], z[columns]
        dot, gap = there @ here, there - here
        distance = (gap**2).sum(axis=1)
        s, joint = float(np.exp(weights.blocks[m])), float(np.exp(weights.joint[m]))
        inner += joint * dot
        apart += joint * distance
        near.append((columns, joint, s * by_run * (1.0 + dot / 2), s * r * by_run * np.exp(-distance / 2)))
    outer, wide = by_run * p * (1.0 + inner / 2), by_run * g * np.exp(-apart / 2)
    slope = np.empty_like(z)
    for columns, joint, square, bump in near:
        bump = bump + joint * wide
        slope[columns] = (square + joint * outer + bump) @ runs[:, columns] - bump.sum() * z[columns]
    return slope


def own_slope_at(z: Floats, weights: Weights, blocks: Codes) -> Floats:
    """The gradient [D] of k(z, z): only the squares change."""
    p = np.exp(weights.parts[1])
    joint = np.exp(weights.joint)[blocks]
    inner = float((joint * z**2).sum())
    slope = 2 * p * (1.0 + inner / 2) * joint * z
    for m, columns in columns_of(blocks):
        own = float((z[columns] ** 2).sum())
        slope[columns] += 2 * np.exp(weights.blocks[m]) * (1.0 + own / 2) * z[columns]
    return np.asarray(slope)
