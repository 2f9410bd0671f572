"""Loads the phases of an export with Hugging Face `datasets`: `from load import load; dataset = load("main")`.

Start Python where the places of `<phase>.json` are seen from. Every place gives exactly the rows that were decided,
each of them once before any is read twice, and a phase goes on where the one before it stopped. Needs datasets.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def load(phase: str, files: str = "**/*.parquet", columns: Sequence[str] = ("text",), streaming: bool = False) -> Any:
    """The rows of a phase, of all places at once.

    `files` are those of a place, Parquet or JSON; `columns` are kept. With `streaming` nothing is copied first, and
    rows are read in the order of the files: then a part of a place is its beginning.
    """
    from datasets import interleave_datasets

    asked = json.loads((HERE / f"{phase}.json").read_text(encoding="utf-8"))
    return interleave_datasets(
        [place(one, asked["seed"], files, columns, streaming) for one in asked["places"]],
        probabilities=[one["probability"] for one in asked["places"]],
        seed=asked["seed"],
        stopping_strategy=asked["stopping_strategy"],
    )


def place(
    asked: dict[str, Any], seed: int, files: str = "**/*.parquet", columns: Sequence[str] = ("text",),
    streaming: bool = False,
) -> Any:  # fmt: skip
    """What a phase reads of one place: `rows` after the first `skip`, in as many passes as that takes."""
    import numpy as np
    from datasets import load_dataset

    form = "json" if ".json" in files else "parquet"
    source: Any = load_dataset(form, data_files=f"{asked['path']}/{files}", split="train", streaming=streaming)
    skip, rows = asked["skip"], asked["rows"]
    if streaming:
        if asked["copied"]:
            raise ValueError(f"{asked['path']} holds rows that stand for several copies: not to be streamed")
        passes = -(-(skip + rows) // asked["there_are"])
        return source.select_columns(list(columns)).repeat(passes).skip(skip).take(rows)
    copies = np.array(source["copies"]) if asked["copied"] else np.ones(len(source), dtype=np.int32)
    if copies.sum() != asked["there_are"]:
        raise ValueError(f"{asked['path']} has {copies.sum()} rows, and {asked['there_are']} were counted")
    return source.select_columns(list(columns)).select(order(copies, skip, rows, seed))


def order(copies: Any, skip: int, rows: int, seed: int) -> Any:
    """Numbers of `rows` rows after the first `skip`, as an array: in passes over all rows, each in a random order.

    Where rows stand for several copies, all are read once, then those with two copies and more, and so on.
    """
    import numpy as np

    taken, at, layer = [], 0, 0
    while at < skip + rows:
        ids = np.flatnonzero(copies > layer % copies.max())
        ids = np.random.default_rng([seed, layer]).permutation(ids)
        taken.append(ids[max(0, skip - at) : max(0, skip + rows - at)])
        at, layer = at + len(ids), layer + 1
    return np.concatenate(taken)
