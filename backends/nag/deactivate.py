"""Whether the neurons of a target carry it: the model's loss on its texts without them, and without random ones.

The rows of the projection that give the neurons are set to zero, biases stay (arXiv 2604.15706, section 5). If the
chosen neurons matter, the loss rises more than it does without as many random neurons of the same layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from mixc.backends.models.rows import row_batches
from mixc.backends.nag.extract import first_tokens
from mixc.backends.nag.features import Projection
from mixc.backends.nag.insight import most_frequent
from mixc.backends.nag.messages import no_targets
from mixc.backends.nag.model import Model, modules_of
from mixc.backends.nag.profile import Profile
from mixc.compiler.documents.data import Unreadable

Neurons = Sequence[Sequence[int]]
"""Neurons of every layer of a model."""
AT_ONCE = 512  # tokens: their logits take 100 MB at 50,000 words


@dataclass(frozen=True, slots=True)
class Deactivation:
    """Mean loss per token in nats: of the whole model, without the chosen neurons, without random ones."""

    neurons: int
    whole: float
    chosen: float
    random: tuple[float, ...]

    @property
    def excess(self) -> float:
        """How much more loss the chosen neurons cost than the random ones, in nats per token."""
        return self.chosen - fmean(self.random)


def deactivation(
    model: Model,
    profile: Profile,
    texts: Sequence[str],
    *,
    projection: Projection = "up",
    neurons: int | None = None,
    tokens: int = 120,
    draws: int = 3,
) -> Deactivation:
    """Loss on texts without the `neurons` most frequent ones of every layer of a profile, K where none is said.

    Random neurons are drawn `draws` times, the same for the same model and profile. Raises `Unreadable` where no text
    has two tokens.
    """
    rows = [row for row in first_tokens(model, texts, tokens) if len(row) > 1]
    if not rows:
        raise Unreadable(no_targets(profile.name, len(texts)))
    most = profile.shape.top_k if neurons is None else neurons
    chosen: list[Sequence[int]] = [()] * profile.shape.layers
    for layer, found in zip(profile.layers, most_frequent(profile, most), strict=True):
        chosen[layer] = found
    draw = np.random.default_rng(0)
    losses = []
    for _ in range(draws):
        random = [draw.choice(profile.shape.width, len(row), replace=False).tolist() for row in chosen]
        with without(model, projection, random):
            losses.append(loss(model, rows))
    with without(model, projection, chosen):
        ours = loss(model, rows)
    return Deactivation(sum(map(len, chosen)), loss(model, rows), ours, tuple(losses))


@contextmanager
def without(model: Model, projection: Projection, neurons: Neurons) -> Iterator[None]:
    """The model with the weights of some neurons at zero, as it was afterwards."""
    import torch

    kept = []
    with torch.no_grad():
        for module, rows in zip(modules_of(model, projection), neurons, strict=True):
            index = torch.tensor(list(rows), dtype=torch.long, device=module.weight.device)
            kept.append((module, index, module.weight[index].clone()))
            module.weight[index] = 0.0
        try:
            yield
        finally:
            for module, index, weights in kept:
                module.weight[index] = weights


def loss(model: Model, rows: Sequence[Sequence[int]]) -> float:
    """Mean cross entropy in nats of every token after the first of its text, over the tokens of all texts."""
    import torch

    total, count = 0.0, 0
    with torch.inference_mode():
        for batch in row_batches(rows, model.device, at_once=AT_ONCE):
            logits = model.network(input_ids=batch.tokens, use_cache=False).logits[:, :-1].float()
            each = torch.nn.functional.cross_entropy(logits.transpose(1, 2), batch.tokens[:, 1:], reduction="none")
            total += float((each * batch.real[:, 1:]).sum(dtype=torch.float64))
            count += int(batch.real[:, 1:].sum())
    return total / count
