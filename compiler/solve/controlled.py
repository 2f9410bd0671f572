"""Controlled rounding: whole units that keep phase sums exactly and rules as nearly as the grid allows.

Every unit step of an entry costs the rise of (units - aim)^2, so that without rules the answer is largest remainder.
With rules a linear program decides all but about one step per rule (a vertex has no more fractional variables); those,
and the steps nearest to the margin, are settled by a small integer program. Work is one LP of cells x few rules, and of
very many cells only those nearest to the margin are in it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog, milp

from mixc.compiler.solve.program import Floats, Ints
from mixc.compiler.solve.steps import Steps, System, assemble
from mixc.compiler.solve.tangent import Tangent
from mixc.compiler.solve.task import QUANTA, Task

NEAREST = 20_000  # steps of a phase that are weighed against each other
POOL = 12
NODES = 100


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
    before = np.concatenate(levels) + (floor - low).ravel()[entry]
    return nearest(task, Steps(low, entry, before, np.concatenate(costs) + tie), NEAREST * width)


def nearest(task: Task, steps: Steps, most: int) -> Steps:
    """At most so many steps of every phase, half of them on either side of the margin at which its sum is met.

    Those that are much cheaper are taken, those much dearer left: of a million cells hardly one of them would change.
    """
    phases = task.aim.shape[1]
    kept, taken = np.ones(len(steps.entry), dtype=bool), np.zeros(task.aim.size, dtype=np.int64)
    for phase in range(phases):
        own = np.flatnonzero(steps.entry % phases == phase)
        if len(own) <= most:
            continue
        lack = int(task.need[phase] - steps.low[task.free[:, phase], phase].sum())
        own = own[np.argsort(steps.cost[own], kind="stable")]
        first = min(max(lack - most // 2, 0), len(own) - most)
        kept[own[:first]] = kept[own[first + most :]] = False
        taken += np.bincount(steps.entry[own[:first]], minlength=len(taken))
    entry, low = steps.entry[kept], steps.low + taken.reshape(steps.low.shape)
    return Steps(low, entry, steps.level[kept] - taken[entry], steps.cost[kept])


def solve_steps(task: Task, steps: Steps, rules: Ints, near: Tangent, shift: Floats, scale: Floats) -> Ints | None:
    """The cheapest grid [n, P] in which `rules` fall short as little as possible; None when sums cannot be met.

    `shift` [R] corrects the linear rules, `scale` [R] is their tolerance.
    """
    system = assemble(task, steps, rules, near, shift, scale)
    relaxed = _relax(system) if system.steps else None
    if relaxed is None:
        return None
    z, pull = relaxed
    whole = np.abs(z - np.rint(z)) <= 1e-6
    settled = z if whole.all() else _settle(system, z, pull, whole)
    if settled is None:
        return None
    grid = steps.low.copy()
    np.add.at(grid.reshape(-1), steps.entry, np.rint(settled).astype(np.int64))
    return grid


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
    open_ = ~whole
    open_[near] = True
    columns = np.concatenate([np.flatnonzero(open_), np.arange(system.steps, len(system.top))])
    settled = np.rint(z)
    fixed = system.matrix[:, : system.steps] @ np.where(open_, 0.0, settled)
    result = milp(
        system.cost[columns],
        integrality=columns < system.steps,
        bounds=(np.zeros(len(columns)), system.top[columns]),
        constraints=(system.matrix[:, columns], system.lower - fixed, system.upper - fixed),
        options={"node_limit": NODES, "mip_rel_gap": 0.0},
    )
    if result.x is None:
        return None
    settled[open_] = result.x[: int(open_.sum())]
    return settled
