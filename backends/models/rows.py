"""Rows of token ids in shapes that only they decide, so that what a model gives of a text depends on the text alone.

A row runs at a length that its own number of tokens decides. On a CPU rows of one such shape do not mix, however many
there are (below 16 rows of a matrix product other code is used, hence the least length). On a GPU the kernel, and with
it the rounding, follows the number of rows as well, and whether anything is padding at all (transformers gives no mask
to attention where nothing is): there every batch of a length has equally many rows, and one at least is padding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

STEP, LEAST = 8, 16  # lengths of shapes: multiples of STEP, at least LEAST
CPU_TOKENS = 512  # at once: with more, activations leave the cache, and a document takes a tenth longer
GPU_TOKENS = 1 << 14  # at once: with fewer, a small model waits for its kernels to be started
CPU_WINDOW, GPU_WINDOW = 1 << 10, 1 << 13  # texts whose order is changed to fill batches


@dataclass(frozen=True, slots=True, eq=False)
class RowBatch:
    """Rows `numbers` of those that were given, as token ids int64 [B, T] and which of them are real, bool [B, T].

    Where B is more than there are numbers, rows of padding follow, with one token each.
    """

    numbers: list[int]
    tokens: Any
    real: Any


def shape_of(tokens: int) -> int:
    """The length at which a row of so many tokens runs."""
    return max(LEAST, -(-tokens // STEP) * STEP)


def window_of(device: Any) -> int:
    """How many texts are to be sorted into batches at a time."""
    return CPU_WINDOW if _kind(device) == "cpu" else GPU_WINDOW


def row_batches(
    rows: Sequence[Sequence[int]], device: Any, *, pad: int = 0, at_once: int | None = None
) -> Iterator[RowBatch]:
    """Batches of rows of one length each, the shorter ones first, padded to the right; rows without tokens in none.

    A batch has about `at_once` tokens, as many as suit the device by default; on a GPU two rows at least.
    """
    cpu = _kind(device) == "cpu"
    limit = at_once or (CPU_TOKENS if cpu else GPU_TOKENS)
    groups: dict[int, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row:
            groups[shape_of(len(row))].append(i)
    for length in sorted(groups):
        size = max(1 if cpu else 2, limit // length)
        step = size if cpu else size - 1
        for start in range(0, len(groups[length]), step):
            numbers = groups[length][start : start + step]
            tokens, real = padded([rows[i] for i in numbers], length, device, pad=pad, size=None if cpu else size)
            yield RowBatch(numbers, tokens, real)


def padded(
    rows: Sequence[Sequence[int]], length: int, device: Any, *, pad: int = 0, size: int | None = None
) -> tuple[Any, Any]:
    """Token ids [B, T] padded to the right, and which are real [B, T]; to `size` rows with rows of one token."""
    import torch

    counts = np.fromiter(map(len, rows), np.int64, len(rows))
    real = np.zeros((size or len(rows), length), dtype=bool)
    real[: len(rows)] = np.arange(length) < counts[:, None]
    tokens = np.full(real.shape, pad, dtype=np.int64)
    tokens[real] = np.fromiter(chain.from_iterable(rows), np.int64, int(counts.sum()))
    real[len(rows) :, 0] = True
    return torch.from_numpy(tokens).to(device), torch.from_numpy(real).to(device)


def _kind(device: Any) -> str:
    return str(getattr(device, "type", device)).split(":")[0]
