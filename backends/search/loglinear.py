"""Data Mixing Laws (arXiv 2403.16952): L = c + k exp(sum_j t_j r_j) of the shares r, and the best mixture by it.

For a floor c the logarithm of L - c is linear in r: least squares with cvxpy. The floor is the one that leaves the
least error in the unit of the loss. Sums of such laws are convex, so the best mixture under caps is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

Floats = NDArray[np.float64]

DEPTHS, GRID = (-5.0, 4.0), 16
RIDGE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class LogLinear:
    """One loss: floor c and, of shares [M], the exponents t with ln k added to each (shares sum to 1)."""

    floor: float
    exponents: Floats

    def predict(self, shares: Floats) -> Floats:
        """The loss [n] of mixtures [n, M]."""
        return np.asarray(self.floor + np.exp(shares @ self.exponents))


def _cvxpy() -> Any:
    """Cvxpy, which has types that no two type checkers agree on."""
    return import_module("cvxpy")


def fit_log_linear(shares: Floats, losses: Floats) -> LogLinear:
    """The law of runs: shares [n, M], losses [n]."""
    cp = _cvxpy()
    low, spread = float(losses.min()), float(losses.max() - losses.min())

    def fitted(depth: float) -> tuple[float, LogLinear]:
        """The law with its floor exp(depth) spreads below the least loss, and its squared error."""
        floor = low - float(np.exp(depth)) * spread
        above = losses - floor
        weight = above / above.mean()  # errors of the loss, to first order
        exponents = cp.Variable(shares.shape[1])
        errors = cp.multiply(weight, shares @ exponents - np.log(above))
        problem = cp.Problem(cp.Minimize(cp.sum_squares(errors) + RIDGE * len(losses) * cp.sum_squares(exponents)))
        problem.solve(solver=cp.CLARABEL)
        law = LogLinear(floor, np.asarray(exponents.value))
        return float(((law.predict(shares) - losses) ** 2).sum()), law

    depths = np.linspace(*DEPTHS, GRID)
    nearest = int(np.argmin([fitted(depth)[0] for depth in depths]))
    around = depths[max(nearest - 1, 0)], depths[min(nearest + 1, GRID - 1)]
    refined: Any = minimize_scalar(lambda depth: fitted(depth)[0], bounds=around, method="bounded")
    return fitted(float(refined.x))[1]


def best_mixture(laws: Sequence[LogLinear], weights: Sequence[float], caps: Floats) -> Floats:
    """The shares [M] of the least weighted loss, none above its cap."""
    cp = _cvxpy()
    share = cp.Variable(len(caps), nonneg=True)
    losses = [weight * cp.exp(law.exponents @ share) for law, weight in zip(laws, weights, strict=True)]
    cp.Problem(cp.Minimize(cp.sum(losses)), [cp.sum(share) == 1, share <= caps]).solve(solver=cp.CLARABEL)
    found = np.clip(np.asarray(share.value), 0.0, caps)
    return np.asarray(found / found.sum())
