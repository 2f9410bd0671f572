"""Writes tokens one after the other, without a header: the files that OLMo-core reads, whatever their name says."""

from collections.abc import Iterator
from pathlib import Path


def write(path: Path, documents: Iterator[list[int]], vocabulary: int, sequence: int | None) -> tuple[int, int]:
    """One file of whole sequences; how many documents and tokens they hold.

    OLMo-core tells the width of a token from the vocabulary. What is left after the last whole sequence it drops in
    every pass, and takes as much more of other places, so that is not written; a document that is cut by this still
    ends as others do, for a file without the end of a document cannot be read.
    """
    import numpy as np

    assert sequence is not None
    width = next(one for one in (np.uint8, np.uint16, np.uint32) if vocabulary - 1 <= np.iinfo(one).max)
    count = tokens = end = 0
    with path.open("wb") as out:
        for ids in documents:
            out.write(np.array(ids, dtype=width).tobytes())
            count, tokens, end = count + 1, tokens + len(ids), ids[-1]
        tokens -= tokens % sequence
        out.truncate(tokens * width().itemsize)
        if tokens:
            out.seek((tokens - 1) * width().itemsize)
            out.write(width(end).tobytes())
    return count, tokens
