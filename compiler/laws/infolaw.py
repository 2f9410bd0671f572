"""InfoLaw (arXiv 2605.02364) as pure functions of arrays: value and slope of each step.

A bucket with U unique tokens and quality density f, of which x tokens are read, e = x / U passes, by a model of N
parameters that reads K tokens in all, has

    lam  = a ln N + b                                  learning rate of the model
    c    = lam / ln K                                  what one pass of repetition costs
    g(e) = e (1 - exp(-c))      for e <= 1             fill: the first pass is linear,
           1 - exp(-c e)        for e >= 1             later ones saturate; a kink at e = 1
    info = U f ln K g(x / U)                           in tokens of the best bucket
    L    = alpha (info / 1e9)^-beta                    nats per token

Everything broadcasts; arguments and results are float64.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mixc.compiler.problem import InfoLaw

Floats = NDArray[np.float64]
INFO_UNIT = 1e9  # tokens


def learning_rate(law: InfoLaw, params: float) -> float:
    """lam = a ln N + b of a model of `params` parameters."""
    return law.a * math.log(params) + law.b


def repetition_cost(law: InfoLaw, params: float, tokens: float) -> float:
    """c = lam / ln K for a run of `tokens` tokens in all."""
    return learning_rate(law, params) / math.log(tokens)


def densities(law: InfoLaw) -> Floats:
    """f_d = exp(-theta d) of the calibration's own buckets, best first."""
    value: Floats = np.exp(-law.theta * np.arange(len(law.edges)))
    return value


def fill(passes: ArrayLike, cost: float) -> Floats:
    """g(e): the part of a bucket's information that e >= 0 passes realise; concave, rising from 0 towards 1."""
    e = np.asarray(passes, dtype=np.float64)
    return np.where(e <= 1, -np.expm1(-cost) * e, -np.expm1(-cost * e))


def fill_slope(passes: ArrayLike, cost: float) -> Floats:
    """dg/de, from the right at the kink e = 1, where it falls from 1 - exp(-c) to c exp(-c)."""
    e = np.asarray(passes, dtype=np.float64)
    return np.where(e < 1, -np.expm1(-cost), cost * np.exp(-cost * np.maximum(e, 1.0)))


def information(
    law: InfoLaw, taken: ArrayLike, supply: ArrayLike, density: ArrayLike, params: float, tokens: float
) -> Floats:
    """U f ln K g(x / U) per bucket, in tokens; zero where the supply is zero. Splitting a bucket changes no sum."""
    x, u, f = (np.asarray(a, dtype=np.float64) for a in (taken, supply, density))
    passes = np.divide(x, u, out=np.zeros(np.broadcast_shapes(x.shape, u.shape)), where=u > 0)
    return u * f * math.log(tokens) * fill(passes, repetition_cost(law, params, tokens))


def information_slope(
    law: InfoLaw, taken: ArrayLike, supply: ArrayLike, density: ArrayLike, params: float, tokens: float
) -> Floats:
    """d info / d x: what one more token of each bucket adds, from the right at one pass; zero where there is none."""
    x, u, f = (np.asarray(a, dtype=np.float64) for a in (taken, supply, density))
    shape = np.broadcast_shapes(x.shape, u.shape)
    passes = np.divide(x, u, out=np.zeros(shape), where=u > 0)
    slope = f * math.log(tokens) * fill_slope(passes, repetition_cost(law, params, tokens))
    return np.where(u > 0, slope, 0.0)


def loss(law: InfoLaw, info: ArrayLike) -> Floats:
    """alpha (info / 1e9)^-beta, nats per token, of `info` > 0 in tokens; differences say more than the value."""
    return law.alpha * (np.asarray(info, dtype=np.float64) / INFO_UNIT) ** -law.beta


def loss_slope(law: InfoLaw, info: ArrayLike) -> Floats:
    """dL / d info, per token of information; negative."""
    value = np.asarray(info, dtype=np.float64)
    return -law.beta * loss(law, value) / value
