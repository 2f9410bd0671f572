"""The program as a cone solver sees it (cvxpy, Clarabel): a reference, and a start where Newton finds none.

Unscaled, cone solvers fail from a few hundred cells on; so cells are fractions of what they can hold, and information
is counted per curvature (solver.md 1). A solver's status decides nothing: points are judged by their own residuals.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from mixc.compiler.solve.certify import certified
from mixc.compiler.solve.linear import diagonal, kron
from mixc.compiler.solve.outer import gathering, tied
from mixc.compiler.solve.program import Floats, Program

ACCEPTED = 1e-5
GENTLE = {"equilibrate_min_scaling": 0.1, "equilibrate_max_scaling": 10.0}
ATTEMPTS: tuple[tuple[str, float, dict[str, float]], ...] = (
    # Clarabel's own equilibration (up to 1e4) undoes the scaling above and stalls at a few hundred cells.
    ("CLARABEL", 1e2, GENTLE),
    ("CLARABEL", 1e3, {}),
    ("SCS", 1e2, {}),
)


@dataclass(frozen=True, slots=True, eq=False)
class ConicResult:
    """x [n, P], or None where no attempt gave a point within `ACCEPTED` of the feasible set.

    `violation` is x's largest violated limit, budget or rule, `objective` its value, both computed here.
    """

    x: Floats | None
    status: str
    solver: str
    violation: float = np.inf
    objective: float = np.inf


def _cvxpy() -> Any:
    """The untyped module, imported only when a cone solver is asked."""
    return import_module("cvxpy")


def violation(program: Program, x: Floats) -> float:
    """The largest violation of limits and budgets (in shares) and of hard rules (as scaled) at x [n, P]."""
    cells, rules = program.cells, program.rules
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        slack = np.nan_to_num(program.slacks(np.maximum(x, 0.0)), nan=-np.inf)
    hard = ~np.isfinite(rules.weight)
    faults = [
        -x.ravel(),
        (x - cells.phase_limit * cells.supply[:, None]).ravel(),
        x.sum(axis=1) - cells.limit * cells.supply,
        np.abs(x.sum(axis=0) - program.phases),
        -slack[hard & ~rules.equality],
        np.abs(slack[rules.equality]),
    ]
    return float(np.concatenate(faults).max(initial=0.0))


def solve_conic(program: Program, *, tolerance: float = 1e-8, tie_break: bool = True) -> ConicResult:
    """The optimum as a cone solver finds it, with the preference if `tie_break`; never raises for its failures."""
    best = ConicResult(None, "not tried", "")
    for solver, scale, options in ATTEMPTS:
        found = _attempt(program, solver, scale, _tolerances(solver, tolerance) | options, tie_break)
        if found.x is not None and found.violation <= ACCEPTED:
            return found
        best = found if not best.solver else best
    return ConicResult(None, best.status, best.solver)


def _tolerances(solver: str, tolerance: float) -> dict[str, float]:
    if solver == "SCS":
        return {"eps_abs": tolerance, "eps_rel": tolerance, "max_iters": 20_000}
    return {"tol_gap_abs": tolerance, "tol_gap_rel": tolerance, "tol_feas": tolerance}


def _attempt(program: Program, solver: str, scale: float, options: dict[str, float], tie_break: bool) -> ConicResult:
    cp = _cvxpy()

    if solver not in cp.installed_solvers():
        return ConicResult(None, "not installed", solver)
    problem, tokens = _problem(program, scale, tie_break)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            problem.solve(solver=solver, **options)
    except cp.error.SolverError:
        return ConicResult(None, "solver error", solver)
    if tokens.value is None or not np.isfinite(tokens.value).all():
        return ConicResult(None, str(problem.status), solver)
    x = np.maximum(np.asarray(tokens.value, dtype=float).reshape(program.shape), 0.0)
    return ConicResult(x, str(problem.status), solver, violation(program, x), certified(program, x))


def _problem(program: Program, scale: float, tie_break: bool) -> tuple[Any, Any]:
    """The cvxpy problem, and its expression for x [n * P]."""
    cp = _cvxpy()

    cells, laws, rules = program.cells, program.laws, program.rules
    n, phases = program.shape
    cap = np.minimum(cells.phase_limit * cells.supply[:, None], program.phases)
    cap = np.minimum(cap, (cells.limit * cells.supply)[:, None]).ravel()
    fraction = cp.Variable(n * phases, nonneg=True)
    x = cp.multiply(cap, fraction)
    total = diagonal(1.0 / cells.supply) @ gathering(program) @ diagonal(cap) @ fraction
    limits = [fraction <= 1.0, kron(np.ones((1, n)), np.eye(phases)) @ x == program.phases]
    if phases > 1 and np.isfinite(cells.limit).any():
        ended = np.flatnonzero(np.isfinite(cells.limit))
        limits.append(total[ended] <= cells.limit[ended])
    if program.ties is not None:
        limits.append(tied(program) @ x == 0)
    info, fills = _information(program, total)
    share = program.membership @ (gathering(program) @ x)
    losses = _losses(program, info, share)
    slack: Any = rules.affine @ x + rules.info @ info - rules.bound if len(rules) else None
    goal = laws.weight @ losses if laws.weight.any() else cp.Constant(0.0)
    for k in range(len(rules)):
        value = slack[k]
        if rules.loss[k].any():
            value = value - rules.loss[k] @ losses
        for change in rules.changes:
            if change.rule == k:
                value = value - 0.5 * change.coefficient * cp.norm1(share - change.base)
        if np.isfinite(rules.weight[k]):
            goal = goal + rules.weight[k] * cp.pos(-value)
        else:
            limits.append(value == 0 if rules.equality[k] else value >= 0)
    goal = goal + _preference(program, fraction, cap, tie_break)
    return cp.Problem(cp.Minimize(scale * goal), limits + fills), x


def _information(program: Program, passes: Any) -> tuple[Any, list[Any]]:
    """Information [n], concave in the passes: h, in units of curvature and of a full cell, below its two pieces."""
    cp = _cvxpy()

    cells, c = program.cells, program.curvature
    passes = passes + cells.start
    if c == 0:
        return cp.multiply(cells.supply * cells.gain, passes), []
    most = np.maximum(cells.start + np.minimum(cells.limit, 1.0 / cells.supply), 1e-12)
    h = cp.Variable(len(cells))
    steep = -np.expm1(-c) / c
    pieces = [h <= steep * cp.multiply(1.0 / most, passes)]
    bent = np.flatnonzero(most > 1)
    if len(bent):
        rate = c * most[bent]
        pieces.append(cp.multiply(rate, h[bent]) <= 1 - cp.exp(cp.multiply(-c * np.ones(len(bent)), passes[bent])))
    return cp.multiply(cells.supply * cells.gain * c * most, h), pieces


def _losses(program: Program, info: Any, share: Any) -> Any:
    """Losses [L] of every language; of those that nothing speaks of, their floor."""
    cp = _cvxpy()

    laws = program.laws
    used = np.flatnonzero((laws.weight > 0) | program.rules.loss.any(axis=0))
    if not len(used):
        return cp.Constant(laws.floor)
    most = program.membership @ (program.cells.gain * np.minimum(program.cells.limit * program.cells.supply, 1.0))
    chain = (np.eye(len(laws)) + laws.transfer)[used]
    unit = chain @ (laws.past + most)
    beta = laws.exponent[used]
    learnt = laws.past + program.membership @ info
    log_effective = cp.log((chain / unit[:, None]) @ learnt) - laws.cost[used] @ share
    size = laws.scale[used] * np.exp(-beta * np.log(unit))
    place = np.zeros((len(laws), len(used)))
    place[used, np.arange(len(used))] = size
    return laws.floor + place @ cp.exp(cp.multiply(-beta, log_effective))


def _preference(program: Program, fraction: Any, cap: Floats, tie_break: bool) -> Any:
    """The tie-break, or the relative entropy from the target."""
    cp = _cvxpy()

    if program.target is not None:
        held = np.flatnonzero((cap > 0) & (program.target.ravel() > 0))
        target = program.target.ravel()[held] / cap[held]
        left_out = cp.sum(fraction[np.setdiff1d(np.arange(len(cap)), held)]) * 1e3
        return cap[held] @ cp.kl_div(fraction[held], target) + left_out
    if not tie_break:
        return 0.0
    size = cap / np.sqrt(program.spread.ravel())
    return 0.5 * program.mu * cp.sum_squares(cp.multiply(size, fraction))
