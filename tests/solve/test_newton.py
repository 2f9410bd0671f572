"""Newton on prices: it converges from anywhere, its points are optima, and its last grid digit is reproducible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from instances import Instance, RuleRows, joint61, random_instance, replace_rules, subset

from mixc.compiler.solve.apportion import caps_of
from mixc.compiler.solve.conic import solve_conic, violation
from mixc.compiler.solve.equations import Equations
from mixc.compiler.solve.newton import WARM, Solution, follow, polish
from mixc.compiler.solve.program import Floats, Ints, Program
from mixc.compiler.solve.rounding import round_mixture
from mixc.compiler.solve.task import in_key_order

PREFERENCE = 3e-6
TOKENS = 10**12
# Programs at which a line search on the residual's norm gets stuck: steep losses, `change` rules, several phases.
STIFF = (3, 6, 32, 33, 46, 73, 75, 96, 175)


def instance(seed: int, *, target: bool = False) -> Instance:
    """A random instance with the product's own preference."""
    found = random_instance(seed, target=target)
    return replace(found, program=replace(found.program, mu=PREFERENCE))


def full(program: Program, x: Floats) -> float:
    """What the solver minimises: loss, priced shortfall and preference, or relative entropy and shortfall."""
    return program.objective(x) + program.preference(x)


def grid(program: Program, x: Floats) -> Ints:
    """Shares in millionths of every phase's budget [n, P]."""
    budgets = [round(float(b) * TOKENS) for b in program.phases[:-1]]
    supply = [int(s * TOKENS) for s in program.cells.supply]
    return round_mixture(program, x, [*budgets, TOKENS - sum(budgets)], caps_of(program.cells, supply)).grid


def assert_optimal(found: Instance, solution: Solution) -> None:
    """Feasible, complementary, and no better on the way to another feasible point."""
    program, x = found.program, solution.point.x
    rules = program.rules
    assert solution.converged
    assert violation(program, x) < 1e-6
    price, slack = Equations(program).prices(solution.point.z).rule, program.slacks(x)
    bounded = ~rules.equality
    assert (price[bounded] >= 0).all()
    assert (price <= rules.weight).all()
    loose = bounded & (slack > 1e-6)
    assert np.abs(price[loose]).max(initial=0.0) < 1e-6
    short = slack < -1e-6
    assert price[short & np.isfinite(rules.weight)] == pytest.approx(rules.weight[short & np.isfinite(rules.weight)])
    for step in (1e-3, 0.03, 1.0):
        assert full(program, x + step * (found.witness - x)) >= full(program, x) - 1e-9


@pytest.mark.parametrize("seed", [*range(20), *STIFF])
def test_the_optimum_of_any_program(seed: int) -> None:
    found = instance(seed)
    assert_optimal(found, follow(found.program))


@pytest.mark.parametrize("seed", [*range(12), 32, 33])
def test_the_nearest_mixture_to_a_target(seed: int) -> None:
    found = instance(seed, target=True)
    assert_optimal(found, follow(found.program))


@pytest.mark.parametrize("seed", range(6))
def test_a_target_that_obeys_the_rules_is_the_answer(seed: int) -> None:
    found = random_instance(seed, target=True, kinds=("affine", "equality", "order", "info", "loss", "change"))
    solution = follow(replace(found.program, target=found.witness))
    assert solution.converged
    assert np.abs(solution.point.x - found.witness).max() < 1e-9


def test_the_oracle_takes_few_steps() -> None:
    oracle = joint61()
    solution = follow(oracle.program)
    assert np.abs(solution.point.x - oracle.witness).max() < 1e-9
    assert solution.steps < 80


@pytest.mark.parametrize("seed", range(6))
def test_every_strength_to_start_from_leads_to_the_same_optimum(seed: int) -> None:
    program = instance(seed).program
    one, other = follow(program), follow(program, strength=30.0)
    assert one.converged
    assert other.converged
    assert np.abs(one.point.x - other.point.x).max() < 1e-8


@pytest.mark.parametrize("seed", range(8))
def test_order_does_not_reach_the_grid(seed: int) -> None:
    program = instance(seed).program
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(program.cells))
    shuffled = in_key_order(program, order)
    rows = [int(k) for k in rng.permutation(len(program.rules))]
    shuffled = replace(shuffled, rules=subset(shuffled.rules, rows))
    expected = grid(program, follow(program).point.x)
    assert (grid(shuffled, follow(shuffled).point.x) == expected[order]).all()


@pytest.mark.parametrize("seed", range(8))
def test_a_disturbed_start_does_not_reach_the_grid(seed: int) -> None:
    program = instance(seed).program
    solution = follow(program)
    equations = Equations(program)
    noise = np.random.default_rng(seed).normal(0.0, 1e-6, equations.size)
    again = polish(program, equations.at(equations.within(solution.point.z + noise)))
    assert again.converged
    assert (grid(program, again.point.x) == grid(program, solution.point.x)).all()


@pytest.mark.parametrize("seed", [0, 2, 5])
def test_a_cone_solvers_start_does_not_reach_the_grid(seed: int) -> None:
    program = instance(seed).program
    solution, found = follow(program), solve_conic(program)
    assert found.x is not None
    again = follow(program, strength=WARM, start=Equations(program).starting(found.x))
    assert again.converged
    assert (grid(program, again.point.x) == grid(program, solution.point.x)).all()


@pytest.mark.parametrize("seed", [0, 1, 2, 7])
def test_contradictions_are_proved_in_few_steps(seed: int) -> None:
    found = random_instance(seed, rules=(3, 6), kinds=("affine", "info", "loss", "change"))
    rules = found.program.rules
    beyond = rules.bound + np.where(rules.affine.sum(axis=1) > 0, 1.2, 0.0)
    assert (beyond > rules.bound).any()
    solution = follow(replace(found.program, mu=PREFERENCE, rules=replace(rules, bound=beyond)))
    assert not solution.converged
    assert solution.point.error == np.inf
    assert solution.steps < 200


def test_a_language_that_only_a_rule_speaks_of() -> None:
    plain = random_instance(2, rules=(0, 0))
    laws = plain.program.laws
    weight = np.where(np.arange(len(laws)) == 0, 0.0, laws.weight)
    program = replace(plain.program, mu=PREFERENCE, laws=replace(laws, weight=weight))
    first = np.zeros(len(laws))
    first[0] = 1.0

    def at_most(loss: float) -> Program:
        rows = RuleRows(*program.shape, len(laws))
        rows.add("loss(l0)", -loss, loss=first)
        return replace_rules(program, rows.build())

    free = follow(program)
    unheeded, heeded = program.losses(free.point.x)[0], program.losses(plain.witness)[0]
    assert heeded < unheeded
    bound = 0.5 * (heeded + unheeded)
    held, idle = follow(at_most(bound)), follow(at_most(unheeded + 1.0))
    assert held.converged
    assert program.losses(held.point.x)[0] == pytest.approx(bound, abs=1e-8)
    assert idle.converged
    assert np.abs(idle.point.x - free.point.x).max() < 1e-6
