"""The documents of a manifest on this machine: where they lie, and whether they are those that were scanned."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mixc.backends.selection import messages
from mixc.compiler.documents.data import DataFile, Unreadable
from mixc.compiler.executor import Executor
from mixc.compiler.places import settled
from mixc.compiler.recipe import Source
from mixc.compiler.review.plan import plan_from_manifest
from mixc.compiler.review.schema import Manifest
from mixc.compiler.review.tables import RunTables
from mixc.compiler.scan.beside import with_scores
from mixc.compiler.scan.find import find
from mixc.compiler.scan.plan import Plan, SourcePlan
from mixc.compiler.scan.spread import learn
from mixc.compiler.scan.stages import Found
from mixc.compiler.scan.store import Store
from mixc.dsl.diagnostics import Diagnostic, has_errors


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A manifest to run, its tables, and where they lie.

    `folder` is what its paths are seen from, `given` the params of its paths.
    """

    path: Path
    tables_path: Path
    manifest: Manifest
    tables: RunTables
    folder: Path
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def integrity(self) -> str:
        """The hash that the manifest states of itself."""
        return self.manifest.integrity or ""

    def places(self, plan: Plan) -> tuple[dict[str, str], list[str]]:
        """The params of a plan's paths, and those of them that have no value."""
        used = [name for source in plan.sources for name in (*source.paths, source.counting.name)]
        return settled(dict(plan.params), self.given, used)


def found_files(
    plan: Plan, job: Run, executor: Executor | None = None
) -> tuple[list[tuple[DataFile, str]], list[Diagnostic]]:
    """Every scanned file as it lies there now, with its content hash; what changed since is reported.

    The workers of an `executor` help where many files are to be hashed.
    """
    scanned = {(file.source, file.name): file for file in job.tables.files}
    there: dict[tuple[str, str], DataFile] = {}
    found = misgiven(job)
    if has_errors(found):
        return [], found
    values, _ = job.places(plan)
    for source in plan.sources:
        files, problems = find(as_source(source), values, job.folder)
        found += problems
        there |= {(source.name, file.name): file for file in files}
    if has_errors(found):
        return [], found
    found += [messages.changed_file(name, of, "was not scanned") for of, name in sorted(there.keys() - scanned.keys())]
    found += [messages.changed_file(name, of, "is gone") for of, name in sorted(scanned.keys() - there.keys())]
    store = Store(job.folder)
    if executor is not None:
        learn(store, [(there[key], plan.sealed(key[0])) for key in sorted(there.keys() & scanned.keys())], executor)
    pairs = []
    for key in sorted(there.keys() & scanned.keys()):
        try:
            identity = store.identity(there[key], plan.sealed(key[0]))
        except Unreadable as error:
            found.append(error.diagnostic)
            continue
        if identity != scanned[key].identity:
            found.append(messages.changed_file(key[1], key[0], "is not what was scanned"))
        pairs.append(Found(there[key], identity))
    pairs, unscored = with_scores(plan, store, pairs)
    found += unscored
    with contextlib.suppress(OSError):
        store.save()
    return [(one.file, one.identity) for one in pairs], found


def misgiven(job: Run) -> list[Diagnostic]:
    """Params that were given and are none of the manifest's paths, or are needed and were not given."""
    plan = plan_from_manifest(job.manifest)
    known = [name for name, _ in plan.params]
    settles = job.manifest.params
    found = [
        messages.settled_param(name, str(job.path)) if name in settles else messages.unknown_param(name, known)
        for name in sorted(job.given.keys() - set(known))
    ]
    return found + [messages.missing_param(name, str(job.path)) for name in job.places(plan)[1]]


def holds_out(job: Run) -> bool:
    """Whether documents are kept out of training."""
    return plan_from_manifest(job.manifest).holdout is not None


def as_source(plan: SourcePlan) -> Source:
    """What finding files needs to know of a source."""
    return Source(plan.name, plan.domain or "und", paths=plan.paths, format=plan.format)
