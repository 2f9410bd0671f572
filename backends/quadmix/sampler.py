"""Algorithm 1 of QuaDMix: the distribution of the parameters that proxies are trained on and the search draws from.

    a_n ~ U(0, 1), normalised;  b_nm ~ U(0, 1);  alpha_nm = a_n b_nm / sum_i a_i b_im
    lambda = 1000 U or 1000^U,  omega = U / 10,  eta = U,  epsilon = U / 1000,  each per domain

A set of parameters theta is [M, N + 4]: a domain's weights of N raters, then lambda, omega, eta, epsilon.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.laws.sampling import Curve

Floats = NDArray[np.float64]
LambdaLaw: TypeAlias = Literal["linear", "log"]


def draw_parameters(draws: int, domains: int, raters: int, *, lambda_law: LambdaLaw, seed: int) -> Floats:
    """Independent thetas [draws, domains, raters + 4], the same for the same arguments.

    The paper's "10^3 lambda" reads as 1000 U ("linear") or as 10^(3 U) ("log"): the caller says which.
    """
    random = np.random.default_rng(seed)
    theta = np.empty((draws, domains, raters + 4))
    common = random.random((draws, 1, raters))
    alpha = common / common.sum(axis=2, keepdims=True) * random.random((draws, domains, raters))
    theta[..., :raters] = alpha / alpha.sum(axis=2, keepdims=True)
    lam = random.random((draws, domains))
    theta[..., raters] = 1000.0 * lam if lambda_law == "linear" else 10.0 ** (3.0 * lam)
    for column, scale in enumerate((0.1, 1.0, 0.001), start=raters + 1):
        theta[..., column] = scale * random.random((draws, domains))
    return theta


def weights_of(theta: Floats) -> Floats:
    """The raters' weights [..., M, N] of thetas [..., M, N + 4]."""
    return theta[..., :-4]


def curves_of(theta: Floats) -> tuple[Curve, ...]:
    """The sampling curves of one theta [M, N + 4], by domain."""
    return tuple(Curve(*row) for row in theta[:, -4:].tolist())
