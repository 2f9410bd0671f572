"""InfoLaw as a least-squares problem in (theta, a, b); alpha and beta follow in closed form.

With x = ln info(theta, a, b), the law is ln L = ln alpha - beta x, a line, so that its two constants are eliminated
(variable projection; the Jacobian is Kaufman's). What remains is moved in charts: theta, the learning rate lam of the
smallest model in logarithm, and its growth to the largest. A chart with one constant held gives the profile of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.fit.infolaw_runs import InfoRun
from mixc.compiler.fit.least import least_squares
from mixc.compiler.laws.infolaw import INFO_UNIT

Floats = NDArray[np.float64]
Constant: TypeAlias = Literal["theta", "a", "b", "alpha", "beta"]
CONSTANTS: tuple[Constant, ...] = ("theta", "a", "b", "alpha", "beta")
MOST_THETA = 10.0
LEAST_RATE, MOST_RATE = 1e-4, 400.0  # lam; c = lam / ln K is some 0.1, and one pass exhausts a bucket far below 400
MOST_GROWTH = 30.0
MOST_FALL = 0.99
LEAST_BETA = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Arrays of n runs and m intervals: `run` [m] is the interval's run, `overlap` [m, D] its part of each bucket."""

    params: Floats
    tokens: Floats
    log_loss: Floats
    run: NDArray[np.intp]
    first_pass: Floats  # tokens read once, in 1e9 [m]
    passes: Floats  # at least 1 [m]
    overlap: Floats

    def without(self, drop: NDArray[np.bool_]) -> Evidence:
        """The runs that are not dropped [n]."""
        keep = ~drop
        number = np.cumsum(keep) - 1
        cells = keep[self.run]
        return Evidence(
            self.params[keep],
            self.tokens[keep],
            self.log_loss[keep],
            number[self.run[cells]],
            self.first_pass[cells],
            self.passes[cells],
            self.overlap[cells],
        )


@dataclass(frozen=True, slots=True)
class Constants:
    """theta, a, b, alpha, beta."""

    theta: float
    a: float
    b: float
    alpha: float
    beta: float


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Constants, residuals of ln L [n], and their weighted sum of squares."""

    constants: Constants
    residuals: Floats
    squares: float
    at: tuple[float, ...]  # the point in the chart


def evidence(runs: Sequence[InfoRun], edges: Sequence[float]) -> Evidence:
    """The arrays of runs, for a law whose buckets have these upper ranks."""
    cells = [(i, cell) for i, run in enumerate(runs) for cell in run.cells]
    low = np.array([cell.low for _, cell in cells])[:, None]
    high = np.array([cell.high for _, cell in cells])[:, None]
    upper, lower = np.array(edges), np.array((0.0, *edges[:-1]))
    overlap = np.clip(np.minimum(high, upper) - np.maximum(low, lower), 0.0, None)
    taken, supply = (np.array([getattr(cell, key) for _, cell in cells]) for key in ("taken", "supply"))
    return Evidence(
        np.array([run.params for run in runs]),
        np.array([run.tokens for run in runs]),
        np.log([run.loss for run in runs]),
        np.array([i for i, _ in cells], dtype=np.intp),
        np.minimum(taken, supply) / INFO_UNIT,
        np.maximum(taken / supply, 1.0),
        overlap / overlap.sum(axis=1, keepdims=True),
    )


def log_info(data: Evidence, theta: float, a: float, b: float) -> tuple[Floats, Floats]:
    """ln info [n], and its slopes by (theta, a, b) [n, 3]."""
    runs = len(data.params)
    buckets = np.arange(data.overlap.shape[1])
    each = np.exp(-theta * buckets)
    density, by_theta = data.overlap @ each, data.overlap @ (-buckets * each)
    log_params, log_tokens = np.log(data.params), np.log(data.tokens)
    rate = np.maximum(a * log_params + b, LEAST_RATE)  # a size left out may lie where the others' law has none
    cost = (rate / log_tokens)[data.run] * data.passes
    learnt = -np.expm1(-cost) * data.first_pass
    info = np.bincount(data.run, density * learnt, runs) * log_tokens
    slope = np.bincount(data.run, density * data.first_pass * data.passes * np.exp(-cost), runs) / info
    theta_slope = np.bincount(data.run, by_theta * learnt, runs) * log_tokens / info
    return np.log(info), np.column_stack([theta_slope, slope * log_params, slope])


@dataclass(frozen=True, slots=True)
class Chart:
    """Coordinates of (theta, a, b) for models whose logarithms of size run from `low` to `high`.

    `held` is a constant with its value, which no coordinate moves. `falling` lets lam fall with the size, down to
    nothing: a law may not, but how far the runs bound a constant must not depend on where the law stops.
    """

    low: float
    high: float
    held: tuple[Constant, float] | None = None
    falling: bool = False

    def bounds(self) -> tuple[list[float], list[float]]:
        """Of the coordinates."""
        name, value = self.held or ("", 0.0)
        rate = LEAST_RATE
        if name == "b":
            rate = max(rate, value * (1 - self.low / self.high) / 0.99 if self.falling else value)
        if name == "a" and value < 0:
            rate = max(rate, -value * (self.high - self.low) / MOST_FALL)
        least = -MOST_FALL if self.falling else 0.0
        lower, upper = [0.0, math.log(rate), least], [MOST_THETA, math.log(max(MOST_RATE, 2 * rate)), MOST_GROWTH]
        return self._kept(lower), self._kept(upper)

    def start(self, theta: float, a: float, b: float) -> list[float]:
        """The coordinates of constants, inside the bounds."""
        rate = max(a * self.low + b, LEAST_RATE)
        growth = a * (self.high - self.low) / rate
        lower, upper = (np.array(side) for side in self.bounds())
        room = 1e-9 * (upper - lower)
        wanted = np.array(self._kept([theta, math.log(rate), growth]))
        return [float(x) for x in np.clip(wanted, lower + room, upper - room)]

    def constants(self, point: Floats) -> tuple[float, float, float, Floats]:
        """theta, a, b, and their slopes by the coordinates [3, k]."""
        name, value = self.held or ("", 0.0)
        theta = value if name == "theta" else float(point[0])
        rest = point if name == "theta" else point[1:]
        rate = math.exp(rest[0])
        span = self.high - self.low
        by_theta = np.array([[1.0], [0.0], [0.0]])
        if name == "a":
            return theta, value, rate - value * self.low, np.hstack([by_theta, [[0.0], [0.0], [rate]]])
        if name == "b":
            a = (rate - value) / self.low
            return theta, a, value, np.hstack([by_theta, [[0.0], [rate / self.low], [0.0]]])
        a = rate * rest[1] / span
        slopes = np.array([[0.0, 0.0], [a, rate / span], [rate - a * self.low, -rate / span * self.low]])
        return theta, a, rate - a * self.low, slopes if name == "theta" else np.hstack([by_theta, slopes])

    def _kept(self, values: list[float]) -> list[float]:
        name = self.held[0] if self.held else ""
        return values[1:] if name == "theta" else values[:2] if name in ("a", "b") else values


def solve(
    data: Evidence,
    chart: Chart,
    starts: Sequence[Sequence[float]],
    weights: Floats | None = None,
    tolerance: float = 1e-15,
) -> Fit:
    """The best of bounded least squares from several points of a chart; `weights` of the squares [n]."""
    root = np.ones(len(data.log_loss)) if weights is None else np.sqrt(weights)
    best: Fit | None = None
    for start in starts:
        found = least_squares(lambda point: _residuals(data, chart, point, root), start, *chart.bounds(), tolerance)
        if best is None or found.squares < best.squares:
            theta, a, b, _ = chart.constants(found.point)
            x, _ = log_info(data, theta, a, b)
            level, beta, _ = _line(x, data.log_loss, root, chart.held)
            constants = Constants(theta, float(a), float(b), math.exp(level), beta)
            residuals = data.log_loss - level + beta * x
            best = Fit(constants, residuals, found.squares, tuple(map(float, found.point)))
    assert best is not None
    return best


def predicted(data: Evidence, law: Constants) -> Floats:
    """ln L of the runs by a law [n]."""
    return math.log(law.alpha) - law.beta * log_info(data, law.theta, law.a, law.b)[0]


def _residuals(data: Evidence, chart: Chart, point: Floats, root: Floats) -> tuple[Floats, Floats]:
    """Weighted residuals of ln L [n] with the best line, and their slopes by the chart's coordinates [n, k]."""
    theta, a, b, slopes = chart.constants(point)
    x, by_constant = log_info(data, theta, a, b)
    level, beta, free = _line(x, data.log_loss, root, chart.held)
    residual = root * (data.log_loss - level + beta * x)
    jacobian = beta * root[:, None] * (by_constant @ slopes)
    if free.shape[1]:
        jacobian = jacobian - free @ np.linalg.solve(free.T @ free, free.T @ jacobian)
    return residual, jacobian


def _line(x: Floats, y: Floats, root: Floats, held: tuple[Constant, float] | None) -> tuple[float, float, Floats]:
    """ln alpha and beta of the best line y = ln alpha - beta x, and the columns that move it [n, 0..2]."""
    weight = root**2
    name, value = held or ("", 0.0)
    ones, slope = root[:, None], (root * x)[:, None]
    if name == "alpha":
        level = math.log(value)
        beta = float(weight @ (x * (level - y)) / (weight @ x**2))
        return level, max(beta, LEAST_BETA), slope if beta > LEAST_BETA else slope[:, :0]
    mean_x, mean_y = weight @ x / weight.sum(), weight @ y / weight.sum()
    spread = weight @ (x - mean_x) ** 2
    beta = value if name == "beta" else -float(weight @ ((x - mean_x) * (y - mean_y)) / spread) if spread else 0.0
    free = name != "beta" and beta > LEAST_BETA
    beta = beta if name == "beta" else max(beta, LEAST_BETA)
    return float(mean_y + beta * mean_x), beta, np.hstack([ones, slope - mean_x * ones]) if free else ones
