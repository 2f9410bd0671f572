"""Vectors of the texts of pairs, kept by encoder and text, so that training again encodes nothing.

They lie under `.mixc/embeddings` beside the pairs, in Arrow files of some texts each, under the name of all that
vectors depend on. A run that was stopped goes on with the texts that are missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.backends.murating.arrays import among
from mixc.backends.murating.encoder import EncoderSpec, Vectors
from mixc.backends.murating.encoders import load_encoder
from mixc.compiler.executor import Executor, Failure
from mixc.compiler.keyed_hash import text_id
from mixc.compiler.progress import Progress
from mixc.compiler.scan.stages import failed
from mixc.compiler.scan.store import Store, key_of
from mixc.compiler.whole import write_whole
from mixc.dsl.diagnostics import Diagnostic

KIND = "embeddings"
TEXTS = 128  # of a file


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Vectors [c, k] of the pieces of n texts: `owner` [c] the text of a piece, in rising order, `tokens` [c]."""

    vectors: Vectors
    owner: NDArray[np.intp]
    tokens: NDArray[np.int64]
    count: int

    def means(self) -> NDArray[np.float64]:
        """The mean vector [n, k] of every text, weighted by tokens; of one without tokens the mean of all."""
        weights = self.tokens.astype(np.float64)
        sums = np.zeros((self.count, self.vectors.shape[1]))
        np.add.at(sums, self.owner, self.vectors * weights[:, None])
        total = np.bincount(self.owner, weights=weights, minlength=self.count)
        there = total > 0
        sums[there] /= total[there, None]
        if there.any():
            sums[~there] = sums[there].mean(axis=0)
        return sums


@dataclass(frozen=True, slots=True)
class Block:
    """Some texts to encode, and where their vectors go."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    output: str


def embed(
    spec: EncoderSpec, texts: Sequence[str], store: Store, executor: Executor, progress: Progress
) -> tuple[Embedded | None, list[Diagnostic]]:
    """Vectors of texts, of those encoded before as they are kept."""
    folder = store.folder_of(KIND) / key_of(*spec.identity())
    folder.mkdir(parents=True, exist_ok=True)
    ids: list[str] = text_id(pa.array(texts, pa.large_string())).to_pylist()
    text_of = dict(zip(ids, texts, strict=True))
    missing = sorted(text_of.keys() - _known(folder))
    blocks = []
    for start in range(0, len(missing), TEXTS):
        some = tuple(missing[start : start + TEXTS])
        blocks.append(Block(some, tuple(text_of[id] for id in some), str(folder / f"{key_of(*some)}.arrow")))
    failures: dict[int, Failure] = {}

    def done(index: int, result: int | Failure) -> None:
        if isinstance(result, Failure):
            failures[index] = result
        else:
            progress.advance(len(blocks[index].ids), result)

    if blocks:
        progress.begin(f"encoding texts by {spec.name}", len(missing))
        executor.map(partial(embed_block, spec), blocks, done)
        progress.end()
    if failures:
        return None, failed(failures)
    return _gathered(folder, ids, spec.width), []


def embed_block(spec: EncoderSpec, block: Block) -> int:
    """Write the vectors of a block's texts; how many texts."""
    encoder = load_encoder(spec)
    pieces = encoder.pieces(block.texts)
    flat = [(i, piece) for i, some in enumerate(pieces) for piece in some]
    order = sorted(range(len(flat)), key=lambda i: flat[i][1].tokens)
    vectors = np.empty((len(flat), spec.width), dtype=np.float32)
    vectors[order] = encoder.vectors([flat[i][1] for i in order])
    # A text without tokens has a row without vector, so that it counts as encoded.
    rows = [(block.ids[i], piece.tokens) for i, piece in flat]
    empty = [block.ids[i] for i, some in enumerate(pieces) if not some]
    padded = np.concatenate([vectors, np.zeros((len(empty), spec.width), dtype=np.float32)])
    columns = [
        pa.array([id for id, _ in rows] + empty, pa.string()),
        pa.array([tokens for _, tokens in rows] + [0] * len(empty), pa.int32()),
        pa.FixedSizeListArray.from_arrays(pa.array(padded.reshape(-1)), spec.width),
    ]
    table = pa.table(columns, names=["text", "tokens", "vector"])

    def write(path: Path) -> None:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)

    write_whole(Path(block.output), write, lasting=False)
    return len(block.ids)


def _known(folder: Path) -> set[str]:
    """Texts whose vectors are kept; a file that cannot be read is removed, to be made again."""
    found: set[str] = set()
    for path in sorted(folder.glob("*.arrow")):
        try:
            found.update(_read(path)["text"].to_pylist())
        except (OSError, KeyError, pa.ArrowException):
            path.unlink(missing_ok=True)
    return found


def _read(path: Path) -> pa.Table:
    with pa.OSFile(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def _gathered(folder: Path, ids: Sequence[str], width: int) -> Embedded:
    """The vectors of texts in their order."""
    asked = pa.array(sorted(set(ids)), pa.string())
    seen: set[str] = set()
    parts: dict[str, tuple[NDArray[np.int64], Vectors]] = {}
    for path in sorted(folder.glob("*.arrow")):
        table = _read(path)
        table = table.filter(pa.array(among(table["text"].combine_chunks(), asked))).combine_chunks()
        names = table["text"].to_pylist()
        tokens = table["tokens"].to_numpy().astype(np.int64)
        lists = table["vector"].combine_chunks() if table.num_rows else None
        vectors = np.empty((0, width), np.float32) if lists is None else lists.flatten().to_numpy().reshape(-1, width)
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(names):
            rows.setdefault(name, []).append(row)
        for name in rows.keys() - seen:
            mine = [row for row in rows[name] if tokens[row]]
            parts[name] = tokens[mine], vectors[mine]
        seen |= rows.keys()
    every = [parts[id] for id in ids]
    counts = [len(tokens) for tokens, _ in every]
    return Embedded(
        np.concatenate([vectors for _, vectors in every]) if every else np.empty((0, width), np.float32),
        np.repeat(np.arange(len(ids)), counts),
        np.concatenate([tokens for tokens, _ in every]) if every else np.empty(0, np.int64),
        len(ids),
    )
