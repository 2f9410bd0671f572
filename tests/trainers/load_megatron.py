"""Runs in Megatron's environment: what Megatron reads of an export, sequence by sequence and token by token.

Arguments: a JSON file of what to do. Prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from load_prepared import prepare
from megatron.core.datasets.blended_dataset import BlendedDataset
from megatron.core.datasets.blended_megatron_dataset_builder import BlendedMegatronDatasetBuilder
from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig
from megatron.core.datasets.indexed_dataset import IndexedDatasetBuilder
from megatron.core.datasets.utils import get_blend_from_list


class Tokens:
    """As much of a tokenizer as building a dataset asks for."""

    vocab_size, eod, pad, unique_identifiers = 49152, 0, -1, {"class": "Tokens"}

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


def built(blend: list[str], per_split: bool, samples: int, length: int, surplus: float, cache: str) -> Any:
    parsed = get_blend_from_list(blend)
    given = {"blend_per_split": [parsed, None, None]} if per_split else {"blend": parsed, "split": "1,0,0"}
    config = GPTDatasetConfig(
        random_seed=17,
        sequence_length=length,
        path_to_cache=cache,
        tokenizer=Tokens(),
        reset_position_ids=False,
        reset_attention_mask=False,
        eod_mask_loss=False,
        mid_level_dataset_surplus=surplus,
        **given,
    )
    return BlendedMegatronDatasetBuilder(GPTDataset, [samples, 0, 0], lambda: True, config).build()[0]


def read(dataset: Any, samples: int) -> dict[str, Any]:
    """By path: sequences of the first so many samples, how often a token is an input at most, passes built."""
    parts = dataset.datasets if isinstance(dataset, BlendedDataset) else [dataset]
    chosen = [(0, i) for i in range(samples)]
    if isinstance(dataset, BlendedDataset):
        chosen = list(zip(dataset.dataset_index[:samples], dataset.dataset_sample_index[:samples], strict=True))
    starts = [np.concatenate([[0], np.cumsum(part.dataset.sequence_lengths)]) for part in parts]
    reads = [np.zeros(start[-1], dtype=np.int64) for start in starts]
    counts = [0] * len(parts)
    for which, sample in chosen:
        part, counts[which] = parts[which], counts[which] + 1
        index = part.shuffle_index[sample]
        (first, offset), (last, end) = part.sample_index[index], part.sample_index[index + 1]
        for position in range(first, last + 1):
            document = part.document_index[position]
            begin = starts[which][document] + (offset if position == first else 0)
            stop = starts[which][document] + end if position == last else starts[which][document + 1]
            reads[which][begin:stop] += 1
    return {
        part.dataset.path_prefix: [
            counts[i], int(reads[i].max()), int(reads[i].sum()), len(part.document_index) // len(part.indices)
        ]
        for i, part in enumerate(parts)
    }  # fmt: skip


def written(places: dict[str, int]) -> None:
    """Datasets of so many tokens, in documents of 100 tokens."""
    for path, tokens in places.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        out = IndexedDatasetBuilder(f"{path}.bin", dtype=np.int32)
        for start in range(0, tokens, 100):
            out.add_item(torch.arange(start, min(start + 100, tokens)))
            out.end_document()
        out.finalize(f"{path}.idx")


def main() -> None:
    """Every export, with and without the surplus that Megatron builds on its own."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    os.environ.update(MASTER_ADDR="127.0.0.1", RANK="0", WORLD_SIZE="1")
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    prepare(Path(asked["real"]), asked["again"])
    written(asked["made"])
    out: dict[str, Any] = {}
    for name, folder in (("real", asked["real"]), ("whole", asked["whole"])):
        samples = json.loads((Path(folder) / "samples.json").read_text())
        many, length = samples["train_samples"]["main"], samples["sequence_length"]
        words = (Path(folder) / "main.args").read_text().split()
        split = json.loads((Path(folder) / "main.json").read_text())
        for surplus in (0.0, 0.005):
            dataset = built(split["train"], True, many, length, surplus, f"cache-{name}-{surplus}")
            out[f"{name} {surplus}"] = read(dataset, many)
        out[f"{name} parsed"] = get_blend_from_list(words)
        same = built(words, False, many, length, 0.0, f"cache-{name}-0.0")
        out[f"{name} same"] = bool((same.dataset_index == dataset.dataset_index).all())
        sample = dataset[0]
        out[f"{name} sample"] = [len(sample["tokens"]), len(dataset)]
    print(json.dumps(out))


if __name__ == "__main__":
    main()
