"""Optima known in closed form or from the paper (solver.md 9): Newton finds them, the bound proves them."""

from __future__ import annotations

import numpy as np
import pytest
from instances import BUCKETS, DENSITY, RuleRows, joint61

from mixc.compiler.solve.certify import certify
from mixc.compiler.solve.newton import follow
from mixc.compiler.solve.program import Cells, Floats, LanguageLaws, Program, Rules

POOL, PARAMS = 3.2e11, 7e9
CLEAR = 1e-7  # a preference too weak to show in five digits


def solved(program: Program) -> Floats:
    """The optimum [n, P], which must converge and be certified."""
    solution = follow(program)
    assert solution.converged
    assert certify(program, solution.point.x).gap < 1e-6
    return solution.point.x


def infolaw(tokens: float, ordered: bool) -> Program:
    """One language's pool in six quality buckets, no limits (arXiv 2605.02364, 7B)."""
    log_tokens = np.log(tokens)
    curvature = (0.14 * np.log(PARAMS) + 0.018) / log_tokens
    keys = tuple(("en", "pool", "", d) for d in range(6))
    free = np.full(6, np.inf)
    gain = DENSITY * log_tokens * tokens / 1e9
    cells = Cells(keys, np.zeros(6, dtype=np.int64), BUCKETS * POOL / tokens, gain, free, free[:, None])
    rows = RuleRows(6, 1, 1)
    for d in range(5 if ordered else 0):
        affine = np.zeros((6, 1))
        affine[d], affine[d + 1] = 1.0, -1.0
        rows.add("order = shares", 0.0, affine=affine)
    one = np.ones(1)
    laws = LanguageLaws(one, 0 * one, 3.7373 * one, 0.0441 * one, np.zeros((1, 1)), np.zeros((1, 1)))
    return Program(cells, laws, one, rows.build(), curvature, CLEAR)


@pytest.mark.parametrize(
    ("tokens", "ordered", "shares"),
    [
        (3e11, False, [0.55537, 0.44463, 0, 0, 0, 0]),
        (3e11, True, [0.55537, 0.44463, 0, 0, 0, 0]),
        (1e12, True, [0.39176, 0.39176, 0.21648, 0, 0, 0]),
    ],
)
def test_infolaw_recipes(tokens: float, ordered: bool, shares: list[float]) -> None:
    assert solved(infolaw(tokens, ordered)).ravel() == pytest.approx(shares, abs=2e-5)


def languages(
    weight: Floats, scale: Floats, exponent: Floats, transfer: Floats | None = None, cap: Floats | None = None
) -> Program:
    """Signal tokens, one cell a language: J = r."""
    count = len(weight)
    none = np.zeros((count, count))
    keys = tuple((f"l{i:02d}", "s", "", 0) for i in range(count))
    limit = np.full(count, np.inf) if cap is None else cap
    one = np.ones(count)
    cells = Cells(keys, np.arange(count), one, one, limit, np.full((count, 1), np.inf))
    laws = LanguageLaws(
        weight / weight.sum(), np.zeros(count), scale, exponent, none if transfer is None else transfer, none
    )
    return Program(cells, laws, np.ones(1), no_rules(count), 0.0, CLEAR)


def no_rules(count: int) -> Rules:
    return RuleRows(count, 1, count).build()


def test_priority_three_among_sixty_ones() -> None:
    beta = 0.0441
    weight = np.ones(61)
    weight[0] = 3.0
    x = solved(languages(weight, np.full(61, 3.7373), np.full(61, beta))).ravel()
    first = 3 ** (1 / (1 + beta))
    assert x[0] == pytest.approx(first / (first + 60), abs=2e-6)
    assert x[0] == pytest.approx(0.0456, abs=5e-5)


@pytest.mark.parametrize("seed", range(5))
def test_linear_transfer_in_the_interior(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 5
    transfer = rng.uniform(0.0, 0.15, (count, count))
    np.fill_diagonal(transfer, 0.0)
    weight, scale, beta = rng.uniform(0.8, 1.2, count), rng.uniform(3, 4, count), rng.uniform(0.1, 0.3, count)
    program = languages(weight, scale, beta, transfer)
    donated = np.linalg.solve((np.eye(count) + transfer).T, np.ones(count))  # p = (I + T)^-T 1
    pull = program.laws.weight * scale * beta

    def received(price: float) -> Floats:
        return (pull / (price * donated)) ** (1 / (1 + beta))

    low, high = 1e-6, 1e3
    for _ in range(200):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if donated @ received(middle) > 1 else (low, middle)
    expected = np.linalg.solve(np.eye(count) + transfer, received(low))
    assert (expected > 0).all()
    assert solved(program).ravel() == pytest.approx(expected, abs=5e-6)


@pytest.mark.parametrize("seed", range(5))
def test_water_filling(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 8
    weight, scale, beta = rng.uniform(0.5, 2.0, count), rng.uniform(3, 4, count), rng.uniform(0.05, 0.4, count)
    cap = rng.uniform(0.05, 0.4, count)
    program = languages(weight, scale, beta, cap=cap)
    pull = program.laws.weight * scale * beta

    def filled(price: float) -> Floats:
        return np.minimum(cap, (pull / price) ** (1 / (1 + beta)))

    low, high = 1e-6, 1e3
    for _ in range(200):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if filled(middle).sum() > 1 else (low, middle)
    assert solved(program).ravel() == pytest.approx(filled(low), abs=5e-6)


def test_the_oracle_is_reproduced_to_1e_9() -> None:
    instance = joint61()
    assert np.abs(solved(instance.program) - instance.witness).max() < 1e-9
