"""Local search on the smooth surrogate, from many starts, within the limits that the runs were drawn from.

Each start goes downhill in mean + caution x deviation: where runs are few the deviation is large, so that the search
stays where the surrogate knows something. The limits and the simplexes of weights hold at every step (SLSQP).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from mixc.backends.search.smooth import Smooth
from mixc.backends.search.space import Space

Floats = NDArray[np.float64]

STEPS = 80
TOLERANCE = 1e-5  # of the spread of the losses


def descend(space: Space, surrogate: Smooth, start: Floats, caution: float) -> Floats:
    """The local optimum [d] that a start [d] leads to."""
    lower, upper = space.limits
    scale = surrogate.scale

    def loss(u: Floats) -> tuple[float, Floats]:
        value, slope = surrogate.at(space.features(u[None])[0], caution)
        return (value - surrogate.level) / scale, space.pull(u, slope) / scale

    sums = np.zeros((len(space.groups), len(start)))
    for i, group in enumerate(space.groups):
        sums[i, group] = 1.0
    held = {"type": "eq", "fun": lambda u: sums @ u - 1.0, "jac": lambda _: sums}
    found: Any = minimize(
        loss,
        np.clip(start, lower, upper),
        jac=True,
        method="SLSQP",
        bounds=list(zip(lower.tolist(), upper.tolist(), strict=True)),
        constraints=[held],
        options={"maxiter": STEPS, "ftol": TOLERANCE},
    )
    return settled(space, np.asarray(found.x))


def settled(space: Space, u: Floats) -> Floats:
    """A point [d] within the limits whose groups sum to 1 exactly, as near as rounding needs."""
    lower, upper = space.limits
    inside = np.clip(u, lower, upper)
    for group in space.groups:
        inside[group] = _on_simplex(inside[group], upper[group])
    return inside


def _on_simplex(values: Floats, caps: Floats) -> Floats:
    """Values scaled to the sum 1; what that takes above a cap goes to the others."""
    result = values.copy()
    for _ in range(len(result)):
        free = result < caps - 1e-12
        missing = 1.0 - result.sum()
        if abs(missing) < 1e-15:
            break
        if missing < 0 or not free.any() or result[free].sum() <= 0:
            result = result / result.sum() if missing < 0 else result + missing / len(result)
        else:
            result[free] *= 1.0 + missing / result[free].sum()
            result = np.minimum(result, caps)
    return result


def spread_out(points: Floats, order: NDArray[np.int64], wanted: int) -> Floats:
    """Of points [n, d], the first in `order` and then those farthest from all chosen, so many of them."""
    pool = points[order]
    chosen = [0]
    distance = ((pool - pool[0]) ** 2).sum(axis=1)
    while len(chosen) < min(wanted, len(pool)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, ((pool - pool[chosen[-1]]) ** 2).sum(axis=1))
    return np.asarray(pool[chosen])
