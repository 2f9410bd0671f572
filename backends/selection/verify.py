"""`mixc verify`: whether a selection is the one its manifest says, by exact sums, hashes and recomputed shards.

Copies are a function of manifest and document, so what can be recomputed is compared bit for bit; the one statistical
test, realised against expected tokens, has a bound that honest runs keep (Bernstein; selection.md 6).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from mixc.backends.selection import messages
from mixc.backends.selection.checks import CellCheck as CellCheck
from mixc.backends.selection.checks import checks as checks
from mixc.backends.selection.checks import cut_faults, exact_checks
from mixc.backends.selection.cuts import CUT, read_cuts
from mixc.backends.selection.markers import Marker, Markers, read_marker
from mixc.backends.selection.run import Run, foreign, found_files, has_texts, owner_of, tasks_of, work_of
from mixc.backends.selection.shard import Selection, Task, Work, loaded_by
from mixc.backends.selection.slots import build_slots
from mixc.backends.selection.verify_texts import text_faults
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.executor import Executor, Failure
from mixc.compiler.progress import Progress
from mixc.compiler.review.plan import plan_from_manifest
from mixc.compiler.scan.holdout import held_out
from mixc.compiler.scan.plan import Plan
from mixc.dsl.diagnostics import Diagnostic, has_errors

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified: `faults` in words, none for a selection that stands.

    `withheld` documents are held out; None where the manifest asks for no hold-out.
    """

    shards: int
    recomputed: int
    documents: int
    cells: tuple[CellCheck, ...]
    faults: tuple[str, ...]
    withheld: int | None = None


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
    files, found = found_files(plan, job, executor)
    if has_errors(found):
        return None, found
    try:
        tasks = tasks_of(files, executor)
    except Unreadable as error:
        return None, [error.diagnostic]
    faults = [f"{name} was not written by this run" for name in foreign(output, {task.name for task in tasks})]
    cuts = read_cuts(output / CUT, job.integrity)
    work = work_of(job, output, cuts.hash if cuts is not None else "")
    markers, changed = Markers(), list[str]()
    for task in tasks:
        marker = read_marker(output, task.name)
        faults += _marked(work, task, marker)
        if marker is not None:
            changed += _output(output, marker, plan)
            markers.add(task.name, marker)
    there = list(markers.by_name.values())
    faults += [*changed, *_seen(job, there)]
    chosen = sampled(tasks, recompute)
    faults += _recomputed(work, chosen, markers.by_name, executor, progress)
    slots, sums = build_slots(job.manifest, job.tables), markers.sums
    cells = checks(slots, sums) if cuts is None else exact_checks(slots, sums, cuts)
    faults += [] if cuts is None else cut_faults(slots, sums, cuts)
    faults += text_faults(work, sums, written=has_texts(output))
    faults += [
        f"{check.phase} {check.cell}: {check.realised:,} tokens where {check.expected:,.0f} are expected"
        for check in cells
        if not check.within
    ]
    withheld = None if plan.holdout is None else sum(marker.withheld for marker in there)
    report = Report(len(tasks), len(chosen), sum(m.documents for m in there), cells, tuple(faults), withheld)
    return report, [messages.not_as_selected(str(output), faults[:SHOWN], len(faults))] if faults else []


def _marked(work: Work, task: Task, marker: Marker | None) -> list[str]:
    if marker is None:
        return [f"{task.name} is missing, or its marker cannot be read"]
    if (marker.manifest, marker.name) != (work.integrity, task.name):
        return [f"{task.name} was selected by another manifest"]
    if marker.cut != work.cut:
        return [f"{task.name} was selected with other cuts than those of {CUT}"]
    if (marker.file, marker.identity) != (task.part.file.name, task.identity):
        return [f"{task.name} was selected from another file than {task.part.file.name}"]
    return []


def _output(output: Path, marker: Marker, plan: Plan) -> list[str]:
    """The output is the one that was written, holds what the marker says, and nothing that is held out."""
    path = output / marker.name
    try:
        data = path.read_bytes()
    except OSError:
        return [f"{marker.name} is missing"]
    if len(data) != marker.output.size or xxhash.xxh3_128_hexdigest(data) != marker.output.hash:
        return [f"{marker.name} was changed after it was written"]
    try:
        names = ["copies", "tokens"] if plan.holdout is None else ["copies", "tokens", "id"]
        table = pq.read_table(pa.BufferReader(data), columns=names)
    except pa.ArrowException:
        return [f"{marker.name} cannot be read"]
    copies, tokens = table["copies"].to_numpy(), table["tokens"].to_numpy()
    documents, amount = int(copies.sum()), int((copies * tokens).sum())
    held = sum(cell.documents for cell in marker.sums.values()), sum(cell.tokens for cell in marker.sums.values())
    if (documents, amount) != held or table.num_rows != marker.output.rows:
        return [f"{marker.name} holds {amount:,} tokens, its marker says {held[1]:,}"]
    if plan.holdout is not None and (count := held_out(plan, plan.holdout, marker.source, marker.file, table["id"])):
        return [f"{marker.name} holds {count:,} documents that are held out"]
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

    work: Work

    def __call__(self, task: Task) -> list[str]:
        """Differences in words."""
        output = Path(self.work.output)
        marker = read_marker(output, task.name)
        if marker is None:
            return []  # reported already
        selection = Selection(loaded_by(self.work), task)
        table = selection.run()
        again = selection.marker(self.work, marker.output)
        if again != marker:
            return [f"{task.name}: its marker says other than its documents give"]
        try:
            held = pq.read_table(output / task.name)
        except (OSError, pa.ArrowException):
            return []
        plain = ("id", "copies", "tokens", "row")
        same = all(held[name].combine_chunks().equals(table[name].combine_chunks()) for name in plain)
        names = all(held[name].to_pylist() == table[name].to_pylist() for name in ("phase", "cell"))
        return [] if same and names else [f"{task.name}: its documents are not those that are drawn"]


def _recomputed(
    work: Work,
    tasks: Sequence[Task],
    markers: Mapping[str, Marker],
    executor: Executor,
    progress: Progress,
) -> list[str]:
    faults: dict[int, list[str]] = {}

    def done(index: int, result: list[str] | Failure) -> None:
        faults[index] = [f"{tasks[index].name}: {result.message}"] if isinstance(result, Failure) else result
        marker = markers.get(tasks[index].name)
        progress.advance(1, marker.documents if marker else 0)

    progress.begin("drawing again", len(tasks))
    executor.map(Again(work), list(tasks), done)
    progress.end()
    return [fault for index in sorted(faults) for fault in faults[index]]
