"""The cone solver's program is the same program: its optima agree with Newton's and with the oracle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from instances import RuleRows, joint61, random_instance, replace_rules

from mixc.compiler.solve.certify import certified, certify
from mixc.compiler.solve.conic import solve_conic, violation
from mixc.compiler.solve.newton import follow


def test_the_oracle() -> None:
    instance = joint61()
    found = solve_conic(instance.program)
    assert found.x is not None
    assert found.solver == "CLARABEL"
    assert found.violation < 1e-7
    assert np.abs(found.x - instance.witness).max() < 1e-3
    assert found.objective == pytest.approx(instance.program.objective(instance.witness), rel=1e-7)


@pytest.mark.parametrize("target", [False, True])
def test_newton_and_the_cone_solver_agree(target: bool) -> None:
    for seed in (0, 1, 2, 4, 5, 8, 11, 14):
        program = random_instance(seed, target=target).program
        solution, found = follow(program), solve_conic(program)
        assert found.x is not None
        assert solution.converged
        x = solution.point.x
        assert np.abs(x - found.x).max() < 2e-3
        preferred = certified(program, x) + (0.0 if target else program.preference(x))
        reached = certified(program, found.x) + (0.0 if target else program.preference(found.x))
        assert preferred == pytest.approx(reached, abs=2e-6)
        assert violation(program, x) < 1e-9


def test_every_kind_of_rule_holds_in_its_solution() -> None:
    for seed in range(12):
        program = random_instance(seed, rules=(4, 6)).program
        found = solve_conic(program, tie_break=False)
        assert found.x is not None
        assert found.violation < 1e-6
        assert certify(program, found.x).gap < 1e-6


def test_an_infeasible_program_gives_no_point_and_no_exception() -> None:
    instance = random_instance(3, rules=(0, 0))
    program = instance.program
    rows = RuleRows(*program.shape, len(program.laws))
    everything = np.ones(program.shape)
    rows.add("more than all", 1.5, affine=everything)
    found = solve_conic(replace_rules(program, rows.build()))
    assert found.x is None
    assert found.status != "optimal"


def test_its_status_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    from mixc.compiler.solve import conic

    instance = random_instance(0, rules=(0, 0))
    monkeypatch.setattr(conic, "violation", lambda *_: 1e-3)
    assert solve_conic(instance.program).x is None


def test_violation_sees_every_kind_of_fault() -> None:
    instance = random_instance(0, phases=(2, 2), rules=(0, 0))
    program, x = instance.program, instance.witness
    assert violation(program, x) < 1e-12
    assert violation(program, 1.01 * x) >= 0.009 * program.phases.max()
    negative = x.copy()
    negative[0, 0] -= 2 * x[0, 0]
    assert violation(program, negative) >= x[0, 0]
    tight = replace(program, cells=replace(program.cells, limit=0.5 * x.sum(axis=1) / program.cells.supply))
    assert violation(tight, x) == pytest.approx(0.5 * x.sum(axis=1).max())
