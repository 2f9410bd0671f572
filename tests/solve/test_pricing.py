"""Prices of rules against finite differences of the true optimum, on both sides where they differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from instances import RuleRows, random_instance
from test_exact_cases import languages

from mixc.compiler.solve import pricing
from mixc.compiler.solve.curvature import undetermined
from mixc.compiler.solve.equations import Equations
from mixc.compiler.solve.newton import follow
from mixc.compiler.solve.pricing import row_prices
from mixc.compiler.solve.program import Program

STEP = 1e-4


def rise(program: Program, row: int, step: float) -> float:
    """Rise of the least objective per unit, when one bound moves by `step` and everything is solved anew."""
    bound = program.rules.bound.copy()
    bound[row] += step
    moved = replace(program, rules=replace(program.rules, bound=bound))
    before, after = follow(program), follow(moved)
    assert before.converged
    assert after.converged
    change = program.objective(after.point.x) + program.preference(after.point.x)
    return (change - program.objective(before.point.x) - program.preference(before.point.x)) / step


def three_languages(rows: RuleRows) -> Program:
    program = languages(np.array([1.0, 2.0, 3.0]), np.full(3, 3.7), np.full(3, 0.1))
    return replace(program, mu=3e-6, rules=rows.build())


def test_two_rules_that_bind_together_cost_much_to_tighten_and_nothing_to_loosen() -> None:
    rows = RuleRows(3, 1, 3)
    first, others = np.array([[1.0], [0.0], [0.0]]), np.array([[0.0], [1.0], [1.0]])
    rows.add("share(l0) >= 50%", 0.5, affine=first)
    rows.add("share(l1) + share(l2) <= 50%", -0.5, affine=-others)
    rows.add("share(l1) >= 10%", 0.1, affine=np.array([[0.0], [1.0], [0.0]]))
    program = three_languages(rows)
    solution = follow(program)
    assert undetermined(Equations(program), solution.point).tolist() == [True, True, False]
    tighten, loosen = row_prices(solution)
    for row in (0, 1):
        assert tighten[row] == pytest.approx(rise(program, row, STEP), rel=1e-4)
        assert loosen[row] == pytest.approx(rise(program, row, -STEP), abs=1e-5)
    assert tighten[0] > 0.1
    assert (tighten[2], loosen[2]) == (0.0, 0.0)


def test_rules_that_meet_in_a_corner_have_different_sides() -> None:
    rows = RuleRows(3, 1, 3)
    rows.add("share(l0) >= 50%", 0.5, affine=np.array([[1.0], [0.0], [0.0]]))
    rows.add("share(l0) + share(l1) >= 80%", 0.8, affine=np.array([[1.0], [1.0], [0.0]]))
    rows.add("share(l1) >= 30%", 0.3, affine=np.array([[0.0], [1.0], [0.0]]))
    program = three_languages(rows)
    tighten, loosen = row_prices(follow(program))
    for row in range(3):
        assert tighten[row] == pytest.approx(rise(program, row, STEP), rel=1e-3)
        assert loosen[row] == pytest.approx(rise(program, row, -STEP), rel=1e-3, abs=1e-5)
    assert (tighten >= loosen - 1e-6).all()


def test_only_rows_that_are_asked_for_are_solved_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = RuleRows(3, 1, 3)
    rows.add("share(l0) >= 50%", 0.5, affine=np.array([[1.0], [0.0], [0.0]]))
    rows.add("share(l1) + share(l2) <= 50%", -0.5, affine=np.array([[0.0], [-1.0], [-1.0]]))
    solution = follow(three_languages(rows))
    every, (again, settled) = row_prices(solution), ([], pricing.settle)
    monkeypatch.setattr(pricing, "settle", lambda *given: (again.append(1), settled(*given))[1])
    asked = row_prices(solution, {1})
    assert len(again) == 2
    assert (asked[0][1], asked[1][1]) == (every[0][1], every[1][1])
    assert asked[0][0] == asked[1][0]


@pytest.mark.parametrize("seed", [1, 4, 9, 13, 21])
def test_prices_are_derivatives_of_the_optimum(seed: int) -> None:
    program = replace(random_instance(seed, rules=(2, 5), kinds=("affine", "info", "loss")).program, mu=1e-5)
    tighten, loosen = row_prices(follow(program))
    for row in np.flatnonzero(tighten > 1e-6)[:2]:
        assert tighten[row] == pytest.approx(rise(program, int(row), 1e-6), rel=0.01)
        assert loosen[row] == pytest.approx(rise(program, int(row), -1e-6), rel=0.01)
