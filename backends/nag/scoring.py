"""`mixc score` for targets: neurons of all documents, once for each model, then a score by every target.

Both steps map over files and keep what they made by content: features under the model and its parameters, part by
part; scores under those and the target. So a second target reads no document again, and a run that was stopped goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from mixc.backends.nag.explaining import explained as explained
from mixc.backends.nag.exporting import export_features as export_features
from mixc.backends.nag.extract import Tally
from mixc.backends.nag.extracting import extract_all, tasks_of_documents, tasks_of_examples
from mixc.backends.nag.features import NONE
from mixc.backends.nag.gate import decide
from mixc.backends.nag.importing import Coming as Coming
from mixc.backends.nag.importing import asked_by as asked_by
from mixc.backends.nag.importing import import_features as import_features
from mixc.backends.nag.importing import remove_features as remove_features
from mixc.backends.nag.jobs import BACKEND, FEATURES, PART, Job, Reader, at_target, features_of, features_of_examples
from mixc.backends.nag.jobs import imported_state as imported_state
from mixc.backends.nag.jobs import prepare as prepare
from mixc.backends.nag.kernel import scorer
from mixc.backends.nag.profile import Profile, left_out, profile_of
from mixc.backends.nag.reading_beside import read_beside
from mixc.backends.nag.store import origin_of, read_features
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.documents.reading import parts
from mixc.compiler.documents.sidecars import write_sidecar
from mixc.compiler.executor import Executor, Failure
from mixc.compiler.progress import Progress
from mixc.compiler.scan.beside import pool_of, sidecar, text_stem
from mixc.compiler.scan.plan import GatePlan, Plan, reading_of
from mixc.compiler.scan.stages import Found, failed
from mixc.compiler.scan.store import Store, key_of
from mixc.compiler.whole import make_folder
from mixc.dsl.diagnostics import Diagnostic, has_errors

SCALE = 65535  # of a document that has all neurons of all examples
EXACT = 1 << 24  # whole numbers up to here are float32's own


def score(
    jobs: Sequence[Job], plan: Plan, known: Sequence[Found], store: Store, executor: Executor, progress: Progress
) -> tuple[dict[str, Tally], list[Diagnostic]]:
    """Score all files by all targets; what was read, by model. What could be done is kept where some of it failed."""
    tallies: dict[str, Tally] = {}
    warnings: list[Diagnostic] = []
    store.folder_of(FEATURES)  # what a killed process left there is removed first
    by_reader: dict[Reader, list[Job]] = {}
    for job in jobs:
        by_reader.setdefault(job.reader, []).append(job)
    for reader, mine in by_reader.items():
        wanted = [one for one in known if _wants(plan, one, mine)]
        documents = tasks_of_documents(reader, plan, wanted, store)
        if reader.imported:
            found, tally = read_beside(reader, mine, documents, store, executor, progress)
            warnings += [] if has_errors(found) else found
        else:
            found, tally = extract_all(reader, [*tasks_of_examples(mine, store), *documents], executor, progress)
        if has_errors(found):
            models = (reader.model, reader.place)
            return tallies, [at_target(one, mine[0].target) if one.subject in models else one for one in found]
        tallies[reader.model] = tally
        found = _score(reader, mine, plan, known, store, executor, progress)
        warnings += found
        if has_errors(found):
            break
    return tallies, warnings


def _wants(plan: Plan, one: Found, jobs: Sequence[Job]) -> bool:
    return any(_key(plan, one, job) is not None for job in jobs)


def _key(plan: Plan, one: Found, job: Job) -> str | None:
    """Where the scores that a target gives a file go; None where it gives none."""
    if job.gates:
        return job.raw
    names = {rater.name for rater in plan.scored(plan.source(one.file.source))}
    return job.plan.key if job.target.name in names else None


def gate(
    jobs: Sequence[Job], plan: Plan, known: Sequence[Found], store: Store, progress: Progress
) -> tuple[GatePlan | None, list[Diagnostic]]:
    """Decide the gate of the targets that are one, once all files are scored; None where none is."""
    mine = [job for job in jobs if job.gates]
    if not mine:
        return None, []
    first, pool = mine[0].target, pool_of(known)
    names, weights = tuple(job.target.name for job in mine), tuple(job.target.weight for job in mine)
    reading = [(reading_of(source), source.text) for source in plan.sources]
    held = None if plan.holdout is None else (plan.holdout.share, plan.holdout.seed)
    quality = None if plan.gate is None else plan.gate.quality
    judged = [] if quality is None else [asdict(quality)]
    ways = (weights, first.fraction, first.scope, first.overlap)
    key = key_of("gate", [job.plan.key for job in mine], *ways, pool, reading, held, *judged)
    made = GatePlan(names, BACKEND, key, first.fraction or 1.0, first.scope, weights, first.overlap, pool, quality)
    raw = {one: [(job.target.name, str(sidecar(store, job.raw, plan, one))) for job in mine] for one in known}
    passed, found = decide(made, plan, known, raw, store, progress)
    return replace(made, passed=passed), [at_target(one, first) for one in found]


@dataclass(frozen=True, slots=True)
class Scoring:
    """A file to score: its parts' features, and (target, whether scaled, where its scores go)."""

    features: tuple[str, ...]
    outputs: tuple[tuple[int, bool, str], ...]


def _score(
    reader: Reader,
    jobs: Sequence[Job],
    plan: Plan,
    known: Sequence[Found],
    store: Store,
    executor: Executor,
    progress: Progress,
) -> list[Diagnostic]:
    try:
        made = [_profile(job, store) for job in jobs]
    except Unreadable as error:
        return [error.diagnostic]
    profiles = tuple(profile for profile, _ in made)
    warnings = [at_target(warning, job.target) for job, (_, more) in zip(jobs, made, strict=True) for warning in more]
    tasks: dict[tuple[tuple[int, bool, str], ...], Scoring] = {}
    for one in known:
        wanted = [(i, job, key) for i, job in enumerate(jobs) if (key := _key(plan, one, job)) is not None]
        outputs = tuple(
            (i, not job.gates, str(path))
            for i, job, key in wanted
            if not (path := sidecar(store, key, plan, one)).exists()
        )
        if outputs:
            name = text_stem(store, plan, one)
            features = tuple(str(features_of(reader, store, name, part)) for part in parts(one.file, PART))
            tasks[outputs] = Scoring(features, outputs)
    failures: dict[int, Failure] = {}

    def done(index: int, result: int | Failure) -> None:
        if isinstance(result, Failure):
            failures[index] = result
        else:
            progress.advance(1, result)

    if tasks:
        for scoring in tasks.values():
            for *_, output in scoring.outputs:
                make_folder(Path(output).parent)
        progress.begin("scoring", len(tasks))
        executor.map(partial(score_file, profiles), list(tasks.values()), done)
        progress.end()
    return [*failed(failures), *warnings]


def _profile(job: Job, store: Store) -> tuple[Profile, list[Diagnostic]]:
    try:
        return _profiled(job, features_of_examples(job, store)[1])
    except Unreadable as error:
        raise Unreadable(at_target(error.diagnostic, job.target)) from error


def _profiled(job: Job, path: Path) -> tuple[Profile, list[Diagnostic]]:
    shape = origin_of(path).shape
    features = [batch.features for batch in read_features(path)]
    every = np.concatenate(features) if features else np.empty((0, shape.length), dtype=np.uint16)
    return profile_of(job.target.name, every, shape, job.target.layers), left_out(job.target.name, every)


def score_file(profiles: tuple[Profile, ...], scoring: Scoring) -> int:
    """Write the scores of one file by some targets, null for a text without tokens.

    S itself, of n K L; of raters scaled to 65,535. Where S is beyond float32's whole numbers, it is scaled to those.
    """
    chosen = [profiles[i] for i, *_ in scoring.outputs]
    scales = [SCALE if scaled else min(profiles[i].whole, EXACT) for i, scaled, _ in scoring.outputs]
    score_of = scorer(chosen)
    columns: list[list[pa.Array]] = [[] for _ in chosen]
    rows = 0
    for path in scoring.features:
        for batch in read_features(Path(path)):
            scores = score_of(batch.features)
            empty = (batch.features == NONE).all(axis=1)
            rows += len(scores)
            for k, profile in enumerate(chosen):
                scaled = scores[:, k] * scales[k] // profile.whole
                columns[k].append(pa.array(scaled.astype(np.float32), mask=empty))
    for (*_, output), pieces in zip(scoring.outputs, columns, strict=True):
        write_sidecar(Path(output), pieces)
    return rows
