"""Writes a folder with `tokens.ds` as datatrove does, which nanotron reads: tokens, and where each document ends."""

import json
from collections.abc import Iterator
from pathlib import Path


def write(path: Path, documents: Iterator[list[int]], vocabulary: int, sequence: int | None) -> tuple[int, int]:
    """One folder; how many documents and tokens it holds. From `.metadata` nanotron takes tokenizer and width."""
    import numpy as np

    width = np.uint16 if vocabulary <= np.iinfo(np.uint16).max + 1 else np.uint32
    count = tokens = 0
    path.mkdir(parents=True, exist_ok=True)
    with (path / "tokens.ds").open("wb") as out, (path / "tokens.ds.index").open("wb") as ends:
        for ids in documents:
            out.write(np.array(ids, dtype=width).tobytes())
            count, tokens = count + 1, tokens + len(ids)
            ends.write(np.uint64(tokens).tobytes())
    tokenizer = json.loads(Path(__file__).with_name("places.json").read_text())["prepared"]["tokenizer"]
    (path / "tokens.ds.metadata").write_text(f"{tokenizer}|{width().itemsize}\n{tokens}\n")
    return count, tokens
