"""Writes the texts of a run as JSON lines for Energon, and their index: `python jsonl.py`, from the folder of the run.

Reads `places.json` beside it. A document with several copies has that many lines, as far apart as can be. Needs
pyarrow and megatron-energon.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Write all places that have no index yet."""
    sys.path.insert(0, str(HERE))
    from megatron.energon.flavors.jsonl.jsonl_prepare import JsonlPreparator  # pyright: ignore
    from prepare import texts  # type: ignore[import-not-found]

    for place in json.loads((HERE / "places.json").read_text(encoding="utf-8"))["places"]:
        path = Path(place["path"])
        if path.with_suffix(".jsonl.idx").exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            for batch in texts(place["folders"]):
                file.writelines(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in batch)
        print(f"{path}: {JsonlPreparator.prepare_dataset(path):,} documents", flush=True)


if __name__ == "__main__":
    main()
