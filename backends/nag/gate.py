"""A gate of targets: which documents pass, decided over all of them, then written down row by row beside their files.

One pass leaves, for every language (or for the whole pool), what a selection needs of each document; selecting reads
that alone, so no language is looked for twice in the data. A second pass says of every row whether it passed.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mixc.backends.nag.scored import Scored
from mixc.backends.nag.select import Selection, select
from mixc.compiler.documents.reading import parts, read
from mixc.compiler.documents.sidecars import write_sidecar
from mixc.compiler.progress import Progress
from mixc.compiler.scan.beside import gated
from mixc.compiler.scan.holdout import identifiers, kept
from mixc.compiler.scan.labels import Key, Labelled, labelled
from mixc.compiler.scan.plan import GatePlan, Plan
from mixc.compiler.scan.scoring import scores_of
from mixc.compiler.scan.stages import Found
from mixc.compiler.scan.store import Store
from mixc.dsl.diagnostics import Diagnostic

POOL = "pool"


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """Documents of one batch: their rows in the file, the ranking that each is part of, and what ranks them."""

    first: int
    rows: int
    counted: NDArray[np.int64]
    ranking: NDArray[np.int64]
    names: tuple[str, ...]
    scored: Scored


def decide(
    gate: GatePlan, plan: Plan, known: Sequence[Found], raw: Mapping[Found, Sequence[tuple[str, str]]], store: Store,
    progress: Progress,
) -> list[Diagnostic]:  # fmt: skip
    """Write the gate of every file; `raw` are the scores of each target, whole numbers, beside every file."""
    if all(gated(store, gate.key, plan, one).exists() for one in known):
        return []
    store.folder_of("gates")
    work = Path(tempfile.mkdtemp(dir=store.folder / "gates"))
    try:
        progress.begin("ranking", 2 * len(known))
        spools = _spooled(gate, plan, known, raw, work, progress)
        selections, found = {}, []
        for name, path in sorted(spools.items()):
            selections[name], told = select(lambda path=path: _read(path), gate.fraction, gate.weights, gate.overlap)  # type: ignore[misc]
            found += told
        for one in known:
            path = gated(store, gate.key, plan, one)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_sidecar(path, _passed(gate, selections, plan, one, raw[one]))
            progress.advance(1, 0)
        progress.end()
        return found
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _spooled(
    gate: GatePlan, plan: Plan, known: Sequence[Found], raw: Mapping[Found, Sequence[tuple[str, str]]], work: Path,
    progress: Progress,
) -> dict[str, Path]:  # fmt: skip
    writers: dict[str, Any] = {}
    paths: dict[str, Path] = {}
    try:
        for one in known:
            for row in _rows(gate, plan, one, raw[one]):
                for i, name in enumerate(row.names):
                    mine = np.flatnonzero(row.ranking == i)
                    if not len(mine):
                        continue
                    table = _table(_taken(row.scored, mine))
                    if name not in writers:
                        paths[name] = work / f"{len(paths)}.parquet"
                        writers[name] = pq.ParquetWriter(paths[name], table.schema, compression="zstd")
                    writers[name].write_table(table)
            progress.advance(1, 0)
    finally:
        for writer in writers.values():
            writer.close()
    return paths


def _rows(gate: GatePlan, plan: Plan, one: Found, raw: Sequence[tuple[str, str]]) -> Iterator[_Row]:
    """All batches of a file, with the documents that may pass."""
    source = plan.source(one.file.source)
    file = replace(one.file, sidecars=tuple(raw))
    for part in parts(file):
        batches = labelled(source, read(part, source.wanted, bad_lines=source.bad_lines))
        for labeller, batch in kept(replace(plan, gate=None), part, batches):
            yield _row(gate, labeller.keys, batch)


def _row(gate: GatePlan, keys: list[Key], batch: Labelled) -> _Row:
    scores = np.stack([_whole(batch, name) for name in gate.targets], axis=1)
    counted = np.flatnonzero(batch.counts & (scores >= 0).all(axis=1))
    names = (POOL,) if gate.scope == "pool" else tuple(sorted({language for language, _ in keys}))
    places = np.array([0 if gate.scope == "pool" else names.index(language) for language, _ in keys], dtype=np.int64)
    ids = identifiers(batch.batch, counted).cast(pa.string())
    scored = Scored(ids, scores[counted], batch.tokens[counted])
    return _Row(batch.batch.first, batch.batch.rows, counted, places[batch.group[counted]], names, scored)


def _whole(batch: Labelled, target: str) -> NDArray[np.int64]:
    """Scores [n] of a target; -1 where it has none."""
    values = scores_of(batch.batch, target)
    assert values is not None
    return np.where(np.isnan(values), -1, np.nan_to_num(values)).astype(np.int64)


def _passed(
    gate: GatePlan, selections: Mapping[str, Selection], plan: Plan, one: Found, raw: Sequence[tuple[str, str]]
) -> Iterator[pa.Array]:
    for row in _rows(gate, plan, one, raw):
        passed = np.zeros(row.rows, dtype=np.float32)
        for i, name in enumerate(row.names):
            mine = np.flatnonzero(row.ranking == i)
            if len(mine):
                passed[row.counted[mine]] = selections[name].copies(_taken(row.scored, mine)) > 0
        yield pa.array(passed)


def _taken(scored: Scored, rows: NDArray[np.int64]) -> Scored:
    return Scored(scored.ids.take(pa.array(rows)), scored.scores[rows], scored.tokens[rows])


def _table(scored: Scored) -> pa.Table:
    columns = {f"score:{m}": scored.scores[:, m] for m in range(scored.scores.shape[1])}
    return pa.table({"id": scored.ids, "tokens": scored.tokens} | columns)


def _read(path: Path) -> Iterable[Scored]:
    with pq.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if name.startswith("score:")]
        for record in file.iter_batches(1 << 16, use_threads=False):
            scores = np.stack([record.column(name).to_numpy() for name in names], axis=1)
            yield Scored(record.column("id"), scores, record.column("tokens").to_numpy())
