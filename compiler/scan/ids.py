"""Ids that stand twice in a source: every file leaves a spill of the hashes of its ids, and all are compared.

The spills are kept like all that a file gave, so a new file is compared with the old ones without reading them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from mixc.compiler.documents.data import DataFile, Part, Wanted
from mixc.compiler.documents.reading import parts, read
from mixc.compiler.keyed_hash import hash60
from mixc.compiler.recipe import Recipe
from mixc.compiler.scan.duplicate_messages import duplicate_ids
from mixc.compiler.scan.duplicates import Duplicates, find
from mixc.compiler.scan.plan import Plan, SourcePlan
from mixc.dsl.diagnostics import Diagnostic

PREFIX = b"unique:"
SCHEMA = pa.schema([("spill", pa.string())])
CANDIDATES = 16


@dataclass(frozen=True, slots=True)
class Spills:
    """The spill files of one file of documents, by name in their folder."""

    names: tuple[str, ...]


def total(parts: Iterable[Spills]) -> Spills:
    """Those of all parts of a file."""
    return Spills(tuple(sorted(name for part in parts for name in part.names)))


def to_table(found: Spills) -> pa.Table:
    """For the cache."""
    return pa.table({"spill": list(found.names)}, schema=SCHEMA)


def from_table(table: pa.Table) -> Spills:
    """What `to_table` wrote."""
    return Spills(tuple(table["spill"].to_pylist()))


def collect(plan: Plan, folder: str, part: Part) -> Spills:
    """Spill the hashes of the ids of one part."""
    source = plan.source(part.file.source)
    found = Duplicates(Path(folder))
    for batch in read(part, Wanted(id=source.wanted.id), bad_lines=source.bad_lines):
        assert batch.id is not None
        found.add(0, batch.first, hash60(PREFIX, batch.id))
    return Spills(tuple(path.name for path in found.close()))


def watched(source: SourcePlan) -> bool:
    """Whether the ids of a source are to be unique: of all its documents, or within each file."""
    return source.wanted.id is not None and source.ids in ("unique", "per-file")


def repeated(recipe: Recipe, plan: Plan, folder: Path, spills: Mapping[DataFile, Spills]) -> list[Diagnostic]:
    """One diagnostic per source whose ids stand twice."""
    found = []
    for source in plan.sources:
        mine = [file for file in spills if file.source == source.name]
        groups = [mine] if source.ids == "unique" else [[file] for file in mine]
        told = (_first(recipe, source, group, folder, spills) for group in groups)
        found += [diagnostic for diagnostic in told if diagnostic is not None][:1]
    return found


def _first(
    recipe: Recipe,
    source: SourcePlan,
    group: Sequence[DataFile],
    folder: Path,
    spills: Mapping[DataFile, Spills],
) -> Diagnostic | None:
    """The first pair of documents among files whose ids really are equal, as their hashes are."""
    held = [(folder / name, number) for number, file in enumerate(group) for name in spills[file].names]
    found = find([path for path, _ in held], CANDIDATES, files=[number for _, number in held])
    stated = next(one for one in recipe.sources if one.name == source.name)
    for first, later in found:
        places = [(group[file], row) for file, row in (first, later)]
        one, other = (_id_at(file, source.wanted, row) for file, row in places)
        if one == other:
            shown = [(file.name, row) for file, row in places]
            return duplicate_ids(stated, shown[0], shown[1], one, found.total)
    return None


def _id_at(file: DataFile, wanted: Wanted, row: int) -> str:
    for part in parts(file):
        for batch in read(part, Wanted(id=wanted.id)):
            if batch.first <= row < batch.first + batch.rows:
                assert batch.id is not None
                return str(batch.id[row - batch.first].as_py())
    return ""
