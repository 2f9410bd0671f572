"""How every column answers prices: the closed forms of solver.md 3, with their derivatives.

A column (a cell, or cells that a curve ties) takes the tokens that maximise  information at its worth - sum_p q_p X_p -
preference(X)  within its limits. Its demand D(E) falls with its passes E = sum_p X_p / supply (demand.py); its supply
of passes phi(y) rises with the marginal value y. They cross once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.solve.demand import Demand, Rows, rising_root
from mixc.compiler.solve.program import Floats, Ints, Program

Regimes = NDArray[np.int8]
ALL = slice(None)
QUIET = np.errstate(over="ignore", invalid="ignore")  # far from the optimum prices may be absurd


class Regime(IntEnum):
    """Where on its demand curve a cell is."""

    FIRST = 0
    KINK = 1
    REPEAT = 2
    LIMIT = 3


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """Tokens x [n, P] at given prices, and what derivatives need.

    Per cell [n]: its `regime`, `slope` g' (zero where its column's passes are held), and the marginal `value` y of a
    token of its column. Per column [m]: with e_p = sum of part (dq_p - slope dw) over its cells, its price function
    bends by  sum_p stiff_p e_p^2 - relief (stiff.e)^2  and dX_p = stiff_p (relief (stiff.e) - e_p).
    """

    x: Floats
    regime: Regimes
    stiff: Floats
    relief: Floats
    slope: Floats
    value: Floats


class Cellwise:
    """The answering columns of one program."""

    def __init__(self, program: Program, mu: float | None = None) -> None:
        self.demand = demand = Demand(program)
        self.supply, self.cap, self.limit = demand.supply, demand.cap, demand.limit
        self.mu = program.mu if mu is None else mu
        self.entropic = program.target is not None
        self.scale = demand.spread if demand.aim is None else demand.aim

    def supplied(self, y: Floats, q: Floats, where: Rows = ALL) -> tuple[Floats, Floats]:
        """X [k, P] when a token is worth y [k] and costs q [k, P], and dX/dy: zero where X is held."""
        margin = y[:, None] - q
        scale, cap = self.scale[where], self.cap[where]
        if not self.entropic:
            x = np.clip(scale * (margin / self.mu), 0.0, cap)
            return x, np.where((margin > 0) & (x < cap), scale / self.mu, 0.0)
        x = np.minimum(scale * np.exp(np.clip(margin, -700.0, 700.0)), cap)
        return x, np.where(x < cap, x, 0.0)

    @QUIET
    def answer(self, w: Floats, q: Floats) -> Response:
        """The response to values w [n] (of a unit of fill) and costs q [n, P]."""
        demand = self.demand
        weights, costs = demand.weigh(w), demand.gather(q)
        before, after = demand.at_ends(weights)
        segment = self._segments(costs, after)
        rows = np.arange(len(self.supply))
        end = demand.ends[rows, segment]
        first = segment == 0
        y, passes = before[rows, 0].copy(), end.copy()
        held = self._passes(before[rows, segment], costs) > end
        self._solve_held(y, costs, np.flatnonzero(held), end)
        self._solve_repeat(y, passes, costs, weights, segment, np.flatnonzero(~held & ~first), after)
        return self._respond(y, passes, costs, weights, segment, held)

    def _passes(self, y: Floats, q: Floats) -> Floats:
        """phi(y) [m]."""
        return np.asarray(self.supplied(y, q)[0].sum(axis=1) / self.supply)

    def _segments(self, q: Floats, after: Floats) -> Ints:
        """The first end [m] beyond which a token is not worth its price; the last is the limit."""
        beyond = np.column_stack([self._passes(after[:, k], q) for k in range(after.shape[1] - 1)])
        ends = self.demand.ends
        past = np.column_stack([(beyond <= ends[:, :-1]) | (ends[:, :-1] >= self.limit[:, None]), ends[:, -1:] >= 0])
        return np.asarray(past.argmax(axis=1), dtype=np.int64)

    def _solve_held(self, y: Floats, q: Floats, where: NDArray[np.intp], end: Floats) -> None:
        """y with phi(y) = E at the end of a first pass and at the limit."""
        if not len(where):
            return
        level = end[where] * self.supply[where]
        solve = self._level_entropic if self.entropic else self._level_quadratic
        y[where] = solve(where, q[where], level)

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
        high = np.maximum(low, 0.0) + 60.0 + np.ptp(q, axis=1)
        return rising_root(surplus, low, high, high)

    def _solve_repeat(
        self,
        y: Floats,
        passes: Floats,
        q: Floats,
        weights: Floats,
        segment: Ints,
        where: NDArray[np.intp],
        after: Floats,
    ) -> None:
        """y and E with E = phi(D(E)), D falling: between two ends, where some of a column's cells are repeated."""
        if not len(where):
            return
        demand, costs, supply = self.demand, q[where], self.supply[where]
        begun, place, weighed = segment[where] - 1, segment[where], weights[where]

        def surplus(taken: Floats) -> tuple[Floats, Floats]:
            worth, fall = demand.within(taken, weighed, place, where)
            x, stiff = self.supplied(worth, costs, where)
            return taken - x.sum(axis=1) / supply, 1.0 + stiff.sum(axis=1) / supply * fall

        low = demand.ends[where, begun]
        most = self.supplied(after[where, begun], costs, where)[0].sum(axis=1) / supply
        high = np.maximum(np.minimum(demand.ends[where, place], most), low)
        passes[where] = rising_root(surplus, low, high, low)
        y[where] = demand.within(passes[where], weighed, place, where)[0]

    def _respond(
        self, y: Floats, passes: Floats, q: Floats, weights: Floats, segment: Ints, held: NDArray[np.bool_]
    ) -> Response:
        demand = self.demand
        x, stiff = self.supplied(y, q)
        total = stiff.sum(axis=1)
        rows = np.arange(len(y))
        fall = demand.within(passes, weights, segment, ALL)[1]
        relief = np.zeros(len(y))
        fixed, bent = held & (total > 0), ~held & (fall > 0)
        relief[fixed] = 1.0 / total[fixed]
        relief[bent] = 1.0 / (total[bent] + self.supply[bent] / fall[bent])
        slope = np.where(held[demand.column], 0.0, demand.slopes(passes, segment))
        at_limit = held & (demand.ends[rows, segment] >= self.limit)
        regime = np.where(demand.repeats(segment), Regime.REPEAT, Regime.FIRST).astype(np.int8)
        regime[at_limit[demand.column]] = Regime.LIMIT
        kinked = demand.kink[rows, segment][held & ~at_limit]
        regime[kinked] = Regime.KINK
        return Response(demand.spread_out(x), regime, stiff, relief, slope, y[demand.column])
