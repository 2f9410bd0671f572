"""Surrogates: derivatives by differences, leaving one out by leaving it out, laws recovered from their own runs."""

from __future__ import annotations

import numpy as np
import pytest
from pytest import approx

from mixc.backends.search.boosted import fit_boosted
from mixc.backends.search.evidence import evidence
from mixc.backends.search.kernels import Weights, kernel
from mixc.backends.search.loglinear import LogLinear, best_mixture, fit_log_linear
from mixc.backends.search.smooth import Smooth, fit_smooth
from mixc.backends.search.space import Floats, ThetaSpace

SPACE = ThetaSpace(("web", "books"), ("edu", "fine"), "linear", (1.0, 3.0))


@pytest.fixture(scope="module")
def fitted() -> tuple[Floats, Floats, Smooth]:
    """Features, losses and process of 90 runs of a bent truth."""
    u = SPACE.draw(90, 1)
    losses = 3.0 + (u[:, 3] - 0.6) ** 2 + 0.3 * np.sin(4 * u[:, 10]) + 0.01 * np.cos(50 * u[:, 0])
    features = SPACE.features(u)
    return features, losses, fit_smooth(features, losses, SPACE.blocks, SPACE.kinds, 0)


def test_evidence_has_the_gradient_it_says(fitted: tuple[Floats, Floats, Smooth]) -> None:
    features, losses, _ = fitted
    x = ((features - features.mean(axis=0)) / features.std(axis=0))[:40]
    y = ((losses - losses.mean()) / losses.std())[:40]
    flat = np.random.default_rng(2).normal(-1.0, 0.3, SPACE.kinds.max() + 1 + 2 * (SPACE.blocks.max() + 1) + 4)

    def told(at: Floats) -> tuple[float, Floats]:
        return evidence(at, flat * 0, x, y, SPACE.blocks, SPACE.kinds)

    numeric = [(told(flat + step)[0] - told(flat - step)[0]) / 2e-5 for step in 1e-5 * np.eye(len(flat))]
    assert told(flat)[1] == approx(np.array(numeric), rel=1e-4, abs=1e-5)


def test_a_point_has_the_gradient_it_says(fitted: tuple[Floats, Floats, Smooth]) -> None:
    features, _, process = fitted
    at = features[3] + 0.1
    numeric = [(process.at(at + s, 2.0)[0] - process.at(at - s, 2.0)[0]) / 2e-5 for s in 1e-5 * np.eye(len(at))]
    assert process.at(at, 2.0)[1] == approx(np.array(numeric), rel=1e-4, abs=1e-6)
    both = process.predict(at[None]) + 2.0 * process.deviation(at[None])
    assert process.at(at, 2.0)[0] == approx(float(both[0]), rel=1e-9)


def test_leaving_one_out_is_leaving_one_out() -> None:
    u = SPACE.draw(520, 1)
    features, losses = SPACE.features(u), 3.0 + (u[:, 3] - 0.6) ** 2
    process = fit_smooth(features, losses, SPACE.blocks, SPACE.kinds, 0)
    keep = np.arange(len(losses)) != 7
    y, z = (losses - process.level) / process.scale, process.z
    inner = kernel(z[keep], z[keep], process.weights, process.blocks) + process.weights.variance * np.eye(keep.sum())
    across = kernel(z[7:8], z[keep], process.weights, process.blocks)[0]
    alone = process.level + process.scale * across @ np.linalg.solve(inner, y[keep])
    assert process.left_out[7] == approx(alone, rel=1e-6)
    assert process.fresh.sum() == 260


def test_a_bent_truth_is_learned(fitted: tuple[Floats, Floats, Smooth]) -> None:
    _, losses, process = fitted
    assert np.corrcoef(process.left_out, losses)[0, 1] > 0.98
    assert ((process.left_out - losses) / process.doubt).std() == approx(1.0, abs=0.6)


def test_a_kernel_is_symmetric_and_of_no_negative_value() -> None:
    weights = Weights.of(np.full(SPACE.kinds.max() + 1 + 2 * 3 + 4, -0.5), SPACE.kinds.max() + 1, 3)
    z = np.random.default_rng(3).standard_normal((30, len(SPACE.blocks)))
    matrix = kernel(z, z, weights, SPACE.blocks)
    assert matrix == approx(matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > -1e-9 * np.linalg.eigvalsh(matrix).max()


def test_boosting_gives_the_same_trees_again() -> None:
    u = SPACE.draw(200, 4)
    losses = u[:, 3] + 0.1 * u[:, 0]
    first, second = (fit_boosted(SPACE.features(u), losses, 5) for _ in range(2))
    assert np.array_equal(first.left_out, second.left_out)
    assert np.array_equal(first.predict(SPACE.features(u[:9])), second.predict(SPACE.features(u[:9])))
    assert np.corrcoef(first.left_out, losses)[0, 1] > 0.9
    assert first.deviation(SPACE.features(u[:9])).min() >= 0


def test_a_mixing_law_is_recovered() -> None:
    truth = LogLinear(2.0, np.array([0.3, -0.8, 0.1]))
    shares = np.random.default_rng(6).dirichlet(np.ones(3), 60)
    law = fit_log_linear(shares, truth.predict(shares))
    assert law.predict(shares) == approx(truth.predict(shares), abs=2e-4)


def test_the_best_mixture_fills_the_best_domain_to_its_cap() -> None:
    law = LogLinear(2.0, np.array([0.3, -0.8, 0.1]))
    assert best_mixture([law], [1.0], np.array([1.0, 0.7, 0.2])) == approx([0.1, 0.7, 0.2], abs=1e-5)


def test_the_best_mixture_of_opposite_losses_lies_between() -> None:
    one, other = LogLinear(1.0, np.array([1.0, -1.0])), LogLinear(1.0, np.array([-1.0, 1.0]))
    assert best_mixture([one, other], [1.0, 1.0], np.ones(2)) == approx([0.5, 0.5], abs=1e-4)
