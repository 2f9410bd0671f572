"""What profiles say: how concentrated a target is in each layer, and how much targets have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixc.backends.nag.profile import Floats, Profile


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a profile.

    `effective` is how many neurons carry the target, exp of the entropy of w_l: K where all texts activate the same
    ones, more the less they agree. `common` is the weight of the K most frequent neurons, 1 where all texts agree.
    `neurons` are the most frequent with the part of the texts that activate each.
    """

    layer: int
    effective: float
    common: float
    neurons: tuple[tuple[int, float], ...]


def concentration(profile: Profile, most: int = 5) -> tuple[Layer, ...]:
    """Every layer of a profile, with its `most` most frequent neurons, the lower first among equals."""
    rows = []
    top_k = profile.shape.top_k
    for layer, counts, weights in zip(profile.layers, profile.counts, profile.weights, strict=True):
        present = weights[weights > 0]
        order = np.argsort(-counts, kind="stable")
        rows.append(
            Layer(
                layer,
                float(np.exp(-(present * np.log(present)).sum())),
                float(weights[order[:top_k]].sum()),
                tuple((int(k), float(counts[k] / profile.documents)) for k in order[:most] if counts[k]),
            )
        )
    return tuple(rows)


def similarity(profiles: Sequence[Profile]) -> Floats:
    """[M, M], 0 to 1: the weight that two profiles share, mean over layers of sum_k min(w_l(k), w'_l(k)).

    For profiles of one shape and the same layers.
    """
    weights = [profile.weights for profile in profiles]
    found = np.eye(len(profiles))
    for a in range(len(profiles)):
        for b in range(a):
            found[a, b] = found[b, a] = np.minimum(weights[a], weights[b]).sum(axis=1).mean()
    return found


def most_frequent(profile: Profile, neurons: int) -> tuple[tuple[int, ...], ...]:
    """The most frequent neurons of every layer of a profile, the lower first among equals: what to deactivate."""
    order = np.argsort(-profile.counts, axis=1, kind="stable")[:, :neurons]
    return tuple(tuple(int(k) for k in row if counts[k]) for row, counts in zip(order, profile.counts, strict=True))
