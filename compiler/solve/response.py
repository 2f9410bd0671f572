"""How every cell answers prices: the closed forms of solver.md 3, with their derivatives.

A cell's tokens maximise  w U g(E) - sum_p q_p x_p - preference(x),  E = sum_p x_p / U, within its limits. The demand
curve of E falls in four pieces (first pass, kink at one pass, repetition, limit); the supply of passes phi(y) rises
with the marginal value y. They cross once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.solve.program import Floats, Program

CLOSE = 4e-16
Regimes = NDArray[np.int8]
Rows = NDArray[np.intp] | slice
ALL = slice(None)


class Regime(IntEnum):
    """Where on its demand curve a cell is."""

    FIRST = 0
    KINK = 1
    REPEAT = 2
    LIMIT = 3


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """Tokens x [n, P] at given prices, the marginal `value` y [n] of a token, and what derivatives need.

    With e_p = dq_p - slope dw, what a cell's price function bends by is  sum_p stiff_p e_p^2 - relief (stiff.e)^2  and
    dx_p = stiff_p (relief (stiff.e) - e_p).
    """

    x: Floats
    regime: Regimes
    stiff: Floats
    relief: Floats
    slope: Floats
    value: Floats


class Cellwise:
    """The answering cells of one program."""

    def __init__(self, program: Program, mu: float | None = None) -> None:
        cells = program.cells
        self.supply = cells.supply
        self.curvature = program.curvature
        self.mu = program.mu if mu is None else mu
        self.cap = cells.phase_limit * cells.supply[:, None]
        self.limit = np.minimum(cells.limit, cells.phase_limit.sum(axis=1))
        self.target = program.target
        self.scale = program.spread if self.target is None else self.target

    def supplied(self, y: Floats, q: Floats, where: Rows = ALL) -> tuple[Floats, Floats]:
        """x [m, P] when a token is worth y [m] and costs q [m, P], and dx/dy: zero where x is held."""
        margin = y[:, None] - q
        scale, cap = self.scale[where], self.cap[where]
        if self.target is None:
            x = np.clip(scale * (margin / self.mu), 0.0, cap)
            return x, np.where((margin > 0) & (x < cap), scale / self.mu, 0.0)
        x = np.minimum(scale * np.exp(np.clip(margin, -700.0, 700.0)), cap)
        return x, np.where(x < cap, x, 0.0)

    def answer(self, w: Floats, q: Floats) -> Response:
        """The response to values w [n] (of a unit of fill) and costs q [n, P]."""
        supply, c = self.supply, self.curvature
        first = w * -np.expm1(-c) if c else w
        second = w * c * np.exp(-c) if c else w
        with np.errstate(invalid="ignore"):
            last = w * c * np.exp(-c * self.limit) if c else w

        def passes(y: Floats) -> Floats:
            return np.asarray(self.supplied(y, q)[0].sum(axis=1) / supply)

        at_first, at_second, at_last = passes(first), passes(second), passes(last)
        top = np.where(w > 0, np.minimum(1.0, self.limit), self.limit) if c else self.limit
        regime = np.full(len(w), Regime.LIMIT, dtype=np.int8)
        if c:
            more = (self.limit > 1) & (w > 0)
            regime[more & (at_last < self.limit)] = Regime.REPEAT
            regime[more & (at_second <= 1)] = Regime.KINK
        regime[at_first <= top] = Regime.FIRST

        y = first.copy()
        y = self._solve_fixed(y, q, regime, second, first)
        y = self._solve_repeat(y, q, w, regime, last, second)
        return self._differentiate(w, y, *self.supplied(y, q), regime)

    def _solve_fixed(self, y: Floats, q: Floats, regime: Regimes, second: Floats, first: Floats) -> Floats:
        """y with phi(y) = 1 at the kink and phi(y) = limit at the limit."""
        where = np.flatnonzero((regime == Regime.KINK) | (regime == Regime.LIMIT))
        if not len(where):
            return y
        level = np.where(regime[where] == Regime.KINK, 1.0, self.limit[where]) * self.supply[where]
        if self.target is None:
            y[where] = self._level_quadratic(where, q[where], level)
        else:
            y[where] = self._level_entropic(where, q[where], level)
        return y

    def _level_quadratic(self, where: NDArray[np.intp], q: Floats, level: Floats) -> Floats:
        """Solve sum_p clip(scale (y - q)/mu, 0, cap) = level by its breakpoints; exact, piecewise linear."""
        scale, cap = self.scale[where], self.cap[where]
        if q.shape[1] == 1:
            return q[:, 0] + self.mu * level / scale[:, 0]
        with np.errstate(invalid="ignore"):
            upper = np.where(scale > 0, q + self.mu * cap / np.where(scale > 0, scale, 1.0), q)
        knots = np.sort(np.concatenate([q, upper], axis=1), axis=1)
        knots = np.where(np.isfinite(knots), knots, np.nanmax(np.where(np.isfinite(knots), knots, -np.inf)))
        margin = knots[:, :, None] - q[:, None, :]
        totals = np.clip(scale[:, None, :] * (margin / self.mu), 0.0, cap[:, None, :]).sum(axis=2)
        left = np.maximum((totals <= level[:, None]).sum(axis=1) - 1, 0)
        rows = np.arange(len(level))
        base, start = totals[rows, left], knots[rows, left]
        inside = (start[:, None] >= q) & (start[:, None] < upper)
        steep = np.where(inside, scale / self.mu, 0.0).sum(axis=1)
        gap = np.maximum(level - base, 0.0)
        return np.asarray(start + np.where(steep > 0, gap / np.where(steep > 0, steep, 1.0), 0.0))

    def _level_entropic(self, where: NDArray[np.intp], q: Floats, level: Floats) -> Floats:
        """Solve sum_p min(t exp(y - q), cap) = level."""

        def surplus(y: Floats) -> tuple[Floats, Floats]:
            x, stiff = self.supplied(y, q, where)
            return x.sum(axis=1) - level, stiff.sum(axis=1)

        low = np.log(level / self.scale[where].sum(axis=1)) + q.min(axis=1)
        return _rising_root(surplus, low, np.maximum(low, 0.0) + 60.0 + np.ptp(q, axis=1))

    def _solve_repeat(self, y: Floats, q: Floats, w: Floats, regime: Regimes, last: Floats, second: Floats) -> Floats:
        """y with phi(y) = ln(w c / y) / c, the demand of repeated passes."""
        where = np.flatnonzero(regime == Regime.REPEAT)
        if not len(where):
            return y
        c, supply = self.curvature, self.supply[where]
        costs, top = q[where], np.log(w[where] * c)

        def surplus(level: Floats) -> tuple[Floats, Floats]:
            x, stiff = self.supplied(level, costs, where)
            value = x.sum(axis=1) / supply - (top - np.log(level)) / c
            return value, stiff.sum(axis=1) / supply + 1.0 / (c * level)

        low = np.maximum(last[where], second[where] * 1e-12)
        y[where] = _rising_root(surplus, low, second[where])
        return y

    def _differentiate(self, w: Floats, y: Floats, x: Floats, stiff: Floats, regime: Regimes) -> Response:
        total = stiff.sum(axis=1)
        c, supply = self.curvature, self.supply
        relief, slope = np.zeros(len(w)), np.full(len(w), -np.expm1(-c) if c else 1.0)
        fixed = ((regime == Regime.KINK) | (regime == Regime.LIMIT)) & (total > 0)
        relief[fixed], slope[fixed] = 1.0 / total[fixed], 0.0
        repeat = regime == Regime.REPEAT
        relief[repeat] = 1.0 / (total[repeat] + supply[repeat] / (c * y[repeat])) if c else 0.0
        slope[repeat] = y[repeat] / w[repeat]
        return Response(x, regime, stiff, relief, slope, y)


def _rising_root(rise: Callable[[Floats], tuple[Floats, Floats]], low: Floats, high: Floats) -> Floats:
    """Roots in [low, high] of rising functions (value, derivative), all at once: Newton, bisecting where it leaves."""
    low, high = low.copy(), high.copy()
    guess = high.copy()
    settled = np.zeros(len(guess), dtype=bool)
    for step in range(120):
        value, slope = rise(guess)
        low = np.where(value < 0, guess, low)
        high = np.where(value < 0, high, guess)
        newton = guess - value / np.where(slope > 0, slope, np.inf)
        settled |= (slope > 0) & (np.abs(newton - guess) <= CLOSE * np.abs(guess)) | (value == 0)
        inside = (newton > low) & (newton < high) & (step % 8 != 7)
        guess = np.where(settled, guess, np.where(inside, newton, 0.5 * (low + high)))
        settled |= high - low <= CLOSE * np.abs(guess)
        if settled.all():
            break
    return guess
