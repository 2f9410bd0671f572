"""What rules cost: values, slacks and one-sided prices in the units people wrote (solver.md 6)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

import numpy as np

from mixc.compiler.problem import RuleOutcome
from mixc.compiler.recipe import Rule
from mixc.compiler.solve.curvature import undetermined
from mixc.compiler.solve.demand import Demand
from mixc.compiler.solve.equations import Equations
from mixc.compiler.solve.lower import Lowered
from mixc.compiler.solve.newton import Solution, settle
from mixc.compiler.solve.program import Floats, Program
from mixc.compiler.solve.response import Regime
from mixc.compiler.solve.rows import value_of

POINT = 0.01
ACTIVE = 1e-7  # price, in loss per unit of share, above which a rule is said to bind
NUDGE = 1e-4  # of what a row can move by
LEAST_NUDGE = 1e-7


def rule_outcomes(lowered: Lowered, solution: Solution, x: Floats) -> tuple[RuleOutcome, ...]:
    """Every rule of the problem at rounded x [n, P], in its own unit, with its prices."""
    program, frame = lowered.program, lowered.frame
    information, losses = program.information(x), program.losses(x)
    prices = row_prices(solution, {row for row in lowered.rows if row is not None})
    sharing = _sharing(lowered)
    outcomes = []
    for k, rule in enumerate(lowered.problem.rules):
        value, bound = value_of(rule, frame, x, information, losses), lowered.bounds[k]
        slack = _slack(rule, value, bound)
        row = lowered.rows[k]
        if row is None:
            tighten = loosen = _passes_price(lowered, solution, rule)
        elif lowered.implied[k] is not None:
            tighten = loosen = 0.0
        else:
            unit = _unit(lowered, solution, k) / program.rules.scale[row] / sharing[k]
            tighten, loosen = prices[0][row] * unit, prices[1][row] * unit
        shortfall = max(0.0, -slack) if rule.weight is not None else 0.0
        # Below that a price is what rounding left of none.
        tighten, loosen = (price if abs(price) > ACTIVE * POINT else 0.0 for price in (tighten, loosen))
        active = tighten != 0 or loosen != 0
        outcomes.append(RuleOutcome(rule, value, bound, slack, active, tighten, loosen, shortfall))
    return tuple(outcomes)


def _slack(rule: Rule, value: float, bound: float) -> float:
    if np.isnan(value):
        return 0.0  # `quality` of nothing: the rule holds
    if rule.sense == "==":
        return -abs(value - bound)
    return value - bound if rule.sense == ">=" else bound - value


def _sharing(lowered: Lowered) -> list[int]:
    """Among how many equal rules a row's price is divided."""
    same: dict[tuple[int | None, float], int] = {}
    for k, row in enumerate(lowered.rows):
        if lowered.problem.rules[k].weight is None:
            same[row, lowered.bounds[k]] = same.get((row, lowered.bounds[k]), 0) + 1
    return [max(1, same.get((row, lowered.bounds[k]), 1)) for k, row in enumerate(lowered.rows)]


def _unit(lowered: Lowered, solution: Solution, k: int) -> float:
    """How far the bound moves for one quoted price: a point of share, 1 % of the bound elsewhere."""
    rule, bound = lowered.problem.rules[k], lowered.bounds[k]
    step = POINT if rule.terms[0].function in ("share", "change") else POINT * (abs(bound) or 1.0)
    if lowered.multiplied[k]:
        of = rule.terms[0].of
        cells, phases = lowered.frame.cells_of(of), lowered.frame.phases_of(of, rule.phase)
        step *= float(solution.point.x[cells][:, phases].sum())
    return step


def row_prices(solution: Solution, asked: AbstractSet[int] | None = None) -> tuple[Floats, Floats]:
    """Cost of tightening and gain of loosening every row by a unit [R], [R]; equal where prices are unique.

    Where they are not, both sides are solved anew, for rows that are `asked` for: each takes two solves, and those of
    orders and sampling curves, which nobody reads, can be hundreds.
    """
    program = solution.program
    equations = Equations(program)
    nu = solution.point.z[equations.rule].copy()
    tighten, loosen = nu.copy(), nu.copy()
    for row in np.flatnonzero(undetermined(equations, solution.point) & np.isinf(program.rules.weight)).tolist():
        if asked is not None and row not in asked:
            continue
        nudge = max(NUDGE * float(equations.form.rows.size[row]), LEAST_NUDGE)
        tighten[row] = _by_resolving(solution, row, nudge, nu[row])
        loosen[row] = _by_resolving(solution, row, -nudge, nu[row])
    return tighten, loosen


def _by_resolving(solution: Solution, row: int, nudge: float, otherwise: float) -> float:
    """Rise of the objective per unit when one bound moves by `nudge`; the price itself where that cannot be solved."""
    program = solution.program
    bound = program.rules.bound.copy()
    bound[row] += nudge
    moved = settle(replace(program, rules=replace(program.rules, bound=bound)), solution.point)
    if not moved.converged:
        return otherwise
    price = (_full(program, moved.point.x) - _full(program, solution.point.x)) / nudge
    return price if program.rules.equality[row] else max(price, 0.0)


def _full(program: Program, x: Floats) -> float:
    """Objective with the preference: what prices are derivatives of."""
    return program.objective(x) + program.preference(x)


def _passes_price(lowered: Lowered, solution: Solution, rule: Rule) -> float:
    """Gain per 1 % more passes over the cells that the rule holds at their limit."""
    point, cells = solution.point, solution.program.cells
    held = lowered.frame.cells_of(rule.terms[0].of) & (point.response.regime == Regime.LIMIT)
    held &= np.array([text == rule.text for text in lowered.limits])
    return float(rents(solution)[held] @ cells.limit[held]) * POINT


def rents(solution: Solution) -> Floats:
    """Fall of the objective per pass that a cell at its limit were allowed more [n]; zero elsewhere."""
    program, point = solution.program, solution.point
    demand = Demand(program)
    before, _ = demand.at_ends(demand.weigh(point.worth))
    last = (demand.ends >= demand.limit[:, None]).argmax(axis=1)
    worth = before[np.arange(len(last)), last][demand.column]
    rent = np.maximum(worth - point.response.value, 0.0) * program.cells.supply
    return np.where(point.response.regime == Regime.LIMIT, rent, 0.0)
