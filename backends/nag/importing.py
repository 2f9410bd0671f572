"""Taking in features that a user's own code made, in the authors' format: matched with the documents by id.

What came is written to a file as it comes, and of its ids two hashes of 60 bits are held, sorted: 28 bytes a row
in memory, whatever the order of files and documents. Two ids are taken to be one where both hashes agree.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mixc.backends.nag.features import Batch, Origin, Shape
from mixc.backends.nag.import_messages import other_examples, read_here
from mixc.backends.nag.imported import FEATURES, UNSTATED, Imported, forget, remember
from mixc.backends.nag.jobs import PART, WHOLE, asked, at_target, examples_of, shown_name
from mixc.backends.nag.jsonl import read_jsonl
from mixc.backends.nag.matching import Arrived, Matched, arrived
from mixc.backends.nag.shapes import shape_of
from mixc.backends.nag.store import write_features
from mixc.compiler.documents.data import Unreadable, Wanted
from mixc.compiler.documents.reading import parts, read
from mixc.compiler.progress import Progress
from mixc.compiler.recipe import Target
from mixc.compiler.scan.beside import text_stem
from mixc.compiler.scan.plan import Plan
from mixc.compiler.scan.stages import Found
from mixc.compiler.scan.store import Store
from mixc.compiler.whole import beside, folder_of_work
from mixc.dsl.diagnostics import Diagnostic, has_errors

REPEATED = ("q", "k", "v")  # projections whose neurons have other numbers in the authors' code


@dataclass(frozen=True, slots=True)
class Coming:
    """What a user says of features: the files of documents' and, by target, of examples'; L and width if he knows."""

    documents: tuple[Path, ...]
    examples: Mapping[str, Path]
    layers: int | None = None
    width: int | None = None
    precision: str = UNSTATED
    skip: bool = False


def asked_by(target: Target) -> Any:
    """What has to agree between targets that one import serves."""
    return asked(target)


def import_features(
    targets: Sequence[Target], coming: Coming, plan: Plan, known: Sequence[Found], store: Store, progress: Progress
) -> tuple[Imported | None, list[Diagnostic]]:
    """Take in the features of all documents that these targets look at, in place of what was imported before.

    Whole or not at all. Raises `Unreadable` for what is wrong with a file.
    """
    folder, wanted = store.folder.parent, asked(targets[0])
    found = [
        read_here(target, coming.precision, "", refused=True)
        for target in targets
        if wanted.projection in REPEATED and target.name not in coming.examples
    ]
    if found:
        return None, found
    try:
        shape = shape_of(folder, wanted, coming.layers, coming.width)
    except Unreadable as error:
        raise Unreadable(at_target(error.diagnostic, targets[0])) from error
    made = Imported(shown_name(wanted.model), wanted.projection, wanted.top_k, wanted.tokens, shape.layers, shape.width,
                    coming.precision, "", 0)  # fmt: skip
    work = beside(store.folder_of(FEATURES) / "import")
    with folder_of_work(work):
        rows = arrived(coming.documents, made.projection, shape, work / ".rows.tmp")
        progress.begin("importing features", sum(one.file.size for one in known))
        matched = Matched(plan, rows, coming.skip)
        sums = dict(_documents(plan, known, store, matched, rows, made.origin, work, progress))
        progress.end()
        found = matched.told()
        if has_errors(found):
            return None, found
        examples = dict(_examples(targets, folder, coming, made.origin, work))
        rows.close()
        content = _content(shape, sums | examples)
        texts = sorted({name.partition(".")[0] for name in examples})
        made = replace(made, content=content, documents=matched.documents - matched.lacking, examples=tuple(texts))
        place = work.with_name(made.key)
        if place.exists():
            shutil.rmtree(place)
        work.rename(place)
        remember(folder, wanted, made)
        return made, found


def remove_features(targets: Sequence[Target], folder: Path) -> int:
    """Forget what was imported for targets; how many of the imports there were."""
    return sum(forget(folder, one) is not None for one in sorted({asked(target) for target in targets}, key=repr))


def _documents(
    plan: Plan, known: Sequence[Found], store: Store, matched: Matched, rows: Arrived, origin: Origin, work: Path,
    progress: Progress,
) -> Iterator[tuple[str, str]]:  # fmt: skip
    """Write the features of every part of every file; (name, hash) of each."""
    written: set[str] = set()
    for one in known:
        stem = text_stem(store, plan, one)
        if stem in written:
            continue
        written.add(stem)
        for part in parts(one.file, PART):
            path = work / f"{stem}.{part.start}-{part.stop}.arrow"
            yield path.name, _write(path, origin, matched.batches(part))
        progress.advance(one.file.size, 0)


def _examples(
    targets: Sequence[Target], folder: Path, coming: Coming, origin: Origin, work: Path
) -> Iterator[tuple[str, str]]:
    """Write the features of the examples of targets for which there are any; (name, hash) of each."""
    for target in targets:
        if target.name not in coming.examples:
            continue
        given, file = coming.examples[target.name], examples_of(target, folder)
        whole = parts(file, WHOLE)[0]
        path = work / f"{file.stamp}.{whole.start}-{whole.stop}.arrow"
        count = sum(batch.rows for batch in read(whole, Wanted(text="text")))
        batches = list(read_jsonl(given, origin.projection, origin.shape))
        found = sum(len(batch.ids) for batch in batches)
        if found != count:
            raise Unreadable(other_examples(target, given.as_posix(), found, count))
        yield path.name, _write(path, origin, batches)


def _write(path: Path, origin: Origin, batches: Iterator[Batch] | Sequence[Batch]) -> str:
    """Write features; their hash."""
    state = hashlib.sha256()

    def hashed() -> Iterator[Batch]:
        for batch in batches:
            state.update(np.ascontiguousarray(batch.features, dtype="<u2").tobytes())
            yield batch

    write_features(path, origin, hashed())
    return state.hexdigest()


def _content(shape: Shape, sums: Mapping[str, str]) -> str:
    lines = [f"{shape.layers} {shape.top_k} {shape.width}\n", *(f"{name} {sums[name]}\n" for name in sorted(sums))]
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:32]
