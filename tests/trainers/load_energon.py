"""Runs in Energon's environment: writes a run's texts as the export does, and reads whole epochs of metadatasets.

Arguments: a JSON file of what to do. Prints one line of JSON.
"""

from __future__ import annotations

import json
import runpy
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from megatron.energon import (
    Cooker,
    DefaultTaskEncoder,
    TextSample,
    WorkerConfig,
    basic_sample_keys,
    get_loader,
    get_train_dataset,
    stateless,
)
from megatron.energon.flavors.jsonl.jsonl_prepare import JsonlPreparator


@stateless
def text(sample: dict[str, Any]) -> TextSample:
    return TextSample(**basic_sample_keys(sample), text=sample["json"]["text"])


class Encoder(DefaultTaskEncoder):  # type: ignore[misc, type-arg]
    """As little as a task encoder can do."""

    cookers = (Cooker(text),)


def read(file: str) -> Counter[str]:
    """How often every text comes in one epoch."""
    dataset = get_train_dataset(
        file,
        worker_config=WorkerConfig(rank=0, world_size=1, num_workers=0),
        batch_size=None,
        shuffle_buffer_size=None,
        max_samples_per_sequence=None,
        task_encoder=Encoder(),
        repeat=False,
    )
    return Counter(sample.text for sample in get_loader(dataset))


def main() -> None:
    """Write places, and read."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    sys.argv = [f"{asked['run']}/jsonl.py"]
    runpy.run_path(sys.argv[0], run_name="__main__")
    for path, count in asked["made"].items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text("".join(json.dumps({"text": f"{path} {i}"}) + "\n" for i in range(count)))
        JsonlPreparator.prepare_dataset(Path(path))
    print(json.dumps({name: read(file) for name, file in asked["read"].items()}))


main()
