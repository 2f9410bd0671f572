"""InfoLaw: the published numbers, and the properties that make the program convex."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from mixc.compiler.laws import infolaw
from mixc.compiler.laws.calibration import load_infolaw, to_info_law
from mixc.compiler.laws.density import cut, interval_density, pool_density, with_edges

LAW = to_info_law(load_infolaw("infolaw-2605.02364", Path(), None)[0][0])
SUPPLY = 3.2e11 * np.diff((0.0, *LAW.edges))

passes = st.floats(0, 60)
costs = st.floats(0.01, 3)
ranks = st.floats(0, 1)


def recipe_information(shares: list[float], tokens: float) -> float:
    taken = tokens * np.array(shares)
    return float(infolaw.information(LAW, taken, SUPPLY, infolaw.densities(LAW), 7e9, tokens).sum())


def test_constants_are_the_published_ones() -> None:
    assert (LAW.theta, LAW.a, LAW.b, LAW.alpha, LAW.beta) == (0.922, 0.140, 0.018, 3.7373, 0.0441)
    assert LAW.edges == (0.05, 0.2, 0.4, 0.6, 0.8, 1.0)


def test_loss_of_the_two_published_budgets() -> None:
    assert float(infolaw.loss(LAW, recipe_information([0.55537, 0.44463, 0, 0, 0, 0], 3e11))) == approx(2.856, abs=1e-3)
    best = recipe_information([0.39176, 0.39176, 0.21648, 0, 0, 0], 1e12)
    assert float(infolaw.loss(LAW, best)) == approx(2.779, abs=1e-3)


def test_published_optima_are_stationary_and_beat_what_is_near() -> None:
    best = [0.55537, 0.44463, 0, 0, 0, 0]
    value = recipe_information(best, 3e11)
    slope = infolaw.information_slope(LAW, 3e11 * np.array(best), SUPPLY, infolaw.densities(LAW), 7e9, 3e11)
    assert slope[0] == approx(slope[1], rel=1e-4)
    assert slope[2:].max() < slope[0]
    for step in (-0.02, 0.02):
        assert recipe_information([best[0] + step, best[1] - step, 0, 0, 0, 0], 3e11) < value


@given(passes, passes, st.floats(0, 1), costs)
def test_fill_is_concave_and_rises(low: float, high: float, weight: float, cost: float) -> None:
    low, high = sorted((low, high))
    between = weight * low + (1 - weight) * high
    g = infolaw.fill([low, between, high], cost)
    assert g[0] <= g[1] + 1e-12 <= g[2] + 2e-12
    assert g[1] >= weight * g[0] + (1 - weight) * g[2] - 1e-12
    assert 0 <= g[2] < 1 + 1e-12


@given(passes, costs)
def test_fill_is_the_smaller_of_its_two_pieces(e: float, cost: float) -> None:
    assert float(infolaw.fill(e, cost)) == approx(min(-math.expm1(-cost) * e, -math.expm1(-cost * e)), rel=1e-12)


@given(costs)
def test_the_kink_is_at_one_pass(cost: float) -> None:
    left, right = infolaw.fill_slope([math.nextafter(1, 0), 1.0], cost)
    assert left == approx(-math.expm1(-cost))
    assert right == approx(cost * math.exp(-cost))
    assert right < left


@given(passes.filter(lambda e: abs(e - 1) > 1e-3), costs)
def test_fill_slope_is_the_derivative(e: float, cost: float) -> None:
    step = 1e-6
    numeric = (infolaw.fill(e + step, cost) - infolaw.fill(e - step, cost)) / (2 * step)
    assert float(infolaw.fill_slope(e, cost)) == approx(float(numeric), abs=1e-8)


@given(st.floats(0, 5e11), st.integers(1, 10**11))
def test_information_slope_is_the_derivative(taken: float, supply: int) -> None:
    if abs(taken / supply - 1) < 1e-2:
        taken = 0.5 * supply
    step = 1e-4 * supply

    def info(x: float) -> float:
        return float(infolaw.information(LAW, x, supply, 0.4, 1e9, 1e11))

    numeric = (info(taken + step) - info(taken)) / step
    slope = float(infolaw.information_slope(LAW, taken + step / 2, supply, 0.4, 1e9, 1e11))
    assert slope == approx(numeric, rel=1e-5, abs=1e-9)


@given(st.floats(0, 4e11), st.floats(0.01, 0.99))
def test_splitting_a_bucket_changes_nothing(taken: float, part: float) -> None:
    supply = 3e10
    parts = np.array([part, 1 - part])
    whole = infolaw.information(LAW, taken, supply, 1.0, 1e9, 1e11)
    split = infolaw.information(LAW, taken * parts, supply * parts, 1.0, 1e9, 1e11).sum()
    assert float(split) == approx(float(whole), rel=1e-12)


def test_nothing_is_learnt_from_no_supply() -> None:
    assert infolaw.information(LAW, [0.0, 0.0], [0.0, 1e9], 1.0, 1e9, 1e11).tolist() == [0.0, 0.0]
    assert infolaw.information_slope(LAW, 0.0, 0.0, 1.0, 1e9, 1e11) == 0


@given(st.floats(1e6, 1e13))
def test_loss_falls_and_its_slope_is_the_derivative(info: float) -> None:
    step = 1e-5 * info
    numeric = (infolaw.loss(LAW, info + step) - infolaw.loss(LAW, info - step)) / (2 * step)
    assert float(infolaw.loss_slope(LAW, info)) == approx(float(numeric), rel=1e-6)
    assert numeric < 0


def test_densities_of_the_own_buckets() -> None:
    lows = (0.0, *LAW.edges[:-1])
    found = [interval_density(LAW, low, high) for low, high in zip(lows, LAW.edges, strict=True)]
    assert found == approx(infolaw.densities(LAW).tolist(), rel=1e-12)
    assert pool_density(LAW) == approx(float(np.diff((0.0, *LAW.edges)) @ infolaw.densities(LAW)))


@given(st.lists(ranks, max_size=6), st.integers(0, 10**15))
def test_another_cut_changes_no_total(extra: list[float], tokens: int) -> None:
    edges = with_edges(LAW.edges, extra)
    buckets = cut(tokens, edges, LAW)
    assert sum(bucket.tokens for bucket in buckets) == tokens
    assert all(bucket.tokens >= 0 for bucket in buckets)
    assert [bucket.high for bucket in buckets] == list(edges)
    mean = sum((bucket.high - bucket.low) * bucket.density for bucket in buckets)
    assert mean == approx(pool_density(LAW), rel=1e-9)
    assert all(a.density >= b.density - 1e-12 for a, b in pairwise(buckets))


@given(st.lists(ranks, max_size=6), st.integers(0, 10**15))
def test_an_inserted_edge_moves_no_other_boundary(extra: list[float], tokens: int) -> None:
    def above(edges: tuple[float, ...]) -> dict[float, int]:
        counts = np.cumsum([bucket.tokens for bucket in cut(tokens, edges, LAW)])
        return dict(zip(edges, counts.tolist(), strict=True))

    coarse, fine = above(LAW.edges), above(with_edges(LAW.edges, extra))
    assert {edge: fine[edge] for edge in LAW.edges} == coarse


def test_inserted_edges_are_kept_apart() -> None:
    assert with_edges((0.5, 1.0), [0.5 + 1e-9, 0.2, 0.0, 1.0, 0.2 + 1e-9]) == (0.2, 0.5, 1.0)
