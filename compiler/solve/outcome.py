"""What a decided mixture means to its readers: shares, losses and what binds, all from the rounded tokens."""

from __future__ import annotations

import numpy as np

from mixc.compiler.problem import CellChoice, LanguageOutcome
from mixc.compiler.solve.equations import Equations
from mixc.compiler.solve.lower import Lowered
from mixc.compiler.solve.newton import Solution
from mixc.compiler.solve.program import Floats, Ints
from mixc.compiler.solve.response import Regime
from mixc.compiler.solve.structure import best_passes

NEAR = 1e-8  # of a limit or a pass: as near as two machines come to the same optimum, and to spare
REACHED = 1 - NEAR


def cell_choices(lowered: Lowered, grid: Ints, tokens: Ints, binds: list[str]) -> tuple[tuple[CellChoice, ...], ...]:
    """Grid and tokens [n, P] back in the problem's order, with what stops every cell."""
    pools, phases = lowered.problem.pools, len(lowered.problem.phases)
    found = {}
    for c, (pool, bucket) in enumerate(lowered.places):
        taken = tuple(int(t) for t in tokens[c])
        epochs = sum(taken) / pools[pool].buckets[bucket].tokens
        found[pool, bucket] = CellChoice(tuple(int(g) for g in grid[c]), taken, epochs, binds[c])
    none = CellChoice((0,) * phases, (0,) * phases, 0.0, "zero")
    return tuple(tuple(found.get((i, j), none) for j in range(len(p.buckets))) for i, p in enumerate(pools))


def bindings(lowered: Lowered, solution: Solution) -> list[str]:
    """Why no more is taken of every cell [n]: "limit" of its source, a `passes` rule, a limit inside a phase, "kink"
    (the end of the first pass), the curve that ties it to such a cell, "zero", or "" where its marginal value meets
    the price."""
    point, cells = solution.point, solution.program.cells
    taken = point.x.sum(axis=1)
    full = (point.x >= REACHED * cells.phase_limit * cells.supply[:, None]) & (cells.phase_limit > 0)
    own = taken >= REACHED * cells.limit * cells.supply
    ended = (solution.program.curvature > 0) & (np.abs(cells.start + taken / cells.supply - 1.0) <= NEAR)
    names, best = [], best_passes(lowered.problem)
    for c in range(len(cells)):
        if taken[c] <= 0:
            names.append("zero")
        elif point.response.regime[c] == Regime.LIMIT and own[c]:
            names.append(lowered.limits[c] or "limit")
        elif full[c].any():
            phase = int(np.flatnonzero(full[c])[0])
            language, source, domain, bucket = cells.keys[c]
            passes = cells.phase_limit[c, phase] / best.get((source, language, domain, bucket), 1.0)
            names.append(f"epochs <= {passes:g} ({source} in {lowered.frame.phases[phase]})")
        elif point.response.regime[c] == Regime.LIMIT:
            names.append(f"sampling of {cells.keys[c][2]}")
        else:
            names.append("kink" if ended[c] or point.response.regime[c] == Regime.KINK else "")
    return names


def weighted_loss(lowered: Lowered, losses: Floats) -> float:
    """sum v_i loss_i with the recipe's priorities, whatever the strategy."""
    used = lowered.frame.weights > 0
    return float(lowered.frame.weights[used] @ losses[used])


def language_outcomes(lowered: Lowered, x: Floats) -> tuple[LanguageOutcome, ...]:
    """Shares, effective information, losses and benefits at x; the loss must be the program's objective."""
    program = lowered.program
    information, share = program.signals(x)
    loss, effective = program.losses(x), program.effective(x)
    equations = Equations(program)
    value = equations.prices(equations.starting(x)).value
    return tuple(
        LanguageOutcome(
            code, float(share[i]), float(effective[i]), float(loss[i]), float(0.01 * value[i] * information[i])
        )
        for i, code in enumerate(lowered.frame.languages)
    )
