"""The feasible set with give: every member of a conflict may be loosened, kept or set aside (solver.md 7).

Curved rules are replaced by tangents from outside, refined where a solution violates them. So what is infeasible here
is infeasible, and what is feasible here is feasible within `JUST`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import sparse

from mixc.compiler.solve.certify import budget_blocks
from mixc.compiler.solve.linear import Linear, Optimum
from mixc.compiler.solve.outer import Blocks, Polyhedron, after, gathering, polyhedron, rule_blocks, tangents_at
from mixc.compiler.solve.program import Floats, Ints, Program

JUST = 1e-7
REFINEMENTS = 40
PLENTY = 100.0  # budgets set aside end here, in units of K: nothing sensible asks for more

Kind = Literal["rule", "order", "limit", "budget"]


@dataclass(frozen=True, slots=True)
class Member:
    """Something that may take part in a conflict, and can be loosened by one number.

    A rule or order: `rules`, rows of the program; its slack in the rows' unit. A limit: `cells` whose passes it bounds,
    inside `phase` or in all; loosened in passes. A budget: of `phase`; loosened, either way, in fractions of K.
    """

    kind: Kind
    name: str
    rules: tuple[int, ...] = ()
    cells: tuple[int, ...] = ()
    phase: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Give:
    """By how much each member was loosened [m], what tightening each costs (0: no part in it), tokens per phase [P]."""

    amount: Floats
    price: Floats
    filled: Floats
    total: float


class Elastic:
    """One program's feasible set, with its members. Tangents found in one solve serve the next ones."""

    def __init__(self, program: Program, members: tuple[Member, ...]) -> None:
        self.program, self.members = program, members
        hard = ~np.isfinite(program.rules.weight)
        listed = {k for member in members for k in member.rules}
        self.fixed = np.array([k for k in np.flatnonzero(hard) if k not in listed], dtype=np.int64)
        self.sizes = _sizes(program)
        self.curved = [k for k in np.flatnonzero(hard) if program.rules.info[[k]].nnz or program.rules.loss[k].any()]
        self.shape = self._plain(program)
        cells = program.cells
        most = np.minimum(np.minimum(cells.limit, cells.phase_limit.sum(axis=1)) * cells.supply, 1.0)
        start = (most / max(float(most.sum()), 1e-300))[:, None] * program.phases
        self.tangents = tangents_at(program, start)
        self.worth = np.array([self._worth(member) for member in members])

    def _plain(self, program: Program) -> Program:
        """The program without what feasibility does not depend on: its objective, and curves that no rule speaks of."""
        laws = replace(program.laws, weight=np.zeros(len(program.laws)))
        return replace(program, laws=laws, curvature=program.curvature if self.curved else 0.0, target=None)

    def _worth(self, member: Member) -> float:
        """What one unit of give is worth in shares of the budget, so that all members are weighed alike."""
        if member.kind == "limit":
            return max(min(float(self.program.cells.supply[list(member.cells)].sum()), 1.0), 1e-6)
        return 1.0

    def solve(self, loose: Collection[int], aside: Collection[int] = ()) -> Give | None:
        """The least total give of the members `loose`, with those `aside` dropped and all others kept.

        None where no give of theirs is enough. Amounts are in units of the member's own kind.
        """
        count = len(self.members)
        cost, most = np.zeros(count), np.zeros(count)
        cost[list(loose)], most[list(loose)] = self.worth[list(loose)], np.inf
        most[list(aside)] = np.inf
        shape, linear = self._linear(cost, most)
        optimum = linear.solve()
        for _ in range(REFINEMENTS):
            if optimum is None or not self._violated(shape, optimum, aside):
                break
            self.tangents = shape.touch(optimum)
            shape, linear = self._linear(cost, most)
            optimum = linear.solve()
        if optimum is None:
            return None
        price = cost - np.clip(optimum.reduced["give"], 0.0, cost)
        return Give(optimum.values["give"], price, shape.x(optimum).sum(axis=0), optimum.value)

    def _violated(self, shape: Polyhedron, optimum: Optimum, aside: Collection[int]) -> bool:
        """Whether a curved rule fails at a solution by more than its tangents show."""
        if not self.curved:
            return False
        x = shape.x(optimum)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            slack = self.program.slacks(x) / self.sizes
        for index, member in enumerate(self.members):
            rows = list(member.rules)
            slack[rows] = np.inf if index in aside else slack[rows] + optimum.values["give"][index]
        return bool((slack[self.curved] < -JUST).any())

    def _linear(self, cost: Floats, most: Floats) -> tuple[Polyhedron, Linear]:
        program = self.program
        cells, rules = program.cells, program.rules
        n, _ = program.shape
        free = np.where(cells.phase_limit > 0, PLENTY, 0.0)
        shape = polyhedron(self.shape, self.tangents, free, np.full(n, np.inf))
        linear = shape.linear
        linear.column("give", len(self.members), cost=cost, upper=most)
        for equality, name in ((False, "at least"), (True, "equal")):
            chosen = self.fixed[rules.equality[self.fixed] == equality]
            linear.row(name, self._scaled(shape, chosen), (shape.bound / self.sizes)[chosen], equality=equality)
        self._limits(shape)
        budgets = budget_blocks(shape)
        held = [m.phase for m in self.members if m.kind == "budget"]
        for p in range(len(program.phases)):
            if p not in held:
                fixed = {name: sparse.csr_array(block[[p]]) for name, block in budgets.items()}
                linear.row(f"budget {p}", fixed, program.phases[p], equality=True)
        for index, member in enumerate(self.members):
            if member.kind == "budget":
                budget = {name: sparse.csr_array(block[[member.phase]]) for name, block in budgets.items()}
                self._give(linear, index, budget, program.phases[[member.phase or 0]], both=True)
            elif member.rules:
                chosen = np.array(member.rules, dtype=np.int64)
                both = bool(rules.equality[chosen].any())
                self._give(linear, index, self._scaled(shape, chosen), (shape.bound / self.sizes)[chosen], both=both)
        return shape, linear

    def _give(self, linear: Linear, index: int, blocks: Blocks, bound: Floats, *, both: bool) -> None:
        """blocks + give >= bound, and <= with `both`."""
        give = np.zeros((len(bound), len(self.members)))
        give[:, index] = 1.0
        linear.row(f"member {index}", blocks | {"give": sparse.csr_array(give)}, bound)
        if both:
            turned = {name: sparse.csr_array(-block) for name, block in blocks.items()}
            linear.row(f"member {index} turned", turned | {"give": sparse.csr_array(give)}, -bound)

    def _scaled(self, shape: Polyhedron, chosen: Ints) -> Blocks:
        blocks = rule_blocks(shape, chosen)
        unit = sparse.csr_array(sparse.diags_array(1.0 / self.sizes[chosen])) if len(chosen) else None
        return blocks if unit is None else after(unit, blocks)

    def _limits(self, shape: Polyhedron) -> None:
        """Passes of every cell that has a limit, in all and inside each phase, plus its member's give."""
        cells = self.program.cells
        gather = gathering(self.program)
        self._bound(shape, "passes", after(gather, shape.tokens), cells.limit, None)
        n, phases = self.program.shape
        for p in range(phases):
            pick = sparse.csr_array((np.ones(n), (np.arange(n), np.arange(n) * phases + p)), shape=(n, n * phases))
            self._bound(shape, f"passes in {p}", after(pick, shape.tokens), cells.phase_limit[:, p], p)

    def _bound(self, shape: Polyhedron, name: str, blocks: Blocks, limit: Floats, phase: int | None) -> None:
        supply = self.program.cells.supply
        where = np.flatnonzero(np.isfinite(limit) & ((limit > 0) | (phase is None)))  # 0 in a phase: not in it
        if not len(where):
            return
        give = sparse.lil_array((len(supply), len(self.members)))
        for index, member in enumerate(self.members):
            if member.kind == "limit" and member.phase == phase:
                give[list(member.cells), [index] * len(member.cells)] = supply[list(member.cells)]
        rows = {column: sparse.csr_array(-block[where]) for column, block in blocks.items()}
        rows["give"] = sparse.csr_array(give.tocsr()[where])
        shape.linear.row(name, rows, -limit[where] * supply[where])


def _sizes(program: Program) -> Floats:
    """The unit of every rule's give: one, or the bound of a rule on information, which has no natural size."""
    rules = program.rules
    pure = (np.diff(rules.info.indptr) > 0) & (np.diff(rules.affine.indptr) == 0) & ~rules.loss.any(axis=1)
    return np.where(pure & (np.abs(rules.bound) > 0), np.abs(rules.bound), 1.0)
