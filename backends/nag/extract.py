"""Extraction: which K neurons of every layer a text activates most.

    impact of neuron k of layer l = mean over the first tokens t of |h_t W_l[:, k]|,  the K largest, the largest first

Of equal impacts the lower neuron goes first. A feature depends on the text alone, not on the texts beside it
(`models/rows.py`). Other processors, GPUs or libraries may round otherwise, which swaps neurons of nearly equal impact.
In bfloat16 equal impacts are common.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from mixc.backends.models.rows import row_batches, window_of
from mixc.backends.nag.features import NONE, Batch, Counts, Ids, Origin
from mixc.backends.nag.model import Model, modules_of, run
from mixc.backends.nag.model_messages import not_finite
from mixc.compiler.documents.data import Unreadable

CHARACTERS = 100  # per token, of a text that is longer: the rest of it is looked at only if tokens are still missing


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """n texts: `ids` and `texts` string [n], a null text is an empty one; `tokens` [n] of the documents if known."""

    ids: pa.Array
    texts: pa.Array
    tokens: Counts | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many documents were read, and of those: without any token, with one only."""

    documents: int = 0
    empty: int = 0
    single: int = 0

    def plus(self, batch: Batch) -> Tally:
        """With a batch of features more."""
        read = np.zeros(0) if batch.read is None else batch.read
        return Tally(
            self.documents + len(batch.ids), self.empty + int((read == 0).sum()), self.single + int((read == 1).sum())
        )


def extract(model: Model, origin: Origin, documents: Iterable[Texts], *, at_once: int | None = None) -> Iterator[Batch]:
    """Features in the order of the documents, batch by batch as the texts come.

    `at_once` says how many tokens run together; on a CPU it changes no feature.
    Raises `Unreadable` for an activation that is not finite.
    """
    window = window_of(model.device)
    for texts in documents:
        for start in range(0, len(texts.ids), window):
            ids = texts.ids.slice(start, window)
            rows = first_tokens(model, texts.texts.slice(start, window).to_pylist(), origin.tokens)
            features = _features(model, origin, rows, at_once, ids)
            read = np.array([len(row) for row in rows], dtype=np.int32)
            yield Batch(ids, features, read, None if texts.tokens is None else texts.tokens[start : start + window])


def features_of(model: Model, origin: Origin, texts: Sequence[str], *, at_once: int | None = None) -> Ids:
    """Features uint16 [n, L * K] of a few texts."""
    ids = pa.array([str(i) for i in range(len(texts))], pa.string())
    some = [Texts(ids, pa.array(texts, pa.string()))]
    parts = [part.features for part in extract(model, origin, some, at_once=at_once)]
    return np.concatenate(parts) if parts else np.empty((0, origin.shape.length), dtype=np.uint16)


def first_tokens(model: Model, texts: Sequence[str | None], tokens: int) -> list[list[int]]:
    """The first token ids of every text, without special tokens."""

    def of(some: Sequence[str]) -> list[list[int]]:
        if not some:
            return []
        found = model.tokenizer(list(some), add_special_tokens=False, verbose=False)["input_ids"]
        return [row[:tokens] for row in found]

    limit = CHARACTERS * tokens
    whole = [text or "" for text in texts]
    rows = of([text[:limit] for text in whole])
    short = [i for i, row in enumerate(rows) if len(row) < tokens and len(whole[i]) > limit]
    for i, row in zip(short, of([whole[i] for i in short]), strict=True):
        rows[i] = row
    return rows


def impacts(model: Model, modules: Sequence[Any], tokens: Any, real: Any) -> list[Any]:
    """Mean |output| over the real tokens of every text of a batch, float32 [B, width] by layer."""
    import torch

    found: list[Any] = []
    with torch.inference_mode():
        count, short, kept = real.sum(dim=1, keepdim=True), not bool(real.all()), real.float()[:, :, None]

        def use(output: Any) -> None:
            size = output.float().abs()
            found.append((size.mul_(kept) if short else size).sum(dim=1) / count)

        run(model, modules, tokens, use)
    return found


def largest(impact: Any, top_k: int) -> Any:
    """The neurons [B, K] of the largest impacts [B, width], in falling order, the lower neuron first among equals."""
    import torch

    # The bits of a float that is not negative order it as a whole number does; below them stands the neuron.
    width = impact.shape[1]
    neurons = torch.arange(width - 1, -1, -1, device=impact.device)
    keys = impact.view(torch.int32).long() * width + neurons
    return width - 1 - torch.topk(keys, top_k, dim=1).values % width


def _features(model: Model, origin: Origin, rows: list[list[int]], at_once: int | None, ids: pa.Array) -> Ids:
    import torch

    modules = modules_of(model, origin.projection)
    shape = origin.shape
    features = np.full((len(rows), shape.length), NONE, dtype=np.uint16)
    for batch in row_batches(rows, model.device, at_once=at_once):
        mine = [impact[: len(batch.numbers)] for impact in impacts(model, modules, batch.tokens, batch.real)]
        finite = torch.stack([impact.isfinite().all(dim=1) for impact in mine]).all(dim=0).cpu()
        if not finite.all():
            raise Unreadable(not_finite(model.name, str(ids[batch.numbers[int(finite.int().argmin())]].as_py())))
        features[batch.numbers] = torch.cat([largest(impact, shape.top_k) for impact in mine], dim=1).cpu().numpy()
    return features
