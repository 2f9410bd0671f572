"""A head of one hidden layer on frozen vectors: s = w relu(W z + c), trained on the pieces of texts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixc.backends.murating.descent import Schedule, descend, one_thread
from mixc.backends.murating.embedding import Embedded
from mixc.backends.murating.head import Head
from mixc.backends.murating.loss import Examples, Reals

EPOCHS, RATE, BATCH, DECAY = 30, 1e-3, 256, 0.01


def fit_mlp(
    embedded: Embedded,
    standard: tuple[Reals, Reals],
    examples: tuple[Examples, Examples],
    weight: float,
    hidden: int,
    decay: float | None,
    epochs: int | None,
    seed: int,
) -> tuple[Head, list[float]]:
    """(head, losses on the examples apart by epoch); `examples` are those trained on and those apart."""
    with one_thread(seed):
        import torch

        mean, scale = standard
        pieces: Any = torch.from_numpy((embedded.vectors - mean) / scale).float()
        tokens: Any = torch.from_numpy(embedded.tokens).float()
        starts = np.searchsorted(embedded.owner, np.arange(embedded.count + 1))
        layers: Any = torch.nn.Sequential(
            torch.nn.Linear(pieces.shape[1], hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 1, bias=False)
        )

        def score(texts: NDArray[np.intp]) -> Any:
            counts = starts[texts + 1] - starts[texts]
            rows = torch.from_numpy(np.concatenate([np.arange(int(starts[t]), int(starts[t + 1])) for t in texts]))
            owner = torch.from_numpy(np.repeat(np.arange(len(texts)), counts))
            weights = tokens[rows]
            total = torch.zeros(len(texts)).index_add(0, owner, weights)
            summed = torch.zeros(len(texts)).index_add(0, owner, layers(pieces[rows])[:, 0] * weights)
            return summed / total.clamp(min=1.0)

        schedule = Schedule(epochs or EPOCHS, RATE, BATCH, DECAY if decay is None else decay, seed)
        losses = descend(list(layers.parameters()), score, *examples, weight, schedule)
        named = {
            "mean": mean,
            "scale": scale,
            "hidden.weight": layers[0].weight.detach().numpy(),
            "hidden.bias": layers[0].bias.detach().numpy(),
            "weight": layers[2].weight.detach().numpy()[0],
        }
    return Head("mlp", {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in named.items()}), losses
