"""How the kernel's weights are learned: those of the largest evidence of runs, with a weak prior.

For standardised losses y of n runs and K their kernel with the noise on its diagonal, minus the logarithm of the
evidence is ln|K| / 2 + y K^-1 y / 2; its derivative by any weight w is tr[(K^-1 - a a') dK/dw] / 2 with a = K^-1 y.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from mixc.backends.search.kernels import Codes, Floats, Weights, columns_of, pairs_of

ITERATIONS = 40
PRIOR = 2.0  # standard deviation of the logarithms of weights
REACH = 2.5  # how far above its middle the logarithm of a kind's weight may go: past it runs tell nothing of each other


def learned(x: Floats, y: Floats, blocks: Codes, kinds: Codes) -> Weights:
    """The weights of the largest evidence times prior."""
    count, many = int(kinds.max()) + 1, int(blocks.max()) + 1
    even = np.full(many, -np.log(many) - 1)
    middle = np.concatenate([np.full(count, -1.0), even, even, [0.0, -3.0, -1.0, -3.0]])
    found: Any = minimize(
        lambda flat: evidence(flat, middle, x, y, blocks, kinds),
        middle,
        jac=True,
        method="L-BFGS-B",
        bounds=[(low - 6.0, low + (REACH if i < count else 6.0)) for i, low in enumerate(middle)],
        options={"maxiter": ITERATIONS},
    )
    return Weights.of(np.asarray(found.x), count, many)


def evidence(flat: Floats, middle: Floats, x: Floats, y: Floats, blocks: Codes, kinds: Codes) -> tuple[float, Floats]:
    """Minus the logarithm of evidence times prior, and its gradient in the logarithms of weights."""
    weights = Weights.of(flat, int(kinds.max()) + 1, int(blocks.max()) + 1)
    r, p, g = np.exp(weights.parts)
    z = x * np.exp(weights.kinds)[kinds]
    columns, joint = columns_of(blocks), np.exp(weights.joint)
    pairs = [pairs_of(z[:, part], z[:, part]) for _, part in columns]
    hills = [np.exp(far / -2) for _, far in pairs]
    covariance, inner, wide = (np.zeros((len(y), len(y))) for _ in range(3))
    for (m, _), (dot, far), hill in zip(columns, pairs, hills, strict=True):
        covariance += np.exp(weights.blocks[m]) * ((1.0 + dot / 2) ** 2 + r * hill)
        inner += joint[m] * dot
        wide += joint[m] * far
    far_all = np.exp(wide / -2)
    covariance += p * (1.0 + inner / 2) ** 2 + g * far_all
    lower = factor(covariance, np.full(len(y), weights.variance))
    dual = cho_solve((lower, True), y, check_finite=False)
    half = solve_triangular(lower, np.eye(len(y)), lower=True, check_finite=False)
    outer = half.T @ half - dual[:, None] * dual  # twice the derivative of minus the logarithm by K
    square, bump = outer * p * (1.0 + inner / 2), outer * g * far_all
    by_kind, by_block, by_joint = np.zeros_like(weights.kinds), np.zeros_like(joint), np.zeros_like(joint)
    by_r = 0.0
    for (m, part), (dot, far), near in zip(columns, pairs, hills, strict=True):
        s = float(np.exp(weights.blocks[m]))
        mine, hill = s * outer * (1.0 + dot / 2), s * r * outer * near
        by_block[m] = float((mine * (1.0 + dot / 2)).sum() + hill.sum())
        by_r += float(hill.sum())
        by_joint[m] = joint[m] * float((square * dot).sum() - (bump * far).sum() / 2)
        rise, fall = mine + joint[m] * square, hill + joint[m] * bump
        zs = z[:, part]
        change = ((rise + fall) @ zs * zs).sum(axis=0) * 2 - 2 * (fall.sum(axis=1)[:, None] * zs**2).sum(axis=0)
        np.add.at(by_kind, kinds[part], change)
    by_parts = np.array([by_r, float((square * (1.0 + inner / 2)).sum()), float(bump.sum())])
    by_noise = np.exp(weights.noise) * float(np.trace(outer))
    gradient = np.concatenate([by_kind, by_block, by_joint, by_parts, [by_noise]]) / 2
    value = float(np.log(np.diag(lower)).sum() + y @ dual / 2)
    off = flat - middle
    return value + float(off @ off) / (2 * PRIOR**2), gradient + off / PRIOR**2


def factor(matrix: Floats, noise: Floats) -> Floats:
    """The Cholesky factor of matrix + noise; more noise where rounding asks for it."""
    own = float(np.diag(matrix).mean())
    for more in (0.0, 1e-10, 1e-8, 1e-6):
        try:
            steady = matrix + np.diag(noise + more * own)
            return np.asarray(cholesky(steady, lower=True, check_finite=False))
        except LinAlgError:
            continue
    raise LinAlgError("the kernel of the runs has no factor")


def inverse_of(covariance: Floats, noise: Floats) -> Floats:
    """The inverse of covariance [n, n] + noise [n]."""
    half = solve_triangular(factor(covariance, noise), np.eye(len(noise)), lower=True, check_finite=False)
    return np.asarray(half.T @ half)
