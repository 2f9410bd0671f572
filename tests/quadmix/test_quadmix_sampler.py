"""Algorithm 1: the oracle's draws and moments, for both readings of lambda."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pytest import approx

from mixc.backends.quadmix.sampler import LambdaLaw, curves_of, draw_parameters, weights_of
from mixc.compiler.laws.sampling import fraction
from tests.reference_data import shared_file

SHAPES = [(26, 3), (4, 3), (4, 5)]


@pytest.mark.parametrize(("domains", "raters"), SHAPES)
def test_the_oracle_s_moments(domains: int, raters: int) -> None:
    said = json.loads(shared_file("oracle/quadmix/alg1_moments.json").read_text())[f"M{domains}_N{raters}"]
    theta = draw_parameters(20_000, domains, raters, lambda_law="linear", seed=1)
    alpha, beta = weights_of(theta), theta[..., -4:]
    assert alpha.mean() == approx(said["alpha_mean"], rel=1e-12)
    assert alpha.var() == approx(said["alpha_var"], rel=0.04)
    for q, value in said["alpha_quantiles"].items():
        assert np.quantile(alpha, float(q)) == approx(value, rel=0.04, abs=3e-4)
    assert alpha.mean(axis=1).std() == approx(said["alpha_within_draw_mean_over_domains_std"], rel=0.04)
    flat = beta.reshape(-1, 4)
    assert flat.mean(axis=0) == approx(said["beta_mean"], rel=0.02)
    assert flat.var(axis=0) == approx(said["beta_var"], rel=0.03)
    assert flat.max(axis=0) == approx(said["beta_max"], rel=1e-3)


@pytest.mark.parametrize(("domains", "raters"), SHAPES)
def test_the_oracle_s_first_draw(domains: int, raters: int) -> None:
    """Its order of random numbers is ours, so that its searches can be run again from the seed."""
    said = json.loads(shared_file("oracle/quadmix/alg1_moments.json").read_text())[f"M{domains}_N{raters}"]
    first = draw_parameters(said["draws"], domains, raters, lambda_law="linear", seed=said["seed"])[0]
    expected = np.array(said["first_draw_sample_batch_seed0"])
    assert np.concatenate([first[:, :-4].ravel(), first[:, -4:].ravel()]) == approx(expected, rel=1e-12)


@pytest.mark.parametrize(("law", "key"), [("linear", "lambda=1000*U"), ("log", "lambda=10**(3U)")])
def test_the_oracle_s_selected_fraction(law: LambdaLaw, key: str) -> None:
    said = json.loads(shared_file("oracle/quadmix/alg1_moments.json").read_text())["selected_token_fraction_per_domain"]
    draws = draw_parameters(400, 26, 3, lambda_law=law, seed=2)
    values = np.array([fraction(curve) for theta in draws for curve in curves_of(theta)])
    assert values.mean() == approx(said[key]["mean"], rel=0.03)
    assert values.std() == approx(said[key]["std"], rel=0.03)


@pytest.mark.parametrize("law", ["linear", "log"])
def test_every_draw_is_valid_and_follows_from_the_seed(law: LambdaLaw) -> None:
    theta = draw_parameters(500, 5, 3, lambda_law=law, seed=7)
    alpha, (lam, omega, eta, epsilon) = weights_of(theta), np.moveaxis(theta[..., -4:], -1, 0)
    assert theta.shape == (500, 5, 7) and (alpha >= 0).all()
    assert alpha.sum(axis=2) == approx(1.0, rel=1e-14)
    assert (lam >= 0).all() and (lam <= 1000).all() and omega.max() < 0.1 and eta.max() < 1 and epsilon.max() < 0.001
    assert np.array_equal(theta, draw_parameters(500, 5, 3, lambda_law=law, seed=7))
    assert not np.array_equal(theta, draw_parameters(500, 5, 3, lambda_law=law, seed=8))


def test_the_readings_of_lambda_share_everything_else() -> None:
    linear, log = (draw_parameters(1000, 4, 3, lambda_law=law, seed=3) for law in ("linear", "log"))
    other = [column for column in range(7) if column != 3]
    assert np.array_equal(linear[..., other], log[..., other])
    assert log[..., 3] == approx(10 ** (3 * linear[..., 3] / 1000))
    assert np.median(log[..., 3]) == approx(10**1.5, rel=0.1)
