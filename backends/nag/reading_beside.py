"""Reading for targets whose documents' features were imported: their examples, if those were not imported too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mixc.backends.nag.extract import Tally
from mixc.backends.nag.extracting import Task, extract_all, tasks_of_examples
from mixc.backends.nag.import_messages import not_imported, read_here
from mixc.backends.nag.imported import Imported
from mixc.backends.nag.jobs import DEVICES, Job, Reader, at_target, features_of_examples
from mixc.backends.nag.messages import other_features
from mixc.backends.nag.store import origin_of
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.executor import Executor
from mixc.compiler.progress import Progress
from mixc.compiler.scan.store import Store
from mixc.dsl.diagnostics import Diagnostic


def read_beside(
    reader: Reader, jobs: Sequence[Job], documents: Sequence[Task], store: Store, executor: Executor, progress: Progress
) -> tuple[list[Diagnostic], Tally]:
    """What these targets still need read, and what is wrong with that; `documents` are all parts, imported before."""
    needed = [Path(task.output) for task in documents]
    needed += [features_of_examples(job, store)[1] for job in jobs if job.own is None]
    lacking = sum(not path.exists() for path in needed)
    if lacking:
        return [not_imported(reader.model, lacking, len(needed))], Tally()
    mixed = [job for job in jobs if job.own is not None]
    own = next((job.own for job in mixed), None)
    if own is None:
        return [], Tally()
    found, tally = extract_all(own, tasks_of_examples(mixed, store), executor, progress)
    if found:
        return found, tally
    try:
        for job in mixed:
            _check(job, job.given, store)
    except Unreadable as error:
        return [error.diagnostic], tally
    return [
        read_here(job.target, job.given.precision, DEVICES[own.device]) for job in mixed if job.given is not None
    ], tally


def _check(job: Job, given: Imported | None, store: Store) -> None:
    """Raise `Unreadable` where the examples that were read are of another shape than what was imported."""
    read = origin_of(features_of_examples(job, store)[1]).shape
    if given is not None and read != given.shape:
        parts = (("layers", given.layers, read.layers), ("width", given.width, read.width))
        differs = {name: (one, other) for name, one, other in parts if one != other}
        found = other_features(given.model, differs, imported=True)
        raise Unreadable(at_target(found, job.target))
