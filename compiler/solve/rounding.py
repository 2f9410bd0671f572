"""Rounding the optimum once, to shares on a grid, without breaking a cap, a budget or a rule (solver.md 5).

Largest remainder first; most mixtures with a binding rule need more, and get controlled rounding of the rules it broke.
Budgets and caps hold exactly in whole tokens whatever else happens; `violations` says how every rule fared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.solve.apportion import UNLIMITED, Caps, apportion_sorted, key_order
from mixc.compiler.solve.controlled import largest_remainder, solve_steps, unit_steps
from mixc.compiler.solve.program import Floats, Ints, Program, Rules
from mixc.compiler.solve.tangent import tangent, tolerances
from mixc.compiler.solve.task import Task, in_key_order, pinned_task, plain_task

EXACT = 1e-5
WITHIN = 1.0 + 1e-6
ROUNDS = 8
WIDEST = 4
MOST_ROWS = 128
MANY = 32
NARROW = 32


@dataclass(frozen=True, slots=True, eq=False)
class Rounded:
    """A mixture on the grid: `grid` [n, P] in millionths of each phase's budget, `tokens` [n, P], and x = tokens / K.

    `missing` [P] tokens found no cell with room: zero unless the caps leave less than the budgets. `worst` is the
    largest shortfall of a rule that x met, in tolerances: at most one unless the grid and the caps allow no better.
    """

    grid: Ints
    tokens: Ints
    x: Floats
    missing: tuple[int, ...]
    worst: float


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """A rule at whole tokens, in its own measure: value - bound = slack, and how far the slack may be below zero."""

    name: str
    value: float
    bound: float
    slack: float
    tolerance: float
    holds: bool


def violations(program: Program, tokens: Ints) -> list[RuleCheck]:
    """How every rule stands at whole tokens [n, P]; a `prefer` too, whose shortfall is priced and no fault."""
    total = int(tokens.sum())
    x = tokens / total
    rules, slack = program.rules, program.slacks(x)
    tolerance = tolerances(program, tangent(program, x), total)
    short = np.where(rules.equality, np.abs(slack), -slack)
    return [
        RuleCheck(
            rules.names[k],
            float(slack[k] + rules.bound[k]),
            float(rules.bound[k]),
            float(slack[k]),
            float(tolerance[k]),
            bool(short[k] <= WITHIN * tolerance[k]),
        )
        for k in range(len(rules))
    ]


def round_mixture(program: Program, x: Floats, budgets: Sequence[int], caps: Caps) -> Rounded:
    """Round x [n, P] (fractions of K) to the grid; `budgets` [P] and `caps` in whole tokens hold exactly.

    The answer depends neither on the order of the cells nor on digits of x below 1e-4 of a grid unit (but for values
    that straddle one). Cells of x = 0 stay at zero unless no other cell has room.
    """
    order = key_order(program.cells.keys)
    ordered = in_key_order(program, order)
    sorted_caps = Caps(caps.total[order], caps.phase[order])
    task = plain_task(ordered, x[order], budgets, sorted_caps)
    best = _finish(task, _round(task), budgets)
    for within in _phase_choices(len(program.phases)):
        pinned = pinned_task(task, within)
        if pinned.pinned.any():
            exact = _finish(task, _round(pinned) + pinned.pinned, budgets)
            best = min(best, exact, key=lambda rounded: _fault(ordered, rounded))
    back = np.argsort(order)
    return Rounded(best.grid[back], best.tokens[back], best.x[back], best.missing, best.worst)


def _phase_choices(phases: int) -> list[NDArray[np.bool_]]:
    """All phases at once, then each alone."""
    alone = list(np.eye(phases, dtype=bool)) if phases > 1 else []
    return [np.ones(phases, dtype=bool), *alone]


def _fault(program: Program, rounded: Rounded) -> tuple[int, float, float]:
    """What is wrong with it: tokens without a place, rules broken beyond tolerance, then what it costs."""
    cost = program.objective(rounded.x) if program.target is None else program.preference(rounded.x)
    return sum(rounded.missing), max(rounded.worst, WITHIN), cost


def _finish(task: Task, grid: Ints, budgets: Sequence[int]) -> Rounded:
    """Whole tokens of a grid whose sums may yet be off where caps bind every cell."""
    grid = _balance(task, grid)
    tokens = apportion_sorted(grid, budgets, task.caps)
    missing = tuple(int(b) - int(t) for b, t in zip(budgets, tokens.sum(axis=0), strict=True))
    x = tokens / task.tokens
    scale = np.maximum(tolerances(task.program, tangent(task.program, task.x), task.tokens), 1e-300)
    worst = float(_short(task, task.program.slacks(x), scale).max(initial=0.0))
    return Rounded(grid, tokens, x, missing, worst)


def _balance(task: Task, grid: Ints) -> Ints:
    """Sums of exactly a million, over the caps if it must be: apportionment keeps the caps."""
    loose = plain_task(task.program, task.x, [int(v) for v in task.rest], _no_caps(task.caps))
    return largest_remainder(loose, grid)


def _no_caps(caps: Caps) -> Caps:
    return Caps(np.full_like(caps.total, UNLIMITED), np.full_like(caps.phase, UNLIMITED))


def _short(task: Task, slack: Floats, scale: Floats) -> Floats:
    """By how many tolerances every rule falls short of what it is owed: nothing more than x itself gives."""
    rules = task.program.rules
    if not len(rules):
        return np.zeros(0)
    owed = np.where(np.isfinite(rules.weight), np.minimum(task.program.slacks(task.x), 0.0), 0.0)
    off = np.where(rules.equality, np.abs(slack), np.maximum(owed - slack, 0.0))
    return off / scale


def _round(task: Task) -> Ints:
    """The free entries' units: largest remainder, then controlled rounding while a rule falls short."""
    floor = task.floor()
    best = largest_remainder(task, floor)
    rules = task.program.rules
    if not len(rules):
        return best
    scale = np.maximum(tolerances(task.program, tangent(task.program, task.x), task.tokens), 1e-300)
    short = least = _short(task, task.program.slacks(task.point(best)), scale)
    near = tangent(task.program, task.x)
    rows, shift, width = _tight(task, scale), np.zeros(len(rules)), 1
    solved = False
    for _ in range(ROUNDS):
        broken = _broken(rules, short)
        if not len(broken):
            break
        if solved and np.isin(broken, rows).all():
            if least.max() <= WITHIN or width == WIDEST:
                break
            width *= 2
        rows, solved = np.union1d(rows, broken), True
        grid = solve_steps(task, unit_steps(task, floor, width), rows, near, shift, scale)
        if grid is None:
            width = min(2 * width, WIDEST)
            continue
        point = task.point(grid)
        slack = task.program.slacks(point)
        shift, short = slack - near.predict(task.program, point), _short(task, slack, scale)
        if _rank(short) < _rank(least):
            best, least = grid, short
    return best


def _rank(short: Floats) -> tuple[float, float]:
    """Which shortfalls are preferred: first none beyond its tolerance, then least in all."""
    return max(float(short.max()), WITHIN), float(short.sum())


def _tight(task: Task, scale: Floats) -> Ints:
    """Wide rules that bind at x: mending others would break these next."""
    binding = np.flatnonzero(np.abs(task.program.slacks(task.x)) <= scale)
    return binding[_widths(task.program.rules, binding) >= NARROW][:MOST_ROWS]


def _widths(rules: Rules, chosen: Ints) -> Ints:
    """About how many entries a rule speaks of; those of all languages count as widest."""
    entries = np.diff(np.asarray(rules.affine.indptr)) + np.diff(np.asarray(rules.info.indptr))
    width: Ints = entries[chosen].astype(np.int64)  # scipy's own kind of integer is a matter of its version
    everything = rules.loss[chosen].any(axis=1) | np.isin(chosen, [change.rule for change in rules.changes])
    return np.where(everything, 2**31, width)


def _broken(rules: Rules, short: Floats) -> Ints:
    """Rules to mend: all beyond tolerance, then the widest, for in a narrow one a unit is all there is to gain.

    Orders of buckets are thousands of narrow rules, half of them off by part of a unit at the end of a first pass.
    """
    broken = np.flatnonzero(short > EXACT)
    within, width = short[broken] <= WITHIN, _widths(rules, broken)
    rank = np.lexsort((broken, -width, within))
    if len(broken) > MANY:
        rank = rank[(~within | (width >= NARROW))[rank]]
    return np.sort(broken[rank[:MOST_ROWS]])
