"""Why nothing satisfies everything: the smallest conflict, and by how much each of its members must give way.

An elastic solve finds members that matter (a nonzero dual proves their part, by Farkas), a deletion filter takes away
those that the conflict does not need. What remains is minimal: without any one of them the rest can hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mixc.compiler.solve.elastic import JUST, Elastic, Member
from mixc.compiler.solve.linear import Linear, kron
from mixc.compiler.solve.outer import gathering, tied
from mixc.compiler.solve.program import Program

DUAL = 1e-9
KEPT_LONGEST = {"limit": 0, "order": 1, "rule": 2, "budget": 3}


@dataclass(frozen=True, slots=True)
class Clash:
    """A member of a conflict: loosening it alone by `distance` lets the rest of the conflict hold.

    `distance` is in the bound's units for a rule, passes for a limit, a fraction of K for a budget (negative: it must
    shrink); None where no loosening of it is enough. `enough` says that everything else then holds too.
    """

    member: Member
    distance: float | None
    enough: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """A minimal set of members that cannot hold together; `shortfall` is the least total give, in shares."""

    clashes: tuple[Clash, ...]
    shortfall: float


def explain_infeasible(program: Program, members: tuple[Member, ...]) -> Conflict | None:
    """A smallest conflict among `members`, or None where all of them can hold (if only just)."""
    elastic = Elastic(program, members)
    everything = list(range(len(members)))
    given = elastic.solve(everything)
    if given is None:
        return Conflict((), np.inf)
    if given.total <= JUST:
        return None
    kept = _needed(elastic, [k for k in everything if given.price[k] > DUAL])
    return Conflict(tuple(_clash(elastic, kept, k) for k in kept), given.total)


def _infeasible(elastic: Elastic, kept: list[int]) -> list[int] | None:
    """Those of `kept` that prove it infeasible by themselves, or None where they can hold."""
    aside = [k for k in range(len(elastic.members)) if k not in kept]
    given = elastic.solve(kept, aside)
    if given is None or given.total <= JUST:
        return None
    proof = [k for k in kept if given.price[k] > DUAL]
    return proof or kept


def _needed(elastic: Elastic, candidates: list[int]) -> list[int]:
    """The deletion filter: limits go first and budgets last, so that the conflict is told in terms of rules."""
    if _infeasible(elastic, candidates) is None:
        candidates = list(range(len(elastic.members)))
    kept = candidates
    for k in sorted(candidates, key=lambda k: (KEPT_LONGEST[elastic.members[k].kind], -k)):
        if k in kept and len(kept) > 1:
            proof = _infeasible(elastic, [other for other in kept if other != k])
            kept = kept if proof is None else proof
    return sorted(kept)


def _clash(elastic: Elastic, kept: list[int], index: int) -> Clash:
    member = elastic.members[index]
    aside = [k for k in range(len(elastic.members)) if k not in kept]
    alone = elastic.solve([index])
    given = elastic.solve([index], aside) if alone is None else alone
    if given is None:
        return Clash(member, None, False)
    if member.phase is not None and member.kind == "budget":
        moved = float(given.filled[member.phase] - elastic.program.phases[member.phase])
        return Clash(member, moved, alone is not None)
    rules = list(member.rules)
    unit = float((elastic.sizes * elastic.program.rules.scale)[rules].max()) if rules else 1.0
    return Clash(member, float(given.amount[index]) * unit, alone is not None)


def capacity(program: Program) -> float:
    """The most tokens that limits and phases let in, as a fraction of K; less than one: the budget cannot be filled."""
    cells = program.cells
    n, phases = program.shape
    linear = Linear()
    cap = np.minimum(cells.phase_limit * cells.supply[:, None], program.phases)
    linear.column("x", n * phases, cost=-1.0, upper=cap.ravel())
    linear.row("budget", {"x": -kron(np.ones((1, n)), np.eye(phases))}, -program.phases)
    ended = np.flatnonzero(np.isfinite(cells.limit))
    if len(ended):
        linear.row("limit", {"x": -gathering(program)[ended]}, -(cells.limit * cells.supply)[ended])
    if program.ties is not None:
        linear.row("tied", {"x": tied(program)}, 0.0, equality=True)
    optimum = linear.solve()
    return 0.0 if optimum is None else -optimum.value


def needed_factor(program: Program) -> float | None:
    """By what the passes of every limit must be multiplied to fill the budget; None where that never does."""
    factor = 1.0
    for _ in range(60):
        cells = program.cells
        wider = replace(cells, limit=cells.limit * factor, phase_limit=cells.phase_limit * factor)
        reached = capacity(replace(program, cells=wider))
        if reached >= 1 - JUST:
            return factor
        if reached <= 0:
            return None
        factor /= reached
    return None
