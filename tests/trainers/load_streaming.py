"""Runs in Streaming's environment: prepares a run's texts as the export does, exports with counts, reads whole epochs.

Arguments: a JSON file of what to do. Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

STUBS = {  # what Streaming imports for images and for batches of a tokenizer: 20 s, and not for every build of torch
    "streaming.multimodal": "",
    "streaming.text": "",
    "streaming.vision": "",
    "transformers.feature_extraction_utils": "BatchFeature",
    "transformers.tokenization_utils_base": "BatchEncoding",
}
for name, what in STUBS.items():
    top = name.split(".")[0]
    if top == "transformers":
        sys.modules.setdefault(top, ModuleType(top))
    sys.modules[name] = ModuleType(name)
    setattr(sys.modules[name], what, type(what, (), {}))

import numpy as np  # noqa: E402
import yaml  # noqa: E402
from load_prepared import prepare  # noqa: E402
from streaming import MDSWriter, Stream, StreamingDataset  # noqa: E402


class Recorded(StreamingDataset):
    """A dataset that keeps the numbers of the samples it gives."""

    given: list[int]

    def __getitem__(self, at: Any) -> Any:
        self.given.append(int(at))
        return super().__getitem__(at)


def read(file: str) -> dict[str, Any]:
    """One epoch: by place how many samples lie there, were read, and how often each; and how long samples are."""
    made = yaml.safe_load(Path(file).read_text())["train_loader"]["dataset"]
    streams = [Stream(**one) for one in made.pop("streams").values()]
    dataset = Recorded(streams=streams, batch_size=4, **made)
    dataset.given = []
    lengths = {len(sample["tokens"]) for sample in dataset}
    ends = np.cumsum(dataset.samples_per_stream)
    places = np.searchsorted(ends, np.array(dataset.given), side="right")
    found = {}
    for i, stream in enumerate(streams):
        there, times = int(dataset.samples_per_stream[i]), Counter(np.array(dataset.given)[places == i].tolist())
        often = [times[int(ends[i]) - there + j] for j in range(there)]
        found[stream.local] = [there, sum(often), min(often), max(often)]
    return {"places": found, "lengths": sorted(lengths), "epoch": dataset.epoch_size}


def write(places: dict[str, int], length: int) -> None:
    """MDS shards of so many samples, several to a place."""
    for path, count in places.items():
        with MDSWriter(out=path, columns={"tokens": "ndarray:int32"}, size_limit=length * 4 * 12) as out:
            for i in range(count):
                out.write({"tokens": np.full(length, i, dtype=np.int32)})


def main() -> None:
    """The run's texts with counts, then places of given sizes read by passes."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    prepare(Path(asked["real"]), asked["again"])
    write(asked["made"], asked["length"])
    print(json.dumps({name: read(file) for name, file in asked["read"].items()}))


main()
