"""Training by AdamW for heads and encoders that have no closed problem: warm-up, cosine, early stopping.

One thread, a seed of its own, no dropout: the same examples give the same weights on one machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixc.backends.models.messages import no_model_packages
from mixc.backends.murating.loss import Examples, loss_of
from mixc.compiler.documents.data import Unreadable

WARM_UP = 0.1  # of all steps
CLIP = 1.0  # of the norm of gradients
PATIENCE = 3  # epochs without gain


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast: `rate` is the highest, `batch` counts pairs, `decay` is AdamW's."""

    epochs: int
    rate: float
    batch: int
    decay: float
    seed: int


Score = Callable[[NDArray[np.intp]], Any]
"""Scores, as a tensor [n], of texts by their places [n]."""


@contextmanager
def one_thread(seed: int) -> Iterator[None]:
    """Torch on one thread and with a seed, as it was before afterwards. Raises `Unreadable` without torch."""
    try:
        import torch
    except ImportError as error:
        raise Unreadable(no_model_packages(error.name or "torch")) from None
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def descend(
    parameters: Sequence[Any], score: Score, train: Examples, apart: Examples, weight: float, schedule: Schedule
) -> list[float]:
    """Change parameters to those of the epoch that serves the examples apart best; their losses, epoch by epoch."""
    import torch

    optimizer = torch.optim.AdamW(list(parameters), lr=schedule.rate, weight_decay=schedule.decay)
    steps = max(1, -(-len(train.p) // schedule.batch))
    rates = torch.optim.lr_scheduler.LambdaLR(optimizer, rising_and_falling(steps * schedule.epochs))
    losses = [_loss_apart(score, apart, weight, schedule.batch)]
    best = [parameter.detach().clone() for parameter in parameters]
    for epoch in range(schedule.epochs):
        for batch in batches(train, steps, schedule.seed + epoch):
            optimizer.zero_grad()
            _loss(score, batch, weight).backward()
            torch.nn.utils.clip_grad_norm_(list(parameters), CLIP)
            optimizer.step()
            rates.step()
        losses.append(_loss_apart(score, apart, weight, schedule.batch))
        if losses[-1] == min(losses):
            best = [parameter.detach().clone() for parameter in parameters]
        elif len(losses) - 1 - losses.index(min(losses)) >= PATIENCE:
            break
    with torch.no_grad():
        for parameter, kept in zip(parameters, best, strict=True):
            parameter.copy_(kept)
    return losses


def rising_and_falling(steps: int) -> Callable[[int], float]:
    """The share of the highest rate at a step: linear up, then half a cosine down."""
    rising = max(1, round(WARM_UP * steps))

    def of(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))

    return of


def batches(examples: Examples, steps: int, seed: int) -> Iterator[Examples]:
    """All examples in so many parts, in an order that the seed decides; parallel pairs spread over all parts."""
    order = np.random.default_rng(seed)
    pairs, same = order.permutation(len(examples.p)), order.permutation(len(examples.one))
    for step in range(steps):
        mine, two = pairs[step::steps], same[step::steps]
        yield Examples(examples.a[mine], examples.b[mine], examples.p[mine], examples.one[two], examples.other[two])


def _loss(score: Score, examples: Examples, weight: float) -> Any:
    """L without the penalty, which is AdamW's, as a tensor."""
    import torch
    from torch.nn.functional import softplus

    places = np.concatenate([examples.a, examples.b, examples.one, examples.other])
    texts, numbers = np.unique(places, return_inverse=True)
    scores = score(texts)[torch.from_numpy(numbers)]
    n, m = len(examples.p), len(examples.one)
    d, gap = scores[:n] - scores[n : 2 * n], scores[2 * n : 2 * n + m] - scores[2 * n + m :]
    p = torch.from_numpy(examples.p).to(d)
    total = (softplus(d) - p * d).mean() if n else scores.sum() * 0
    return total + weight * (softplus(gap) + softplus(-gap)).mean() if m else total


def _loss_apart(score: Score, apart: Examples, weight: float, batch: int) -> float:
    import torch

    places = np.concatenate([apart.a, apart.b, apart.one, apart.other])
    texts = np.unique(places)
    scores = np.zeros(int(texts.max()) + 1)
    with torch.no_grad():
        for start in range(0, len(texts), 2 * batch):
            some = texts[start : start + 2 * batch]
            scores[some] = score(some).double().cpu().numpy()
    return loss_of(scores, apart, weight)
