"""The certificate is a lower bound whatever happens, tight at optima, and as wide as the truth elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import Instance, feasible_points, joint61, random_instance
from scipy.optimize import minimize
from test_doubts import problem

from mixc.compiler.solve import certify as certify_module
from mixc.compiler.solve import decide as decide_module
from mixc.compiler.solve.certify import Bound, certified, certify, lagrangian_bound, proved_by_prices
from mixc.compiler.solve.conic import solve_conic, violation
from mixc.compiler.solve.dual import Multipliers, dual_value
from mixc.compiler.solve.equations import Equations
from mixc.compiler.solve.newton import follow
from mixc.compiler.solve.program import Floats, Program

SEEDS = range(24)


def optimum(program: Program) -> Floats:
    """The optimum without the preference, as a cone solver finds it."""
    found = solve_conic(program, tie_break=False)
    assert found.x is not None, found.status
    return found.x


def test_oracle_is_certified_to_1e_8() -> None:
    instance = joint61()
    bound = certify(instance.program, instance.witness)
    assert 0 < bound.gap < 1e-8
    assert bound.value < bound.objective


def test_bound_is_what_its_prices_prove() -> None:
    instance = joint61()
    bound = certify(instance.program, instance.witness)
    assert dual_value(instance.program, bound.prices) == bound.value


def test_nearly_all_optima_are_certified_to_1e_6() -> None:
    gaps = []
    for seed in SEEDS:
        program = random_instance(seed).program
        gaps.append(certify(program, optimum(program)).gap)
    assert np.mean(np.array(gaps) <= 1e-6) >= 0.95


@pytest.mark.parametrize("seed", SEEDS)
def test_no_feasible_point_is_below_the_bound(seed: int) -> None:
    instance = random_instance(seed)
    program = instance.program
    best = optimum(program)
    value = certify(program, best).value
    points = feasible_points(program, instance.witness, 60, seed)
    points += [0.5 * best + 0.5 * x for x in points]
    assert all(violation(program, x) < 1e-7 for x in points)
    assert min(certified(program, x) for x in points) >= value - 1e-9


def test_a_thousand_feasible_points_are_above_the_bound() -> None:
    instance = random_instance(5, kinds=("affine", "loss", "change"), rules=(3, 3))
    value = certify(instance.program, optimum(instance.program)).value
    points = feasible_points(instance.program, instance.witness, 1000, seed=1)
    assert len({x.tobytes() for x in points}) > 900
    assert min(instance.program.objective(x) for x in points) >= value


@pytest.mark.parametrize("seed", range(6))
def test_another_solver_finds_nothing_below_the_bound(seed: int) -> None:
    instance = random_instance(seed, languages=(3, 4), phases=(1, 1), buckets=(1, 2), kinds=("affine", "info", "loss"))
    program = instance.program
    n, phases = program.shape
    cap = np.minimum(program.cells.phase_limit * program.cells.supply[:, None], program.phases)
    cap = np.minimum(cap, (program.cells.limit * program.cells.supply)[:, None])
    held = [{"type": "eq", "fun": lambda z: z.reshape(n, phases).sum(axis=0) - program.phases}]
    held.append({"type": "ineq", "fun": lambda z: program.slacks(np.maximum(z, 1e-12).reshape(n, phases))})
    found = minimize(
        lambda z: program.objective(np.maximum(z, 1e-12).reshape(n, phases)),
        instance.witness.ravel(),
        bounds=[(0.0, most) for most in cap.ravel()],
        constraints=held,
        method="SLSQP",
    )
    x = found.x.reshape(n, phases)
    if violation(program, x) < 1e-6:
        assert program.objective(x) >= certify(program, optimum(program)).value - 1e-5
    assert program.objective(instance.witness) >= certify(program, x).value


@pytest.mark.parametrize("seed", range(12))
def test_a_moved_mixture_is_caught_with_its_true_gap(seed: int) -> None:
    instance = random_instance(seed)
    program = instance.program
    best = optimum(program)
    moved = 0.95 * best + 0.05 * instance.witness
    lowest, value = certified(program, best), certified(program, moved)
    true_gap = (value - lowest) / value
    assert true_gap > 0
    assert certify(program, moved).gap == pytest.approx(true_gap, rel=0.1, abs=1e-7)


def test_the_oracle_moved_is_caught() -> None:
    instance = joint61()
    program = instance.program
    cap = np.minimum(program.cells.limit * program.cells.supply, 1.0)
    spread = cap[:, None] * program.phases / cap.sum()
    moved = 0.95 * instance.witness + 0.05 * spread
    true_gap = 1 - program.objective(instance.witness) / program.objective(moved)
    assert true_gap > 1e-4
    assert certify(program, moved).gap == pytest.approx(true_gap, rel=0.1)


def multipliers_of(program: Program, seed: int, spread: float) -> Multipliers:
    """Arbitrary prices, of either sign and any size."""
    rng = np.random.default_rng(seed)
    count, changes = len(program.laws), len(program.rules.changes)

    def drawn(*shape: int) -> Floats:
        return rng.normal(size=shape) * np.exp(spread * rng.normal(size=shape))

    return Multipliers(
        drawn(count), drawn(count), drawn(len(program.phases)), drawn(len(program.rules)), drawn(changes, count)
    )


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 60), st.integers(0, 10**6), st.sampled_from([0.1, 1.0, 4.0]), st.booleans())
def test_any_prices_give_a_lower_bound(seed: int, draw: int, spread: float, target: bool) -> None:
    instance = random_instance(seed, target=target)
    value = dual_value(instance.program, multipliers_of(instance.program, draw, spread))
    assert value <= certified(instance.program, instance.witness) + 1e-12


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 10**6))
def test_prices_near_the_best_give_a_lower_bound(seed: int, draw: int) -> None:
    instance = random_instance(seed)
    program = instance.program
    rng = np.random.default_rng(draw)
    prices = certify(program, instance.witness).prices
    shaken = Multipliers(
        *(
            getattr(prices, name) * np.exp(rng.normal(size=getattr(prices, name).shape) * 0.05)
            for name in ("received", "dilution", "phase", "rule", "change")
        )
    )
    assert dual_value(program, shaken) <= certified(program, instance.witness) + 1e-12


@pytest.mark.parametrize("seed", range(12))
def test_nearness_to_a_target_is_certified(seed: int) -> None:
    instance = random_instance(seed, target=True)
    found = solve_conic(instance.program)
    assert found.x is not None
    bound = certify(instance.program, found.x)
    assert -1e-7 <= bound.objective - bound.value <= 1e-6
    points = feasible_points(instance.program, instance.witness, 40, seed)
    assert min(certified(instance.program, x) for x in points) >= bound.value - 1e-9


def test_a_reachable_target_has_distance_zero() -> None:
    instance = random_instance(2, rules=(0, 0))
    program = replace(instance.program, target=instance.witness)
    program = replace(program, laws=replace(program.laws, weight=np.zeros(len(program.laws))))
    bound = certify(program, instance.witness)
    assert bound.objective == 0
    assert bound.gap < 1e-9


def test_newton_prices_alone_prove_a_bound_as_good_as_the_preference_is_small() -> None:
    instance = random_instance(4)
    gaps = []
    for mu in (1e-4, 1e-5):
        program = replace(instance.program, mu=mu)
        solution = follow(program)
        assert solution.converged
        prices = Equations(program).prices(solution.point.z)
        gaps.append(lagrangian_bound(program, solution.point.x, prices.phase, prices.rule, prices.change).gap)
    assert 1e-9 < gaps[1] < 0.2 * gaps[0] < 1e-5


@pytest.mark.parametrize("target", (False, True))
def test_a_large_program_is_certified_by_the_prices_of_its_optimum(
    monkeypatch: pytest.MonkeyPatch, target: bool
) -> None:
    monkeypatch.setattr(certify_module, "LARGE", 0)
    enough = 0
    for seed in SEEDS:
        program = replace(random_instance(seed, target=target).program, mu=3e-6)  # as recipes have it
        solution = follow(program)
        x, z = solution.point.x, solution.point.z
        best = certify(program, x)
        bound = proved_by_prices(program, x, z)
        if bound is not None:
            enough += 1
            assert bound.gap <= 1e-5
            assert bound.value == dual_value(program, bound.prices) <= best.value + 1e-12
        assert proved_by_prices(program, x, z + 0.01) is None
    assert enough > len(SEEDS) / 2


def test_a_large_recipe_is_decided_without_the_linear_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It took most of the hour in which a recipe of a million cells was compiled; `decide` is to ask prices first."""

    def never(*_: object) -> Bound:
        raise AssertionError("the prices of the optimum prove enough")

    small = problem(tmp_path, "50B", "1.0")
    closely, _ = decide_module.decide(small)
    monkeypatch.setattr(certify_module, "LARGE", 0)
    monkeypatch.setattr(decide_module, "certify", never)
    decision, found = decide_module.decide(small)
    assert decision is not None and closely is not None and found == []
    assert decision.cells == closely.cells
    assert 0 <= decision.certificate.gap <= certify_module.ENOUGH


def test_a_small_program_is_left_to_the_linear_program() -> None:
    instance = joint61()
    solution = follow(instance.program)
    assert proved_by_prices(instance.program, solution.point.x, solution.point.z) is None


def test_a_mixture_without_a_language_is_certified_as_infinitely_far() -> None:
    instance = random_instance(0, rules=(0, 0), phases=(1, 1))
    program = instance.program
    x = instance.witness.copy()
    lost = program.cells.language == 0
    program = replace(program, laws=replace(program.laws, transfer=np.zeros_like(program.laws.transfer)))
    x[lost] = 0.0
    bound = certify(program, x / x.sum(axis=0) * program.phases)
    assert bound.objective == np.inf
    assert np.isfinite(bound.value)


def test_instances_are_feasible() -> None:
    for seed in range(60):
        instance: Instance = random_instance(seed, target=seed % 3 == 0)
        assert violation(instance.program, instance.witness) < 1e-12
