"""`mixc run`: every shard of a manifest, each once, going on where an earlier run was stopped."""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixc.backends.selection import messages
from mixc.backends.selection.cuts import CUT, Cuts, read_cuts
from mixc.backends.selection.cutting import find_cuts
from mixc.backends.selection.inputs import Run as Run
from mixc.backends.selection.inputs import found_files as found_files
from mixc.backends.selection.mapping import failed
from mixc.backends.selection.markers import SUFFIX, Marker, Markers, marker_path, read_marker
from mixc.backends.selection.outputs import write_text
from mixc.backends.selection.shard import SELECTION, Task, Work, loaded_by
from mixc.backends.selection.sums import Sums
from mixc.compiler.documents.data import DataFile, Unreadable
from mixc.compiler.executor import Executor, Failure
from mixc.compiler.progress import Progress
from mixc.compiler.review.plan import plan_from_manifest
from mixc.compiler.scan.spread import parts_of
from mixc.compiler.whole import kept_json, make_folder
from mixc.dsl.diagnostics import Diagnostic, has_errors

RUN, LOCK = "run.json", ".lock"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A finished run: its markers by name, without their sums, how many of them were there before, and the sums of all.

    `cut` is the hash of its exact cuts.
    """

    markers: tuple[Marker, ...]
    before: int
    sums: Sums
    cut: str = ""

    @property
    def withheld(self) -> int:
        """Documents that are held out."""
        return sum(marker.withheld for marker in self.markers)

    def digest(self, phase: int, source: str) -> str:
        """The selection digest of a phase and a source, whatever its order, sharding or format."""
        parts = (int(m.digests[phase], 16) for m in self.markers if m.source == source)
        return f"{sum(parts) % (1 << 128):032x}"


def run(
    job: Run, output: Path, executor: Executor, progress: Progress, *, exact: bool = False
) -> tuple[Outcome | None, list[Diagnostic]]:
    """Select from all documents of a manifest into a folder; `exact`: cut so that every cell reaches its target."""
    if not job.manifest.runnable:
        return None, [messages.not_runnable(str(job.path), job.manifest.reason or "it selects nothing")]
    if exact and job.tables.draws:
        return None, [messages.not_exact(str(job.path), sorted(job.tables.draws)[0][2])]
    if exact and job.manifest.after is not None:
        return None, [messages.not_exact_after(str(job.path), job.manifest.after.manifest)]
    plan = plan_from_manifest(job.manifest)
    files, found = found_files(plan, job, executor)
    if has_errors(found):
        return None, found
    try:
        with claimed(output, job) as refusal:
            if refusal is not None:
                return None, [refusal]
            return _run(job, output, files, executor, progress, exact)
    except OSError as error:
        return None, [messages.cannot_write_output(str(output), os.strerror(error.errno or 0).lower())]


def _run(
    job: Run,
    output: Path,
    files: Sequence[tuple[DataFile, str]],
    executor: Executor,
    progress: Progress,
    exact: bool,
) -> tuple[Outcome | None, list[Diagnostic]]:
    try:
        tasks = tasks_of(files, executor)
    except Unreadable as error:
        return None, [error.diagnostic]
    cuts, told = cuts_of(job, output, tasks, executor, progress) if exact else (None, [])
    if not exact:
        (output / CUT).unlink(missing_ok=True)
    if has_errors(told):
        return None, told
    cut = cuts.hash if cuts is not None else ""
    ended = Markers()
    for task in tasks:
        marker = read_marker(output, task.name)
        if marker is not None and stands(marker, task, job, output, cut):
            ended.add(task.name, marker)
    _clean(output, {task.name for task in tasks})
    before, left = len(ended.by_name), [task for task in tasks if task.name not in ended.by_name]
    sizes = Counter(task.part.file.name for task in tasks)
    failures: dict[int, Failure] = {}

    def finished(index: int, result: Marker | Failure) -> None:
        if isinstance(result, Failure):
            failures[index] = result
        else:
            ended.add(left[index].name, result)
            progress.advance(left[index].part.file.size // sizes[left[index].part.file.name], result.documents)

    progress.begin("selecting", sum(t.part.file.size // sizes[t.part.file.name] for t in left))
    executor.map(work_of(job, output, cut), left, finished)
    progress.end()
    if failures:
        return None, [*told, *failed(failures, left)]
    _clean(output, {task.name for task in tasks})  # what a worker that died left, whose task another did
    outcome = Outcome(tuple(ended.by_name[task.name] for task in tasks), before, ended.sums, cut)
    write_summary(output, job, outcome)
    return outcome, told


def work_of(job: Run, output: Path, cut: str = "") -> Work:
    """What workers are told of a run."""
    values, _ = job.places(plan_from_manifest(job.manifest))
    manifest, tables = str(job.path.absolute()), str(job.tables_path.absolute())
    return Work(manifest, tables, str(output.absolute()), job.integrity, cut, tuple(sorted(values.items())))


def cuts_of(
    job: Run, output: Path, tasks: Sequence[Task], executor: Executor, progress: Progress
) -> tuple[Cuts | None, list[Diagnostic]]:
    """The exact cuts of a run: those it found before, or found now and written down."""
    cuts = read_cuts(output / CUT, job.integrity)
    if cuts is None or cuts.hash != _summary(output).get("cut"):
        cuts, problems = find_cuts(work_of(job, output), tasks, executor, progress)
        if cuts is None:
            return None, problems
        write_text(output / CUT, cuts.text)
        _write(output / RUN, {"manifest": job.integrity, "recipe": job.manifest.recipe.name, "cut": cuts.hash})
    told = [messages.unreachable(cuts.unreachable)] if cuts.unreachable else []
    ended = cuts.ended(loaded_by(work_of(job, output)).slots)
    return cuts, [*told, messages.used_up(ended)] if ended else told


def _summary(output: Path) -> dict[str, Any]:
    found = kept_json(output / RUN)
    return found if isinstance(found, dict) else {}


def tasks_of(files: Sequence[tuple[DataFile, str]], executor: Executor) -> list[Task]:
    """One task per part of a file; outputs are named by the file's place in the tables, so names never clash."""
    tasks = []
    divided = parts_of([file for file, _ in files], executor)
    for place, ((file, identity), some) in enumerate(zip(files, divided, strict=True)):
        for part in some:
            name = f"{SELECTION}/{file.source}/{place:06d}-{part.start:05d}.parquet"
            tasks.append(Task(part, name, identity))
    return tasks


def stands(marker: Marker, task: Task, job: Run, output: Path, cut: str = "") -> bool:
    """Whether a shard need not be done again: same manifest, cuts and input, and an output of the size written."""
    wanted = (job.integrity, cut, task.identity, task.part.file.name)
    same = (marker.manifest, marker.cut, marker.identity, marker.file) == wanted
    try:
        return same and marker.name == task.name and (output / task.name).stat().st_size == marker.output.size
    except OSError:
        return False


@contextmanager
def claimed(output: Path, job: Run) -> Iterator[Diagnostic | None]:
    """Hold the output folder for one run; yields why that cannot be."""
    make_folder(output)
    with (output / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield messages.busy_output(str(output))
            return
        owner = owner_of(output)
        if owner is None:
            _write(output / RUN, {"manifest": job.integrity, "recipe": job.manifest.recipe.name})
        yield None if owner in (None, job.integrity) else messages.other_run(str(output), str(owner))


def owner_of(output: Path) -> str | None:
    """The integrity hash of the manifest that a folder belongs to; None for a folder of no run."""
    owner = _summary(output).get("manifest")
    return None if owner is None else str(owner)


def selected(output: Path, integrity: str | None) -> tuple[list[dict[str, Any]] | None, list[Diagnostic]]:
    """What a run of the manifest selected: rows of phase, source, tokens, copies; None with the reason why not."""
    owner, rows = owner_of(output), _summary(output).get("selection")
    if owner is None:
        return None, [messages.no_selection(str(output))]
    if owner != integrity:
        return None, [messages.other_run(str(output), owner)]
    if rows is None:
        return None, [messages.unfinished(str(output))]
    try:
        return [
            {
                "phase": str(row["phase"]),
                "source": str(row["source"]),
                "tokens": int(row["tokens"]),
                "copies": int(row["copies"]),
            }
            for row in rows
        ], []
    except (KeyError, TypeError, ValueError):  # edited by hand
        return None, [messages.no_selection(str(output))]


def write_summary(output: Path, job: Run, outcome: Outcome) -> None:
    """`run.json`: what was selected, by phase and source, with the digest that any other way of running must give."""
    rows = []
    sums = outcome.sums
    supply = [row for row in job.manifest.supply for _ in row.tokens]
    for phase, name in enumerate(p.name for p in job.manifest.phases):
        for source in sorted({row.source for row in job.manifest.supply}):
            mine = [cell for (p, c), cell in sums.items() if p == phase and supply[c].source == source]
            rows.append(
                {
                    "phase": name,
                    "source": source,
                    "digest": outcome.digest(phase, source),
                    "copies": sum(cell.documents for cell in mine),
                    "tokens": sum(cell.tokens for cell in mine),
                }
            )
    cut = {"cut": outcome.cut} if outcome.cut else {}
    texts = {key: value for key, value in _summary(output).items() if key == "texts"}
    data = {"manifest": job.integrity, "recipe": job.manifest.recipe.name, "selection": rows}
    _write(output / RUN, data | cut | texts)


def write_texts_summary(output: Path, shards: int) -> None:
    """`run.json` with how many shards of texts were written, so that a loss of all is noticed."""
    _write(output / RUN, _summary(output) | {"texts": shards})


def has_texts(output: Path) -> bool:
    """Whether texts were written for a selection."""
    return "texts" in _summary(output)


def texts_written(output: Path) -> int:
    """How many shards of texts a run wrote."""
    count = _summary(output).get("texts")
    return count if isinstance(count, int) else 0


def _write(path: Path, data: dict[str, Any]) -> None:
    write_text(path, json.dumps(data, indent=1, sort_keys=True) + "\n")


def _clean(output: Path, names: set[str]) -> None:
    """Remove what an interrupted run left: temporary files, and outputs without a marker that stands."""
    for path in (*output.glob(".*.tmp"), *(output / SELECTION).rglob(".*.tmp")):
        path.unlink(missing_ok=True)
    for path in (output / SELECTION).rglob("*.parquet"):
        name = path.relative_to(output).as_posix()
        if name in names and not marker_path(output, name).exists():
            path.unlink(missing_ok=True)


def foreign(output: Path, names: set[str]) -> list[str]:
    """Files below the selection that no shard of the run wrote."""
    known = names | {name + SUFFIX for name in names}
    there = (path.relative_to(output).as_posix() for path in (output / SELECTION).rglob("*") if path.is_file())
    return sorted(name for name in there if name not in known)
