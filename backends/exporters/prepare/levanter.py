"""Builds Levanter's caches of a run's texts and counts them: `python prepare.py`, from the folder of the run.

Levanter's own code reads `train.yaml` beside this and builds the cache of every component that has none yet. What they
hold goes to `counts.json`, in documents and tokens, which `mixc export --counts` takes. Needs marin-levanter.
"""

import argparse
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Build all caches, then count."""
    options = argparse.ArgumentParser(description="Builds caches of texts and counts them.")
    options.add_argument("--counts", type=Path, default=Path("counts.json"), help="where documents and tokens are told")
    given = options.parse_args()

    import draccus  # type: ignore[import-not-found]
    import yaml
    from levanter.data.text import LmDataConfig  # type: ignore[import-not-found]

    data = draccus.decode(LmDataConfig, yaml.safe_load((HERE / "train.yaml").read_text(encoding="utf-8"))["data"])
    places = json.loads((HERE / "places.json").read_text(encoding="utf-8"))
    counts = {path: {"documents": 0, "tokens": 0} for path in places["left_out"]}  # less than a sequence
    for name, cache in sorted(data.build_caches("train").items()):
        documents, tokens = cache.flat_field_num_rows("input_ids"), cache.flat_field_length("input_ids")
        path = places["components"][name]
        counts[path] = {"documents": int(documents), "tokens": int(tokens)}
        print(f"{path}: {documents:,} documents, {tokens:,} tokens", flush=True)
    made = {"program": "levanter", "sequence": None, "tokenizer": data.tokenizer}
    given.counts.write_text(json.dumps({"places": counts, "prepared": made}, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
