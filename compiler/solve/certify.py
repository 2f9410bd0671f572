"""The certificate: a lower bound on the objective of every feasible point (solver.md 4).

HiGHS proposes prices, from a polyhedron around the program that touches it near the mixture. The bound is then computed
from those prices in closed form (`dual.py`), so no solver's word is taken: poor prices make a poor bound, never a false
one. Each round touches the curves where the last one left them, until the bound stops rising. Every cell is a column of
it; of large programs the prices of the optimum, in which there is a little preference, prove enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mixc.compiler.solve.dual import Multipliers, dual_value, multipliers
from mixc.compiler.solve.equations import Equations
from mixc.compiler.solve.linear import Optimum, identity, kron
from mixc.compiler.solve.outer import Blocks, Polyhedron, after, polyhedron, rule_blocks, tangents_at
from mixc.compiler.solve.program import Floats, Program, relative_entropy

ROUNDS = 12
TIGHT = 1e-8
WORTHWHILE = 0.1
LARGE = 50_000  # cells times phases beyond which linear programs take longer than all else
ENOUGH = 1e-5  # gap up to which they are spared there: far below the error of any fitted law
STEPS = np.exp(np.array([-1.0, -0.1, -0.01, 0.01, 0.1, 1.0]))


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """`value` <= `certified` of every feasible point; `objective` is what the mixture itself reaches.

    `prices` prove it: `dual_value(program, prices)` is `value` again.
    """

    value: float
    objective: float
    prices: Multipliers
    relative: bool

    @property
    def gap(self) -> float:
        """How far the mixture may be from the best: a fraction of the loss, or nats of relative entropy."""
        excess = max(self.objective - self.value, 0.0)
        return excess / abs(self.objective) if self.relative and self.objective else excess


def certified(program: Program, x: Floats) -> float:
    """What is certified: weighted loss and priced shortfall; with a target, the relative entropy from it too."""
    return program.objective(x) + (0.0 if program.target is None else relative_entropy(x, program.target))


def lagrangian_bound(program: Program, x: Floats, phase: Floats, rule: Floats, change: Floats) -> Bound:
    """The bound that given prices of phases, rules and changes prove, in time linear in cells.

    With the prices of the tie-broken optimum it is low by about mu: they include the preference.
    """
    prices = multipliers(program, x, phase, rule, change)
    return Bound(dual_value(program, prices), certified(program, x), prices, program.target is None)


def proved_by_prices(program: Program, x: Floats, z: Floats) -> Bound | None:
    """What the unknowns z of the optimum x [n, P] prove of a large program, where it is enough."""
    if x.size <= LARGE:
        return None
    prices = Equations(program).prices(z)
    bound = lagrangian_bound(program, x, prices.phase, prices.rule, prices.change)
    return bound if bound.gap <= ENOUGH else None


def certify(program: Program, x: Floats, rounds: int = ROUNDS) -> Bound:
    """A lower bound on the objective of every feasible point, close to the least objective wherever x [n, P] is."""
    none = np.zeros(len(program.phases)), np.zeros(len(program.rules))
    best = lagrangian_bound(program, x, *none, np.zeros((len(program.rules.changes), len(program.laws))))
    cap = np.minimum(program.cells.phase_limit * program.cells.supply[:, None], program.phases)
    tangents, touched = tangents_at(program, x), [x]
    idle = 0
    for _ in range(rounds):
        shape = polyhedron(program, tangents, cap, program.cells.limit)
        optimum = _lowest(shape, touched)
        if optimum is None:
            return best
        prices = _prices(shape, optimum)
        found = Bound(dual_value(program, prices), best.objective, prices, best.relative)
        rise = found.value - best.value
        best = max(best, found, key=lambda bound: bound.value)
        # A poor round may come before a good one; two in a row are the end of it.
        idle = idle + 1 if rise <= WORTHWHILE * (best.objective - best.value) else 0
        if best.gap <= TIGHT or idle == 2:
            return best
        tangents = shape.touch(optimum)
        touched.append(shape.x(optimum))
    return best


def _lowest(shape: Polyhedron, touched: list[Floats]) -> Optimum | None:
    """The least objective over the polyhedron under budgets and rules."""
    program, linear = shape.program, shape.linear
    rules, laws = program.rules, program.laws
    used = list(shape.losses)
    linear.column("loss", len(used), cost=laws.weight[used], lower=laws.floor[used])
    if program.target is not None:
        _entropy(shape, touched)
    soft = np.isfinite(rules.weight)
    price, most = np.where(soft, rules.weight, 0.0), np.where(soft, np.inf, 0.0)
    linear.column("shortfall", len(rules), cost=price, upper=most)
    linear.row("budget", budget_blocks(shape), program.phases, equality=True)
    every = identity(len(rules))
    for equality, name in ((False, "at least"), (True, "equal")):
        chosen = np.flatnonzero(rules.equality == equality)
        blocks = rule_blocks(shape, chosen) | {"shortfall": every[chosen]}
        linear.row(name, blocks, shape.bound[chosen], equality=equality)
    return linear.solve()


def budget_blocks(shape: Polyhedron) -> Blocks:
    """Tokens of every phase [P] as blocks over the columns."""
    n, phases = shape.program.shape
    return after(kron(np.ones((1, n)), identity(phases)), shape.tokens)


def _entropy(shape: Polyhedron, touched: list[Floats]) -> None:
    """Column `entropy`: x along the polygon below its relative entropy from the target, tangents at `touched`."""
    target = shape.program.target
    assert target is not None
    aim = np.maximum(target.ravel(), 1e-300)
    near = [np.outer(STEPS, np.maximum(touched[0].ravel(), 1e-6 * aim))]
    at = np.maximum(np.vstack([*near, *(x.ravel()[None] for x in touched)]), 1e-9 * aim)
    at = np.sort(np.where(target.ravel() > 0, at, 0.0), axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.log(at / aim)
        corner = np.diff(at, axis=0) / np.diff(slope, axis=0)
    corner = np.where(np.isfinite(corner), corner, at[1:])
    length = np.diff(np.vstack([np.zeros(at.shape[1]), corner, np.full(at.shape[1], np.inf)]), axis=0)
    segment, place = np.nonzero((length > 0) & (target.ravel() > 0))
    size = len(segment)
    shape.linear.column("entropy", size, cost=slope[segment, place], upper=length[segment, place])
    along = sparse.csr_array((np.ones(size), (place, np.arange(size))), shape=(at.shape[1], size))
    shape.linear.row("entropy is of tokens", shape.tokens | {"entropy": -along}, 0.0, equality=True)


def _prices(shape: Polyhedron, optimum: Optimum) -> Multipliers:
    """What HiGHS says that everything is worth, as multipliers; tangents of a language add up."""
    program, tangents = shape.program, shape.tangents
    rules, laws = program.rules, program.laws
    used = list(shape.losses)
    received, dilution = np.zeros(len(laws)), np.zeros(len(laws))
    if used:
        at, thinned = tangents.received[:, used], tangents.dilution[:, used]
        beta = laws.exponent[used]
        pull = beta * laws.scale[used] * np.exp(-beta * (np.log(at) - thinned))
        pull = pull * optimum.prices["loss above tangents"].reshape(at.shape)
        received[used], dilution[used] = (pull / at).sum(axis=0), pull.sum(axis=0)
    rule = np.zeros(len(rules))
    rule[~rules.equality], rule[rules.equality] = optimum.prices["at least"], optimum.prices["equal"]
    change = [optimum.prices[f"more {j}"] - optimum.prices[f"less {j}"] for j in range(len(rules.changes))]
    return Multipliers(
        received, dilution, -optimum.prices["budget"], rule, np.array(change).reshape(len(rules.changes), len(laws))
    )
