"""A gate of targets: which documents pass, decided over all of them, then written down row by row beside their files.

One pass leaves, for every language (or for the whole pool), what a selection needs of each document; selecting reads
that alone, so no language is looked for twice in the data. A second pass says of every row whether it passed, and sums
up how much did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mixc.backends.nag.cut import Mask
from mixc.backends.nag.passed import Sums, passed_of, read_passed, write_passed
from mixc.backends.nag.quality import Judged, select_with_quality
from mixc.backends.nag.scored import Scored
from mixc.backends.nag.select import Selection, select
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.documents.messages import missing_column
from mixc.compiler.documents.reading import columns_of, parts, read
from mixc.compiler.documents.sidecars import write_sidecar
from mixc.compiler.progress import Progress
from mixc.compiler.scan.beside import gated
from mixc.compiler.scan.holdout import identifiers, kept
from mixc.compiler.scan.labels import Key, Labelled, labelled
from mixc.compiler.scan.plan import GatePlan, GateQuality, Passed, Plan
from mixc.compiler.scan.scoring import scores_of
from mixc.compiler.scan.stages import Found
from mixc.compiler.scan.store import Store
from mixc.compiler.whole import beside, folder_of_work
from mixc.dsl.diagnostics import Diagnostic

POOL = "pool"

Raw: TypeAlias = Mapping[Found, Sequence[tuple[str, str]]]
Chooser: TypeAlias = Callable[[Judged], Mask]
"""Which of some documents pass, [n]."""


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """Documents of one batch: which of its rows may pass, the ranking that each is part of, and what ranks them."""

    keys: list[Key]
    batch: Labelled
    counted: NDArray[np.int64]
    ranking: NDArray[np.int64]
    names: tuple[str, ...]
    judged: Judged


def decide(
    gate: GatePlan, plan: Plan, known: Sequence[Found], raw: Raw, store: Store, progress: Progress
) -> tuple[tuple[Passed, ...], list[Diagnostic]]:
    """Write the gate of every file; `raw` are the scores of each target, whole numbers, beside every file.

    What it let through, and what was not as it should be while that was decided.
    """
    before = read_passed(passed_of(store, gate.key))
    if before is not None and all(gated(store, gate.key, plan, one).exists() for one in known):
        return before, []
    work = beside(store.folder_of("gates") / "rankings")
    with folder_of_work(work):
        progress.begin("ranking", 2 * len(known))
        choosers, found = {}, []
        for name, path in sorted(_spooled(gate, plan, known, raw, work, progress).items()):
            choosers[name], told = _chooser(gate, name, path)
            found += told
        sums = Sums()
        for one in known:
            path = gated(store, gate.key, plan, one)
            write_sidecar(path, _passed(gate, choosers, plan, one, raw[one], sums))
            progress.advance(1, 0)
        progress.end()
        write_passed(passed_of(store, gate.key), sums.result())
        return sums.result(), found


def _chooser(gate: GatePlan, name: str, path: Path) -> tuple[Chooser, list[Diagnostic]]:
    """What decides over the documents of one ranking, which a file holds."""
    chosen: Chooser
    if gate.quality is None:
        selection, found = select(lambda: _scores(path), gate.fraction, gate.weights, gate.overlap)
        chosen = partial(_copied, selection)
    else:
        combined, found = select_with_quality(lambda: _read(path), gate.fraction, gate.quality.better)
        chosen = combined.taken
    which = "all documents together" if gate.scope == "pool" else f"documents in `{name}`"
    return chosen, [replace(one, notes=(f"of {which}", *one.notes)) for one in found]


def _copied(selection: Selection, judged: Judged) -> Mask:
    mask: Mask = selection.copies(judged[0]) > 0
    return mask


def _spooled(
    gate: GatePlan, plan: Plan, known: Sequence[Found], raw: Raw, work: Path, progress: Progress
) -> dict[str, Path]:
    writers: dict[str, Any] = {}
    paths: dict[str, Path] = {}
    try:
        for one in known:
            for row in _rows(gate, plan, one, raw[one]):
                for i, name in enumerate(row.names):
                    mine = np.flatnonzero(row.ranking == i)
                    if not len(mine):
                        continue
                    table = _table(_taken(row.judged, mine))
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
    wanted = replace(plan, gate=gate).judged(source.name)
    for part in parts(file):
        batches = labelled(source, read(part, wanted, bad_lines=source.bad_lines, unscored=True))
        for labeller, batch in kept(replace(plan, gate=None), part, batches):
            if gate.quality is not None and gate.quality.rater in batch.batch.absent:
                raise Unreadable(missing_column(file.name, gate.quality.column, "score", columns_of(file)))
            yield _row(gate, labeller.keys, batch)


def _row(gate: GatePlan, keys: list[Key], batch: Labelled) -> _Row:
    scores = np.stack([_whole(batch, name) for name in gate.targets], axis=1)
    quality = np.zeros(len(scores)) if gate.quality is None else _quality(batch, gate.quality)
    counted = np.flatnonzero(batch.counts & (scores >= 0).all(axis=1) & np.isfinite(quality))
    names = (POOL,) if gate.scope == "pool" else tuple(sorted({language for language, _ in keys}))
    places = np.array([0 if gate.scope == "pool" else names.index(language) for language, _ in keys], dtype=np.int64)
    ids = identifiers(batch.batch, counted).cast(pa.string())
    scored = Scored(ids, scores[counted], batch.tokens[counted])
    return _Row(keys, batch, counted, places[batch.group[counted]], names, (scored, quality[counted]))


def _whole(batch: Labelled, target: str) -> NDArray[np.int64]:
    """Scores [n] of a target; -1 where it has none."""
    values = scores_of(batch.batch, target)
    assert values is not None
    return np.where(np.isnan(values), -1, np.nan_to_num(values)).astype(np.int64)


def _quality(batch: Labelled, quality: GateQuality) -> NDArray[np.float64]:
    """Scores [n] of the rater, within its range; NaN where it has none."""
    values = scores_of(batch.batch, quality.rater)
    if values is None:
        return np.full(batch.batch.rows, np.nan)
    exact = values.astype(np.float64)
    return exact if quality.range is None else np.clip(exact, *quality.range)


def _passed(
    gate: GatePlan,
    choosers: Mapping[str, Chooser],
    plan: Plan,
    one: Found,
    raw: Sequence[tuple[str, str]],
    sums: Sums,
) -> Iterator[pa.Array]:
    for row in _rows(gate, plan, one, raw):
        passed = np.zeros(row.batch.batch.rows, dtype=bool)
        for i, name in enumerate(row.names):
            mine = np.flatnonzero(row.ranking == i)
            if len(mine):
                passed[row.counted[mine]] = choosers[name](_taken(row.judged, mine))
        unrated = (
            np.zeros(len(passed), bool) if gate.quality is None else ~np.isfinite(_quality(row.batch, gate.quality))
        )
        sums.add(one.file.source, row.keys, row.batch, passed, unrated)
        yield pa.array(passed.astype(np.float32))


def _taken(judged: Judged, rows: NDArray[np.int64]) -> Judged:
    scored, quality = judged
    return Scored(scored.ids.take(pa.array(rows)), scored.scores[rows], scored.tokens[rows]), quality[rows]


def _table(judged: Judged) -> pa.Table:
    scored, quality = judged
    columns = {f"score:{m}": scored.scores[:, m] for m in range(scored.scores.shape[1])}
    return pa.table({"id": scored.ids, "tokens": scored.tokens, "quality": quality} | columns)


def _read(path: Path) -> Iterator[Judged]:
    with pq.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if name.startswith("score:")]
        for record in file.iter_batches(1 << 16, use_threads=False):
            scores = np.stack([record.column(name).to_numpy() for name in names], axis=1)
            scored = Scored(record.column("id"), scores, record.column("tokens").to_numpy())
            yield scored, record.column("quality").to_numpy()


def _scores(path: Path) -> Iterable[Scored]:
    return (scored for scored, _ in _read(path))
