"""What is decided as one, and what the next token of it is worth: cells, or cells that a sampling curve ties.

A column takes its tokens X in fixed parts of its cells. A cell's passes e rise with the column's, E = X / supply, and
its information is worth w U g(e). So the marginal value D(E) of a column's token falls in steps where a cell ends its
first pass, and as exponentials in between. A cell of its own is a column of one, with one step at E = 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.solve.program import Floats, Ints, Program, Ties

CLOSE = 4e-16
Rows = NDArray[np.intp] | slice


class Demand:
    """The m columns of a program, at most B cells each and K = B + 1 ends: of first passes and, last, of the limit.

    `supply` [m] adds up the cells'; `column`, `part` [n] are the ties; `cap` [m, P] tokens in a phase, `limit` [m]
    passes over all phases; `spread`, `aim` [m, P] what the cells' spread and target come to (aim: None without one);
    `ends` [m, K] ascending, in passes of the column.
    """

    def __init__(self, program: Program) -> None:
        cells, n = program.cells, len(program.cells)
        ties = Ties(np.arange(n), np.ones(n)) if program.ties is None else program.ties
        self.alone = program.ties is None
        self.program, self.curvature = program, program.curvature
        self.column, self.part = ties.column, ties.part
        count = n if self.alone else int(ties.column.max(initial=-1)) + 1
        self.supply = np.bincount(ties.column, cells.supply, count)
        self.rate = ties.part * self.supply[ties.column] / cells.supply
        self.start = cells.start
        whole = cells.supply / ties.part
        self.cap = self._least(cells.phase_limit * whole[:, None], count)
        limits = self._least((cells.limit * whole)[:, None], count)[:, 0] / self.supply
        self.limit = np.minimum(limits, self.cap.sum(axis=1) / self.supply)
        self.spread, self.aim = program.spread, program.target
        if not self.alone:
            self.spread = 1.0 / self._sum(ties.part[:, None] ** 2 / program.spread)
            self.aim = None if program.target is None else self._aimed(program.target)
        self._lay_out()

    def _least(self, values: Floats, count: int) -> Floats:
        if self.alone:
            return values
        least = np.full((count, values.shape[1]), np.inf)
        np.minimum.at(least, self.column, values)
        return least

    def _sum(self, values: Floats) -> Floats:
        total = np.zeros((len(self.supply), values.shape[1]))
        np.add.at(total, self.column, values)
        return total

    def _aimed(self, target: Floats) -> Floats:
        """exp(-sum part log(part / t)): relative entropy of a column from it differs from its cells' by a constant."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.exp(self._sum(self.part[:, None] * np.log(target / self.part[:, None]))))

    def _lay_out(self) -> None:
        """Cells of every column side by side, and the slopes of g just before and just after every end."""
        order = np.argsort(self.column, kind="stable")
        sizes = np.bincount(self.column, minlength=len(self.supply))
        rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        width = int(sizes.max(initial=1))
        self.member = np.full((len(self.supply), width), -1)
        self.member[self.column[order], rank] = order
        held = self.member >= 0
        self.rates = np.where(held, self.rate[self.member], 1.0)
        self.starts = np.where(held, self.start[self.member], 0.0)
        self.parts = np.where(held, self.part[self.member], 0.0)
        self.used = self.starts >= 1
        bends = held & bool(self.curvature)
        kinks = np.where(bends, np.maximum(1.0 - self.starts, 0.0) / self.rates, np.inf)
        ends = np.column_stack([np.minimum(kinks, self.limit[:, None]), self.limit])
        order = np.argsort(ends, axis=1, kind="stable")
        self.ends = np.take_along_axis(ends, order, axis=1)
        # A cell's own kink is passed or not by its place among the ends, never by rounding.
        self.place = np.argsort(order, axis=1, kind="stable")[:, :-1]
        place, end = self.place[:, None, :], np.arange(width + 1)[None, :, None]
        passed = (place < end) | self.used[:, None, :]
        past = self.ends[:, :, None] * self.rates[:, None, :] + self.starts[:, None, :]
        self.before = self._slopes(past, passed)
        self.after = self._slopes(past, passed | (place == end))
        self.kink = np.where(order < width, np.take_along_axis(self.member, np.minimum(order, width - 1), axis=1), -1)

    def _slopes(self, passes: Floats, repeated: NDArray[np.bool_]) -> Floats:
        """g' at passes in all: of the first pass, or of repetition."""
        c = self.curvature
        if not c:
            return np.ones_like(passes)
        return np.where(repeated, c * np.exp(-c * np.maximum(passes, 1.0)), -np.expm1(-c))

    def weigh(self, worth: Floats) -> Floats:
        """What a unit of fill of every cell is worth per token of its column [m, B], from `worth` [n]."""
        return np.asarray(worth[self.member] * self.parts)

    def gather(self, costs: Floats) -> Floats:
        """Costs of cells' tokens [n, P] as costs of columns' tokens [m, P]."""
        return costs if self.alone else self._sum(self.part[:, None] * costs)

    def spread_out(self, columns: Floats) -> Floats:
        """Tokens of columns [m, P] as tokens of cells [n, P]."""
        return columns if self.alone else self.part[:, None] * columns[self.column]

    def at_ends(self, weights: Floats) -> tuple[Floats, Floats]:
        """D just before and just after every end [m, K]."""
        weights = weights[:, None, :]
        return (self.before * weights).sum(axis=2), (self.after * weights).sum(axis=2)

    def within(self, passes: Floats, weights: Floats, segment: Ints, rows: Rows) -> tuple[Floats, Floats]:
        """D and how fast it falls [k], after `passes` [k] of the columns `rows`, between ends `segment - 1` and it."""
        c, rates = self.curvature, self.rates[rows]
        repeated = (self.place[rows] < segment[:, None]) | self.used[rows]
        again = weights * c * np.exp(-c * (passes[:, None] * rates + self.starts[rows]))
        first = -np.expm1(-c) if c else 1.0
        value = np.where(repeated, again, weights * first).sum(axis=1)
        return value, np.where(repeated, again * rates * c, 0.0).sum(axis=1)

    def repeats(self, segment: Ints) -> NDArray[np.bool_]:
        """Whether a cell [n] is past its first pass, between the ends `segment - 1` and `segment` [m] of its column."""
        place = np.empty(len(self.column), dtype=np.int64)
        held = self.member >= 0
        place[self.member[held]] = self.place[held]
        return np.asarray((place < segment[self.column]) | (self.start >= 1))

    def slopes(self, passes: Floats, segment: Ints) -> Floats:
        """g' of every cell [n] after `passes` [m] of its column, between the ends `segment - 1` and `segment`."""
        c = self.curvature
        if not c:
            return np.ones(len(self.column))
        again = c * np.exp(-c * (passes[self.column] * self.rate + self.start))
        return np.where(self.repeats(segment), again, -np.expm1(-c))

    def wanted(self, weights: Floats, price: Floats) -> Floats:
        """Passes [m] within the limit that maximise what a column's information is worth less `price` [m] a token."""
        before, after = self.at_ends(weights)
        rows = np.arange(len(price))
        segment = ((after <= price[:, None]) | (self.ends >= self.limit[:, None])).argmax(axis=1)
        held = (before[rows, segment] > price) | ((segment > 0) & (price <= 0))
        wanted = np.where(held, self.ends[rows, segment], 0.0)
        where = np.flatnonzero(~held & (segment > 0))
        if len(where):
            wanted[where] = self._where_worth(price[where], weights[where], segment[where], where)
        return wanted

    def _where_worth(self, price: Floats, weights: Floats, segment: Ints, where: NDArray[np.intp]) -> Floats:
        """Passes [k] at which a token of the columns `where` is worth its price, between two ends."""
        low, end = self.ends[where, segment - 1], self.ends[where, segment]
        again = weights * self.curvature * np.exp(-self.curvature * self.starts[where])
        most = np.log(again.sum(axis=1) / price) / (self.curvature * self.rates[where].min(axis=1))
        high = np.minimum(end, np.maximum(most, low))

        def surplus(passes: Floats) -> tuple[Floats, Floats]:
            worth, fall = self.within(passes, weights, segment, where)
            return price - worth, fall

        return rising_root(surplus, low, high, high)

    def value(self, worth: Floats, passes: Floats) -> Floats:
        """What the information of every column [m] is worth after `passes` [m], at `worth` [n] per unit of fill."""
        fill = self.program.fill(self.start + passes[self.column] * self.rate)
        worth = worth * self.program.cells.supply * fill
        return np.bincount(self.column, worth, len(passes)).astype(np.float64)


def rising_root(rise: Callable[[Floats], tuple[Floats, Floats]], low: Floats, high: Floats, guess: Floats) -> Floats:
    """Roots in [low, high] of rising functions (value, derivative), all at once: Newton, bisecting where it leaves."""
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
