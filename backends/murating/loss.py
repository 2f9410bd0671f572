"""The loss of MuRating in closed form, with derivatives; d = s_a - s_b.

    L = mean over pairs of BCE(d, p) + lambda * mean over parallel pairs of 2 log(2 cosh(d / 2)) + mu |w|^2

    BCE(d, p) = -p log sigma(d) - (1 - p) log sigma(-d) = log(1 + e^d) - p d

The second term is the sum of both directions of BCE with target 1/2. Its least value is 2 log 2 at d = 0, it is about
d^2/4 above that near 0, and its slope tanh(d / 2) stays below 1: a penalty on the gap between translations that an odd
pair does not dominate. Parallel pairs mixed among the others with target 1/2 are the same with lambda = m / (2 n).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


def sigma(d: Reals) -> Reals:
    """1 / (1 + e^-d), without overflow."""
    small = np.exp(-np.abs(d))
    return np.where(d >= 0, 1.0, small) / (1.0 + small)


def pair_loss(d: Reals, p: Reals) -> Reals:
    """BCE(d, p)."""
    return np.maximum(d, 0.0) + np.log1p(np.exp(-np.abs(d))) - p * d


def pair_slope(d: Reals, p: Reals) -> Reals:
    """The derivative of `pair_loss` by d: sigma(d) - p."""
    return sigma(d) - p


def pair_curvature(d: Reals) -> Reals:
    """The second derivative of `pair_loss` by d: sigma(d) sigma(-d)."""
    return sigma(d) * sigma(-d)


def parallel_loss(d: Reals) -> Reals:
    """2 log(2 cosh(d / 2))."""
    size = np.abs(d)
    return size + 2.0 * np.log1p(np.exp(-size))


def parallel_slope(d: Reals) -> Reals:
    """The derivative of `parallel_loss`: tanh(d / 2)."""
    return np.tanh(d / 2.0)


def parallel_curvature(d: Reals) -> Reals:
    """The second derivative of `parallel_loss`: 2 sigma(d) sigma(-d)."""
    return 2.0 * pair_curvature(d)


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Pairs of n rows of features: `a`, `b`, `p` of those with votes, `one`, `other` of parallel ones."""

    a: NDArray[np.intp]
    b: NDArray[np.intp]
    p: Reals
    one: NDArray[np.intp]
    other: NDArray[np.intp]

    def plus(self, more: Examples) -> Examples:
        """Both together."""
        a, b = np.concatenate([self.a, more.a]), np.concatenate([self.b, more.b])
        one, other = np.concatenate([self.one, more.one]), np.concatenate([self.other, more.other])
        return Examples(a, b, np.concatenate([self.p, more.p]), one, other)


def loss_of(scores: Reals, examples: Examples, weight: float) -> float:
    """L without the penalty, of scores [n]; a mean over nothing is 0."""
    total = 0.0
    if len(examples.p):
        total += float(pair_loss(scores[examples.a] - scores[examples.b], examples.p).mean())
    if len(examples.one):
        total += weight * float(parallel_loss(scores[examples.one] - scores[examples.other]).mean())
    return total
