"""Writes `.bin` and `.idx` by megatron-core."""

from collections.abc import Iterator
from pathlib import Path


def write(path: Path, documents: Iterator[list[int]], vocabulary: int, sequence: int | None) -> tuple[int, int]:
    """One pair of files; how many documents and tokens they hold."""
    import torch
    from megatron.core.datasets.indexed_dataset import DType, IndexedDatasetBuilder  # pyright: ignore[reportMissingImports]

    builder = IndexedDatasetBuilder(f"{path}.bin", dtype=DType.optimal_dtype(vocabulary))
    count = tokens = 0
    for ids in documents:
        builder.add_item(torch.tensor(ids))
        builder.end_document()
        count, tokens = count + 1, tokens + len(ids)
    builder.finalize(f"{path}.idx")
    return count, tokens
