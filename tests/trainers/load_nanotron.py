"""Runs where datatrove is: its own dataset over what an export's script wrote, as nanotron reads it.

nanotron itself cannot be installed, so this is of the data only. Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from datatrove.utils.dataset import DatatroveFolderDataset
from load_prepared import prepare


def main() -> None:
    """Items, tokens, ends of documents and the line with the tokenizer, by place."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    prepare(Path(asked["real"]), ["true"])
    out = {}
    for path in asked["places"]:
        dataset = DatatroveFolderDataset(path, asked["length"], "*.ds", token_size=2, return_positions=True)
        item = dataset[0]
        ends = np.fromfile(f"{path}/tokens.ds.index", dtype=np.uint64)
        out[path] = {
            "items": len(dataset),
            "ids": item["input_ids"].tolist(),
            "positions": item["positions"].tolist(),
            "documents": len(ends),
            "tokens": int(ends[-1]),
            "metadata": Path(f"{path}/tokens.ds.metadata").read_text().splitlines()[0],
        }
    print(json.dumps(out))


if __name__ == "__main__":
    main()
