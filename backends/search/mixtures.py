"""Mixtures to train proxies on, as RegMix draws them (arXiv 2407.01492): Dirichlet around a prior, caps, no crumbs.

    strength s from STRENGTHS, log-spaced 0.1 .. 5;  p ~ Dirichlet(M prior^TEMPER s / sum prior^TEMPER)
    rejected if a share is above its cap; shares below LEAST are 0

RegMix's prior is the share of tokens to the power 0.5. Its caps are 15 x the untempered prior, so that no domain is
read more than 15 times as often as the whole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STRENGTHS = np.geomspace(0.1, 5.0, 15)
TEMPER, LEAST = 0.5, 2e-4
ROUNDS = 60


def draw_mixtures(count: int, prior: Floats, caps: Floats, seed: int) -> Floats:
    """Shares [count, M], each row of sum 1; the same for the same arguments.

    Where caps leave little room, what is above them is handed to the others instead of drawn again for ever.
    """
    random = np.random.default_rng(seed)
    tempered = prior**TEMPER
    tempered = tempered / tempered.sum()
    kept = drawn = np.empty((0, len(prior)))
    for _ in range(ROUNDS):
        strength = random.choice(STRENGTHS, size=(count, 1))
        gamma = random.standard_gamma(np.broadcast_to(len(prior) * tempered * strength, (count, len(prior))))
        drawn = (gamma + 1e-300) / (gamma + 1e-300).sum(axis=1, keepdims=True)
        drawn[drawn < LEAST] = 0.0
        drawn /= drawn.sum(axis=1, keepdims=True)
        kept = np.concatenate([kept, drawn[(drawn <= caps + 1e-12).all(axis=1)]])
        if len(kept) >= count:
            return kept[:count]
    return np.concatenate([kept, capped(drawn[: count - len(kept)], caps)])


def capped(shares: Floats, caps: Floats) -> Floats:
    """Shares [n, M] with what is above the caps handed to the others in proportion. The caps sum to 1 or more."""
    result = shares.copy()
    for _ in range(len(caps)):
        over = result > caps
        result = np.minimum(result, caps)
        missing = 1.0 - result.sum(axis=1, keepdims=True)
        free = np.where(over | (result >= caps), 0.0, result + 1e-9)
        room = free.sum(axis=1, keepdims=True)
        result = result + np.where(room > 0, free / np.where(room > 0, room, 1.0), 0.0) * np.maximum(missing, 0.0)
        if (missing < 1e-12).all():
            break
    return np.minimum(result, caps)
