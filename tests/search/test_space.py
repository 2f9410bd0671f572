"""Spaces: coordinates, features by closed forms, gradients by differences, mixtures by their caps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from mixc.backends.quadmix.sampler import LambdaLaw, curves_of, draw_parameters
from mixc.backends.search.descent import settled, spread_out
from mixc.backends.search.mixtures import draw_mixtures
from mixc.backends.search.space import MixtureSpace, Space, ThetaSpace, fractions
from mixc.compiler.laws.sampling import fraction

TOKENS = (5.0, 1.0, 2.0)


def theta_space(law: LambdaLaw = "linear") -> ThetaSpace:
    return ThetaSpace(("web", "books", "code"), ("edu", "fine"), law, TOKENS)


MIXTURE = MixtureSpace(("web", "books", "code"), (0.6, 0.3, 0.1), (0.7, 0.6, 0.5))


def test_columns_are_named_by_domain_and_rater() -> None:
    assert theta_space().names[:6] == (
        *("alpha:web:edu", "alpha:web:fine", "lambda:web", "omega:web", "eta:web", "epsilon:web"),
    )
    assert MIXTURE.names == ("web", "books", "code")


@pytest.mark.parametrize("law", ["linear", "log"])
def test_units_are_those_of_algorithm_1(law: LambdaLaw) -> None:
    theta = draw_parameters(50, 3, 2, lambda_law=law, seed=1)
    space = theta_space(law)
    u = space.units(theta)
    assert u.min() >= 0 and u.max() <= 1
    assert space.theta(u) == approx(theta, rel=1e-12)


@pytest.mark.parametrize("law", ["linear", "log"])
def test_fractions_are_the_law_s(law: LambdaLaw) -> None:
    theta = draw_parameters(100, 3, 2, lambda_law=law, seed=2)
    exact = [[fraction(curve) for curve in curves_of(one)] for one in theta]
    assert fractions(theta[..., -4:]) == approx(np.array(exact), rel=1e-6)


def test_shares_and_the_total_follow_from_the_fractions() -> None:
    space = theta_space()
    u = space.draw(4, 3)
    features, taken = space.features(u), fractions(space.theta(u)[..., -4:]) * np.array(TOKENS)
    shares = features[:, space.kinds == 8]
    assert np.exp(shares) == approx(taken / taken.sum(axis=1, keepdims=True), rel=1e-12)
    assert np.exp(features[:, -1]) == approx(taken.sum(axis=1) / sum(TOKENS), rel=1e-12)


@pytest.mark.parametrize(
    "space", [theta_space("linear"), theta_space("log"), MIXTURE], ids=["linear", "log", "mixture"]
)
def test_gradients_are_those_of_the_features(space: Space) -> None:
    u = space.draw(1, 4)[0] * 0.9 + 0.02
    slope = np.random.default_rng(5).standard_normal(len(space.blocks))
    numeric = [
        (space.features((u + step)[None])[0] - space.features((u - step)[None])[0]) @ slope / 2e-6
        for step in 1e-6 * np.eye(len(u))
    ]
    assert space.pull(u, slope) == approx(np.array(numeric), rel=1e-5, abs=1e-5)


@given(
    prior=st.lists(st.floats(0.01, 1), min_size=2, max_size=8),
    slack=st.floats(1.05, 4),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=40, deadline=None)
def test_mixtures_keep_their_caps(prior: list[float], slack: float, seed: int) -> None:
    weights = np.array(prior) / sum(prior)
    caps = np.minimum(1.0, slack * weights)
    shares = draw_mixtures(30, weights, caps, seed)
    assert shares.shape == (30, len(prior))
    assert shares.min() >= 0 and (shares <= caps + 1e-9).all()
    assert shares.sum(axis=1) == approx(1.0, abs=1e-6)
    assert np.array_equal(shares, draw_mixtures(30, weights, caps, seed))


def test_a_point_settles_on_its_simplexes() -> None:
    raw = np.array([0.9, 0.7, -0.2])  # clipped to 0.7, 0.6, 0
    assert settled(MIXTURE, raw) == approx([7 / 13, 6 / 13, 0.0])
    assert settled(MIXTURE, np.array([0.7, 0.1, 0.0])) == approx([0.7, 0.3, 0.0])
    u = settled(theta_space(), np.full(18, 0.3))
    assert [u[group].sum() for group in theta_space().groups] == approx([1.0] * 3)


def test_starts_are_spread_out() -> None:
    points = np.array([[0.0], [0.1], [1.0], [0.5]])
    assert spread_out(points, np.arange(4), 3).tolist() == [[0.0], [1.0], [0.5]]
    assert len(spread_out(points, np.arange(2), 5)) == 2
