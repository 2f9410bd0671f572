"""Writes MDS shards by mosaicml-streaming: samples of one training sequence each, documents one after the other."""

from collections.abc import Iterator
from pathlib import Path


def write(path: Path, documents: Iterator[list[int]], vocabulary: int, sequence: int | None) -> tuple[int, int]:
    """One folder of shards; how many samples and tokens it holds. A last sequence that is not full is left out."""
    import numpy as np
    from streaming import MDSWriter  # pyright: ignore

    assert sequence is not None
    samples, rest = 0, []
    with MDSWriter(out=str(path), columns={"tokens": "ndarray:int32"}, compression=None, exist_ok=True) as out:
        for ids in documents:
            rest += ids
            while len(rest) >= sequence:
                out.write({"tokens": np.array(rest[:sequence], dtype=np.int32)})
                rest, samples = rest[sequence:], samples + 1
    return samples, samples * sequence
