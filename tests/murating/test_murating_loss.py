"""The loss against its closed form, its derivatives against differences, and the linear head against both."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixc.backends.murating.linear import Objective, fit_linear, objective_of, solve
from mixc.backends.murating.loss import (
    Examples,
    loss_of,
    pair_curvature,
    pair_loss,
    pair_slope,
    parallel_curvature,
    parallel_loss,
    parallel_slope,
    sigma,
)

GAPS = st.floats(-30, 30)
SHARES = st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 0.75, 1.0])
STEP = 1e-5


def at(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([value])


@given(GAPS, SHARES)
def test_the_loss_of_a_pair_is_cross_entropy(d: float, p: float) -> None:
    said = -p * -math.log1p(math.exp(-d)) - (1 - p) * -math.log1p(math.exp(d))
    assert pair_loss(at(d), at(p))[0] == pytest.approx(said, rel=1e-12, abs=1e-12)


@given(GAPS)
def test_the_loss_of_translations_is_both_directions_of_a_tie(d: float) -> None:
    both = pair_loss(at(d), at(0.5)) + pair_loss(at(-d), at(0.5))
    assert parallel_loss(at(d))[0] == pytest.approx(2 * math.log(2 * math.cosh(d / 2)), rel=1e-12)
    assert parallel_loss(at(d))[0] == pytest.approx(both[0], rel=1e-12)
    assert parallel_loss(at(d))[0] >= 2 * math.log(2) - 1e-15
    assert abs(parallel_slope(at(d))[0]) <= 1


def test_the_loss_of_translations_is_a_quarter_of_the_square_near_nothing() -> None:
    assert parallel_loss(at(0.0))[0] == pytest.approx(2 * math.log(2), rel=1e-15)
    assert parallel_loss(at(0.01))[0] - 2 * math.log(2) == pytest.approx(0.01**2 / 4, rel=1e-4)
    assert parallel_slope(at(1000.0))[0] == 1.0
    assert np.isfinite(parallel_loss(at(-1e6)))[0]


@given(GAPS, SHARES)
def test_slopes_and_curvatures_are_those_of_the_losses(d: float, p: float) -> None:
    up, down = at(d + STEP), at(d - STEP)
    slope = (pair_loss(up, at(p)) - pair_loss(down, at(p))) / (2 * STEP)
    assert pair_slope(at(d), at(p))[0] == pytest.approx(slope[0], abs=1e-8)
    bend = (pair_slope(up, at(p)) - pair_slope(down, at(p))) / (2 * STEP)
    assert pair_curvature(at(d))[0] == pytest.approx(bend[0], abs=1e-8)
    assert parallel_slope(at(d))[0] == pytest.approx(
        ((parallel_loss(up) - parallel_loss(down)) / (2 * STEP))[0], abs=1e-8
    )
    assert parallel_curvature(at(d))[0] == pytest.approx(
        ((parallel_slope(up) - parallel_slope(down)) / (2 * STEP))[0], abs=1e-8
    )


def some(seed: int, pairs: int = 12, parallel: int = 5, width: int = 3) -> Objective:
    """An objective of random features."""
    draw = np.random.default_rng(seed)
    p = draw.choice([0.0, 0.25, 0.75, 1.0], pairs)
    return Objective(draw.normal(size=(pairs, width)), p, draw.normal(size=(parallel, width)), 0.3, 0.02)


@given(st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_gradient_and_hessian_of_the_objective(seed: int) -> None:
    objective = some(seed)
    w = np.random.default_rng(seed + 1).normal(size=3)
    for i, unit in enumerate(np.eye(3)):
        up, down = w + STEP * unit, w - STEP * unit
        slope = (objective.value(up) - objective.value(down)) / (2 * STEP)
        assert objective.gradient(w)[i] == pytest.approx(slope, abs=1e-7)
        bend = (objective.gradient(up) - objective.gradient(down)) / (2 * STEP)
        assert objective.hessian(w)[i] == pytest.approx(bend, abs=1e-7)


@given(st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_the_solution_is_where_the_gradient_vanishes_from_any_start(seed: int) -> None:
    objective = some(seed)
    found = solve(objective, np.zeros(3))
    assert np.abs(objective.gradient(found)).max() < 1e-10
    assert solve(objective, np.full(3, 5.0)) == pytest.approx(found, abs=1e-8)


def test_one_feature_by_hand() -> None:
    """sigma(w) = 3/4 without penalty: w = log 3."""
    objective = Objective(np.ones((4, 1)), np.array([1.0, 1.0, 1.0, 0.0]), np.empty((0, 1)), 0.0, 0.0)
    assert solve(objective, np.zeros(1))[0] == pytest.approx(math.log(3), rel=1e-12)


def examples(p: list[float], parallel: int = 0) -> Examples:
    """Pairs (0, 1), (1, 2), … with these targets, and parallel pairs (0, 2)."""
    n = len(p)
    first = np.arange(n)
    return Examples(first, first + 1, np.array(p), np.zeros(parallel, np.intp), np.full(parallel, 2, np.intp))


def test_parallel_pairs_mixed_in_are_lambda_of_half_their_share() -> None:
    scores = np.array([0.3, -0.8, 1.1, 0.2])
    apart = examples([1.0, 0.0, 0.75], parallel=2)
    mixed = Examples(
        np.concatenate([apart.a, apart.one]),
        np.concatenate([apart.b, apart.other]),
        np.concatenate([apart.p, np.full(2, 0.5)]),
        np.empty(0, np.intp),
        np.empty(0, np.intp),
    )
    n, m = 3, 2
    together = loss_of(scores, mixed, 1.0) * (n + m) / n
    assert loss_of(scores, apart, m / (2 * n)) == pytest.approx(together, rel=1e-12)


def test_lambda_draws_translations_together() -> None:
    draw = np.random.default_rng(3)
    features = draw.normal(size=(60, 4))
    a, b = draw.integers(0, 60, 80), draw.integers(0, 60, 80)
    p = sigma((features[a] - features[b]) @ np.array([1.0, -1.0, 0.5, 0.0]))
    one, other = draw.integers(0, 60, 20), draw.integers(0, 60, 20)
    made = Examples(a, b, p, one, other)
    gaps = []
    for weight in (0.0, 0.125, 1.0, 8.0):
        w = solve(objective_of(features, made, weight, 1e-3), np.zeros(4))
        gaps.append(np.abs((features[one] - features[other]) @ w).mean())
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[3] < 0.7 * gaps[0]


def test_the_penalty_is_the_one_that_serves_documents_apart() -> None:
    draw = np.random.default_rng(5)
    features = draw.normal(size=(300, 40))
    true = np.zeros(40)
    true[:2] = 1.0

    def of(rows: range) -> Examples:
        a, b = draw.choice(rows, 60), draw.choice(rows, 60)
        votes = (draw.random((60, 4)) < sigma((features[a] - features[b]) @ true)[:, None]).mean(axis=1)
        return Examples(a, b, votes, np.empty(0, np.intp), np.empty(0, np.intp))

    fit = fit_linear(features, of(range(150)), of(range(150, 300)), 0.0)
    losses = dict(fit.losses)
    assert losses[fit.decay] == min(losses.values())
    assert len(losses) > 1
