"""Runs in OLMo-core's environment: what it takes of every source, and which tokens its dataset reads.

Arguments: a JSON file of what to do. Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from load_prepared import prepare
from olmo_core.data import TokenizerConfig
from olmo_core.data.source_mixture import SourceMixtureConfig, SourceMixtureDatasetConfig, SourceMixtureList
from olmo_core.exceptions import OLMoConfigurationError


def taken(built: Any) -> dict[str, int]:
    """Tokens by source."""
    return {one.name: sum(path.tokens for path in one.path_tokens) for one in built.sources}


def of_case(case: dict[str, Any]) -> dict[str, int] | str:
    """What is taken of files that are as large as the case says, and hold nothing."""
    for path, tokens in case["sizes"].items():
        with Path(path).open("wb") as out:
            out.truncate(tokens * 4)
    listed = SourceMixtureList(sources=[SourceMixtureConfig(**one) for one in case["sources"]])
    config = SourceMixtureDatasetConfig(
        source_list=listed,
        requested_tokens=case["tokens"],
        global_batch_size=case["batch"],
        render_tables=False,
        quiet=True,
    )
    try:
        return taken(config.build(npdtype=np.uint32, sequence_length=case["length"]))
    except OLMoConfigurationError as error:
        return str(error)


def main() -> None:
    """The export of a run, then mixtures of any sizes."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(asked["real"])
    prepare(folder, asked["again"])
    sys.path.insert(0, str(folder))
    import mixture

    tokenizer = TokenizerConfig(vocab_size=asked["vocabulary"], eos_token_id=asked["end"], pad_token_id=asked["end"])
    config = mixture.dataset("main", tokenizer, "cache")
    assert config.source_mixture_config is not None
    config.source_mixture_config.quiet = True
    dataset = config.build()
    dataset.prepare()
    reads = Counter(str(path) for path, (start, end) in zip(dataset.paths, dataset.offsets, strict=True)
                    for _ in range(start, end))  # fmt: skip
    first = {str(path): dataset[start]["input_ids"].tolist() for path, (start, _) in
             zip(dataset.paths, dataset.offsets, strict=True)}  # fmt: skip
    built = mixture.mixture("main")
    built.quiet, built.render_tables = True, False
    out = {
        "taken": taken(built.build(npdtype=config.get_dtype(), sequence_length=mixture.SEQUENCE_LENGTH)),
        "length": len(dataset),
        "reads": reads,
        "first": first,
        "dtype": config.get_dtype().__name__,
        "cases": [of_case(case) for case in asked["cases"]],
    }
    print(json.dumps(out))


if __name__ == "__main__":
    main()
