"""Features written out in the authors' format: a file of lines for each file of documents, and for each target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mixc.backends.nag.features import NONE, Batch, Shape
from mixc.backends.nag.import_messages import occupied
from mixc.backends.nag.imported import FEATURES
from mixc.backends.nag.jobs import PART, WHOLE, examples_of, kept_under
from mixc.backends.nag.jsonl import COLUMNS, write_jsonl
from mixc.backends.nag.messages import broken_features
from mixc.backends.nag.store import origin_of, read_features
from mixc.compiler.documents.data import BadLines, Part, Unreadable, Wanted
from mixc.compiler.documents.reading import parts, read
from mixc.compiler.progress import Progress
from mixc.compiler.recipe import Target
from mixc.compiler.scan.beside import text_stem
from mixc.compiler.scan.holdout import identifiers
from mixc.compiler.scan.plan import Plan
from mixc.compiler.scan.score_messages import not_scored
from mixc.compiler.scan.stages import Found
from mixc.compiler.scan.store import Store, key_of
from mixc.compiler.whole import write_folder

DOCUMENTS, TARGETS = "documents", "targets"
UNFIT = re.compile(r"[^\w.-]+")
LONGEST = 120  # characters of a file's name


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: rows of documents and examples, files, the shape, and the column that holds the features."""

    documents: int
    examples: int
    files: int
    shape: Shape
    column: str


def export_features(
    targets: Sequence[Target], parameters: Mapping[str, Mapping[str, Any]], plan: Plan, known: Sequence[Found],
    store: Store, out: Path, progress: Progress,
) -> Exported:  # fmt: skip
    """Write what was read for these targets, whole or not at all; `parameters` are what each was scored with last.

    Raises `Unreadable` where something was not read, and where the folder is in use.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Unreadable(occupied(out))
    stated, first = parameters[targets[0].name], targets[0].name
    folder = store.folder / FEATURES / kept_under(stated)
    documents = {name: _parts(folder, plan, one, store) for name, one in named(known).items()}
    lacking = sum(not all(path.exists() for _, path in some) for some in documents.values())
    if lacking:
        raise Unreadable(not_scored(first, lacking, len(documents)))
    examples = {target.name: _example(target, parameters[target.name], store) for target in targets}
    if lost := [name for name, (_, path) in examples.items() if not path.exists()]:
        raise Unreadable(not_scored(lost[0], 1, 1))
    written = [0, 0]

    def fill(work: Path) -> None:
        progress.begin("writing features", len(documents) + len(examples))
        for name, some in documents.items():
            source = plan.source(some[0][0].file.source)
            wanted = Wanted(id=source.wanted.id, text=None if source.wanted.id else source.text)
            lines = _lines(some, wanted, source.bad_lines, silent=source.wanted.id is not None)
            written[0] += _write(work / DOCUMENTS / f"{name}.jsonl", stated, lines)
            progress.advance(1, 0)
        for name, one in examples.items():
            lines = _lines([one], Wanted(text="text"), "error")
            written[1] += _write(work / TARGETS / f"{name}.jsonl", stated, lines)
            progress.advance(1, 0)
        progress.end()

    write_folder(out, fill)
    shape = origin_of(next(iter(examples.values()))[1]).shape
    column = f"{COLUMNS[stated['projection']]}_feature"
    return Exported(written[0], written[1], len(documents) + len(examples), shape, column)


def named(known: Sequence[Found]) -> dict[str, Found]:
    """Files by the names they are exported under, `source/file`: fit for any file system, each once."""
    found: dict[str, Found] = {}
    for one in sorted(known, key=lambda one: (one.file.source, one.file.name)):
        plain = UNFIT.sub("_", one.file.name).strip("._")[-LONGEST:] or "file"
        name = f"{one.file.source}/{plain}"
        if name.lower() in {other.lower() for other in found}:
            name += f"-{key_of(one.file.name)[:8]}"
        found[name] = one
    return found


def _parts(folder: Path, plan: Plan, one: Found, store: Store) -> list[tuple[Part, Path]]:
    stem = text_stem(store, plan, one)
    return [(part, folder / f"{stem}.{part.start}-{part.stop}.arrow") for part in parts(one.file, PART)]


def _example(target: Target, stated: Mapping[str, Any], store: Store) -> tuple[Part, Path]:
    file = examples_of(target, store.folder.parent)
    whole = parts(file, WHOLE)[0]
    key = kept_under(stated, examples=True)
    return whole, store.folder / FEATURES / key / f"{file.stamp}.{whole.start}-{whole.stop}.arrow"


def _write(path: Path, stated: Mapping[str, Any], batches: Iterator[Batch]) -> int:
    rows = 0

    def counted() -> Iterator[Batch]:
        nonlocal rows
        for batch in batches:
            rows += len(batch.ids)
            yield batch

    write_jsonl(path, stated["projection"], counted())
    return rows


def _lines(
    some: Sequence[tuple[Part, Path]], wanted: Wanted, bad_lines: BadLines, *, silent: bool = True
) -> Iterator[Batch]:
    """Features with the ids that the documents have now: what was read may have had others, or none.

    `silent`: those of documents without tokens too, which without ids of their own cannot be told apart.
    """
    for part, path in some:
        ids = _Ids(part, wanted, bad_lines)
        for batch in read_features(path):
            batch = replace(batch, ids=ids.next(len(batch.ids), path))
            spoken = np.flatnonzero((batch.features != NONE).any(axis=1))
            if silent or len(spoken) == len(batch.ids):
                yield batch
            else:
                yield Batch(batch.ids.take(pa.array(spoken)), batch.features[spoken])


class _Ids:
    """The ids of a part, some at a time; of documents without one, a hash of their text."""

    def __init__(self, part: Part, wanted: Wanted, bad_lines: BadLines) -> None:
        self._batches = read(part, wanted, bad_lines=bad_lines)
        self._held = pa.array([], pa.string())

    def next(self, rows: int, path: Path) -> Any:
        """The next ids."""
        while len(self._held) < rows:
            batch = next(self._batches, None)
            if batch is None:
                raise Unreadable(broken_features(path.name, "it has more rows than the documents"))
            if batch.id is None and batch.text is not None:
                batch = replace(batch, text=batch.text.fill_null(""))
            mine = identifiers(batch, np.arange(batch.rows)).cast(pa.string())
            self._held = pa.concat_arrays([self._held, mine])
        found, self._held = self._held.slice(0, rows), self._held.slice(rows)
        return found
