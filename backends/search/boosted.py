"""LightGBM on parameters and features: the surrogate of the papers, as an ensemble over folds.

Each of FOLDS models leaves a part of the runs out, so that every run is predicted once by a model that has not seen
it; their mean predicts anything else, and their spread is a measure of doubt. One thread and fixed seeds: the same
bytes in, the same trees out. Early stopping would look at the held-out part, so the number of rounds is fixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FOLDS, ROUNDS = 4, 300
MOST_LEAVES, RATE, COLUMNS = 31, 0.05, 60


@dataclass(frozen=True, slots=True, eq=False)
class Boosted:
    """The models, and each run's prediction by the one that left it out [n]."""

    models: tuple[Any, ...]
    left_out: Floats

    def first(self, features: Floats) -> Floats:
        """What one of the models says [n], for a fraction of the time."""
        return np.asarray(self.models[0].predict(features, num_threads=1), dtype=np.float64)

    def predict(self, features: Floats) -> Floats:
        """The mean of the models [n]."""
        return np.asarray(np.mean(self._each(features), axis=0))

    def deviation(self, features: Floats) -> Floats:
        """The spread of the models [n]."""
        return np.asarray(np.std(self._each(features), axis=0))

    def _each(self, features: Floats) -> list[Floats]:
        return [np.asarray(model.predict(features, num_threads=1), dtype=np.float64) for model in self.models]


def fit_boosted(features: Floats, losses: Floats, seed: int) -> Boosted:
    """Models of runs: features [n, D], losses [n]. Raises ImportError where LightGBM is not installed."""
    import lightgbm

    count = len(losses)
    leaves = int(np.clip(count // 40, 4, MOST_LEAVES))
    settings = {
        "objective": "regression",
        "num_leaves": leaves,
        "learning_rate": RATE,
        "min_data_in_leaf": int(np.clip(count // 50, 2, 20)),
        "feature_fraction": float(np.clip(COLUMNS / features.shape[1], 0.2, 0.5)),
        "max_bin": 63,
        "lambda_l2": 0.1,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": seed % 2**31,
        "verbosity": -1,
    }
    fold = np.random.default_rng(seed).permutation(count) % FOLDS
    left_out, models = np.empty(count), []
    for part in range(FOLDS):
        rows = fold != part
        data = lightgbm.Dataset(features[rows], losses[rows], params={"verbosity": -1})
        model = lightgbm.train(settings, data, num_boost_round=ROUNDS)
        left_out[~rows] = np.asarray(model.predict(features[~rows], num_threads=1))
        models.append(model)
    return Boosted(tuple(models), left_out)
