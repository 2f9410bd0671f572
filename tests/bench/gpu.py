"""`python -m tests.bench.gpu [CAUSAL ENCODER TEXTS]`: features and vectors on a GPU; how many change with neighbours.

CAUSAL and ENCODER are folders of models; where one has no weights, random ones of its shape are made, which cost the
same. TEXTS is a JSON list of texts, gzipped. Without them: the models of the tests and the documents of `make corpus`.
Every text is read among all, in another order, and alone; what differs is counted.
"""

from __future__ import annotations

import gzip
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

SEED, STD = 7, 0.05
SPARSE = 40  # every so many texts one is read alone
CHUNK, TOKENS = 256, 512
CORPUS = Path(__file__).parents[2] / "build" / "corpus"


def main(arguments: Sequence[str]) -> int:
    """Exit code: 1 where a neighbour changed something, or nothing could be measured."""
    import torch

    if not torch.cuda.is_available():
        print("NOT MEASURED: there is no GPU")
        return 1
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name(0)}")
    with tempfile.TemporaryDirectory() as work:
        causal, encoder, texts = _given(arguments, Path(work))
        return int(features(causal, texts) + vectors(encoder, texts) > 0)


def features(folder: Path, texts: list[str]) -> int:
    """NAG: documents a second, and how many features differ."""
    from mixc.backends.nag.extract import features_of
    from mixc.backends.nag.model import load_model, origin_of

    model = load_model(str(folder), device="cuda", precision="bfloat16")
    origin = origin_of(model)
    return _tried("features", texts, lambda some: features_of(model, origin, some))


def vectors(folder: Path, texts: list[str]) -> int:
    """MuRating: pieces a second, and how many vectors differ."""
    from mixc.backends.murating.transformer import describe, load

    encoder = load(describe(str(folder), folder.parent, chunk=CHUNK, tokens=TOKENS, prefix=None, device="cuda"))
    return _tried("vectors", [one for some in encoder.pieces(texts) for one in some], encoder.vectors)


def _tried(what: str, texts: list[Any], read: Callable[[list[Any]], Any]) -> int:
    read(texts[:SPARSE])  # kernels are loaded
    begun = time.perf_counter()
    whole = read(texts)
    seconds = time.perf_counter() - begun
    order = list(range(len(texts)))
    random.Random(SEED).shuffle(order)
    mixed = read([texts[i] for i in order])
    alone = np.concatenate([read(texts[i : i + 1]) for i in range(0, len(texts), SPARSE)])
    moved = int((mixed != whole[order]).any(axis=1).sum())
    lonely = int((alone != whole[::SPARSE]).any(axis=1).sum())
    print(f"{what}: {len(texts)} in {seconds:.1f} s, {len(texts) / seconds:.0f} a second; in another order "
          f"{moved} of {len(texts)} differ, alone {lonely} of {len(alone)}", flush=True)  # fmt: skip
    return moved + lonely


def _given(arguments: Sequence[str], work: Path) -> tuple[Path, Path, list[str]]:
    if not arguments:
        import pyarrow.parquet as pq

        from tests.models import minilm_folder, smollm_folder, smollm_gguf

        if not (files := sorted((CORPUS / "manual").glob("*.parquet"))):
            sys.exit("NOT MEASURED: there are no documents; `make corpus` fetches them")
        texts = [text for file in files for text in pq.read_table(file, columns=["text"])["text"].to_pylist()]
        return smollm_folder(smollm_gguf()), minilm_folder(), texts
    causal, encoder, path = map(Path, arguments)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return _weighted(causal, work, "AutoModelForCausalLM"), _weighted(encoder, work, "AutoModel"), json.load(file)


def _weighted(folder: Path, work: Path, kind: str) -> Path:
    """A model with weights: its own, or random ones."""
    if any(folder.glob("*.safetensors")):
        return folder
    import torch
    import transformers

    torch.manual_seed(SEED)
    network = getattr(transformers, kind).from_config(transformers.AutoConfig.from_pretrained(folder))
    for weight in network.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=STD)
    made = work / folder.name
    shutil.copytree(folder, made)
    network.save_pretrained(made)
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
