"""Runs in axolotl's environment: validates a configuration by its schema, loads and merges the datasets it names.

Arguments: the configuration, a folder with a tokenizer. Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import yaml
from axolotl.prompt_strategies.completion import load
from axolotl.utils.data.shared import load_dataset_with_config, merge_datasets
from axolotl.utils.dict import DictDefault
from axolotl.utils.schemas.config import AxolotlInputConfig
from transformers import AutoTokenizer

BASE = {"base_model": "none", "sequence_len": 256, "micro_batch_size": 1, "learning_rate": 1e-4, "output_dir": "out",
        "gradient_accumulation_steps": 1}  # fmt: skip


def main() -> None:
    """What every dataset gives, and all of them merged as axolotl does."""
    given = {**BASE, **yaml.safe_load(Path(sys.argv[1]).read_text())}
    validated = AxolotlInputConfig(**given).model_dump(exclude_none=True)
    kept = {name: validated[name] == given[name] for name in given if name not in BASE and name != "datasets"}
    cfg = DictDefault(validated)
    loaded = [load_dataset_with_config(one, False) for one in cfg.datasets]
    merged = merge_datasets([one.select_columns(["id", "text"]) for one in loaded], cfg)
    strategy = load(AutoTokenizer.from_pretrained(sys.argv[2]), cfg, dict(cfg.datasets[0]))
    tokenised = strategy.tokenize_prompt(merged[:20])
    found = {
        "kept": kept,
        "rows": [len(one) for one in loaded],
        "ids": Counter(merged["id"]),
        "longest": max(map(len, tokenised["input_ids"])),
        "apart": sum(a == b for a, b in zip(merged["id"][:-1], merged["id"][1:], strict=True)),
    }
    print(json.dumps(found))


main()
