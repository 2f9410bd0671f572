"""Plain references, written from the papers' equations and sharing no code with mixc."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

THETA, A, B = 0.922, 0.140, 0.018
BUCKETS = np.array([0.05, 0.15, 0.20, 0.20, 0.20, 0.20])


def information(recipes: Floats, params: float, tokens: float, pool: float) -> Floats:
    """InfoLaw's information [n] of recipes w [n, 6], the parts of `tokens` that each bucket of the pool gives.

    info = sum_d exp(-theta d) M_d ln K (1 - exp(-lam R_d / ln K)),  M_d = min(w_d K, B_d S),  R_d = w_d K / M_d.
    """
    taken = recipes * tokens
    unique = np.minimum(taken, BUCKETS * pool)
    repeated = np.divide(taken, unique, out=np.ones_like(taken), where=unique > 0)
    rate = (A * np.log(params) + B) / np.log(tokens)
    value: Floats = (np.exp(-THETA * np.arange(6)) * unique * np.log(tokens) * -np.expm1(-rate * repeated)).sum(axis=1)
    return value


def best_random_recipe(count: int, params: float, tokens: float, pool: float, seed: int = 0) -> tuple[Floats, float]:
    """The paper's way: draw Dirichlet(1) recipes, sort each so that w0 >= w1 >= …, keep the best; and its value."""
    draws = np.random.default_rng(seed).dirichlet(np.ones(6), size=count)
    draws = -np.sort(-draws, axis=1)
    values = information(draws, params, tokens, pool)
    best = int(values.argmax())
    return draws[best], float(values[best])
