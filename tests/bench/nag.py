"""`python -m tests.bench.nag`: ranking and extraction of NAG against plain references, as ratios in one run.

Ranking: DOCUMENTS x 560 neurons from files to a decision for every document; the reference reads lists of int64,
gathers weights and sorts. Extraction: texts of 120 tokens, 8 at once; the reference runs the stock model whole, records
all projections and computes logits. Every way is a process of one thread; CPU seconds count what follows the imports.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from mixc.compiler.cli import ONE_THREAD

LAYERS, TOP_K, WIDTH, TARGETS, FRACTION = 28, 20, 6144, 1000, 0.2
DOCUMENTS, MANY = 300_000, 10  # in a file; files of the large pool
SEED, CHUNK = 15706, 10_000
TEXTS, TOKENS, BATCH = 32, 120, 8
MODEL = Path(__file__).parents[2] / "build" / "models" / "smollm2"


def chunks(documents: int, seed: int = SEED) -> Iterator[Any]:
    """Features uint16 [CHUNK, 560] until there are enough: few neurons are frequent, others in every layer."""
    import numpy as np

    random = np.random.default_rng(seed)
    names = np.random.default_rng(SEED).permuted(np.tile(np.arange(WIDTH), (LAYERS, 1)), axis=1).astype(np.uint16)
    for _ in range(0, documents, CHUNK):
        drawn = (random.random((CHUNK, LAYERS, TOP_K), dtype=np.float32) ** 3 * WIDTH).astype(np.int32)
        yield names[np.arange(LAYERS)[:, None], np.minimum(drawn, WIDTH - 1)].reshape(CHUNK, -1)


def origin() -> Any:
    """What the synthetic features were made with."""
    from mixc.backends.nag.features import Origin, Shape

    return Origin("synthetic", "0" * 32, "up", TOKENS, Shape(LAYERS, TOP_K, WIDTH))


def prepare(folder: Path, files: int) -> None:
    """The same documents as Arrow, as Parquet and as the plain Parquet of the reference; then more files of Arrow."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mixc.backends.nag.features import Batch
    from mixc.backends.nag.store import write_features

    tokens = np.random.default_rng(SEED).integers(50, 2000, DOCUMENTS)

    def batches(file: int) -> Iterator[Batch]:
        for i, features in enumerate(chunks(DOCUMENTS)):
            first = i * CHUNK
            ids = pa.array([f"{file:02}-{first + row:09}" for row in range(CHUNK)])
            yield Batch(ids, features, None, tokens[first : first + CHUNK])

    write_features(folder / "pool-00.parquet", origin(), batches(0))
    for file in range(files):
        write_features(folder / f"pool-{file:02}.arrow", origin(), batches(file))
    kind = pa.schema([("docid", pa.string()), ("feature", pa.list_(pa.int64())), ("token_num", pa.int64())])
    with pq.ParquetWriter(folder / "plain.parquet", kind) as writer:
        for batch in batches(0):
            flat = pa.array(batch.features.astype(np.int64).ravel())
            offsets = pa.array(np.arange(0, flat.__len__() + 1, LAYERS * TOP_K, dtype=np.int32))
            columns = [batch.ids, pa.ListArray.from_arrays(offsets, flat), pa.array(batch.tokens)]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=kind))


def profile() -> Any:
    """The profile of the synthetic targets."""
    from mixc.backends.nag.profile import profile_of

    return profile_of("target", next(chunks(CHUNK, SEED + 1))[:TARGETS], origin().shape)


def plain(folder: Path) -> Callable[[], dict[str, float]]:
    """The reference: everything in memory, int64 and float64, sorted."""
    import numpy as np
    import pyarrow.parquet as pq

    weights = profile().weights

    def work() -> dict[str, float]:
        table = pq.read_table(folder / "plain.parquet", use_threads=False).combine_chunks()
        lists = table["feature"].chunk(0)
        matrix = lists.flatten().to_numpy().reshape(len(table), -1)
        began = time.process_time()
        total = np.zeros(len(table))
        for layer in range(LAYERS):
            total += weights[layer][matrix[:, layer * TOP_K : (layer + 1) * TOP_K]].sum(axis=1)
        kernel = time.process_time() - began
        order = np.lexsort((table["docid"].to_numpy(), 1 - total / LAYERS))
        tokens = table["token_num"].to_numpy()
        kept = np.cumsum(tokens[order]) <= int(FRACTION * tokens.sum())
        return {"kernel": kernel, "kept": int(kept.sum())}

    return work


def ours(pattern: str) -> Callable[[Path], Callable[[], dict[str, float]]]:
    """Features to a file of scores, and from that to a decision for every document."""

    def prepared(folder: Path) -> Callable[[], dict[str, float]]:
        from mixc.backends.nag.kernel import scorer
        from mixc.backends.nag.scored import read_scores, score_files
        from mixc.backends.nag.select import select

        target = profile()
        features = next(chunks(CHUNK))
        of = scorer([target])
        of(features)

        def work() -> dict[str, float]:
            began = time.process_time()
            for _ in range(3):
                of(features)
            kernel = (time.process_time() - began) / 3 * DOCUMENTS / CHUNK
            out = folder / "scores.parquet"
            began = time.process_time()
            score_files(sorted(folder.glob(pattern)), origin(), [target], out)
            selection, _ = select(lambda: read_scores(out), FRACTION)
            kept = sum(int(selection.copies(part).sum()) for part in read_scores(out))
            return {"kernel": kernel, "kept": kept, "seconds": time.process_time() - began}

        return work

    return prepared


def texts(tokenizer: Any) -> list[list[int]]:
    """Token ids [TEXTS][TOKENS] of running text."""
    from tests.nag.texts import KINDS

    whole = tokenizer(" ".join(text for kind in KINDS.values() for text in kind), add_special_tokens=False)["input_ids"]
    return [[whole[(i * 37 + j) % len(whole)] for j in range(TOKENS)] for i in range(TEXTS)]


def stock(_: Path) -> Callable[[], dict[str, float]]:
    """The reference: the whole model with its head; mean |output| and top-K of six projections of every layer."""
    import torch

    from mixc.backends.nag.model import MODULES, load_model

    torch.set_num_threads(1)
    model = load_model(str(MODEL))
    rows = torch.tensor(texts(model.tokenizer))
    found: list[Any] = []

    def record(_module: Any, _inputs: Any, output: Any) -> None:
        found.append(torch.topk(output.abs().mean(dim=1), TOP_K, dim=1).indices)

    for layer in model.layers:
        for name in ("up", "down", "q", "k", "v", "o"):
            layer.get_submodule(MODULES[name]).register_forward_hook(record)

    def work() -> dict[str, float]:
        with torch.inference_mode():
            for start in range(0, TEXTS, BATCH):
                model.network(input_ids=rows[start : start + BATCH], use_cache=False)
        return {}

    return work


def extraction(_: Path) -> Callable[[], dict[str, float]]:
    """Ours, from texts that have as many tokens."""
    import pyarrow as pa
    import torch

    from mixc.backends.nag.extract import Texts, extract
    from mixc.backends.nag.model import load_model, origin_of

    torch.set_num_threads(1)
    model = load_model(str(MODEL))
    asked = origin_of(model, tokens=TOKENS)
    written = [model.tokenizer.decode(row) + " and" * 9 for row in texts(model.tokenizer)]
    documents = Texts(pa.array([str(i) for i in range(TEXTS)]), pa.array(written))

    def work() -> dict[str, float]:
        (batch,) = extract(model, asked, [documents], at_once=BATCH * TOKENS)
        assert batch.read is not None
        return {"read": float(batch.read.mean())}

    return work


WAYS: dict[str, Callable[[Path], Callable[[], dict[str, float]]]] = {
    "plain": plain,
    "arrow": ours("pool-00.arrow"),
    "parquet": ours("pool-00.parquet"),
    "many": ours("pool-*.arrow"),
    "stock": stock,
    "extraction": extraction,
}


def cost(way: str, folder: Path) -> dict[str, float]:
    """CPU seconds and peak memory in MB of a way, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.nag", way, str(folder)]
    ran = subprocess.run(command, cwd=Path(__file__).parents[2], check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return told


def main() -> None:
    """Print the report; it writes 5 GB for a while."""
    for name in ONE_THREAD:
        os.environ[name] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, MANY)
        found = {way: cost(way, folder) for way in ("plain", "arrow", "parquet", "many")}
    reference = found["plain"]
    assert len({round(found[way]["kept"]) for way in ("plain", "arrow", "parquet")}) == 1, found
    for way, files in (("plain", 1), ("arrow", 1), ("parquet", 1), ("many", MANY)):
        one, documents = found[way], files * DOCUMENTS
        ratio = one["seconds"] / files / reference["seconds"]
        print(
            f"NAG rank {documents:9,} x {LAYERS * TOP_K}, {way:8} {one['seconds']:7.2f} CPU s  {one['peak']:6.0f} MB  "
            f"{ratio:.3f} x plain; kernel {DOCUMENTS / one['kernel']:,.0f} documents/s, "
            f"{one['kernel'] / reference['kernel']:.3f} x plain",
            flush=True,
        )
    if not MODEL.exists():
        print("NAG extraction: no model; `pytest tests/nag` fetches it")
        return
    runs = [(cost("stock", MODEL), cost("extraction", MODEL)) for _ in range(3)]
    whole, mine = (median(run[i]["seconds"] for run in runs) for i in (0, 1))
    read = runs[0][1]["read"]
    print(
        f"NAG extract {TEXTS} x {read:.0f} tokens, batch {BATCH}: {TEXTS / mine:.2f} documents per CPU s, "
        f"{whole / mine:.2f} x the stock model whole ({TEXTS / whole:.2f})"
    )


def one_way(way: str, folder: Path) -> None:
    """Work in one way; libraries and models are loaded before the clock starts."""
    work = WAYS[way](folder)
    start = time.process_time()
    told = work()
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"seconds": seconds, "peak": peak} | told))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        one_way(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
