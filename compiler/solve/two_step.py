"""The named strategy `two_step` (climb.md): first a direction of equal marginal benefit, then its magnitude.

Step one asks for language shares r, signal tokens, at which  phi_i = (1 + beta_i) log rt_i - log(v_i b_i beta_i)  is
the same for all languages and as large as can be; languages that rules or limits hold off that ray stay where they
are held. That is the lexicographic max-min of phi, reached by minimising sum u_i exp(-kappa phi_i) and letting the
multipliers u follow (exponential method of multipliers): a program of the ordinary form with exponents
kappa (1 + beta_i). Step two fills each language's cells for information at those shares.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixc.compiler.solve.equations import Equations
from mixc.compiler.solve.lower import Lowered
from mixc.compiler.solve.newton import Solution, follow, polish
from mixc.compiler.solve.program import Floats, Program, Rules

SHARPEST = 4.0
ROUNDS = 80
EQUAL = 1e-11
WIDEST = 60.0  # of log multipliers: languages held off the ray would drift for ever


def language_shares(plain: Program, weights: Floats) -> tuple[Floats, Solution]:
    """Shares r [L] of step one; `plain` has signal tokens and the affine rules, `weights` are the priorities v [L]."""
    laws = plain.laws
    used = weights > 0
    aim = np.where(used, np.log(np.where(used, weights * laws.scale * laws.exponent, 1.0)), 0.0)
    pressure = np.zeros(len(laws))
    level = _first_level(plain, used, aim)
    solution: Solution | None = None
    for turn in range(ROUNDS):
        sharpness = min(2.0 ** (turn - 1), SHARPEST)
        program = _sharpened(plain, used, aim, pressure, level, sharpness)
        equations = Equations(program)
        if solution is None:
            solution = follow(program)
        else:
            solution = polish(program, equations.starting(solution.point.x, solution.point.z))
        if not solution.converged:
            break
        phi = (1 + laws.exponent) * np.log(np.maximum(program.effective(solution.point.x), 1e-300)) - aim
        level = float(np.median(phi[used]))
        print(
            turn,
            sharpness,
            solution.steps,
            solution.point.error,
            np.round(np.sort(phi[used])[[0, 1, 2, -3, -2, -1]], 5),
        )
        moved = np.clip(pressure - sharpness * (phi - level), -WIDEST, WIDEST)
        pressure = np.where(used, moved - moved[used].mean(), 0.0)
    assert solution is not None
    return plain.membership @ solution.point.x.sum(axis=1), solution


def _first_level(plain: Program, used: NDArray[np.bool_], aim: Floats) -> float:
    """phi of the median language when everything is taken in proportion to what the limits allow."""
    cap = np.minimum(plain.cells.limit * plain.cells.supply, 1.0)
    x = cap[:, None] * plain.phases / cap.sum()
    phi = (1 + plain.laws.exponent) * np.log(np.maximum(plain.effective(x), 1e-300)) - aim
    return float(np.median(phi[used]))


def _sharpened(
    plain: Program, used: NDArray[np.bool_], aim: Floats, pressure: Floats, level: float, sharpness: float
) -> Program:
    """minimise sum u_i exp(-kappa (phi_i - level)), as losses  scale_i eff_i^-exponent_i."""
    laws = plain.laws
    scale = np.where(used, np.exp(pressure + sharpness * (aim + level)), 0.0)
    sharp = replace(
        laws,
        weight=np.where(used, 1.0 / used.sum(), 0.0),
        floor=np.zeros(len(laws)),
        scale=scale,
        exponent=sharpness * (1 + laws.exponent),
    )
    return replace(plain, laws=sharp)


def pinned(program: Program, shares: Floats) -> Program:
    """The program with the language shares of step one as equalities; the last follows from the budget."""
    n, phases = program.shape
    count = len(program.laws)
    rows = sparse.kron(program.membership, np.ones((1, phases)), format="csr")[: count - 1]
    rules, extra = program.rules, count - 1
    none = np.zeros(extra)
    added = Rules(
        names=rules.names + ("language shares of step one",) * extra,
        affine=sparse.csr_array(sparse.vstack([rules.affine, rows])),
        info=sparse.csr_array(sparse.vstack([rules.info, sparse.csr_array((extra, n))])),
        loss=np.concatenate([rules.loss, np.zeros((extra, count))]),
        bound=np.concatenate([rules.bound, shares[:-1]]),
        equality=np.concatenate([rules.equality, none == 0]),
        weight=np.concatenate([rules.weight, none + np.inf]),
        scale=np.concatenate([rules.scale, none + 1.0]),
        changes=rules.changes,
    )
    return replace(program, rules=added)


def affine_only(lowered: Lowered) -> Program:
    """The program of step one: rules that speak of information or loss wait for step two."""
    rules = lowered.program.rules
    info = abs(rules.info).sum(axis=1) if len(rules) else np.zeros(0)
    keep = np.flatnonzero((np.asarray(info).ravel() == 0) & (rules.loss.sum(axis=1) == 0))
    position = {int(k): i for i, k in enumerate(keep)}
    kept = Rules(
        names=tuple(rules.names[k] for k in keep),
        affine=sparse.csr_array(rules.affine[keep]),
        info=sparse.csr_array(rules.info[keep]),
        loss=rules.loss[keep],
        bound=rules.bound[keep],
        equality=rules.equality[keep],
        weight=rules.weight[keep],
        scale=rules.scale[keep],
        changes=tuple(replace(c, rule=position[c.rule]) for c in rules.changes if c.rule in position),
    )
    return replace(lowered.program, rules=kept)
