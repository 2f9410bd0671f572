"""One rounding to do: targets in grid units, what may move, and how much room the caps leave.

Cells are in key order everywhere here, so that nothing depends on the order in which they came. Targets are whole
multiples of 1e-2 of a grid unit: equal cells tie in spite of the solver's last digits, and ties go by key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixc.compiler.solve.apportion import UNITS, Caps
from mixc.compiler.solve.program import Cells, Floats, Ints, Program, Rules, Ties

QUANTA = 100
NEAR_CAP = 1.0 / QUANTA


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Give `need` [P] units to the `free` entries [n, P] as near to `aim` (quanta) as caps and rules allow.

    A unit of phase p is `rest[p] / need[p]` tokens. Entries that are not free are `pinned` units at their caps and
    count as `fixed` tokens; in a cell with a `mate` phase (else -1) that phase takes what the others leave of `fixed`.
    """

    program: Program
    x: Floats
    caps: Caps
    tokens: int
    aim: Ints
    free: NDArray[np.bool_]
    pinned: Ints
    fixed: Ints
    mate: Ints
    need: Ints
    rest: Ints

    @property
    def sizes(self) -> Floats:
        """A unit of every phase [P], in tokens; one in phases that have nothing to give."""
        return np.where((self.need > 0) & (self.rest > 0), self.rest / np.maximum(self.need, 1), 1.0)

    @property
    def unit(self) -> Floats:
        """A unit of every phase [P], as a fraction of the recipe's tokens."""
        return self.sizes / self.tokens

    def worth(self, grid: Ints, phase: int | None = None) -> Floats:
        """Tokens of free entries [n, P] (or [n]), rounded up where a unit is a token or more, so that caps hold."""
        rest, need = self.rest, np.maximum(self.need, 1)
        if phase is not None:
            rest, need = rest[phase], need[phase]
        whole, part = np.divmod(rest, need)
        exact = grid * whole - (-grid * part // need)
        tokens: Floats = np.where(whole > 0, exact, grid * (part / need)).astype(np.float64)
        return tokens

    def left(self, grid: Ints) -> Floats:
        """Tokens that every cell [n] may still take over all phases."""
        held: Floats = np.where(self.free, self.worth(grid), np.where(self._mated(), 0, self.fixed))
        return np.asarray(self.caps.total - held.sum(axis=1))

    def _mated(self) -> NDArray[np.bool_]:
        return np.asarray(np.arange(self.aim.shape[1]) == self.mate[:, None])

    def room(self, grid: Ints, phase: int, left: Floats, width: int) -> Ints:
        """Most units [n], up to `width`, that may be added in a phase when cells may take `left` tokens more."""
        held, column = self.worth(grid[:, phase], phase), grid[:, phase]
        spare = np.minimum(self.caps.phase[:, phase] - held, left)
        most = np.clip(np.floor(spare / self.sizes[phase] + 1e-9), 0, width).astype(np.int64)
        most -= self.worth(column + most, phase) - held > spare + 1e-9
        return np.where(self.free[:, phase], np.maximum(most, 0), 0)

    def rooms(self, grid: Ints, width: int) -> Ints:
        """Most units [n, P] that may be added in all phases at once; larger fractions are served first."""
        rooms, left = np.zeros_like(grid), self.left(grid)
        rank = np.argsort(QUANTA * grid - self.aim, axis=1, kind="stable")
        held = self.worth(grid)
        for place in range(grid.shape[1]):
            for phase in range(grid.shape[1]):
                turn = rank[:, place] == phase
                rooms[:, phase] += np.where(turn, self.room(grid, phase, left, width), 0)
                added = self.worth(grid[:, phase] + rooms[:, phase], phase) - held[:, phase]
                left = np.where(turn, left - added, left)
        return rooms

    def floor(self) -> Ints:
        """The free entries' aims rounded down, and further where a cap wants it."""
        grid = np.where(self.free, self.aim // QUANTA, 0)
        for phase in range(grid.shape[1]):
            excess = self.worth(grid[:, phase], phase) - self.caps.phase[:, phase]
            grid[:, phase] -= np.where(excess > 0, np.ceil(excess / self.sizes[phase]), 0).astype(np.int64)
        while len(rows := np.flatnonzero((self.left(grid) < -1e-9) & (grid > 0).any(axis=1))):
            fraction = np.where(grid > 0, self.aim - QUANTA * grid, np.iinfo(np.int64).max)
            phase_of = fraction.argmin(axis=1)
            excess = -self.left(grid)[rows]
            steps = np.maximum(np.floor(excess / self.sizes[phase_of[rows]]), 1).astype(np.int64)
            grid[rows, phase_of[rows]] = np.maximum(grid[rows, phase_of[rows]] - steps, 0)
        return np.maximum(grid, 0)

    def point(self, grid: Ints) -> Floats:
        """x [n, P] that free entries' units and the pinned entries' tokens amount to."""
        x = np.where(self.free, grid * self.unit, self.fixed / self.tokens)
        mated = self._mated()
        others = np.where(mated, 0.0, x).sum(axis=1)
        return np.where(mated, np.maximum(x - others[:, None], 0.0), x)

    def moves(self) -> sparse.csr_array | None:
        """[n*P, n*P] from a unit-free move of an entry to the moves of all; None when each moves itself alone."""
        if (self.mate < 0).all():
            return None
        n, phases = self.aim.shape
        cells, other = np.nonzero(self.free & (self.mate >= 0)[:, None])
        rows = cells * phases + self.mate[cells]
        columns = cells * phases + other
        mates = sparse.csr_array((-np.ones(len(rows)), (rows, columns)), shape=(n * phases, n * phases))
        return sparse.csr_array(sparse.eye_array(n * phases, format="csr") + mates)


def in_key_order(program: Program, order: NDArray[np.intp]) -> Program:
    """The same program with its cells permuted."""
    phases = len(program.phases)
    cells, rules = program.cells, program.rules
    entries = (order[:, None] * phases + np.arange(phases)).ravel()
    sorted_cells = Cells(
        tuple(cells.keys[i] for i in order),
        cells.language[order],
        cells.supply[order],
        cells.gain[order],
        cells.limit[order],
        cells.phase_limit[order],
        cells.start[order],
    )
    sorted_rules: Rules = replace(rules, affine=_columns(rules.affine, entries), info=_columns(rules.info, order))
    target = None if program.target is None else program.target[order]
    ties = None if program.ties is None else Ties(program.ties.column[order], program.ties.part[order])
    return Program(
        sorted_cells, program.laws, program.phases, sorted_rules, program.curvature, program.mu, target, ties
    )


def _columns(matrix: sparse.csr_array, columns: NDArray[np.intp]) -> sparse.csr_array:
    permuted = sparse.csr_array(matrix[:, columns])
    permuted.sort_indices()
    return permuted


def plain_task(program: Program, x: Floats, budgets: Sequence[int], caps: Caps) -> Task:
    """Every entry free; caps are rounded down to the grid."""
    n, phases = program.shape
    aim = np.rint(np.maximum(x, 0.0) / program.phases * (UNITS * QUANTA)).astype(np.int64)
    zero = np.zeros((n, phases), np.int64)
    need, rest = np.full(phases, UNITS, np.int64), np.array([int(b) for b in budgets], np.int64)
    free = np.ones((n, phases), dtype=bool)
    settled = aim / (UNITS * QUANTA) * program.phases
    return Task(program, settled, caps, sum(int(b) for b in budgets), aim, free, zero, zero, np.full(n, -1), need, rest)


def pinned_task(task: Task, within: NDArray[np.bool_]) -> Task:
    """Cells at a cap take it to the token, whatever the grid: their shares are rounded up, the others fill the rest.

    For mixtures whose caps leave the grid no way to meet the budget or a rule, such as a source used exactly once.
    Only in the phases `within` [P]: where everything is pinned, nothing is left to meet rules with.
    """
    n, phases = task.aim.shape
    size = task.rest / UNITS
    aim = task.aim / QUANTA
    at_phase = within & (task.aim > 0) & (task.caps.phase <= (aim + NEAR_CAP) * size)
    held = (aim * size).sum(axis=1)
    at_total = (task.caps.total <= held + NEAR_CAP * size.max()) & (task.aim > 0).any(axis=1)
    last = phases - 1 - np.argmax((task.aim > 0)[:, ::-1], axis=1)
    at_total &= within[last]
    mated = at_total[:, None] & (np.arange(phases) == last[:, None])
    pinned = at_phase | mated
    alone = (task.aim > 0).sum(axis=1) == 1
    up = np.ceil(np.minimum(task.caps.phase, task.caps.total[:, None]) / size).clip(0, UNITS).astype(np.int64)
    up = np.where(at_phase | alone[:, None], up, task.aim // QUANTA + 2)
    fixed = np.where(pinned, np.minimum(task.caps.phase, task.caps.total[:, None]), 0)
    units = np.where(pinned, up, 0)
    mate = np.where(at_total & ~at_phase[np.arange(n), last], last, -1)
    spent = np.where(mated & (mate >= 0)[:, None], np.rint(aim * size).astype(np.int64), fixed).sum(axis=0)
    need, rest = UNITS - units.sum(axis=0), task.rest - spent
    open_ = (need > 0) & (rest > 0)
    free = ~pinned & (task.aim > 0) & open_
    need, rest = np.where(open_, need, 0), np.where(open_, rest, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        aims = np.rint(task.x * task.tokens / (rest / need) * QUANTA)
    aims = np.where(free, aims, 0).astype(np.int64)
    return replace(task, aim=aims, free=free, pinned=units, fixed=fixed, mate=mate, need=need, rest=rest)
