"""Writing the texts of a selection, and plain pyarrow doing so: `python -m tests.bench.emitting WAY FOLDER`.

Both are told which rows to take and how often, read the same files and write the same columns with the same codec, row
groups and options, in one thread. Plain pyarrow writes one file per input in the order of the rows; ours parts texts by
cell and shuffles them. Prints one JSON object, as `tests.bench.selecting` does, with wall seconds and bytes too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixc.compiler.cli import ONE_THREAD

SEED = 23
POOL, EMITTED, FILES = 130_000, 100_000, 4
WORDS, PER_DOCUMENT = 50_000, 190  # about 1,160 bytes of text on average

RECIPE = """recipe texts
source crawl {{ path = "data/*.parquet", ids = shared, epochs <= 1 }}
rater q {{ column = "q" }}
domain news  {{ weights = {{ q: 1.0 }} }}
domain books {{ weights = {{ q: 1.0 }} }}
languages [en] {{ priority = 1.0 }}
budget {{ model = 10M params, tokens = {tokens} tokens, seed = 17 }}
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU and wall seconds of the work, bytes and documents that it wrote."""

    seconds: float
    wall: float
    size: int
    documents: int


def prepare(folder: Path) -> None:
    """Documents with texts, selected from."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(SEED)
    letters = np.array(list("etaoinshrdlucmfwygpbvkjxqz"))
    sizes = random.integers(2, 10, WORDS)
    vocabulary = np.array(["".join(random.choice(letters, size)) for size in sizes], dtype=object)
    edges = np.cumsum(1 / np.arange(3, WORDS + 3))
    (folder / "data").mkdir(parents=True)
    total = 0
    for number in range(FILES):
        count = POOL // FILES
        tokens = np.maximum(1, random.lognormal(np.log(PER_DOCUMENT) - 0.125, 0.5, count)).astype(np.int32)
        words = vocabulary[np.searchsorted(edges, random.random(int(tokens.sum())) * edges[-1])]
        parts = np.split(words, np.cumsum(tokens)[:-1])
        table = pa.table(
            {
                "id": [f"doc-{number}-{i:08d}" for i in range(count)],
                "text": [" ".join(part) for part in parts],
                "language": pa.array(["en"] * count).dictionary_encode(),
                "domain": pa.array(random.choice(["news", "books"], count)).dictionary_encode(),
                "tokens": tokens,
                "q": random.normal(size=count).astype(np.float32),
            }
        )
        total += int(tokens.sum())
        pq.write_table(table, folder / "data" / f"{number}.parquet", compression="zstd", row_group_size=16384)
    (folder / "texts.mix").write_text(RECIPE.format(tokens=total * EMITTED // POOL), encoding="utf-8")
    for command in (["scan", "texts.mix"], ["compile", "texts.mix"], ["run", "texts.manifest.json", "-o", "out"]):
        subprocess.run([sys.executable, "-m", "mixc", *command], cwd=folder, check=True, capture_output=True)


def ours(folder: Path) -> Callable[[], tuple[int, int]]:
    """The second stage of `mixc run --materialize`, after the first."""
    from mixc.backends.executors.local import LocalExecutor
    from mixc.backends.selection.backend import Form, perform
    from mixc.compiler.cli.run import opened
    from mixc.compiler.progress import Quiet

    job, found = opened(folder / "texts.manifest.json")
    assert job is not None, found
    shutil.rmtree(folder / "out" / "texts", ignore_errors=True)
    perform(job, folder / "out", LocalExecutor(1), Quiet())  # which stands already, and loads what texts need too

    def work() -> tuple[int, int]:
        done, problems = perform(job, folder / "out", LocalExecutor(1), Quiet(), form=Form())
        assert done is not None, problems
        texts = done[1]
        assert texts is not None
        return texts.size, sum(marker.documents for marker in texts.markers)

    return work


def plain(folder: Path) -> Callable[[], tuple[int, int]]:
    """What pyarrow does by itself: read, take, write."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mixc.backends.selection.gather import GROUP_BYTES

    (folder / "plain").mkdir(exist_ok=True)

    def work() -> tuple[int, int]:
        size = documents = 0
        chosen = sorted((folder / "out" / "selection" / "crawl").glob("*.parquet"))
        for number, (path, picks) in enumerate(zip(sorted((folder / "data").glob("*")), chosen, strict=True)):
            picked = pq.read_table(picks, columns=["id", "copies", "tokens", "row"], use_threads=False)
            texts = pq.read_table(path, columns=["text"], use_threads=False)["text"].take(picked["row"])
            columns = {"id": picked["id"], "text": texts.cast(pa.large_string())}
            table = pa.table(columns | {"copies": picked["copies"], "tokens": picked["tokens"]})
            rows = max(1, table.num_rows * GROUP_BYTES // texts.nbytes)
            target = folder / "plain" / f"{number}.parquet"
            options: dict[str, Any] = {"use_dictionary": ["copies"], "write_statistics": ["id", "copies", "tokens"]}
            options |= {"compression": "zstd", "write_page_checksum": True, "row_group_size": rows}
            pq.write_table(table, target, **options)
            with target.open("rb") as file:
                os.fsync(file.fileno())
            size, documents = size + target.stat().st_size, documents + int(table["copies"].to_numpy().sum())
        return size, documents

    return work


WAYS = {"ours": ours, "plain": plain}


def cost(way: str, folder: Path) -> Cost:
    """What a way costs here and now."""
    command = [sys.executable, "-m", "tests.bench.emitting", way, str(folder)]
    root = Path(__file__).parents[2]
    return Cost(**json.loads(subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout))


def main() -> None:
    """Work in one way; libraries are loaded before the clock starts."""
    for name in ONE_THREAD:
        os.environ[name] = "1"
    work = WAYS[sys.argv[1]](Path(sys.argv[2]))
    start, wall = time.process_time(), time.perf_counter()
    size, documents = work()
    found = {"seconds": time.process_time() - start, "wall": time.perf_counter() - wall}
    print(json.dumps(found | {"size": size, "documents": documents}))


if __name__ == "__main__":
    main()
