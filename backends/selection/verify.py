"""`mixc verify`: whether a selection is the one its manifest says, by exact sums, hashes and recomputed shards.

Copies are a function of manifest and document, so what can be recomputed is compared bit for bit; the one statistical
test, realised against expected tokens, has a bound that honest runs keep (Bernstein; selection.md 6).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from mixc.backends.selection import messages
from mixc.backends.selection.markers import Marker, read_marker
from mixc.backends.selection.run import Run, foreign, found_files, owner_of, tasks_of
from mixc.backends.selection.shard import Selection, Task, loaded
from mixc.backends.selection.slots import FIXED, Slots, build_slots
from mixc.backends.selection.sums import Sums, total
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.executor import Executor, Failure
from mixc.compiler.progress import Progress
from mixc.compiler.review.plan import plan_from_manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors

CHANCE = 1e-6  # that an honest run exceeds a bound anywhere
SHOWN = 8


@dataclass(frozen=True, slots=True)
class CellCheck:
    """One cell in one phase: what the manifest plans, what was expected of the documents, and what was taken.

    `z` is (realised - expected) / standard deviation, to be looked at; `bound` is what |realised - expected| may be.
    """

    phase: str
    cell: str
    planned: int
    expected: float
    realised: int
    documents: int
    z: float
    bound: float

    @property
    def within(self) -> bool:
        """Whether the draw is as chance allows."""
        return abs(self.realised - self.expected) <= self.bound


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified: `faults` in words, none for a selection that stands."""

    shards: int
    recomputed: int
    documents: int
    cells: tuple[CellCheck, ...]
    faults: tuple[str, ...]


def verify(
    job: Run, output: Path, recompute: float, executor: Executor, progress: Progress
) -> tuple[Report | None, list[Diagnostic]]:
    """Check a folder against a manifest; `recompute` is the share of shards that are drawn again."""
    owner = owner_of(output)
    if owner is None:
        return None, [messages.no_selection(str(output))]
    if owner != job.integrity:
        return None, [messages.other_run(str(output), owner)]
    plan = plan_from_manifest(job.manifest)
    files, found = found_files(plan, job)
    if has_errors(found):
        return None, found
    try:
        tasks = tasks_of(files)
    except Unreadable as error:
        return None, [error.diagnostic]
    markers = {task.name: read_marker(output, task.name) for task in tasks}
    faults = [f"{name} was not written by this run" for name in foreign(output, set(markers))]
    faults += _marked(job, tasks, markers)
    there = [marker for marker in markers.values() if marker is not None]
    faults += [fault for marker in there for fault in _output(output, marker)]
    faults += _seen(job, there)
    chosen = sampled(tasks, recompute)
    faults += _recomputed(job, output, chosen, markers, executor, progress)
    cells = checks(build_slots(job.manifest, job.tables), total(marker.sums for marker in there))
    faults += [
        f"{check.phase} {check.cell}: {check.realised:,} tokens where {check.expected:,.0f} are expected"
        for check in cells
        if not check.within
    ]
    report = Report(len(tasks), len(chosen), sum(m.documents for m in there), cells, tuple(faults))
    return report, [messages.not_as_selected(str(output), faults[:SHOWN], len(faults))] if faults else []


def _marked(job: Run, tasks: Sequence[Task], markers: dict[str, Marker | None]) -> list[str]:
    faults = []
    for task in tasks:
        marker = markers[task.name]
        if marker is None:
            faults.append(f"{task.name} is missing, or its marker cannot be read")
        elif (marker.manifest, marker.name) != (job.integrity, task.name):
            faults.append(f"{task.name} was selected by another manifest")
        elif (marker.file, marker.identity) != (task.part.file.name, task.identity):
            faults.append(f"{task.name} was selected from another file than {task.part.file.name}")
    return faults


def _output(output: Path, marker: Marker) -> list[str]:
    """The output is the one that was written, and holds what the marker says."""
    path = output / marker.name
    try:
        data = path.read_bytes()
    except OSError:
        return [f"{marker.name} is missing"]
    if len(data) != marker.output.size or xxhash.xxh3_128_hexdigest(data) != marker.output.hash:
        return [f"{marker.name} was changed after it was written"]
    try:
        table = pq.read_table(pa.BufferReader(data), columns=["copies", "tokens"])
    except pa.ArrowException:
        return [f"{marker.name} cannot be read"]
    copies, tokens = table["copies"].to_numpy(), table["tokens"].to_numpy()
    documents, amount = int(copies.sum()), int((copies * tokens).sum())
    held = sum(cell.documents for cell in marker.sums.values()), sum(cell.tokens for cell in marker.sums.values())
    if (documents, amount) != held or table.num_rows != marker.output.rows:
        return [f"{marker.name} holds {amount:,} tokens, its marker says {held[1]:,}"]
    return []


def _seen(job: Run, markers: Sequence[Marker]) -> list[str]:
    """Every scanned document was seen, exactly."""
    seen: dict[tuple[str, str], tuple[int, int]] = {}
    for marker in markers:
        before = seen.get((marker.source, marker.file), (0, 0))
        seen[marker.source, marker.file] = before[0] + marker.documents, before[1] + marker.tokens
    faults = []
    for file in job.tables.files:
        found = seen.get((file.source, file.name), (0, 0))
        if found != (file.documents, file.tokens):
            faults.append(f"of {file.name}, {found[0]:,} documents were seen and {file.documents:,} scanned")
    return faults


def sampled(tasks: Sequence[Task], share: float) -> list[Task]:
    """The shards to draw again: at least one, those of the smallest hash of their name and input."""
    count = min(len(tasks), max(1, math.ceil(share * len(tasks)))) if share > 0 else 0
    order = sorted(
        tasks, key=lambda task: (xxhash.xxh3_64_intdigest(f"{task.name} {task.identity}".encode()), task.name)
    )
    return order[:count]


@dataclass(frozen=True, slots=True)
class Again:
    """Draws a shard again and says what differs from its marker and its output."""

    manifest: str
    tables: str
    output: str
    integrity: str

    def __call__(self, task: Task) -> list[str]:
        """Differences in words."""
        marker = read_marker(Path(self.output), task.name)
        if marker is None:
            return []  # reported already
        selection = Selection(loaded(self.manifest, self.tables, self.integrity), task)
        table = selection.run()
        again = selection.marker(self.integrity, marker.output)
        if again != marker:
            return [f"{task.name}: its marker says other than its documents give"]
        try:
            held = pq.read_table(Path(self.output) / task.name)
        except (OSError, pa.ArrowException):
            return []
        plain = ("id", "copies", "tokens", "row")
        same = all(held[name].combine_chunks().equals(table[name].combine_chunks()) for name in plain)
        names = all(held[name].to_pylist() == table[name].to_pylist() for name in ("phase", "cell"))
        return [] if same and names else [f"{task.name}: its documents are not those that are drawn"]


def _recomputed(
    job: Run,
    output: Path,
    tasks: Sequence[Task],
    markers: dict[str, Marker | None],
    executor: Executor,
    progress: Progress,
) -> list[str]:
    faults: dict[int, list[str]] = {}

    def done(index: int, result: list[str] | Failure) -> None:
        faults[index] = [f"{tasks[index].name}: {result.message}"] if isinstance(result, Failure) else result
        marker = markers[tasks[index].name]
        progress.advance(1, marker.documents if marker else 0)

    progress.begin("drawing again", len(tasks))
    work = Again(str(job.path.absolute()), str(job.tables_path.absolute()), str(output.absolute()), job.integrity)
    executor.map(work, list(tasks), done)
    progress.end()
    return [fault for index in sorted(faults) for fault in faults[index]]


def checks(slots: Slots, sums: Sums) -> tuple[CellCheck, ...]:
    """Realised against expected, cell by cell, with Bernstein's bound over all of them."""
    count = max(1, sum(1 for cell in sums.values() if cell.expected or cell.tokens))
    size = math.log(2 * count / CHANCE)
    found = []
    for (phase, c), cell in sorted(sums.items()):
        expected = cell.expected / (1 << FIXED)
        variance = max(0.0, cell.variance / (1 << (2 * FIXED)))
        bound = math.sqrt(2 * variance * size) + cell.largest * size / 3
        spread = math.sqrt(variance)
        found.append(
            CellCheck(
                phase=slots.phases[phase],
                cell=slots.cells[c].name,
                planned=slots.cells[c].tokens[phase],
                expected=expected,
                realised=cell.tokens,
                documents=cell.documents,
                z=(cell.tokens - expected) / spread if spread else 0.0,
                bound=bound,
            )
        )
    return tuple(found)
