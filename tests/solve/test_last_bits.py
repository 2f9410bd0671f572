"""What two machines differ in, the last bits of an optimum, reaches nothing that people read or digests cover."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from mixc.compiler.review.manifest import build_manifest
from mixc.compiler.solve import pricing
from mixc.compiler.solve.outcome import bindings
from mixc.compiler.solve.pricing import rule_outcomes
from mixc.compiler.solve.rounding import _widths
from mixc.compiler.solve.strategies import optimise
from tests.review.review_builder import decided, provenance, small_problem


@pytest.mark.parametrize("off", [-1e-10, 1e-10])
def test_a_limit_counts_as_reached_by_whoever_comes_near(off: float) -> None:
    lowered, solution = (optimum := optimise(small_problem())).lowered, optimum.solution
    names = bindings(lowered, solution)
    assert names.count("limit") > 1
    response = replace(solution.point.response, x=solution.point.x * (1 + off))
    assert bindings(lowered, replace(solution, point=replace(solution.point, response=response))) == names


def test_what_rounding_left_of_no_price_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    lowered, solution = (optimum := optimise(small_problem())).lowered, optimum.solution
    rests = np.full(len(solution.program.rules), 1e-12), np.full(len(solution.program.rules), -1e-12)
    monkeypatch.setattr(pricing, "row_prices", lambda *_: rests)
    outcomes = rule_outcomes(lowered, solution, solution.point.x)
    assert outcomes
    assert {(one.tighten, one.loosen, one.active) for one in outcomes} == {(0.0, 0.0, False)}


def test_differences_of_nearly_equal_numbers_are_rounded() -> None:
    decision = decided(small_problem())
    for rest in (3e-13, -7e-11):
        rules = tuple(replace(one, slack=rest, shortfall=abs(rest)) for one in decision.rules)
        manifest = build_manifest(replace(decision, rules=rules), provenance())
        assert {(rule.slack, rule.shortfall) for rule in manifest.rules} == {(0.0, 0.0)}


def test_a_rule_of_all_languages_is_widest_whatever_integers_scipy_hands_over() -> None:
    """Those of scipy 1.18 have 32 bits, which 2^31 does not fit."""
    counts = np.array([0, 2, 5], dtype=np.int32)
    parts = SimpleNamespace(indptr=counts)
    rules = SimpleNamespace(affine=parts, info=parts, loss=np.array([[True], [False]]), changes=())
    assert _widths(rules, np.array([0, 1])).tolist() == [2**31, 6]  # type: ignore[arg-type]
