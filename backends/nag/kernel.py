"""Integer scores of documents: S = sum of c_l(k) over a document's neurons, for all targets in one pass.

A document is a row of a sparse matrix of ones, a target a column of counts: what scipy multiplies is one gather and one
sum per neuron, without an array of gathered values in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from mixc.backends.nag.features import Counts, Ids, columns_of
from mixc.backends.nag.profile import Profile

BLOCK = 1 << 19  # neurons at a time: their indices fit the cache


def scorer(profiles: Sequence[Profile]) -> Callable[[Ids], Counts]:
    """What gives the scores int64 [n, M] of features [n, L * K] for M profiles of one shape.

    A neuron that is outside the width scores 0; one that stands twice in a layer counts twice.
    """
    from scipy.sparse import csr_array

    shape = profiles[0].shape
    if any(profile.shape != shape for profile in profiles):
        raise ValueError("profiles of different shapes")
    layers = sorted({layer for profile in profiles for layer in profile.layers})
    columns = columns_of(layers, shape)
    table = _table(profiles, layers)
    length = len(layers) * shape.top_k
    rows = max(1, BLOCK // length)
    offsets = np.repeat(np.arange(len(layers), dtype=np.int32) * (shape.width + 1), shape.top_k)
    ones = np.ones(rows * length, dtype=table.dtype)
    edges = np.arange(0, rows * length + 1, length, dtype=np.int32)
    indices = np.empty((rows, length), dtype=np.int32)

    def score(features: Ids) -> Counts:
        scores = np.empty((len(features), len(profiles)), dtype=np.int64)
        for start in range(0, len(features), rows):
            neurons = np.minimum(features[start : start + rows, columns], shape.width)
            n = len(neurons)
            indices[:n] = neurons
            indices[:n] += offsets
            matrix = csr_array((ones[: n * length], indices[:n].reshape(-1), edges[: n + 1]), shape=(n, len(table)))
            scores[start : start + n] = (matrix @ table).reshape(n, -1)
        return scores

    return score


def _table(profiles: Sequence[Profile], layers: Sequence[int]) -> NDArray[np.int32] | Counts:
    """Counts [L' * (width + 1), M], or without M for one profile: a layer's last row is for what is outside the width.

    32 bits where no score can exceed them.
    """
    shape = profiles[0].shape
    table = np.zeros((len(layers), shape.width + 1, len(profiles)), dtype=np.int64)
    for column, profile in enumerate(profiles):
        table[[layers.index(layer) for layer in profile.layers], :-1, column] = profile.counts
    highest = int(table.max(initial=0)) * len(layers) * shape.top_k
    flat = table.reshape(-1, len(profiles)) if len(profiles) > 1 else table.reshape(-1)
    return flat.astype(np.int32) if highest < 2**31 else flat
