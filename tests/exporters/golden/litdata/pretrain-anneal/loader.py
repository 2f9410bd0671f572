"""The data of a phase for LitData: `dataset("pretrain")`.

Stop after as many `sequences` as the file of the phase tells.
"""

import json
from pathlib import Path
from typing import Any

from litdata import CombinedStreamingDataset, StreamingDataset, TokensLoader

HERE = Path(__file__).resolve().parent


def dataset(phase: str, **options: Any) -> CombinedStreamingDataset:
    """Sets drawn by weight, until one ends; a place that is read several times is as many sets."""
    made = json.loads((HERE / f"{phase}.json").read_text(encoding="utf-8"))
    block, seed = made["sequence_length"], made["seed"]
    sets, weights = [], []
    for one in made["sets"]:
        for copy in range(one["passes"]):
            loader = TokensLoader(block_size=block)
            sets.append(
                StreamingDataset(one["input_dir"], item_loader=loader, shuffle=True, seed=seed + copy, **options)
            )
            weights.append(one["weight"] / one["passes"])
    return CombinedStreamingDataset(sets, seed=seed, weights=weights, iterate_over_all=False)
