"""The files of a source whose paths keep `${param}`, under names that keep it too: the same on every machine."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from mixc.compiler.documents.data import DataFile
from mixc.compiler.documents.files import find_files
from mixc.compiler.documents.storage import is_remote, local_path
from mixc.compiler.places import filled
from mixc.compiler.recipe import Source
from mixc.compiler.scan.plan import Plan, SourcePlan
from mixc.dsl.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class _Anchor:
    """The part of a template that names begin with, and the file or folder that it is on this machine."""

    template: str
    place: str

    def name(self, file: DataFile, folder: Path) -> str:
        """A file below the place, by the template."""
        if is_remote(self.place):
            below = file.path.removeprefix(self.place.rstrip("/") + "/")
            if below == file.path:
                return self.template if file.path == self.place else file.name
        else:
            below = PurePath(os.path.relpath(file.path, folder.absolute() / local_path(self.place))).as_posix()
        return self.template if below == "." else f"{self.template.rstrip('/')}/{below}"


def find(source: Source, values: Mapping[str, str], folder: Path) -> tuple[tuple[DataFile, ...], list[Diagnostic]]:
    """The files of a source, each once, sorted by name; `values` of the params in its paths are seen from `folder`."""
    found: dict[str, DataFile] = {}
    diagnostics: list[Diagnostic] = []
    for path in source.paths:
        anchor, pattern = _anchored(path, values, folder)
        files, problems = find_files(replace(source, paths=(pattern,)), folder)
        diagnostics += problems
        for file in files:
            named = file if anchor is None else replace(file, name=anchor.name(file, folder))
            found[file.path] = min(named, found.get(file.path, named), key=lambda one: one.name)
    return tuple(sorted(found.values(), key=lambda file: file.name)), diagnostics


def _anchored(path: str, values: Mapping[str, str], folder: Path) -> tuple[_Anchor | None, str]:
    """The longest beginning of a template that holds params and no wildcard, and the pattern of the whole."""
    pattern, parts = filled(path, values), path.split("/")
    anchor: _Anchor | None = None
    for i, part in enumerate(parts):
        template = "/".join(parts[: i + 1])
        place = filled(template, values)
        if "${" in part and pattern.startswith(place) and _is_literal(place, folder):
            anchor = _Anchor(template, place)
    if anchor is None or not glob.has_magic(anchor.place) or is_remote(anchor.place):
        return anchor, pattern
    return anchor, glob.escape(anchor.place) + pattern.removeprefix(anchor.place)


def _is_literal(place: str, folder: Path) -> bool:
    """Whether it is no pattern: a folder may be called what looks like one."""
    return not glob.has_magic(place) or (not is_remote(place) and (folder / local_path(place)).exists())


def located(plan: Plan, values: Mapping[str, str], folder: Path) -> Plan:
    """The plan for reading on this machine: tokenizers by where they lie, first beside the recipe."""
    return replace(plan, sources=tuple(_with_tokenizer(source, values, folder) for source in plan.sources))


def _with_tokenizer(source: SourcePlan, values: Mapping[str, str], folder: Path) -> SourcePlan:
    if source.counting.way != "tokenizer":
        return source
    name = filled(source.counting.name, values)
    beside = folder.absolute() / name
    return replace(source, counting=replace(source.counting, name=str(beside) if beside.exists() else name))
