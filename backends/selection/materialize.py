"""`mixc run --materialize`: the texts of a selection, partitioned for trainers, after it and from it.

Two maps: parts of the input to runs by output (`spill`), outputs from their runs (`gather`). An output that stands is
not written again, and then only what the missing ones need is spilled.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from mixc.backends.selection import messages
from mixc.backends.selection.gather import Gather, TextMarker, read_text_marker
from mixc.backends.selection.layout import SHARD_BYTES, TEXTS, TextShard, layout
from mixc.backends.selection.mapping import mapped
from mixc.backends.selection.markers import SUFFIX
from mixc.backends.selection.outputs import write_text
from mixc.backends.selection.run import (
    Outcome,
    Run,
    claimed,
    found_files,
    tasks_of,
    work_of,
    write_texts_summary,
)
from mixc.backends.selection.shard import Loaded, Task, Work, loaded_by
from mixc.backends.selection.spill import SPILL, Spill, index_of, spill_path
from mixc.backends.selection.sums import Sums
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.executor import Executor
from mixc.compiler.progress import Progress
from mixc.compiler.review.plan import plan_from_manifest
from mixc.compiler.scan.plan import Plan
from mixc.compiler.whole import kept_json
from mixc.dsl.diagnostics import Diagnostic, has_errors

WANTED = "wanted.json"


@dataclass(frozen=True, slots=True)
class Form:
    """How texts are written: with a `copies` column or, `repeat`, as repeated rows; in shards of so many bytes."""

    repeat: bool = False
    shard_bytes: int = SHARD_BYTES


@dataclass(frozen=True, slots=True)
class Texts:
    """Written texts: their markers in order, and how many of them were there before."""

    markers: tuple[TextMarker, ...]
    before: int

    @property
    def size(self) -> int:
        """Bytes of all outputs."""
        return sum(marker.output.size for marker in self.markers)


def textless(job: Run) -> list[Diagnostic]:
    """Sources that are selected from and have no column of texts."""
    used = {row.source for row in job.manifest.mixture if row.tokens}
    plan = plan_from_manifest(job.manifest)
    return [messages.no_texts(source.name) for source in plan.sources if source.name in used and source.text is None]


def materialize(
    job: Run, output: Path, outcome: Outcome, executor: Executor, progress: Progress, form: Form | None = None
) -> tuple[Texts | None, list[Diagnostic]]:
    """Write the texts of a finished selection into its folder."""
    if found := textless(job):
        return None, found
    plan = plan_from_manifest(job.manifest)
    files, found = found_files(plan, job, executor)
    if has_errors(found):
        return None, found
    try:
        tasks = tasks_of(files, executor)
        with claimed(output, job) as refusal:
            if refusal is not None:
                return None, [refusal]
            stage = _Stage(job, output, outcome, form or Form(), tasks, plan)
            return stage.run(executor, progress)
    except Unreadable as error:
        return None, [error.diagnostic]
    except OSError as error:
        return None, [messages.cannot_write_output(str(output), os.strerror(error.errno or 0).lower())]


class _Stage:
    """One materialisation: what is there, what is missing, and the two maps."""

    def __init__(self, job: Run, output: Path, outcome: Outcome, form: Form, tasks: Sequence[Task], plan: Plan) -> None:
        self.job, self.output, self.outcome, self.form, self.tasks = job, output, outcome, form, tasks
        self.work: Work = work_of(job, output, outcome.cut)
        ready: Loaded = loaded_by(self.work)
        self.all = layout(ready.slots, plan, form.shard_bytes).shards
        self.shards = text_shards(self.all, outcome.sums)
        self.inputs = {source.name: inputs_hash(job, source.name) for source in plan.sources}

    def run(self, executor: Executor, progress: Progress) -> tuple[Texts | None, list[Diagnostic]]:
        """Write what is missing."""
        self._clean()
        done = {shard.name: marker for shard in self.shards if (marker := self._standing(shard)) is not None}
        missing = [shard for shard in self.shards if shard.name not in done]
        before = len(done)
        if missing:
            state, wanted = self._wanted({shard.number for shard in missing})
            problems = self._spill(state, wanted, missing, executor, progress)
            problems = problems or self._gather(state, missing, done, executor, progress)
            if problems:
                return None, problems
        shutil.rmtree(self.output / SPILL, ignore_errors=True)
        texts = Texts(tuple(done[shard.name] for shard in self.shards), before)
        if not agrees(texts, self.shards, self.outcome.sums):
            return None, [messages.other_texts(str(self.output))]
        write_texts_summary(self.output, len(self.shards))
        return texts, []

    def _standing(self, shard: TextShard) -> TextMarker | None:
        marker = read_text_marker(self.output, shard.name)
        return marker if marker is not None and stands(marker, shard, self) else None

    def _clean(self) -> None:
        """Remove what an interrupted run left, and outputs of another form; files that are not ours stay."""
        known = {shard.name for shard in self.shards}
        for path in (self.output / TEXTS).rglob(".*.tmp"):
            path.unlink(missing_ok=True)
        for path in (self.output / TEXTS).rglob(f"*{SUFFIX}"):
            name = path.relative_to(self.output).as_posix().removesuffix(SUFFIX)
            if name not in known:
                path.unlink(missing_ok=True)
                (self.output / name).unlink(missing_ok=True)

    def _spill(
        self, state: str, wanted: set[int], missing: Sequence[TextShard], executor: Executor, progress: Progress
    ) -> list[Diagnostic]:
        flags = np.zeros(len(self.all), dtype=bool)
        flags[sorted(wanted)] = True
        left = [task for task in self._parts(missing) if index_of(spill_path(self.output, state, task.name)) is None]
        return mapped(
            Spill(self.work, self.form.shard_bytes, flags.tobytes(), state),
            left,
            lambda rows: progress.advance(1, rows),
            ("reading texts", executor, progress),
        )

    def _gather(
        self,
        state: str,
        missing: Sequence[TextShard],
        done: dict[str, TextMarker],
        executor: Executor,
        progress: Progress,
    ) -> list[Diagnostic]:
        work = Gather(
            work=self.work,
            state=state,
            attempt=uuid.uuid4().hex,
            parts=tuple(task.name for task in self._parts(missing)),
            inputs=tuple(sorted(self.inputs.items())),
            repeat=self.form.repeat,
            shard_bytes=self.form.shard_bytes,
        )

        def finished(marker: TextMarker) -> None:
            done[marker.name] = marker
            progress.advance(1, marker.documents)

        return mapped(work, missing, finished, ("writing texts", executor, progress))

    def _parts(self, missing: Sequence[TextShard]) -> list[Task]:
        """Parts of sources that something is missing of, and from which something was selected."""
        sources = {shard.source for shard in missing}
        empty = {marker.name for marker in self.outcome.markers if not marker.output.rows}
        return [task for task in self.tasks if task.part.file.source in sources and task.name not in empty]

    def _wanted(self, missing: set[int]) -> tuple[str, set[int]]:
        """The shards that are spilled, and the state that names their spills.

        Those of an interrupted run, if it spilled all that is missing, else these; other spills are removed.
        """
        mine = [self.job.integrity, self.work.cut, self.form.shard_bytes, sorted(self.inputs.items())]
        wanted = {"of": json.loads(json.dumps(mine)), "shards": sorted(missing)}
        text = json.dumps(wanted) + "\n"
        chosen, shards = xxhash.xxh3_128_hexdigest(text.encode()), missing
        folders = sorted((self.output / SPILL).iterdir()) if (self.output / SPILL).is_dir() else []
        for folder in folders:
            held = _held(folder / WANTED)
            if held.get("of") == wanted["of"] and missing <= set(held["shards"]):
                chosen, shards = folder.name, set(held["shards"])
        for folder in folders:
            if folder.name != chosen:
                shutil.rmtree(folder, ignore_errors=True)
        if shards is missing:
            write_text(self.output / SPILL / chosen / WANTED, text)
        return chosen, shards


def _held(path: Path) -> dict[str, Any]:
    """What an interrupted run wanted; nothing where that cannot be read."""
    held = kept_json(path)
    return held if isinstance(held, dict) and isinstance(held.get("shards"), list) else {}


def text_shards(every: Sequence[TextShard], sums: Sums) -> list[TextShard]:
    """The outputs of cells that anything was taken of."""
    taken = {key for key, cell in sums.items() if cell.documents}
    return [shard for shard in every if (shard.phase, shard.cell) in taken]


def inputs_hash(job: Run, source: str) -> str:
    """A hash of the files of a source, by content."""
    lines = sorted(f"{file.identity} {file.size}\n" for file in job.tables.files if file.source == source)
    return xxhash.xxh3_128_hexdigest("".join(lines).encode())


def stands(marker: TextMarker, shard: TextShard, stage: _Stage) -> bool:
    """Whether an output need not be written again."""
    mine = (stage.job.integrity, stage.work.cut, stage.inputs[shard.source], shard.name)
    form = (stage.form.repeat, stage.form.shard_bytes)
    same = (marker.manifest, marker.cut, marker.inputs, marker.name) == mine
    try:
        size = (stage.output / shard.name).stat().st_size
    except OSError:
        return False
    return same and (marker.repeat, marker.shard_bytes) == form and size == marker.output.size


def agrees(texts: Texts, shards: Sequence[TextShard], sums: Sums) -> bool:
    """Whether the texts of every cell are as many documents and tokens as were selected."""
    written: dict[tuple[int, int], tuple[int, int]] = {}
    for shard, marker in zip(shards, texts.markers, strict=True):
        key = (shard.phase, shard.cell)
        before = written.get(key, (0, 0))
        written[key] = before[0] + marker.documents, before[1] + marker.tokens
    return all(written.get(key, (0, 0)) == (cell.documents, cell.tokens) for key, cell in sums.items())
