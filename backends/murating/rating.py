"""Scoring the documents of files part by part, in as many processes as there are; what is done is kept.

Of every document: the score, its tokens, and the scores of its pieces. Null for a document without tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from mixc.backends.models.steps import STEPS
from mixc.backends.murating.encoder import EncoderSpec, Piece
from mixc.backends.murating.encoders import load_encoder
from mixc.backends.murating.head import Head, pooled
from mixc.backends.murating.rater import read_rater
from mixc.compiler.documents.data import BadLines, Part, Wanted
from mixc.compiler.documents.reading import read
from mixc.compiler.whole import make_folder, write_whole

SCHEMA = pa.schema(
    [
        pa.field("score", pa.float32()),
        pa.field("tokens", pa.int32(), False),
        pa.field("chunks", pa.list_(pa.float32()), False),
    ]
)


@dataclass(frozen=True, slots=True)
class Reader:
    """A rater where it lies, with its encoder as it is here; `name` is what messages call it."""

    name: str
    folder: str
    content: str
    encoder: EncoderSpec


@dataclass(frozen=True, slots=True)
class Task:
    """A part of a file whose texts are scored, and where the scores go."""

    part: Part
    text: str
    bad_lines: BadLines
    output: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many documents were read, and how many of those have no tokens."""

    documents: int = 0
    empty: int = 0

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(self.documents + other.documents, self.empty + other.empty)


def rate_part(reader: Reader, task: Task) -> Tally:
    """Write the scores of one part, and meanwhile of every few documents, where a killed one is taken up again.

    What was read now, not what was read before. Another process may do the same at the same time: the steps of both
    count, and whoever has them all puts the same output in its place.
    """
    output, tally = Path(task.output), Tally()
    folder = output.parent / STEPS
    make_folder(folder)
    while not output.exists():
        steps = []
        for number, texts in enumerate(_steps(task, step_of(reader.encoder))):
            path = folder / f"{output.stem}.{number}.arrow"
            steps.append(path)
            if not path.exists() and not output.exists():
                batch = rate(reader, texts.to_pylist())
                _write(path, [batch])
                tally = tally.plus(Tally(batch.num_rows, batch.column("score").null_count))
        try:
            _write(output, (batch for path in steps for batch in read_scores(path)))
        except FileNotFoundError:
            continue  # the other one was sooner, and removed the steps
    for path in folder.glob(f"{output.stem}.*.arrow"):
        path.unlink(missing_ok=True)
    return tally


def step_of(encoder: EncoderSpec) -> int:
    """Documents after which what was scored is kept: what takes a few seconds. Only what scores depend on decides."""
    return 256 if encoder.precision == "float32" else 8192


def rate(reader: Reader, texts: Sequence[str | None]) -> pa.RecordBatch:
    """Scores of texts, in their order. A score does not depend on the other texts."""
    encoder, head = load_encoder(reader.encoder), _head(reader.folder, reader.name, reader.content)
    pieces = encoder.pieces([text or "" for text in texts])
    flat: list[tuple[int, Piece]] = [(i, piece) for i, some in enumerate(pieces) for piece in some]
    order = sorted(range(len(flat)), key=lambda i: flat[i][1].tokens)  # batched by length
    scores = np.empty(len(flat))
    if flat:
        scores[order] = head.scores(encoder.vectors([flat[i][1] for i in order]))
    owner = np.array([i for i, _ in flat], dtype=np.intp)
    tokens = np.array([piece.tokens for _, piece in flat], dtype=np.int64)
    whole = pooled(scores, owner, tokens, len(texts))
    counts = np.bincount(owner, weights=tokens, minlength=len(texts)).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(texts)))]).astype(np.int32)
    chunks = pa.ListArray.from_arrays(pa.array(offsets), pa.array(scores.astype(np.float32)))
    columns = [pa.array(whole.astype(np.float32), mask=counts == 0), pa.array(counts), chunks]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def read_scores(path: Path) -> Iterator[pa.RecordBatch]:
    """What was written of a part or step, batch by batch."""
    with pa.OSFile(str(path)) as source:
        reader = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(use_threads=False))
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def _write(path: Path, batches: Iterable[pa.RecordBatch]) -> None:
    def write(temporary: Path) -> None:
        with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
            for batch in batches:
                writer.write_batch(batch)

    write_whole(path, write)


def _steps(task: Task, step: int) -> Iterator[pa.Array]:
    """The texts of a part, `step` at a time, however the file is divided."""
    held: list[pa.Array] = []
    rows = 0
    for batch in read(task.part, Wanted(text=task.text), bad_lines=task.bad_lines):
        start = 0
        while start < batch.rows:
            taken = min(step - rows, batch.rows - start)
            assert batch.text is not None
            held.append(batch.text.slice(start, taken).cast(pa.large_string()))
            start, rows = start + taken, rows + taken
            if rows == step:
                yield pa.concat_arrays(held)
                held, rows = [], 0
    if rows:
        yield pa.concat_arrays(held)


@cache
def _head(folder: str, name: str, content: str) -> Head:
    """The head of a rater, once in every process; `content` tells apart what lay there before."""
    return read_rater(Path(folder), name).head
