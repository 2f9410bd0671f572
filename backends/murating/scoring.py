"""`mixc score` for raters: scores of all documents by a trained rater, kept by its content and that of the files.

Ranks need no more than the order of scores; a threshold over languages is refused where offsets are free
(`identified`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from mixc.backends.models.steps import clear_steps
from mixc.backends.murating.rater import ABOUT, encoder_of, read_about, read_rater
from mixc.backends.murating.rating import Reader, Tally, Task, rate_part, read_scores
from mixc.backends.murating.train_messages import no_rater
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.documents.reading import parts
from mixc.compiler.documents.sidecars import write_sidecar
from mixc.compiler.executor import Executor, Failure, Needs
from mixc.compiler.progress import Progress
from mixc.compiler.recipe import Rater
from mixc.compiler.scan.beside import sidecar, stem
from mixc.compiler.scan.plan import Plan, ScorePlan, SourcePlan
from mixc.compiler.scan.stages import Found, failed
from mixc.compiler.scan.store import Store, key_of
from mixc.dsl.diagnostics import Diagnostic

BACKEND, RATINGS = "murating", "ratings"
PART = 8 << 20  # bytes, before compression, of a task


@dataclass(frozen=True, slots=True)
class Job:
    """One rater of a recipe: how it scores, and what reads for it."""

    subject: Rater
    plan: ScorePlan
    reader: Reader


def state(rater: Rater, folder: Path) -> str:
    """A rater as it stands: what the recipe says of it, and its `rater.json`, hashed. Raises `Unreadable`."""
    read_about(_place(rater, folder), rater.model or "", rater.span)
    data = hashlib.sha256((_place(rater, folder) / ABOUT).read_bytes()).hexdigest()
    return hashlib.sha256(json.dumps([rater.kind, rater.model, rater.text, data]).encode()).hexdigest()[:32]


def identified(rater: Rater, folder: Path) -> bool:
    """Whether scores of different languages can be compared, as far as pairs say. Raises `Unreadable`."""
    return bool(read_about(_place(rater, folder), rater.model or "", rater.span)["offsets"] == "identified")


def prepare(rater: Rater, folder: Path, device: str = "cpu") -> Job:
    """How a rater scores documents; reads all files of its encoder. Raises `Unreadable`."""
    place = _place(rater, folder)
    name = _shown(rater)
    stored = read_rater(place, name, rater.span)
    encoder = encoder_of(stored, device, rater.span)
    parameters: dict[str, str | int | tuple[int, ...]] = {
        "model": name,
        "content": stored.content,
        "encoder": encoder.name,
        "encoder_content": encoder.content,
        "precision": encoder.precision,
        "chunk": encoder.chunk,
        "offsets": str(stored.about["offsets"]),
        "parity": "passed" if stored.about["audit"]["passed"] else "failed",
    }
    if encoder.tokens is not None:
        parameters["tokens"] = encoder.tokens
    if rater.text is not None:
        parameters["text"] = rater.text
    key = key_of(BACKEND, stored.content, encoder.identity(), rater.text)
    plan = ScorePlan(rater.name, BACKEND, key, tuple(sorted(parameters.items())))
    return Job(rater, plan, Reader(name, str(place.absolute()), stored.content, encoder))


def score(
    jobs: Sequence[Job], plan: Plan, known: Sequence[Found], store: Store, executor: Executor, progress: Progress
) -> tuple[dict[str, Tally], list[Diagnostic]]:
    """Score all files by all raters; what was read, by model. What could be done is kept where some of it failed."""
    tallies: dict[str, Tally] = {}
    store.folder_of(RATINGS)  # what a killed process left there is removed first
    for job in jobs:
        wanted = [one for one in known if _scores(plan, one, job)]
        missing = [one for one in wanted if not sidecar(store, job.plan.key, plan, one).exists()]
        clear_steps(store.folder / RATINGS / job.plan.key)
        tally, found = _rate(job, plan, missing, store, executor, progress)
        tallies[job.reader.name] = tally
        if found:
            return tallies, found
        for one in missing:
            path = sidecar(store, job.plan.key, plan, one)
            if not path.exists():  # files of one content share theirs
                write_sidecar(path, _columns(job, plan, one, store))
    return tallies, []


def _rate(
    job: Job, plan: Plan, missing: Sequence[Found], store: Store, executor: Executor, progress: Progress
) -> tuple[Tally, list[Diagnostic]]:
    """Score the parts of files that were not scored before."""
    tasks: dict[str, tuple[Task, int]] = {}
    for one in missing:
        source = plan.source(one.file.source)
        places = _places(job, plan, one, store)
        for part, output in zip(parts(one.file, PART), places, strict=True):
            task = Task(part, _text(job, source), source.bad_lines, str(output))
            tasks[task.output] = (task, one.file.size // len(places))
    left = [(task, size) for task, size in tasks.values() if not Path(task.output).exists()]
    failures: dict[int, Failure] = {}
    tally = Tally()

    def done(index: int, result: Tally | Failure) -> None:
        nonlocal tally
        if isinstance(result, Failure):
            failures[index] = result
        else:
            tally = tally.plus(result)
            progress.advance(left[index][1], result.documents)

    if left:
        progress.begin(f"rating by {job.reader.name}", sum(size for _, size in tasks.values()))
        progress.kept(sum(size for _, size in tasks.values()) - sum(size for _, size in left))
        needs = Needs(gpu=job.reader.encoder.device != "cpu", keeps=True)
        executor.map(partial(rate_part, job.reader), [task for task, _ in left], done, needs=needs)
        progress.end()
    return tally, failed(failures)


def _scores(plan: Plan, one: Found, job: Job) -> bool:
    """Whether a rater scores a file."""
    return job.plan.name in {rater.name for rater in plan.scored(plan.source(one.file.source))}


def _text(job: Job, source: SourcePlan) -> str:
    """The column that is read: the rater's, else the source's."""
    return job.subject.text or source.text or "text"


def _places(job: Job, plan: Plan, one: Found, store: Store) -> list[Path]:
    """Where the scores of the parts of a file are kept."""
    folder = (store.folder / RATINGS / job.plan.key).absolute()
    return [folder / f"{stem(plan, one)}.{part.start}-{part.stop}.arrow" for part in parts(one.file, PART)]


def _columns(job: Job, plan: Plan, one: Found, store: Store) -> Iterator[pa.Array]:
    for path in _places(job, plan, one, store):
        for batch in read_scores(path):
            yield batch.column("score")


def _place(rater: Rater, folder: Path) -> Path:
    if not rater.model:
        raise Unreadable(no_rater(rater.name, "the recipe names no `model`", rater.span))
    return folder / rater.model


def _shown(rater: Rater) -> str:
    """A rater's folder as the recipe names it, without the way to it where that is absolute."""
    stated = rater.model or ""
    return Path(stated).name if Path(stated).is_absolute() else stated
