"""One shard of a run: read a part of a file, draw, write the selection, then the marker that vouches for it.

A shard depends on nothing but the manifest, its tables and its documents, and may be done again at any time: it writes
beside its place and moves there, the marker last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mixc.backends.selection.cuts import CUT, exact_slots, read_cuts
from mixc.backends.selection.kernel import Drawer, Drawn, draw_prefix
from mixc.backends.selection.markers import Marker, Output, write_marker
from mixc.backends.selection.outputs import content_hash, told_of_room
from mixc.backends.selection.slots import Slots, build_slots
from mixc.backends.selection.sums import CellSums, Sums, expectations, total
from mixc.compiler.documents.data import Part
from mixc.compiler.documents.reading import read
from mixc.compiler.keyed_hash import selection_digest
from mixc.compiler.review.plan import plan_from_manifest
from mixc.compiler.review.reading import parse_manifest
from mixc.compiler.review.schema import Manifest
from mixc.compiler.review.tables import RunTables, from_table
from mixc.compiler.scan.find import located
from mixc.compiler.scan.holdout import kept
from mixc.compiler.scan.labels import Key, Labelled, labelled
from mixc.compiler.scan.merge import Merger
from mixc.compiler.scan.plan import Plan
from mixc.compiler.scan.store import read_numbers
from mixc.compiler.whole import write_whole

Ints = NDArray[np.int64]

SELECTION = "selection"
ROWS = 1 << 16  # of documents that are taken and wait to be summed up
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("phase", pa.dictionary(pa.int32(), pa.string())),
        ("copies", pa.int32()),
        ("cell", pa.dictionary(pa.int32(), pa.string())),
        ("tokens", pa.int64()),
        ("row", pa.int64()),
    ]
)
DICTIONARIES = ["phase", "copies", "cell", "tokens"]  # of the file; few ids and rows stand twice


@dataclass(frozen=True, slots=True)
class Task:
    """A part to select from: `name` is that of its output below the folder, `identity` that of the file scanned."""

    part: Part
    name: str
    identity: str


@dataclass(frozen=True, slots=True)
class Work:
    """What all shards of a run share; small enough to be sent with every task.

    `cut` is the hash of exact cuts, `places` are the params that say where files lie.
    """

    manifest: str
    tables: str
    output: str
    integrity: str
    cut: str = ""
    places: tuple[tuple[str, str], ...] = ()

    def __call__(self, task: Task) -> Marker:
        """Select from one part; the marker that was written."""
        with told_of_room(self.output):
            return select(self, task)


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    """Documents of one batch that are taken in one phase; `row` in the file."""

    phase: int
    id: pa.Array
    cell: Ints
    copies: Ints
    tokens: Ints
    row: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A manifest made ready to draw by."""

    manifest: Manifest
    plan: Plan
    tables: RunTables
    slots: Slots


_OPEN: dict[tuple[str, str, str], tuple[Manifest, RunTables]] = {}


def offer(work: Work, manifest: Manifest, tables: RunTables) -> None:
    """Let shards that are selected in this process use what it read already."""
    _OPEN[work.manifest, work.tables, work.integrity] = manifest, tables


def _read(manifest: str, tables: str, integrity: str) -> tuple[Manifest, RunTables]:
    found, problems = parse_manifest(manifest, Path(manifest).read_bytes())
    if found is None or found.integrity != integrity:
        raise RuntimeError(f"{manifest} changed while it was run: {[problem.message for problem in problems]}")
    return found, from_table(read_numbers(tables))


@cache
def loaded(
    manifest: str, tables: str, integrity: str, places: tuple[tuple[str, str], ...], cut_path: str = "", cut: str = ""
) -> Loaded:
    """The manifest of a run, read once in every process."""
    found, made = _OPEN.get((manifest, tables, integrity)) or _read(manifest, tables, integrity)
    slots = build_slots(found, made)
    if cut:
        cuts = read_cuts(Path(cut_path), integrity)
        if cuts is None or cuts.hash != cut:
            raise RuntimeError(f"{cut_path} changed while it was used")
        slots = exact_slots(slots, cuts)
    return Loaded(found, located(plan_from_manifest(found), dict(places), Path(manifest).parent), made, slots)


def loaded_by(work: Work) -> Loaded:
    """What a run loads."""
    path = str(Path(work.output) / CUT) if work.cut else ""
    return loaded(work.manifest, work.tables, work.integrity, work.places, path, work.cut)


def select(work: Work, task: Task) -> Marker:
    """Draw from one part and write what was drawn."""
    ready = loaded_by(work)
    drawn = Selection(ready, task)
    table = drawn.run()
    output = write_table(Path(work.output) / task.name, table)
    marker = drawn.marker(work, output)
    write_marker(Path(work.output), marker)
    return marker


class Selection:
    """The selection of one part, batch by batch."""

    def __init__(self, ready: Loaded, task: Task) -> None:
        source = ready.plan.source(task.part.file.source)
        inside = task.part.file.name if source.ids == "per-file" else None
        prefix = draw_prefix(ready.manifest.selection.seed, source.name, inside)
        self.task, self.slots, self.source, self.plan = task, ready.slots, source, ready.plan
        self.drawer = Drawer(source, ready.slots, Merger(ready.plan, ready.tables.normalisers), prefix)
        self.pieces: list[pa.Table] = []
        self._waiting: list[_Taken] = []
        self.digests = [0] * len(ready.slots.phases)
        self._taken = np.zeros((2, len(ready.slots.phases), len(ready.slots.cells)), dtype=np.int64)
        self.documents = self.tokens = self.withheld = 0

    def run(self) -> pa.Table:
        """All selected documents, in the order of the part."""
        for keys, batch in self.batches():
            self.documents += int(batch.counts.sum())
            self.tokens += int(batch.tokens[batch.counts].sum())
            self.withheld += batch.withheld
            self._take(self.drawer.draw(keys, batch), batch.batch.first)
        self._settle()
        return pa.concat_tables(self.pieces) if self.pieces else SCHEMA.empty_table()

    def batches(self) -> Iterator[tuple[list[Key], Labelled]]:
        """The documents of the part with their groups, and the groups' keys."""
        found = read(self.task.part, self.source.wanted, bad_lines=self.source.bad_lines, unscored=True)
        for labeller, batch in kept(self.plan, self.task.part, labelled(self.source, found)):
            yield labeller.keys, batch

    def _take(self, drawn: Drawn, first: int) -> None:
        for phase in range(len(self.slots.phases)):
            copies = drawn.copies[:, phase]
            kept = np.flatnonzero(copies)
            if not len(kept):
                continue
            ids = drawn.id if len(kept) == len(copies) else drawn.id.take(pa.array(kept))
            taken = _Taken(phase, ids, drawn.cell[kept], copies[kept], drawn.tokens[kept], drawn.row[kept] + first)
            self._waiting.append(taken)
        if sum(len(taken.copies) for taken in self._waiting) >= ROWS:
            self._settle()

    def _settle(self) -> None:
        """Sum up what was taken since the last time, and make a piece of it."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        for phase in sorted({taken.phase for taken in waiting}):
            mine = [taken for taken in waiting if taken.phase == phase]
            cell, copies, tokens = (
                np.concatenate(column) for column in zip(*((t.cell, t.copies, t.tokens) for t in mine), strict=True)
            )
            digest = selection_digest(pa.concat_arrays([taken.id for taken in mine]), copies, cell)
            self.digests[phase] = (self.digests[phase] + digest) % (1 << 128)
            np.add.at(self._taken[0, phase], cell, copies)
            np.add.at(self._taken[1, phase], cell, copies * tokens)
        self.pieces.append(self._piece(waiting))

    @property
    def taken(self) -> Sums:
        """Documents, each as often as it is taken, and their tokens, by phase and cell."""
        documents, tokens = self._taken
        return {
            (phase, cell): CellSums(documents=int(documents[phase, cell]), tokens=int(tokens[phase, cell]))
            for phase, cell in np.argwhere(documents).tolist()
        }

    def _piece(self, many: Sequence[_Taken]) -> pa.Table:
        cell = np.concatenate([taken.cell for taken in many])
        used = np.flatnonzero(np.bincount(cell))
        place = np.zeros(len(self.slots.cells), dtype=np.int32)
        place[used] = np.arange(len(used))
        phase = np.repeat(np.array([taken.phase for taken in many], np.int32), [len(taken.cell) for taken in many])
        columns = [
            pa.concat_arrays([taken.id.cast(pa.string()) for taken in many]),
            pa.DictionaryArray.from_arrays(pa.array(phase), pa.array(self.slots.phases, pa.string())),
            pa.array(np.concatenate([taken.copies for taken in many]).astype(np.int32)),
            pa.DictionaryArray.from_arrays(
                pa.array(place.take(cell)), pa.array([self.slots.cells[c].name for c in used.tolist()])
            ),
            pa.array(np.concatenate([taken.tokens for taken in many])),
            pa.array(np.concatenate([taken.row for taken in many])),
        ]
        return pa.table(columns, schema=SCHEMA)

    def marker(self, work: Work, output: Output) -> Marker:
        """What the shard vouches for."""
        sums = total([expectations(self.slots, self.drawer.seen), self.taken])
        return Marker(
            manifest=work.integrity,
            name=self.task.name,
            source=self.source.name,
            file=self.task.part.file.name,
            identity=self.task.identity,
            documents=self.documents,
            tokens=self.tokens,
            output=output,
            digests=tuple(f"{digest:032x}" for digest in self.digests),
            sums=sums,
            cut=work.cut,
            withheld=self.withheld,
        )


def write_table(path: Path, table: pa.Table) -> Output:
    """Write a Parquet file whole or not at all; its size and content hash."""
    whole = table.unify_dictionaries()
    options: dict[str, Any] = {"use_dictionary": DICTIONARIES, "column_encoding": {"row": "DELTA_BINARY_PACKED"}}
    write_whole(path, lambda temporary: pq.write_table(whole, temporary, compression="zstd", **options))
    return Output(path.stat().st_size, content_hash(path), table.num_rows)
