"""Cells that a sampling curve ties, and cells that earlier mixtures read: one column is answered exactly and solved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from instances import RuleRows, random_instance, replace_rules

from mixc.compiler.solve.certify import certified, certify
from mixc.compiler.solve.conic import solve_conic, violation
from mixc.compiler.solve.curvature import curvature
from mixc.compiler.solve.dual import dual_value, multipliers
from mixc.compiler.solve.elastic import Elastic
from mixc.compiler.solve.equations import Equations
from mixc.compiler.solve.newton import follow
from mixc.compiler.solve.outer import tied
from mixc.compiler.solve.program import Floats, Program
from mixc.compiler.solve.response import Cellwise

TIED = {"tied": 0.7, "begun": 0.3, "buckets": (2, 6)}


def of(seed: int, *, target: bool = False, **more: object) -> Program:
    """A random program with ties, with the product's own preference."""
    return replace(random_instance(seed, target=target, **(TIED | more)).program, mu=3e-6)  # type: ignore[arg-type]


def worth(program: Program, x: Floats, w: Floats, q: Floats) -> Floats:
    """What the answer maximises, per column [m]."""
    demand = Cellwise(program).demand
    if program.target is None:
        liked = 0.5 * program.mu * x * x / program.spread
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            liked = np.where(x > 0, x * np.log(x / program.target), 0.0) - x + program.target
    passes = program.cells.start + x.sum(axis=1) / program.cells.supply
    value = w * program.cells.supply * program.fill(passes) - (q * x + liked).sum(axis=1)
    return np.bincount(demand.column, value, len(demand.supply))


@pytest.mark.parametrize("target", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_an_answer_is_the_best_one(seed: int, target: bool) -> None:
    program = of(seed, target=target, kinds=())
    rng = np.random.default_rng(seed)
    cellwise, (n, phases) = Cellwise(program), program.shape
    demand = cellwise.demand
    for _ in range(20):
        w = rng.lognormal(-2, 2, n) * (rng.random(n) > 0.1)
        q = rng.lognormal(-2, 1, (n, phases)) * rng.choice([1.0, -0.3], size=(n, phases), p=[0.9, 0.1])
        x = cellwise.answer(w, q).x
        columns = np.array([x[demand.column == k].sum(axis=0) for k in range(len(demand.supply))])
        assert x == pytest.approx(demand.spread_out(columns), abs=1e-12)
        best = worth(program, x, w, q)
        assert (columns <= demand.cap * (1 + 1e-9)).all()
        assert (columns.sum(axis=1) <= demand.limit * demand.supply * (1 + 1e-9)).all()
        for size in (1e-6, 1e-3, 0.1):
            other = np.clip(columns * np.exp(size * rng.normal(size=columns.shape)) + size * 1e-3, 0.0, demand.cap)
            over = other.sum(axis=1) / np.minimum(demand.limit * demand.supply, 1e9)
            other = other / np.maximum(over, 1.0)[:, None]
            assert (worth(program, demand.spread_out(other), w, q) <= best + 1e-9 * (1 + np.abs(best))).all()


@pytest.mark.parametrize("target", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_newton_ties_what_is_tied_and_agrees_with_the_cone_solver(seed: int, target: bool) -> None:
    program = of(seed, target=target)
    solution, found = follow(program), solve_conic(program)
    x = solution.point.x
    assert solution.converged
    assert np.abs(tied(program) @ x.ravel()).max(initial=0.0) < 1e-12
    assert violation(program, x) < 1e-9
    assert found.x is not None
    preferred = certified(program, x) + (0.0 if target else program.preference(x))
    reached = certified(program, found.x) + (0.0 if target else program.preference(found.x))
    assert preferred == pytest.approx(reached, abs=2e-6)
    assert certify(program, x).gap < 1e-6


@pytest.mark.parametrize("seed", range(8))
def test_any_prices_give_a_lower_bound(seed: int) -> None:
    instance = random_instance(seed, **TIED)  # type: ignore[arg-type]
    program, rng = instance.program, np.random.default_rng(seed)
    best = certified(program, follow(program).point.x)
    for scale in (0.0, 0.1, 1.0):
        count = len(program.rules.changes), len(program.laws)
        prices = multipliers(
            program,
            instance.witness,
            rng.normal(scale=1 + scale, size=len(program.phases)),
            rng.exponential(scale + 1e-9, size=len(program.rules)),
            rng.normal(scale=scale, size=count),
        )
        assert dual_value(program, prices) <= best + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_ties_of_single_cells_change_nothing(seed: int) -> None:
    program = random_instance(seed, tied=1e-9).program
    plain = replace(program, ties=None)
    assert follow(program).point.x == pytest.approx(follow(plain).point.x, abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_at_the_optimum_the_gradient_bends_as_is_stated(seed: int) -> None:
    program = replace(of(seed, kinds=()), mu=0.05)
    z, equations = follow(program).point.z, Equations(program)
    step = np.random.default_rng(seed).normal(size=len(z)) * 1e-7
    bend = np.asarray(curvature(equations, equations.at(z), np.ones(len(z), dtype=bool)))
    turned = (equations.at(z - step).gradient - equations.at(z + step).gradient) / 2
    assert turned == pytest.approx(bend @ step, rel=1e-3, abs=1e-12)


def test_what_ties_make_impossible_is_seen() -> None:
    program = of(5, kinds=(), phases=(1, 1), languages=(1, 1), sources=(1, 1), tied=1.0)
    first = np.zeros(program.shape)
    first[0] = 1.0
    rows = RuleRows(*program.shape, 1)
    assert program.ties is not None
    rows.add("more of the first than its part", float(program.ties.part[0]) + 0.01, affine=first)
    bound = replace_rules(program, rows.build())
    assert Elastic(bound, ()).solve(()) is None
    assert Elastic(program, ()).solve(()) is not None
