"""Bounded least squares for a handful of coordinates: Levenberg and Marquardt's steps, projected on the bounds.

Made for problems whose residuals cost microseconds, where a general solver spends its time on itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Residuals = Callable[[Floats], tuple[Floats, Floats]]
"""Residuals [n] and their slopes by the coordinates [n, k] at a point [k]."""

TINY = 1e-14  # a step below this part of the point's scale is none
MOST_DAMPED = 1e12
POLISHED = 1e-14


@dataclass(frozen=True, slots=True, eq=False)
class Least:
    """A point and its sum of squares."""

    point: Floats
    squares: float


def least_squares(
    residuals: Residuals,
    start: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
    tolerance: float = 1e-15,
    most: int = 200,
) -> Least:
    """A local minimum of the sum of squares inside the bounds: until a step gains less than this part of it, or so
    many evaluations were made.
    """
    low, high = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
    point = np.clip(np.asarray(start, dtype=np.float64), low, high)
    residual, slopes = residuals(point)
    squares, damping = float(residual @ residual), 1e-3
    for _ in range(most):
        gradient, curvature = slopes.T @ residual, slopes.T @ slopes
        step = _step(gradient, curvature, damping, point, low, high)
        trial = np.clip(point + step, low, high)
        moved = trial - point
        if np.all(np.abs(moved) <= TINY * (1 + np.abs(point))):
            break
        residual_there, slopes_there = residuals(trial)
        there = float(residual_there @ residual_there)
        if there < squares:
            small = squares - there <= tolerance * squares
            point, residual, slopes, squares = trial, residual_there, slopes_there, there
            damping = max(damping / 10, 1e-15)
            if small:
                break
        else:
            damping *= 10
            if damping > MOST_DAMPED:
                break
    return Least(point, squares) if tolerance > POLISHED else _polished(residuals, point, low, high)


def _polished(residuals: Residuals, point: Floats, low: Floats, high: Floats) -> Least:
    """Plain Gauss-Newton steps while they shrink: sums of squares no longer tell better from worse, slopes do."""
    before = np.inf
    residual, slopes = residuals(point)
    for _ in range(40):
        step = _step(slopes.T @ residual, slopes.T @ slopes, 0.0, point, low, high)
        trial = np.clip(point + step, low, high)
        moved = float(np.max(np.abs(trial - point) / (1 + np.abs(point)), initial=0.0))
        if moved >= 0.7 * before or moved > 1e-4:
            break
        point, before = trial, moved
        residual, slopes = residuals(point)
        if moved <= TINY:
            break
    return Least(point, float(residual @ residual))


def _step(gradient: Floats, curvature: Floats, damping: float, point: Floats, low: Floats, high: Floats) -> Floats:
    """The damped step of the coordinates that do not lie on a bound and push against it."""
    stuck = ((point <= low) & (gradient > 0)) | ((point >= high) & (gradient < 0))
    free = np.flatnonzero(~stuck)
    step = np.zeros_like(point)
    if not len(free):
        return step
    matrix = curvature[np.ix_(free, free)]
    scale = np.maximum(np.diag(matrix), 1e-30 + 1e-12 * float(np.diag(matrix).max(initial=0.0)))
    step[free] = -np.linalg.lstsq(matrix + np.diag(damping * scale), gradient[free], rcond=1e-15)[0]
    return step
