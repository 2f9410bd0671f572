"""The smooth surrogate: a Gaussian process of the kernel in `kernels`, with its doubt and its slopes.

Weights are learned on SUBSET runs at most; then all runs are used. Predictions of runs left out are honest: of many
runs, leaving one out is exact (y_i - mu_-i = [K^-1 y]_i / [K^-1]_ii), and only runs that the weights were not learned
on are `fresh`; of few, weights are learned again without each of FOLDS parts.

No stationary kernel fits a loss of several basins everywhere, and bad runs say little about where the loss is least. So
the final process takes a run for the noisier, the worse it is by the others: noise x exp(FOCUS q), q its prediction
above the least one in standard deviations of the losses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixc.backends.search.evidence import inverse_of, learned
from mixc.backends.search.kernels import LEAST_NOISE, Codes, Floats, Weights, kernel, own_slope_at, slope_at

SUBSET, BLOCKS, FOLDS = 500, 13, 4
FOCUS = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Smooth:
    """A fitted process. Losses are predicted in their own unit; `inverse` is K^-1 [n, n]."""

    blocks: Codes
    kinds: Codes
    centre: Floats
    spread: Floats
    weights: Weights
    z: Floats
    level: float
    scale: float
    dual: Floats
    inverse: Floats
    left_out: Floats  # prediction of each run by others [n]
    doubt: Floats  # its standard deviation, noise included [n]
    fresh: NDArray[np.bool_]  # runs whose prediction owes nothing to themselves [n]

    @property
    def noise(self) -> float:
        """The standard deviation of a run's loss around the truth, as learned."""
        return float(self.scale * np.sqrt(self.weights.variance))

    def scaled(self, features: Floats) -> Floats:
        """Features [n, D] as the kernel sees them."""
        return (features - self.centre) / self.spread * np.exp(self.weights.kinds)[self.kinds]

    def predict(self, features: Floats) -> Floats:
        """The mean [n], in slices that fit into memory."""
        parts = [self._mean(features[i : i + 4000]) for i in range(0, len(features), 4000)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _mean(self, features: Floats) -> Floats:
        across = kernel(self.scaled(features), self.z, self.weights, self.blocks)
        return np.asarray(self.level + self.scale * (across @ self.dual))

    def deviation(self, features: Floats) -> Floats:
        """The standard deviation of the mean [n], noise not counted."""
        z = self.scaled(features)
        across = kernel(z, self.z, self.weights, self.blocks)
        own = np.array([kernel(row[None], row[None], self.weights, self.blocks)[0, 0] for row in z])
        return np.asarray(self.scale * np.sqrt(np.maximum(own - ((across @ self.inverse) * across).sum(axis=1), 0.0)))

    def at(self, features: Floats, caution: float) -> tuple[float, Floats]:
        """mean + caution x deviation at one point [D], and its gradient in features [D]."""
        z = self.scaled(features[None])
        across = kernel(z, self.z, self.weights, self.blocks)[0]
        mean = float(across @ self.dual)
        pulled = self.inverse @ across
        own = float(kernel(z, z, self.weights, self.blocks)[0, 0])
        deviation = float(np.sqrt(max(own - across @ pulled, 1e-12)))
        by_run = self.dual - caution / deviation * pulled
        slope = slope_at(z[0], self.z, by_run, self.weights, self.blocks)
        slope += caution / (2 * deviation) * own_slope_at(z[0], self.weights, self.blocks)
        chain = np.exp(self.weights.kinds)[self.kinds] / self.spread
        return self.level + self.scale * (mean + caution * deviation), self.scale * slope * chain


def fit_smooth(features: Floats, losses: Floats, blocks: Codes, kinds: Codes, seed: int) -> Smooth:
    """The process of runs: features [n, D], losses [n]."""
    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    level, scale = float(losses.mean()), float(losses.std()) or 1.0
    x, y = (features - centre) / spread, (losses - level) / scale
    shuffled = np.random.default_rng(seed).permutation(len(y))
    few = len(y) <= SUBSET
    most = int(SUBSET * min(1.0, (BLOCKS / (int(blocks.max()) + 1)) ** 0.5))  # so that many blocks take no longer
    rows = np.sort(shuffled if few else shuffled[: min(most, len(y) // 2)])
    weights = learned(x[rows], y[rows], blocks, kinds)
    z = x * np.exp(weights.kinds)[kinds]
    covariance, noise = kernel(z, z, weights, blocks), np.full(len(y), weights.variance)
    if few:
        left_out, doubt = _folds(x, y, blocks, kinds, shuffled % FOLDS)
    else:
        even = inverse_of(covariance, noise)
        left_out, doubt = y - even @ y / np.diag(even), 1.0 / np.sqrt(np.diag(even))
    inverse = inverse_of(covariance, noise * np.exp(FOCUS * (left_out - left_out.min())))
    fresh = np.ones(len(y), dtype=bool)
    fresh[rows] = few
    return Smooth(
        *(blocks, kinds, centre, spread, weights, z, level, scale, inverse @ y, inverse),
        *(level + scale * left_out, scale * doubt, fresh),
    )


def _folds(x: Floats, y: Floats, blocks: Codes, kinds: Codes, fold: Codes) -> tuple[Floats, Floats]:
    """Prediction and deviation of each run [n] by weights and runs of the other folds."""
    left_out, doubt = np.empty(len(y)), np.empty(len(y))
    for part in range(FOLDS):
        mine, others = fold == part, fold != part
        weights = learned(x[others], y[others], blocks, kinds)
        z = x * np.exp(weights.kinds)[kinds]
        inverse = inverse_of(kernel(z[others], z[others], weights, blocks), np.full(others.sum(), weights.variance))
        across = kernel(z[mine], z[others], weights, blocks)
        own = np.diag(kernel(z[mine], z[mine], weights, blocks))
        left_out[mine] = across @ inverse @ y[others]
        spare = own + weights.variance - ((across @ inverse) * across).sum(axis=1)
        doubt[mine] = np.sqrt(np.maximum(spare, LEAST_NOISE))
    return left_out, doubt
