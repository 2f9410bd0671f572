"""Phases of an export as data of torchtitan 0.3.0: `from mixture import counted, weighted`.

Both give the `Config` of a dataloader, for `Trainer.Config.dataloader` in a config of yours. Start the training where
the places of `<phase>.json` are seen from.
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def counted(phase: str) -> Any:
    """One dataset of all rows that the phase was decided to read, each as often as decided, evenly mixed; then it ends.

    Needs counted rows: a run's texts, or `--counts`.
    """
    from load import load  # type: ignore[import-not-found]
    from torchtitan.hf_datasets.text_datasets import HuggingFaceTextDataLoader  # pyright: ignore

    return HuggingFaceTextDataLoader.Config(dataset=_named(phase, load), dataset_path=phase, infinite=False)


def weighted(phase: str, files: str = "**/*.parquet") -> Any:
    """Places drawn from by weight, sequence by sequence, without an end: stop after the tokens of the phase.

    `files` are those of a place, Parquet or JSON. A place that ends begins again.
    """
    from torchtitan.hf_datasets.text_datasets import HFDataSource, InterleavedHuggingFaceTextDataLoader  # pyright: ignore

    asked = json.loads((HERE / f"{phase}.json").read_text(encoding="utf-8"))
    sources = [
        HFDataSource(
            dataset=_named(f"{phase}-{i}", partial(_streamed, files=files)),
            dataset_path=one["path"],
            infinite=True,
            weight=one["weight"],
        )
        for i, one in enumerate(asked["places"])
    ]
    return InterleavedHuggingFaceTextDataLoader.Config(sources=sources, seed=asked["seed"])


def _streamed(path: str, files: str) -> Any:
    from datasets import load_dataset

    form = "json" if ".json" in files else "parquet"
    return load_dataset(form, data_files=f"{path}/{files}", split="train", streaming=True)


def _named(name: str, loader: Any) -> str:
    """Make a dataset known to torchtitan, which looks names up in small letters."""
    from torchtitan.hf_datasets import DatasetConfig  # pyright: ignore
    from torchtitan.hf_datasets.text_datasets import DATASETS  # pyright: ignore

    key = f"mixc-{name}".lower()
    DATASETS[key] = DatasetConfig(path=name, loader=loader, sample_processor=lambda row: row["text"] or "")
    return key
