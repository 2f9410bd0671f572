"""Sampling curves: how often a document is read, by its quality rank or score.

QuaDMix (arXiv 2504.16511), equation 3, of the rank r = 0 (best) .. 1 (worst) of a document among a domain's tokens:

    S(r) = (2 / (1 + exp(-lambda (omega - r))))^eta + epsilon    for r <= omega
           epsilon                                               for r >  omega

lambda, eta, epsilon >= 0 and 0 <= omega <= 1, so S never rises. As r is a percentile of tokens, a domain of T tokens
gives T F with F the integral of S over [0, 1], whatever its scores are.

QuRating's sampling without replacement, of a standardised score z at temperature T > 0 (arXiv 2402.09739):

    copies(z) = 1 - exp(-kappa exp(z / T))

kappa follows from the token budget. It overflows at low temperatures, so it is given and returned as a logarithm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# The bracket is analytic in v = lambda (omega - r), its nearest poles at +-i pi: on pieces of this width the quadrature
# is exact to rounding. Past FLAT it is 2^eta to rounding.
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(16)
PIECE, FLAT = 2.0, 40.0
LEAST_OMEGA = 1e-9  # a smaller one is not scaled up to 1


@dataclass(frozen=True, slots=True)
class Curve:
    """The parameters of equation 3 in one domain."""

    lam: float
    omega: float
    eta: float
    epsilon: float


def sampling_value(curve: Curve, rank: ArrayLike) -> Floats:
    """S(r), the expected copies of a document of each rank; at `omega` itself the upper value."""
    r = np.asarray(rank, dtype=np.float64)
    bracket = _bracket(curve, curve.lam * np.maximum(curve.omega - r, 0.0))
    return np.where(r <= curve.omega, bracket, 0.0) + curve.epsilon


def mean_value(curve: Curve, low: float, high: float) -> float:
    """The mean of S over ranks [low, high), exact to rounding; S(low) where the interval is empty."""
    if high <= low:
        return float(sampling_value(curve, low))
    inside = min(high, curve.omega) - low
    if inside <= 0:
        return curve.epsilon
    near, far = curve.lam * max(curve.omega - high, 0.0), curve.lam * (curve.omega - low)
    return _mean_bracket(curve, near, far) * (inside / (high - low)) + curve.epsilon


def fraction(curve: Curve) -> float:
    """F, the integral of S over all ranks: the tokens taken of a domain per token it has."""
    return mean_value(curve, 0.0, 1.0)


def omega_for_budget(curves: Sequence[Curve], tokens: Sequence[float], budget: float) -> tuple[Curve, ...] | None:
    """The curves with every omega times one factor, cut at 1, such that sum T_m F_m is `budget` tokens.

    None where no factor does: epsilon alone gives more, or whole domains give less.
    """
    widest = [curve.omega for curve, count in zip(curves, tokens, strict=True) if curve.omega > 0 and count > 0]

    def scaled(factor: float) -> tuple[Curve, ...]:
        return tuple(replace(curve, omega=min(1.0, factor * curve.omega)) for curve in curves)

    def taken(factor: float) -> float:
        parts = zip(scaled(factor), tokens, strict=True)
        return math.fsum(count * fraction(curve) for curve, count in parts)

    most = 1 / max(min(widest, default=1.0), LEAST_OMEGA)
    if not taken(0.0) <= budget <= taken(most):
        return None
    return scaled(_bisect(taken, 0.0, most, budget))


def temperature_copies(log_kappa: float, temperature: float, z: ArrayLike) -> Floats:
    """Expected copies, 0 to 1, of a document of each standardised score."""
    exponent = log_kappa + np.asarray(z, dtype=np.float64) / temperature
    return -np.expm1(-np.exp(np.minimum(exponent, 700.0)))  # short of overflow, far past where copies reach 1


def kappa_for_budget(tokens: ArrayLike, z: ArrayLike, temperature: float, budget: float) -> float:
    """ln kappa such that a histogram of `tokens` at scores `z` gives `budget` tokens, to rounding.

    -inf for a budget of none, inf for one of every token or more.
    """
    count, score = np.asarray(tokens, dtype=np.float64), np.asarray(z, dtype=np.float64)
    count, score = count[count > 0], score[count > 0]
    if budget <= 0:
        return -math.inf
    if budget >= count.sum():
        return math.inf
    part = budget / float(count.sum())

    def taken(log_kappa: float) -> float:
        return float((count * temperature_copies(log_kappa, temperature, score)).sum())

    # At the first even the best score has fewer copies than `part`, at the second even the worst has more.
    low = math.log(part) - float(score.max()) / temperature - 1.0
    high = math.log(-math.log1p(-part)) - float(score.min()) / temperature + 1.0
    return _bisect(taken, low, high, budget)


def _bracket(curve: Curve, v: Floats) -> Floats:
    """(2 / (1 + exp(-v)))^eta of v >= 0, which cannot overflow."""
    return (2.0 / (1.0 + np.exp(-v))) ** curve.eta


def _mean_bracket(curve: Curve, near: float, far: float) -> float:
    """The mean of the bracket over v in [near, far], without the difference of two integrals."""
    if far <= near:
        return float(_bracket(curve, np.asarray(near)))
    end = min(far, max(near, FLAT))
    edges = np.linspace(near, end, max(1, math.ceil((end - near) / PIECE)) + 1)
    middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    values = _bracket(curve, middle[:, None] + half[:, None] * NODES) @ NODE_WEIGHTS / 2
    flat = (far - end) / (far - near)
    return float(values.mean()) * (1 - flat) + math.exp2(curve.eta) * flat


def _bisect(taken: Callable[[float], float], low: float, high: float, budget: float) -> float:
    """The largest argument found in [low, high] at which the rising function `taken` is `budget` at most."""
    for _ in range(200):
        middle = low + (high - low) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if taken(middle) <= budget else (low, middle)
    return low
