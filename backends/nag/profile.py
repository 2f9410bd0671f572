"""The profile of a target: how often each neuron is among the K most active of its texts.

    c_l(k) = number of texts with neuron k in layer l,    w_l(k) = c_l(k) / (n K)         n texts
    sim(x) = 1/L sum_l sum_{k in N_l(x)} w_l(k) = S(x) / (n K L),    distance = 1 - sim

S is an integer, so documents that are equally near are exactly equal (arXiv 2604.15706, section 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mixc.backends.nag.features import NONE, Counts, Ids, Shape, columns_of
from mixc.backends.nag.messages import empty_targets, no_targets
from mixc.compiler.documents.data import Unreadable
from mixc.dsl.diagnostics import Diagnostic

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """`counts` c_l(k) [L', width] for the `layers` that it looks at, of `documents` texts.

    `layers` are numbers of layers in features of `shape`, ascending.
    """

    name: str
    shape: Shape
    layers: tuple[int, ...]
    counts: Counts
    documents: int

    @property
    def whole(self) -> int:
        """n K L: the score of a document that has all neurons of all texts."""
        return self.documents * self.shape.top_k * len(self.layers)

    @property
    def weights(self) -> Floats:
        """w_l(k) [L', width]; every layer sums to 1."""
        return self.counts / (self.documents * self.shape.top_k)

    def distance(self, scores: Counts) -> Floats:
        """1 - S / (n K L), of the same shape as the scores."""
        return 1.0 - scores / self.whole


def profile_of(name: str, features: Ids, shape: Shape, layers: Sequence[int] | None = None) -> Profile:
    """The profile of the texts with these features [n, L * K]; texts without tokens are left out.

    Raises `Unreadable` where none is left, or there is no such layer.
    """
    spoken = features[(features != NONE).any(axis=1)]
    if not len(spoken):
        raise Unreadable(no_targets(name, len(features)))
    counts = np.empty((shape.layers, shape.width), dtype=np.int64)
    for layer in range(shape.layers):
        neurons = spoken[:, layer * shape.top_k : (layer + 1) * shape.top_k].ravel()
        counts[layer] = np.bincount(neurons, minlength=NONE + 1)[: shape.width]
    every = Profile(name, shape, tuple(range(shape.layers)), counts, len(spoken))
    return every if layers is None else only_layers(every, layers)


def left_out(name: str, features: Ids) -> list[Diagnostic]:
    """A warning where some texts of a target have no token: `profile_of` leaves them out."""
    empty = int((features == NONE).all(axis=1).sum())
    return [empty_targets(name, empty, len(features))] if 0 < empty < len(features) else []


def only_layers(profile: Profile, layers: Sequence[int]) -> Profile:
    """The same target seen through some of its layers, in ascending order, each once."""
    wanted = sorted(set(layers))
    columns_of(wanted or [-1], profile.shape)
    rows = [profile.layers.index(layer) for layer in wanted]
    return replace(profile, layers=tuple(wanted), counts=profile.counts[rows])
