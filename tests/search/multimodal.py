"""Truths that the search is judged by, and was not made for: written, with their seeds, before the search was tuned.

A convex truth flatters whatever averages. These have several optima, so that the mean of good points can be a bad one.
Coordinates of theta [M, N + 4]: x = (weights of raters, lambda / 1000, omega / 0.1, eta, 1000 epsilon), all
within 0 and 1, with the stiffness of the reference data's convex truth (2, 0.5, 4, 1, 0.2).

    wells       3 + softmin_k(depth_k + Q_k), Q_k the quadratic form around centre k: the first two centres mirror each
                other through the middle, so that the mean of the two lies where the loss is highest between them
    separable   3 + sum_m v_m softmin(Q_m1, 0.1 + Q_m2): each domain has a good and a second best place, 2^M optima
    shares      what QuaDMix is for: domain m gives s_m = T_m F_m of the tokens taken; 3 + 2 KL(s*, s) + repetition
                + sum_m s_m (0.6 |alpha_m - alpha*_m|^2 + (1 - top_m)), so nothing is additive, and no parameter is
                told but through F and the height of the curve
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixc.backends.quadmix.sampler import curves_of, draw_parameters
from mixc.compiler.laws.sampling import fraction

Floats = NDArray[np.float64]
SEEDS = (11, 12, 13, 14, 15)
DOMAINS, RATERS, RUNS, NOISE = 4, 3, 3000, 0.1
STIFF = np.array([2.0, 2.0, 2.0, 0.5, 4.0, 1.0, 0.2])
SCALE = np.array([1.0, 1.0, 1.0, 1e-3, 10.0, 1.0, 1e3])
SOFT = 0.02


@dataclass(frozen=True, slots=True)
class Truth:
    """A loss of thetas [n, M, N + 4] -> [n]."""

    name: str
    loss: Callable[[Floats], Floats]
    tokens: tuple[float, ...] | None = None  # of each domain, where the loss depends on them


def wells(seed: int) -> Truth:
    """Three wells of the whole theta; the deepest is 3 less what the others soften."""
    random = np.random.default_rng([1, seed])
    centre = _centres(3, random)
    centre[1, :, RATERS:] = 1.0 - centre[0, :, RATERS:]
    depth = np.array([0.0, 0.1, 0.2])
    v = random.dirichlet(np.full(DOMAINS, 5.0))

    def loss(theta: Floats) -> Floats:
        away = (theta * SCALE)[:, None] - centre
        return 3.0 + _softmin(depth + (away**2 @ STIFF) @ v)

    return Truth(f"wells {seed}", loss)


def separable(seed: int) -> Truth:
    """Two wells of each domain, apart from all others."""
    random = np.random.default_rng([2, seed])
    centre = _centres(2, random)
    centre[0, :, RATERS:] = np.where(random.random((DOMAINS, 4)) < 0.5, 0.2, 0.8)
    centre[1, :, RATERS:] = 1.0 - centre[0, :, RATERS:]
    v = random.dirichlet(np.full(DOMAINS, 5.0))

    def loss(theta: Floats) -> Floats:
        away = (theta * SCALE)[:, None] - centre
        return 3.0 + np.moveaxis(_softmin(np.moveaxis(away**2 @ STIFF + [[0.0], [0.1]], 1, -1)), -1, 0).T @ v

    return Truth(f"separable {seed}", loss)


def shares(seed: int) -> Truth:
    """The loss of what a selection holds, not of its parameters."""
    random = np.random.default_rng([3, seed])
    tokens = random.lognormal(0.0, 0.7, DOMAINS)
    wanted = random.dirichlet(np.full(DOMAINS, 3.0))
    alpha = _centres(1, random)[0, :, :RATERS]

    def loss(theta: Floats) -> Floats:
        taken = np.array([[fraction(curve) for curve in curves_of(one)] for one in theta])
        share = taken * tokens
        share /= share.sum(axis=1, keepdims=True)
        off = ((theta[..., :RATERS] - alpha) ** 2).sum(axis=2)
        lam, omega, eta = theta[..., RATERS], theta[..., RATERS + 1], theta[..., RATERS + 2]
        top = (2.0 / (1.0 + np.exp(-lam * omega))) ** eta - 1.0
        apart = (wanted * np.log(wanted / share)).sum(axis=1)
        few = 0.05 * np.log((taken @ tokens / tokens.sum()) / 0.05) ** 2
        return np.asarray(3.0 + 2.0 * apart + few + (share * (0.6 * off + (1.0 - top))).sum(axis=1))

    return Truth(f"shares {seed}", loss, tuple(tokens.tolist()))


def noisy(truth: Truth, seed: int, runs: int = RUNS) -> tuple[Floats, Floats]:
    """Thetas of Algorithm 1 and their losses with noise of a tenth of their spread."""
    theta = draw_parameters(runs, DOMAINS, RATERS, lambda_law="linear", seed=seed)
    clean = truth.loss(theta)
    return theta, clean + NOISE * clean.std() * np.random.default_rng([4, seed]).standard_normal(runs)


def _centres(count: int, random: np.random.Generator) -> Floats:
    """Centres [count, M, N + 4]: weights of raters as Algorithm 1 draws them, the others away from the middle."""
    centre = draw_parameters(count, DOMAINS, RATERS, lambda_law="linear", seed=int(random.integers(2**31))) * SCALE
    side = random.random((count, DOMAINS, 4)) < 0.5
    low, high = random.uniform(0.05, 0.35, side.shape), random.uniform(0.65, 0.95, side.shape)
    centre[..., RATERS:] = np.where(side, low, high)
    return centre


def _softmin(values: Floats) -> Floats:
    """A smooth minimum along the last axis, at most SOFT ln(n) below the least."""
    least = values.min(axis=-1, keepdims=True)
    return np.asarray(least[..., 0] - SOFT * np.log(np.exp(-(values - least) / SOFT).sum(axis=-1)))
