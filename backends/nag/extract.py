"""Extraction: which K neurons of every layer a text activates most.

    impact of neuron k of layer l = mean over the first tokens t of |h_t W_l[:, k]|,  the K largest, the largest first

Of equal impacts the lower neuron goes first. A feature depends on the text alone, not on the texts beside it: a text
runs in a shape that only its own number of tokens decides, and rows of such a shape do not mix. (On the CPU in float32
the rounding of a matrix product depends on its shape: below 16 rows other code is used. Hence the least shape. Other
processors or libraries may round otherwise, which swaps neurons of nearly equal impact. In bfloat16 equal impacts are
common.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from mixc.backends.nag.features import NONE, Batch, Counts, Ids, Origin
from mixc.backends.nag.model import Model, modules_of, run
from mixc.backends.nag.model_messages import not_finite
from mixc.compiler.documents.data import Unreadable

STEP, LEAST = 8, 16  # lengths of shapes: multiples of STEP, at least LEAST
CHARACTERS = 100  # per token, of a text that is longer: the rest of it is looked at only if tokens are still missing
WINDOW = 1024  # texts whose order is changed to fill batches
AT_ONCE = 512  # tokens on a CPU: with more, activations leave its cache, and a document takes a tenth longer


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


def extract(model: Model, origin: Origin, documents: Iterable[Texts], *, batch: int = 8) -> Iterator[Batch]:
    """Features in the order of the documents, batch by batch as the texts come.

    `batch` says how many texts of full length run at once; of shorter ones there are more, on a CPU fewer where they
    would not fit its cache. It changes no feature.
    Raises `Unreadable` for an activation that is not finite.
    """
    for texts in documents:
        for start in range(0, len(texts.ids), WINDOW):
            ids = texts.ids.slice(start, WINDOW)
            rows = first_tokens(model, texts.texts.slice(start, WINDOW).to_pylist(), origin.tokens)
            features = _features(model, origin, rows, batch, ids)
            read = np.array([len(row) for row in rows], dtype=np.int32)
            yield Batch(ids, features, read, None if texts.tokens is None else texts.tokens[start : start + WINDOW])


def features_of(model: Model, origin: Origin, texts: Sequence[str], *, batch: int = 8) -> Ids:
    """Features uint16 [n, L * K] of a few texts."""
    ids = pa.array([str(i) for i in range(len(texts))], pa.string())
    parts = [part.features for part in extract(model, origin, [Texts(ids, pa.array(texts, pa.string()))], batch=batch)]
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


def shape_of(tokens: int) -> int:
    """The length at which a text of so many tokens runs."""
    return max(LEAST, -(-tokens // STEP) * STEP)


def batches(rows: Sequence[Sequence[int]], at_once: int) -> Iterator[tuple[list[int], int]]:
    """(numbers of texts, their common length) of what runs together, about `at_once` tokens; no empty texts."""
    groups: dict[int, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row:
            groups[shape_of(len(row))].append(i)
    for length in sorted(groups):
        size = max(1, at_once // length)
        yield from ((groups[length][i : i + size], length) for i in range(0, len(groups[length]), size))


def padded(rows: Sequence[Sequence[int]], length: int, device: Any) -> tuple[Any, Any]:
    """Token ids [B, T] padded to the right, and which of them are real, as 1 and 0 [B, T]."""
    import torch

    tokens = torch.zeros((len(rows), length), dtype=torch.long)
    real = torch.zeros((len(rows), length))
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = torch.tensor(row)
        real[i, : len(row)] = 1.0
    return tokens.to(device), real.to(device)


def impacts(model: Model, modules: Sequence[Any], rows: Sequence[Sequence[int]], length: int) -> list[Any]:
    """Mean |output| over the real tokens of every text, float32 [B, width] by layer."""
    import torch

    found: list[Any] = []
    with torch.inference_mode():
        tokens, real = padded(rows, length, model.device)
        count, short = real.sum(dim=1, keepdim=True), bool((real == 0).any())

        def use(output: Any) -> None:
            size = output.float().abs()
            found.append((size.mul_(real[:, :, None]) if short else size).sum(dim=1) / count)

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


def _features(model: Model, origin: Origin, rows: list[list[int]], batch: int, ids: pa.Array) -> Ids:
    modules = modules_of(model, origin.projection)
    shape = origin.shape
    features = np.full((len(rows), shape.length), NONE, dtype=np.uint16)
    at_once = max(1, batch) * shape_of(origin.tokens)
    for numbers, length in batches(rows, min(at_once, AT_ONCE) if model.device.type == "cpu" else at_once):
        chosen = []
        for impact in impacts(model, modules, [rows[i] for i in numbers], length):
            finite = impact.isfinite().all(dim=1)
            if not finite.all():
                raise Unreadable(not_finite(model.name, str(ids[numbers[int(finite.int().argmin())]].as_py())))
            chosen.append(largest(impact, shape.top_k))
        features[numbers] = np.concatenate([part.cpu().numpy() for part in chosen], axis=1)
    return features
