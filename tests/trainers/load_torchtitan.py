"""Runs in torchtitan's environment: builds the dataloaders of an export, and counts the tokens that they give.

Arguments: a JSON file of what to do. Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from torchtitan.components.tokenizer import BaseTokenizer

LENGTH, TOKENS = 64, 17


class Numbers(BaseTokenizer):  # type: ignore[misc]
    """A text is the number of its place, 17 times: what a dataloader gives can be told apart."""

    def __init__(self) -> None:
        self.eos_id = 0

    def encode(self, text: str, add_bos: bool = True, add_eos: bool = True) -> list[int]:
        return [int(text.split()[0])] * TOKENS

    def decode(self, ids: list[int]) -> str:
        return ""

    def get_vocab_size(self) -> int:
        return 100


def read(config: Any, module: Any, batches: int, ranks: int = 1) -> tuple[Counter[int], int]:
    """Tokens by place in so many batches of every rank, and how many there were."""
    seen: Counter[int] = Counter()
    count = 0
    for rank in range(ranks):
        built = config.build(dp_world_size=ranks, dp_rank=rank, tokenizer=Numbers(), seq_len=LENGTH, local_batch_size=1)
        for number, (inputs, _) in enumerate(built):
            if number == batches:
                break
            seen.update(inputs["input"].reshape(-1).tolist())
            count += 1
    return seen, count


def main() -> None:
    """Write places of so many rows, read every phase of the export."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    for i, (path, count) in enumerate(asked["made"].items()):
        Path(path).mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"text": [f"{i} {j}" for j in range(count)]}), f"{path}/0.parquet")
    sys.path.insert(0, asked["export"])
    import mixture

    found = {}
    for phase in asked["phases"]:
        for ranks in (1, 2):
            found[f"counted {phase} {ranks}"] = read(mixture.counted(phase), mixture, 10**9, ranks)
        found[f"weighted {phase}"] = read(mixture.weighted(phase), mixture, asked["batches"])
    print(json.dumps(found))


main()
