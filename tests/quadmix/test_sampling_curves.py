"""Sampling curves: the oracle's grid, integrals against quadrature, and budgets met."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy.integrate import quad

from mixc.compiler.laws.sampling import (
    Curve,
    fraction,
    kappa_for_budget,
    mean_value,
    omega_for_budget,
    sampling_value,
    temperature_copies,
)
from tests.reference_data import shared_file

lambdas = st.one_of(st.just(0.0), st.floats(1e-12, 1e4), st.floats(0, 30))
curves = st.builds(Curve, lambdas, st.floats(0, 1), st.floats(0, 4), st.floats(0, 0.1))
ranks = st.floats(0, 1)


def numeric(curve: Curve, low: float, high: float) -> float:
    """The integral of S by adaptive quadrature, told where the curve jumps and where it bends."""
    bends = [curve.omega - v / curve.lam for v in (1, 4, 16, 64)] if curve.lam > 1e-3 else []
    edges = sorted({low, high, *(p for p in (curve.omega, *bends) if low < p < high)})
    parts = []
    for a, b in pairwise(edges):
        inside = Curve(curve.lam, curve.omega if b <= curve.omega else -1.0, curve.eta, curve.epsilon)
        if b - a < 1e-14:  # too narrow for scipy, and flat
            parts.append((b - a) * float(sampling_value(inside, (a + b) / 2)))
            continue
        parts.append(quad(lambda r, inside=inside: float(sampling_value(inside, r)), a, b, epsabs=0, epsrel=1e-13)[0])
    return math.fsum(parts)


def closed_form(lam: float, omega: float) -> float:
    """The integral of the bracket for eta = 1: (2 / lambda) ln((1 + exp(lambda omega)) / 2)."""
    x = lam * omega
    return 2 / lam * (x + math.log1p(math.expm1(-x) / 2))


def test_the_oracle_s_grid() -> None:
    table = pq.read_table(shared_file("oracle/quadmix/sampling_function_grid.parquet"))
    assert table.num_rows == 3600
    for row in table.to_pylist():
        curve = Curve(row["lambda"], row["omega"], row["eta"], row["epsilon"])
        np.testing.assert_array_max_ulp(sampling_value(curve, row["r"]), np.float64(row["S"]), maxulp=4)


@given(curves, ranks, ranks)
def test_a_better_document_is_never_read_less(curve: Curve, one: float, other: float) -> None:
    better, worse = sampling_value(curve, sorted((one, other)))
    assert better >= worse
    assert curve.epsilon <= worse and better <= 2.0**curve.eta + curve.epsilon


@given(curves)
def test_the_bracket_is_one_at_omega_and_falls_to_nothing_past_it(curve: Curve) -> None:
    at, past = sampling_value(curve, [curve.omega, np.nextafter(curve.omega, 2)])
    assert (at, past) == (1.0 + curve.epsilon, curve.epsilon)


@settings(deadline=None)
@given(curves)
@example(Curve(1e4, 1.0, 4.0, 0.0))
@example(Curve(1e-12, 1.0, 4.0, 0.0))
@example(Curve(1e308, 0.5, 1.0, 0.0))
def test_the_fraction_is_the_integral(curve: Curve) -> None:
    assert fraction(curve) == approx(numeric(curve, 0, 1), rel=1e-12, abs=1e-300)


@settings(deadline=None)
@given(curves, ranks, ranks)
def test_the_mean_is_the_integral_over_the_width(curve: Curve, one: float, other: float) -> None:
    low, high = sorted((one, other))
    if high - low > 1e-9:  # a narrower one cannot be integrated numerically to this accuracy
        assert mean_value(curve, low, high) == approx(numeric(curve, low, high) / (high - low), rel=1e-11, abs=1e-300)


@given(st.floats(1e-9, 1e6), st.floats(1e-6, 1))
def test_the_fraction_for_eta_1_is_the_closed_form(lam: float, omega: float) -> None:
    assert fraction(Curve(lam, omega, 1.0, 0.0)) == approx(closed_form(lam, omega), rel=1e-13)


@given(curves, st.lists(ranks, min_size=1, max_size=8))
def test_means_add_up(curve: Curve, inner: list[float]) -> None:
    edges = sorted({0.0, *inner, 1.0})
    parts = [(b - a) * mean_value(curve, a, b) for a, b in pairwise(edges)]
    assert math.fsum(parts) == approx(fraction(curve), rel=1e-12, abs=1e-300)


@given(curves, ranks, st.floats(0, 1e-6))
def test_the_mean_of_an_interval_is_between_its_ends(curve: Curve, low: float, width: float) -> None:
    high = low + width
    mean = mean_value(curve, low, high)
    assert sampling_value(curve, high) * (1 - 1e-14) <= mean <= sampling_value(curve, low) * (1 + 1e-14)


@pytest.mark.parametrize("eta", [0.0, 0.5, 20.0])
def test_no_parameter_overflows(eta: float) -> None:
    with np.errstate(all="raise", under="ignore"):
        for lam in (0.0, 5e-324, 1e3, 1e308):
            curve = Curve(lam, 1.0, eta, 0.0)
            assert np.isfinite(sampling_value(curve, [0.0, 0.5, 1.0])).all()
            assert 1 - 1e-15 <= fraction(curve) <= 2.0**eta * (1 + 1e-15)


def test_lambda_or_eta_of_zero_is_a_plain_cut() -> None:
    for curve in (Curve(0.0, 0.25, 3.0, 0.01), Curve(50.0, 0.25, 0.0, 0.01)):
        assert fraction(curve) == approx(0.26, rel=1e-15)


wide_enough = curves.filter(lambda curve: curve.omega == 0 or curve.omega > 1e-9)
pools = st.lists(st.tuples(wide_enough, st.floats(1, 1e13)), min_size=1, max_size=6)


@settings(deadline=None)
@given(pools, st.floats(0, 1))
def test_a_budget_is_met_by_scaling_omega(pool: Any, part: float) -> None:
    given_curves, tokens = zip(*pool, strict=True)
    least = math.fsum(t * c.epsilon for c, t in pool)
    wide = [Curve(c.lam, 1.0 if c.omega > 0 else 0.0, c.eta, c.epsilon) for c in given_curves]
    most = math.fsum(t * fraction(c) for c, t in zip(wide, tokens, strict=True))
    budget = least + part * (most - least)
    found = omega_for_budget(given_curves, tokens, budget)
    if found is None:  # only at the ends, by rounding
        assert budget == approx(least, rel=1e-12) or budget == approx(most, rel=1e-12)
        return
    taken = math.fsum(t * fraction(c) for c, t in zip(found, tokens, strict=True))
    assert taken <= budget and taken == approx(budget, rel=1e-9)
    kept = [(a.lam, a.eta, a.epsilon) == (b.lam, b.eta, b.epsilon) for a, b in zip(given_curves, found, strict=True)]
    assert all(kept)
    scaled = [(a.omega, b.omega) for a, b in zip(given_curves, found, strict=True) if 0 < b.omega < 1]
    assert all(b == approx(a * scaled[0][1] / scaled[0][0]) for a, b in scaled)


def test_a_budget_out_of_reach_has_no_curves() -> None:
    given_curves, tokens = (Curve(5.0, 0.1, 1.0, 0.01),), (1e9,)
    assert omega_for_budget(given_curves, tokens, 1e7 - 1) is None
    assert omega_for_budget(given_curves, tokens, 2e9) is None
    assert omega_for_budget(given_curves, tokens, 1.5e9) is not None


levels = st.lists(st.tuples(st.integers(0, 10**12), st.floats(-8, 8)), min_size=1, max_size=50)


@settings(deadline=None)
@given(levels, st.floats(1e-3, 20), st.floats(1e-6, 1 - 1e-6))
def test_a_temperature_takes_the_budget(histogram: Any, temperature: float, part: float) -> None:
    tokens, z = (np.array(column, dtype=float) for column in zip(*histogram, strict=True))
    budget = part * tokens.sum()
    copies = temperature_copies(kappa_for_budget(tokens, z, temperature, budget), temperature, z)
    assert ((copies >= 0) & (copies <= 1)).all()
    assert (np.diff(copies[np.argsort(z)]) >= -1e-15).all()
    taken = float((copies * tokens).sum())
    # At low temperatures neighbouring kappas differ by this much.
    assert taken == approx(budget, rel=1e-14 * (100 + 8 / temperature))


def test_a_budget_of_nothing_or_of_everything() -> None:
    tokens, z = np.array([3.0, 5.0, 0.0]), np.array([-1.0, 1.0, 400.0])
    assert temperature_copies(kappa_for_budget(tokens, z, 1.0, 0.0), 1.0, z).tolist() == [0, 0, 0]
    for budget in (8.0, 9.0):
        assert temperature_copies(kappa_for_budget(tokens, z, 1.0, budget), 1.0, z).tolist() == [1, 1, 1]
    assert kappa_for_budget(np.zeros(0), np.zeros(0), 1.0, 0.0) == -math.inf


def test_low_temperature_takes_the_best_and_high_temperature_takes_evenly() -> None:
    tokens, z = np.full(1000, 1.0), np.linspace(-3, 3, 1000)
    cold = temperature_copies(kappa_for_budget(tokens, z, 1e-3, 250.0), 1e-3, z)
    assert cold[-249:].min() > 0.99 and cold[:749].max() < 0.01
    warm = temperature_copies(kappa_for_budget(tokens, z, 1e4, 250.0), 1e4, z)
    assert warm == approx(0.25, rel=1e-3)


def test_copies_are_gumbel_top_k() -> None:
    """QuRating's draw: the documents with the largest z / T plus Gumbel noise."""
    random = np.random.default_rng(0)
    n, taken, temperature = 2000, 400, 2.0
    z = np.linspace(-3, 3, n)
    hits = np.zeros(n)
    for noise in random.gumbel(size=(400, n)):
        hits[np.argpartition(-(z / temperature + noise), taken)[:taken]] += 1 / 400
    copies = temperature_copies(kappa_for_budget(np.ones(n), z, temperature, taken), temperature, z)
    assert np.abs(hits.reshape(20, -1).mean(axis=1) - copies.reshape(20, -1).mean(axis=1)).max() < 0.01
