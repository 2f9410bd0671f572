"""Controlled rounding: whole units that keep phase sums exactly and rules as nearly as the grid allows.

Every unit step of an entry costs the rise of (units - aim)^2, so that without rules the answer is largest remainder.
With rules a linear program decides all but about one step per rule (a vertex has no more fractional variables); those,
and the steps nearest to the margin, are settled by a small integer program. Work is one LP of cells x few rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from mixc.compiler.solve.tangent import GRID, Tangent
from mixc.compiler.solve.program import Floats, Ints
from mixc.compiler.solve.task import QUANTA, Task

SOFT, HARD = 20.0 * QUANTA, 1000.0 * QUANTA  # price of one tolerance of shortfall: the first, and every further one
MARGIN = 1e-6
POOL = 12
NODES = 500


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Unit steps from the grid `low` [n, P]: `entry` (flat) of each and its `cost`, cheapest first within an entry."""

    low: Ints
    entry: Ints
    level: Ints
    cost: Floats


def largest_remainder(task: Task, low: Ints) -> Ints:
    """Rounds up by largest fraction, then key; cells of aim zero are used only when no other has room."""
    grid = low.copy()
    for phase in range(grid.shape[1]):
        column = grid[:, phase]
        while (lack := int(task.need[phase] - column.sum())) > 0:
            room = task.room(grid, phase, task.left(grid), lack)
            for wanted in (task.aim[:, phase] > 0, task.aim[:, phase] == 0):
                candidates = np.flatnonzero((room > 0) & wanted)
                if len(candidates):
                    break
            else:
                break
            each = max(1, min(lack // len(candidates), int(room[candidates].min())))
            rank = np.argsort(QUANTA * column[candidates] - task.aim[candidates, phase], kind="stable")
            column[candidates[rank[: lack // each]]] += each
        while (spare := int(column.sum() - task.need[phase])) > 0 and (candidates := np.flatnonzero(column)).size:
            rank = np.argsort(task.aim[candidates, phase] - QUANTA * column[candidates], kind="stable")
            column[candidates[rank[:spare]]] -= 1
    return grid


def unit_steps(task: Task, floor: Ints, width: int) -> Steps:
    """The steps within `width` units of the aims: up or down by less than one for width 1."""
    movable = task.free & (task.aim > 0)
    low = np.where(movable, np.maximum(floor - (width - 1), 0), floor)
    up = floor + np.where(movable, task.rooms(floor, width), 0)
    entries, costs, levels = [], [], []
    for level in range(-(width - 1), width):
        unit = floor + level
        there = (unit >= low) & (unit < up)
        if width == 1:
            there &= task.aim > QUANTA * floor
        index = np.flatnonzero(there)
        entries.append(index)
        levels.append(np.full(len(index), level))
        costs.append((2 * (QUANTA * unit - task.aim) + QUANTA).ravel()[index])
    entry = np.concatenate(entries)
    tie = 0.5 * entry / max(task.aim.size, 1)
    return Steps(low, entry, np.concatenate(levels) + (floor - low).ravel()[entry], np.concatenate(costs) + tie)


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """min cost.z over z >= 0 with lower <= matrix z <= upper; the first `steps` variables are unit steps in [0, 1]."""

    cost: Floats
    matrix: sparse.csr_array
    lower: Floats
    upper: Floats
    steps: int
    top: Floats


def solve_steps(task: Task, steps: Steps, rules: Ints, near: Tangent, shift: Floats, scale: Floats) -> Ints | None:
    """The cheapest grid [n, P] in which `rules` fall short as little as possible; None when sums cannot be met.

    `shift` [R] corrects the linear rules, `scale` [R] is their tolerance.
    """
    system = _system(task, steps, rules, near, shift, scale)
    if system.steps == 0:
        return None
    relaxed = _relax(system)
    if relaxed is None:
        return None
    z, pull = relaxed
    whole = np.abs(z - np.rint(z)) <= 1e-6
    if not whole.all():
        z_int = _settle(system, z, pull, whole)
        if z_int is None:
            return None
        z = z_int
    grid = steps.low.copy()
    np.add.at(grid.reshape(-1), steps.entry, np.rint(z).astype(np.int64))
    return grid


def _system(task: Task, steps: Steps, rules: Ints, near: Tangent, shift: Floats, scale: Floats) -> System:
    n, phases = task.aim.shape
    count, size = len(steps.entry), len(rules)
    start = task.point(steps.low)
    information = task.program.information(start)
    moved = (start - near.x).ravel()
    value = near.value + near.share @ moved + near.info @ (information - near.information) + shift
    effect = _effects(task, steps, rules, near, start)
    by_phase = sparse.csr_array((np.ones(count), (steps.entry % phases, np.arange(count))), shape=(phases, count))
    lack = (task.need - np.where(task.free, steps.low, 0).sum(axis=0)).astype(np.float64)
    used = by_phase.sum(axis=1) > 0
    scaled = sparse.diags_array(1.0 / scale[rules])
    equality = task.program.rules.equality[rules]
    relief = sparse.hstack([sparse.eye_array(size)] * 2, format="csr")
    signed = sparse.hstack([relief, -relief[:, : 2 * size]], format="csr")
    kinks, kink_rows, kink_low = _change_rows(task, steps, rules, start)
    extra = kinks.shape[1] if kinks is not None else 0
    rows: list[list[Any]] = [[by_phase[used], None, None], [scaled @ effect, signed, None]]
    target = -value[rules] / scale[rules] - MARGIN
    lower, upper = [lack[used], target], [lack[used], np.where(equality, target + 2 * MARGIN, np.inf)]
    if kinks is not None:
        rows[1][2] = scaled @ kinks
        rows.append([kink_rows, None, sparse.kron([[1.0], [1.0]], sparse.eye_array(extra))])
        lower.append(kink_low)
        upper.append(np.full(len(kink_low), np.inf))
    else:
        rows = [row[:2] for row in rows]
    over = np.where(equality, [[1.0], [np.inf]], 0.0).ravel()
    top = np.concatenate([np.ones(count), np.repeat([1.0, np.inf], size), over, np.full(extra, np.inf)])
    price = np.concatenate([steps.cost, np.repeat([SOFT, HARD, SOFT, HARD], size), np.zeros(extra)])
    matrix = sparse.csr_array(sparse.block_array(rows, format="csr"))
    return System(price, matrix, np.concatenate(lower), np.concatenate(upper), count, top)


def _effects(task: Task, steps: Steps, rules: Ints, near: Tangent, start: Floats) -> sparse.csr_array:
    """What every step does to every rule [rules, steps]; information by its chord, right across the kink."""
    phases = start.shape[1]
    cell, phase = steps.entry // phases, steps.entry % phases
    unit, share = task.unit[phase], near.share[rules]
    moves = task.moves()
    if moves is not None:
        share = sparse.csr_array(share @ moves)
    before = start.sum(axis=1)[cell] + steps.level * unit
    cells = task.program.cells
    chord = task.program.fill((before + unit) / cells.supply[cell]) - task.program.fill(before / cells.supply[cell])
    chord = np.where(task.mate[cell] >= 0, 0.0, chord * (cells.supply * cells.gain)[cell])
    by_share = share[:, steps.entry] @ sparse.diags_array(unit)
    by_info = near.info[rules][:, cell] @ sparse.diags_array(chord)
    return sparse.csr_array(by_share + by_info)


def _change_rows(
    task: Task, steps: Steps, rules: Ints, start: Floats
) -> tuple[sparse.csr_array | None, sparse.csr_array | None, Floats]:
    """Variables t_l >= |r_l - base_l| of every `change` among the rules: (part in the rules, steps in t's rows, t >=)."""
    program = task.program
    place = {int(rule): k for k, rule in enumerate(rules)}
    changes = [change for change in program.rules.changes if change.rule in place]
    if not changes:
        return None, None, np.zeros(0)
    phases, count = start.shape[1], len(program.laws)
    cell = steps.entry // phases
    unit = np.where(task.mate[cell] >= 0, 0.0, task.unit[steps.entry % phases])
    by_language = sparse.csr_array(program.membership[:, cell] @ sparse.diags_array(unit))
    share = program.membership @ start.sum(axis=1)
    shape = (len(rules), len(changes) * count)
    data = np.repeat([-0.5 * GRID * change.coefficient for change in changes], count)
    rows = np.repeat([place[change.rule] for change in changes], count)
    part = sparse.csr_array((data, (rows, np.arange(shape[1]))), shape=shape)
    over = [(by_language / -GRID) for _ in changes]
    under = [(by_language / GRID) for _ in changes]
    gaps = [(share - change.base) / GRID for change in changes]
    matrix = sparse.csr_array(sparse.vstack([*over, *under], format="csr"))
    return part, matrix, np.concatenate([*gaps, *[-gap for gap in gaps]])


def _relax(system: System) -> tuple[Floats, Floats] | None:
    """The linear relaxation: (steps, their reduced costs)."""
    equal = system.lower == system.upper
    above, below = ~equal & np.isfinite(system.lower), ~equal & np.isfinite(system.upper)
    inequality = sparse.vstack([-system.matrix[above], system.matrix[below]], format="csr")
    bound = np.concatenate([-system.lower[above], system.upper[below]])
    result = linprog(
        system.cost,
        A_ub=inequality,
        b_ub=bound,
        A_eq=system.matrix[equal],
        b_eq=system.lower[equal],
        bounds=np.stack([np.zeros(len(system.top)), system.top], axis=1),
        method="highs",
    )
    if result.x is None:
        return None
    pull = result.lower.marginals + result.upper.marginals
    return result.x[: system.steps], pull[: system.steps]


def _settle(system: System, z: Floats, pull: Floats, whole: NDArray[np.bool_]) -> Floats | None:
    """Whole values for the fractional steps: an integer program over them and the steps with the smallest pull."""
    size = POOL * (int((~whole).sum()) + 2)
    near = np.argsort(np.where(whole, np.rint(np.abs(pull)), -1.0), kind="stable")[:size]
    held = np.ones(system.steps, dtype=bool)
    held[near] = False
    held &= whole
    low, high = np.zeros(len(system.top)), system.top.copy()
    low[: system.steps][held] = high[: system.steps][held] = np.rint(z[held])
    kind = np.zeros(len(system.top))
    kind[: system.steps] = 1
    result = milp(
        system.cost,
        integrality=kind,
        bounds=Bounds(low, high),
        constraints=LinearConstraint(system.matrix, system.lower, system.upper),
        options={"node_limit": NODES, "mip_rel_gap": 0.0},
    )
    return None if result.x is None else result.x[: system.steps]
