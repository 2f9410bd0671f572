"""Writes chunks by litdata: items of one training sequence each, documents one after the other."""

from collections.abc import Iterator
from pathlib import Path

CHUNK = "64MB"


def write(path: Path, documents: Iterator[list[int]], vocabulary: int, sequence: int | None) -> tuple[int, int]:
    """One folder of chunks; how many sequences and tokens it holds. A last one that is not full is left out."""
    import numpy as np
    from litdata import TokensLoader  # pyright: ignore[reportAttributeAccessIssue]
    from litdata.streaming.cache import Cache  # pyright: ignore[reportMissingImports]

    assert sequence is not None
    out = Cache(str(path), chunk_bytes=CHUNK, item_loader=TokensLoader(block_size=sequence))
    samples, rest = 0, []
    for ids in documents:
        rest += ids
        while len(rest) >= sequence:
            out[samples] = np.array(rest[:sequence], dtype=np.int32)
            rest, samples = rest[sequence:], samples + 1
    if samples:
        out.done()
        out.merge()
    return samples, samples * sequence
