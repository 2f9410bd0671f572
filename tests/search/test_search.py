"""The search against truths that are known: the reference data's convex one, and ones of several optima.

`python -m tests.bench.search` prints all seeds; here are enough of them to notice when something breaks. Formulas and
optima score the answers and are shown to no search.
"""

from __future__ import annotations

import numpy as np
import pytest
from pytest import approx

from mixc.backends.search.search import Found, search, skill
from mixc.backends.search.space import Floats, MixtureSpace, ThetaSpace
from tests.search import convex, multimodal
from tests.search.multimodal import Truth

DRAWS = 20_000


def found(truth: Truth, theta: Floats, losses: Floats, seed: int = 0) -> tuple[Found, list[float]]:
    """The search on runs, and the true losses of the answer, the best run, the paper's search and Algorithm 1."""
    domains, raters = theta.shape[1], theta.shape[2] - 4
    tokens = truth.tokens or (1.0,) * domains
    space = ThetaSpace(tuple(f"d{m}" for m in range(domains)), tuple("xyz"[:raters]), "linear", tokens)
    answer = search(space, space.units(theta), losses, seed=seed, draws=DRAWS)
    points = np.array([point.u for point in (answer.best, *answer.baselines)])
    return answer, truth.loss(space.theta(points)).tolist()


def test_the_convex_truth() -> None:
    answer, (mine, best_run, papers, middle) = found(convex.convex(), *convex.runs(noise=1))
    assert mine <= 3.03 < convex.SAID < convex.MIDDLE
    assert mine < papers < middle < best_run
    assert answer.skills[0].mae < answer.skills[1].mae
    assert answer.best.predicted == approx(mine, abs=4 * answer.best.deviation)


@pytest.mark.parametrize("make", [multimodal.wells, multimodal.separable, multimodal.shares])
def test_truths_of_several_optima(make: object) -> None:
    truth = make(multimodal.SEEDS[1])  # type: ignore[operator]
    theta, losses = multimodal.noisy(truth, multimodal.SEEDS[1], runs=1500)
    _, (mine, best_run, papers, middle) = found(truth, theta, losses)
    assert mine <= min(papers, middle, best_run)


def test_few_runs_are_no_reason_to_leave_what_is_known() -> None:
    truth = multimodal.separable(1)
    _, (mine, best_run, _, middle) = found(truth, *multimodal.noisy(truth, 1, runs=60))
    assert mine < max(best_run, middle)


def test_the_same_runs_give_the_same_answer() -> None:
    truth = multimodal.separable(2)
    runs = multimodal.noisy(truth, 2, runs=80)
    first, second = found(truth, *runs)[0], found(truth, *runs)[0]
    assert np.array_equal(first.best.u, second.best.u) and first.best.predicted == second.best.predicted


def test_noise_alone_is_seen_to_be_noise() -> None:
    theta, _ = multimodal.noisy(multimodal.separable(1), 1, runs=150)
    losses = np.random.default_rng(8).standard_normal(150)
    answer, _ = found(Truth("nothing", lambda theta: theta[:, 0, 0]), theta, losses)
    assert max(one.r2 for one in answer.skills) < 0.25


def test_mixtures_as_regmix_has_them() -> None:
    """A log-linear truth with a curve on top: better than the mean of draws, the best run and the best by LightGBM."""
    random = np.random.default_rng(9)
    space = MixtureSpace(tuple("abcdef"), (0.4, 0.25, 0.15, 0.1, 0.07, 0.03), (0.8,) * 6)
    slope, optimum = random.normal(0, 0.3, 6), np.array([0.1, 0.05, 0.35, 0.2, 0.2, 0.1])

    def loss(u: Floats) -> Floats:
        return np.asarray(2.0 + np.exp(u @ slope) + 1.5 * ((u - optimum) ** 2).sum(axis=-1))

    u = space.draw(300, 1)
    losses = loss(u) + 0.01 * random.standard_normal(300)
    answer = search(space, u, losses, draws=DRAWS)
    assert [point.name.split()[0] for point in answer.baselines] == ["best", "LightGBM,", "mean", "log-linear"]
    assert answer.best.u.sum() == approx(1.0, abs=1e-9) and answer.best.u.max() <= 0.8
    true = [float(loss(point.u)) for point in (answer.best, *answer.baselines)]
    assert true[0] == min(true)


def test_skill_by_hand() -> None:
    one = skill("x", np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    assert (one.mae, one.r2, one.spearman) == (approx(1 / 3), approx(0.5), approx(1.0))
