"""The named strategy `two_step` (climb.md): first a direction of equal marginal benefit, then its magnitude.

Step one asks, signal tokens, for language shares at which every language's level

    phi_i = (1 + beta_i) log eff_i - log(v_i b_i beta_i)  >=  t

with t as large as can be: a convex program, laws being logarithms. A language that limits or rules keep from growing
would hold all others down; it stays at the share it has, off the ray, and t is sought again for the others. Step two
fills cells at those shares as the direct strategy would; rules that speak of information or loss wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mixc.compiler.solve.demand import Demand
from mixc.compiler.solve.equations import Equations
from mixc.compiler.solve.form import form_of
from mixc.compiler.solve.newton import Solution, follow
from mixc.compiler.solve.program import Floats, Program, Rules

RAY = "on the ray of two_step"
PINNED = "share of two_step"
HELD = 1e-7  # of a level: what a token of a held language is worth above its price
ON_RAY = 1e-7
SPARE = 1e-9

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """Step one: language shares [L], the level t of the ray, who is on it, and Newton's last solution."""

    shares: Floats
    level: float
    on_ray: Mask
    solution: Solution


def direction(program: Program) -> Direction | None:
    """Language shares of step one under the affine rules of a program; None where they cannot hold.

    Languages that water-filling without transfer caps are tried at their caps first, and let go if they do not belong.
    """
    plain = _plain(program)
    aim = _aims(program)
    able = np.isfinite(aim) & ((_capacity(plain) > 0) | (plain.laws.transfer @ _capacity(plain) > 0))
    guessed = able & _full(plain, aim, able)
    pinned = np.where(guessed, _capacity(plain), np.nan)
    for _ in range(2 * len(aim) + 1):
        on_ray = able & np.isnan(pinned)
        found = _round(plain, aim, on_ray, pinned)
        if found is None and guessed.any():
            guessed[:], pinned[:] = False, np.nan
            continue
        if found is None:
            return None
        solution, level, held = found
        astray = guessed & (_levels(plain, aim, solution.point.x) > level + ON_RAY)
        shares = plain.membership @ solution.point.x.sum(axis=1)
        pinned[astray], guessed[astray] = np.nan, False
        pinned[held] = shares[held]
        if not astray.any() and not held.any():
            return Direction(shares, level, on_ray, solution)
    return None


def _plain(program: Program) -> Program:
    """The program with signal tokens, levels' logarithms for laws, and only the rules that are affine."""
    laws, rules = program.laws, program.rules
    speaking = np.asarray(abs(rules.info).sum(axis=1)).ravel() + np.abs(rules.loss).sum(axis=1)
    keep = np.flatnonzero(speaking == 0)
    position = {int(k): at for at, k in enumerate(keep)}
    # A unit of level is worth about this much loss: what the weights of soft rules are counted in.
    worth = float((laws.weight * laws.scale * laws.exponent / (1 + laws.exponent)).sum()) or 1.0
    kept = Rules(
        names=tuple(rules.names[k] for k in keep),
        affine=sparse.csr_array(rules.affine[keep]),
        info=sparse.csr_array(rules.info[keep]),
        loss=rules.loss[keep],
        bound=rules.bound[keep],
        equality=rules.equality[keep],
        weight=rules.weight[keep] / worth,
        scale=rules.scale[keep],
        changes=tuple(replace(c, rule=position[c.rule]) for c in rules.changes if c.rule in position),
    )
    none = np.zeros(len(laws))
    logarithms = replace(laws, weight=none, floor=none, scale=1 + laws.exponent, exponent=none, past=none)
    cells = replace(program.cells, gain=np.ones(len(program.cells)))
    return replace(program, cells=cells, laws=logarithms, rules=kept, curvature=0.0)


def _aims(program: Program) -> Floats:
    """log(v b beta) [L]; -inf for languages without priority."""
    laws = program.laws
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(laws.weight * laws.scale * laws.exponent))


def _levels(plain: Program, aim: Floats, x: Floats) -> Floats:
    """phi [L] at a mixture; inf for languages without priority."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(plain.laws.scale * np.log(plain.effective(x)) - aim)


def _capacity(plain: Program) -> Floats:
    """The largest share that every language's limits allow [L]."""
    cells = plain.cells
    inside = np.minimum(cells.phase_limit * cells.supply[:, None], plain.phases).sum(axis=1)
    return np.asarray(np.minimum(plain.membership @ np.minimum(cells.limit * cells.supply, inside), 1.0))


def _full(plain: Program, aim: Floats, able: Mask) -> Mask:
    """Which languages water-filling along the ray fills to their capacity, were there no transfer and no rules."""
    capacity = _capacity(plain)

    def wanted(level: float) -> Floats:
        return np.where(able, np.exp(np.minimum((aim + level) / plain.laws.scale, 1.0)), 0.0)

    low, high = -200.0, 200.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if np.minimum(wanted(middle), capacity).sum() > 1 else (middle, high)
    return np.asarray((capacity < 1) & (wanted(low) >= capacity))


def _round(plain: Program, aim: Floats, on_ray: Mask, pinned: Floats) -> tuple[Solution, float, Mask] | None:
    """The highest level of the languages on the ray when others are pinned, and which of them are held off it."""
    program = with_rules(plain, _at_least(plain, np.nan_to_num(pinned), ~np.isnan(pinned)))
    first, ray = len(program.rules), np.flatnonzero(on_ray)
    program = with_rules(program, _above(plain, aim, ray))
    rise = np.zeros(len(program.rules))
    rise[first:] = -1.0
    solution = follow(program, form=form_of(program, rise if len(ray) else None))
    if not solution.converged:
        return None
    level = float(solution.point.columns[0]) if len(ray) else np.inf
    weight = np.zeros(len(aim))
    weight[ray] = solution.point.z[Equations(program).rule][first:]
    return solution, level, (weight > HELD) & _held(solution)


def _held(solution: Solution) -> Mask:
    """Languages of which a token is worth more than it costs wherever they may be: no more are to be had [L]."""
    program, point = solution.program, solution.point
    language, demand, prices = program.cells.language, Demand(program), Equations(program).prices(point.z)
    price = (prices.value - prices.cost)[language][:, None] - prices.phase
    excess = demand.gather(price - program.mu * point.x / program.spread)
    least = np.full(len(program.laws), np.inf)
    np.minimum.at(least, language[demand.member[:, 0]], np.where(demand.cap > 0, excess, np.inf).min(axis=1))
    return least > HELD


def _at_least(program: Program, shares: Floats, which: Mask) -> Rules:
    """Rules that leave languages their shares, but for so little that rules which touch there stay consistent."""
    phases = len(program.phases)
    chosen = np.flatnonzero(which & (program.membership.sum(axis=1) > 0))
    rows = sparse.kron(program.membership, np.ones((1, phases)), format="csr")[chosen]
    return _hard(program, PINNED, sparse.csr_array(rows), shares[chosen] - SPARE)


def _above(program: Program, aim: Floats, languages: NDArray[np.intp]) -> Rules:
    """Rules that keep languages' levels above t: -loss - t >= aim, where the loss is minus a logarithm."""
    count = len(languages)
    none = sparse.csr_array((count, program.shape[0] * program.shape[1]))
    rules = _hard(program, RAY, none, aim[languages])
    return replace(rules, loss=np.eye(len(program.laws))[languages])


def _hard(program: Program, name: str, affine: sparse.csr_array, bound: Floats) -> Rules:
    count = len(bound)
    return Rules(
        names=(name,) * count,
        affine=affine,
        info=sparse.csr_array((count, len(program.cells))),
        loss=np.zeros((count, len(program.laws))),
        bound=bound,
        equality=np.zeros(count, dtype=bool),
        weight=np.full(count, np.inf),
        scale=np.ones(count),
    )


def with_rules(program: Program, more: Rules) -> Program:
    """The program with further rules after its own."""
    rules = program.rules
    both = Rules(
        names=rules.names + more.names,
        affine=sparse.csr_array(sparse.vstack([rules.affine, more.affine])),
        info=sparse.csr_array(sparse.vstack([rules.info, more.info])),
        loss=np.concatenate([rules.loss, more.loss]),
        bound=np.concatenate([rules.bound, more.bound]),
        equality=np.concatenate([rules.equality, more.equality]),
        weight=np.concatenate([rules.weight, more.weight]),
        scale=np.concatenate([rules.scale, more.scale]),
        changes=rules.changes,
    )
    return replace(program, rules=both)


def pinned(program: Program, shares: Floats) -> Program:
    """Step two: the program at the language shares of step one. They add up to one, so none can rise either."""
    return with_rules(program, _at_least(program, shares, shares > 0))
