"""The rows of controlled rounding: phase sums exactly, rules with priced relief, `change` rules with their kinks.

    minimise cost.z   subject to   lower <= matrix z <= upper,   0 <= z <= top

The first variables are unit steps. Rules are measured in their tolerances: the first tolerance of shortfall costs
`SOFT`, every further one `HARD`, so rows can always be met and rules fall short only where they must.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixc.compiler.solve.program import Change, Floats, Ints
from mixc.compiler.solve.tangent import GRID, Tangent
from mixc.compiler.solve.task import QUANTA, Task

SOFT, HARD = 20.0 * QUANTA, 1000.0 * QUANTA
MARGIN = 1e-6
COARSEST = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Unit steps from the grid `low` [n, P]: the `entry` (flat) of each, how many units come before it, its `cost`."""

    low: Ints
    entry: Ints
    level: Ints
    cost: Floats


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """The program of the module's docstring; `steps` counts the leading variables that must be whole."""

    cost: Floats
    matrix: sparse.csr_array
    lower: Floats
    upper: Floats
    top: Floats
    steps: int


def assemble(task: Task, steps: Steps, rules: Ints, near: Tangent, shift: Floats, scale: Floats) -> System:
    """The system of `rules`; `shift` [R] corrects the tangent, `scale` [R] is the rules' tolerance."""
    start = task.point(steps.low)
    equality = task.program.rules.equality[rules]
    changes = [change for change in task.program.rules.changes if change.rule in rules]
    effect = sparse.csr_array(sparse.diags_array(1.0 / scale[rules]) @ _effects(task, steps, rules, near, start))
    target = -_values(task, near, start, shift)[rules] / scale[rules]
    kinked = np.isin(rules, [change.rule for change in changes])
    least, most = _whole_bounds(effect, target, equality, kinked)
    sums, lack = _sums(task, steps)
    relief, price, top = _relief(equality)
    extra = len(changes) * len(task.program.laws)
    kinks, kink_steps, kink_least = _kinks(task, steps, changes, start)
    at = sparse.csr_array(
        (np.ones(len(changes)), ([list(rules).index(change.rule) for change in changes], np.arange(len(changes)))),
        shape=(len(rules), len(changes)),
    )
    blocks = [[sums, None, None], [effect, relief, sparse.diags_array(1.0 / scale[rules]) @ at @ kinks]]
    blocks.append([kink_steps, None, sparse.kron(np.ones((2, 1)), sparse.eye_array(extra))])
    return System(
        np.concatenate([steps.cost, price, np.zeros(extra)]),
        sparse.csr_array(sparse.block_array(blocks, format="csr")),
        np.concatenate([lack, least, kink_least]),
        np.concatenate([lack, most, np.full(len(kink_least), np.inf)]),
        np.concatenate([np.ones(len(steps.entry)), top, np.full(extra, np.inf)]),
        len(steps.entry),
    )


def _values(task: Task, near: Tangent, start: Floats, shift: Floats) -> Floats:
    """s [R] at the start, without `change`; affine rules without the last digits of the point of tangency."""
    rules = task.program.rules
    value = near.value + near.share @ (start - near.x).ravel() + shift
    value += near.info @ (task.program.information(start) - near.information)
    affine = (np.diff(np.asarray(rules.info.indptr)) == 0) & ~rules.loss.any(axis=1)
    return np.asarray(np.where(affine, rules.affine @ start.ravel() - rules.bound, value))


def _sums(task: Task, steps: Steps) -> tuple[sparse.csr_array, Floats]:
    """Rows and right-hand sides of the phases that have steps."""
    phases, count = task.aim.shape[1], len(steps.entry)
    rows = sparse.csr_array((np.ones(count), (steps.entry % phases, np.arange(count))), shape=(phases, count))
    lack = task.need - np.where(task.free, steps.low, 0).sum(axis=0)
    used = np.diff(rows.indptr) > 0
    return sparse.csr_array(rows[used]), lack[used].astype(np.float64)


def _relief(equality: NDArray[np.bool_]) -> tuple[sparse.csr_array, Floats, Floats]:
    """(columns, prices, upper bounds) of shortfall, and of excess for equalities."""
    all_rules = sparse.csr_array(sparse.eye_array(len(equality)))
    equal = sparse.csr_array(-all_rules[:, np.flatnonzero(equality)])
    columns = sparse.csr_array(sparse.hstack([all_rules, all_rules, equal, equal]))
    sizes = [len(equality)] * 2 + [int(equality.sum())] * 2
    return columns, np.repeat([SOFT, HARD, SOFT, HARD], sizes), np.repeat([1.0, np.inf, 1.0, np.inf], sizes)


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
    passes = cells.start[cell] + before / cells.supply[cell]
    chord = task.program.fill(passes + unit / cells.supply[cell]) - task.program.fill(passes)
    chord = np.where(task.mate[cell] >= 0, 0.0, chord * (cells.supply * cells.gain)[cell])
    by_share = share[:, steps.entry] @ sparse.diags_array(unit)
    by_info = near.info[rules][:, cell] @ sparse.diags_array(chord)
    return sparse.csr_array(by_share + by_info)


def _whole_bounds(
    effect: sparse.csr_array, target: Floats, equality: NDArray[np.bool_], kinked: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Bounds of the rules' rows; where steps are multiples of one size the next multiple, so that halves do not pay."""
    size = np.zeros(len(target))
    for row, (begin, end) in enumerate(zip(effect.indptr[:-1], effect.indptr[1:], strict=True)):
        steps = np.abs(effect.data[begin:end])
        steps = steps[steps > 0]
        if len(steps) and not kinked[row]:
            ratio = steps / steps.min()
            whole = (ratio <= COARSEST) & (np.abs(ratio - np.rint(ratio)) <= 1e-9 * ratio)
            size[row] = steps.min() if whole.all() else 0.0
    safe = np.where(size > 0, size, 1.0)
    up = safe * np.ceil((target - MARGIN) / safe)
    nearest = safe * np.rint(target / safe)
    least = np.where(size > 0, np.where(equality, nearest, up), target - MARGIN)
    most = np.where(equality, np.where(size > 0, nearest, target + MARGIN), np.inf)
    return least, most


def _kinks(
    task: Task, steps: Steps, changes: list[Change], start: Floats
) -> tuple[sparse.csr_array, sparse.csr_array, Floats]:
    """Variables t_l >= |r_l - base_l| / GRID of every change: what they take off it, steps in their rows, bounds."""
    program = task.program
    phases, count = start.shape[1], len(program.laws)
    cell = steps.entry // phases
    unit = np.where(task.mate[cell] >= 0, 0.0, task.unit[steps.entry % phases]) / GRID
    moves = sparse.csr_array(program.membership[:, cell] @ sparse.diags_array(unit))
    share = program.membership @ start.sum(axis=1)
    coefficients = np.repeat([-0.5 * GRID * change.coefficient for change in changes], count)
    rows = np.repeat(np.arange(len(changes)), count)
    part = sparse.csr_array((coefficients, (rows, np.arange(len(rows)))), shape=(len(changes), len(rows)))
    if not changes:
        return part, sparse.csr_array((0, len(steps.entry))), np.zeros(0)
    gaps = np.concatenate([(share - change.base) / GRID for change in changes])
    matrix = sparse.vstack([-moves] * len(changes) + [moves] * len(changes), format="csr")
    return part, sparse.csr_array(matrix), np.concatenate([gaps, -gaps])
