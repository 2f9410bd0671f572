"""The linear head, s = w x: a convex problem, solved by Newton's method until nothing moves.

So the weights follow from the data: no steps, no seed, and rounding of matrix products hardly shows in them. The
penalty mu is taken from a grid, from the largest on, each start warm from the one before; the search ends once
documents set apart are served worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixc.backends.murating.loss import (
    Examples,
    Reals,
    loss_of,
    pair_curvature,
    pair_loss,
    pair_slope,
    parallel_curvature,
    parallel_loss,
    parallel_slope,
)

GRID = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001)
PATIENCE = 2  # values of the grid that may be worse before the search ends
STEPS = 100
CLOSE = 1e-10  # of L, what is left to gain
LEAST = 2.0**-40  # of a step


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """L as a function of w for differences of features: `pairs` [P, k] with targets `p`, `parallel` [Q, k]."""

    pairs: Reals
    p: Reals
    parallel: Reals
    weight: float
    decay: float

    def value(self, w: Reals) -> float:
        """L(w)."""
        found = self.decay * float(w @ w)
        if len(self.p):
            found += float(pair_loss(self.pairs @ w, self.p).mean())
        if len(self.parallel) and self.weight:
            found += self.weight * float(parallel_loss(self.parallel @ w).mean())
        return found

    def gradient(self, w: Reals) -> Reals:
        """Of L at w, [k]."""
        found = 2.0 * self.decay * w
        if len(self.p):
            found = found + self.pairs.T @ pair_slope(self.pairs @ w, self.p) / len(self.p)
        if len(self.parallel) and self.weight:
            found = found + self.weight * (self.parallel.T @ parallel_slope(self.parallel @ w)) / len(self.parallel)
        return found

    def hessian(self, w: Reals) -> Reals:
        """Of L at w, [k, k]."""
        found = 2.0 * self.decay * np.eye(len(w))
        if len(self.p):
            found += _gram(self.pairs, pair_curvature(self.pairs @ w)) / len(self.p)
        if len(self.parallel) and self.weight:
            found += self.weight * _gram(self.parallel, parallel_curvature(self.parallel @ w)) / len(self.parallel)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class LinearFit:
    """Weights [k], the penalty they were found with, and the loss on the documents set apart by penalty."""

    weights: Reals
    decay: float
    losses: tuple[tuple[float, float], ...]


def fit_linear(
    features: Reals, train: Examples, apart: Examples, weight: float, decays: Sequence[float] = GRID
) -> LinearFit:
    """The weights on all examples with the penalty that serves those apart best after training without them."""
    chosen, losses = decays[0], list[tuple[float, float]]()
    if len(decays) > 1:
        w, worse = np.zeros(features.shape[1]), 0
        for decay in decays:
            w = solve(objective_of(features, train, weight, decay), w)
            losses.append((decay, loss_of(features @ w, apart, weight)))
            best = min(losses, key=lambda one: one[1])
            worse = 0 if best[0] == decay else worse + 1
            if worse == PATIENCE:
                break
        chosen = min(losses, key=lambda one: one[1])[0]
    whole = objective_of(features, train.plus(apart), weight, chosen)
    return LinearFit(solve(whole, np.zeros(features.shape[1])), chosen, tuple(losses))


def objective_of(features: Reals, examples: Examples, weight: float, decay: float) -> Objective:
    """L of these examples."""
    pairs = features[examples.a] - features[examples.b]
    parallel = features[examples.one] - features[examples.other]
    return Objective(pairs, examples.p, parallel, weight, decay)


def solve(objective: Objective, start: Reals) -> Reals:
    """The weights of the least L: Newton's steps, halved as long as they do not help.

    Near the end L no longer tells steps apart, for rounding; then whole steps are taken as long as the gradient falls.
    """
    w, value, gradient = start, objective.value(start), objective.gradient(start)
    for _ in range(STEPS):
        step = np.linalg.solve(objective.hessian(w), gradient)
        fall = float(gradient @ step)
        size = 1.0
        if fall > CLOSE * max(1.0, value):
            while size > LEAST and objective.value(w - size * step) > value - 1e-4 * size * fall:
                size /= 2
        there = w - size * step
        slope = objective.gradient(there)
        if fall <= CLOSE * max(1.0, value) and np.abs(slope).max() >= np.abs(gradient).max():
            return w
        w, value, gradient = there, objective.value(there), slope
    return w


def _gram(rows: Reals, weights: NDArray[np.float64]) -> Reals:
    scaled = rows * np.sqrt(weights)[:, None]
    found: Reals = scaled.T @ scaled
    return found
