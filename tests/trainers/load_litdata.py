"""Runs in LitData's environment: what its combined dataset draws of an export. Prints one line of JSON."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from load_prepared import prepare


def drawn(loader: Any, folder: Path, phase: str, many: int) -> dict[str, Any]:
    """By set: what the first so many draws took, and all until a set ends; whether nothing came too often."""
    from litdata import StreamingDataset, TokensLoader

    made = json.loads((folder / f"{phase}.json").read_text())
    length = made["sequence_length"]
    there: Counter[bytes] = Counter()
    for one in made["sets"]:
        for item in StreamingDataset(one["input_dir"], item_loader=TokensLoader(block_size=length)):
            there[item.tobytes()] += one["passes"]
    combined = loader.dataset(phase)
    items, first = iter(combined), []
    read: Counter[bytes] = Counter()
    for number, item in enumerate(items):
        read[item.tobytes()] += 1
        if number + 1 == many:
            first = list(items._num_samples_yielded)
    sizes = [len(one) for one in combined._datasets]
    return {
        "first": first,
        "all": items._num_samples_yielded,
        "sizes": sizes,
        "length": {len(sequence) // 4 for sequence in read} == {length},
        "never too often": read <= there,
    }


def main() -> None:
    """The export of a run, and the same places read up to three times."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(asked["real"])
    prepare(folder, asked["again"])
    sys.path.insert(0, str(folder.resolve()))
    import loader

    made = json.loads((folder / "main.json").read_text())
    several = [one for one in made["sets"] if "/declaration/" in one["input_dir"]]
    total = sum(one["weight"] for one in several)
    sets = [{**one, "passes": 1 + i % 3, "weight": one["weight"] / total} for i, one in enumerate(several)]
    (folder / "several.json").write_text(json.dumps({**made, "sets": sets}))
    out = {
        "main": drawn(loader, folder, "main", made["sequences_for_sure"]),
        "several": drawn(loader, folder, "several", 100),
    }
    print(json.dumps(out))


if __name__ == "__main__":
    main()
