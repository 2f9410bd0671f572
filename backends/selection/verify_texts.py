"""Whether written texts are those that their markers vouch for, and as many as were selected."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mixc.backends.selection.gather import TextMarker, read_text_marker
from mixc.backends.selection.layout import TEXTS, folder_of
from mixc.backends.selection.markers import SUFFIX
from mixc.backends.selection.outputs import content_hash
from mixc.backends.selection.shard import Work, loaded_by
from mixc.backends.selection.sums import Sums


def text_faults(work: Work, sums: Sums, *, written: bool) -> list[str]:
    """What is wrong with the texts of a selection; nothing where none were `written`."""
    output = Path(work.output)
    if not (output / TEXTS).is_dir():
        return [f"{TEXTS} is missing"] if written else []
    there = sorted(p.relative_to(output).as_posix() for p in (output / TEXTS).rglob("*") if p.is_file())
    names = [name.removesuffix(SUFFIX) for name in there if name.endswith(SUFFIX)]
    known = {*names, *(name + SUFFIX for name in names)}
    faults = [f"{name} was not written by this run" for name in there if name not in known]
    held: dict[str, tuple[int, int]] = {}
    for name in names:
        marker = read_text_marker(output, name)
        if marker is None or (marker.manifest, marker.cut, marker.name) != (work.integrity, work.cut, name):
            faults.append(f"{name} has no marker of this selection")
            continue
        faults += _output(output, marker)
        folder = name.rpartition("/")[0]
        before = held.get(folder, (0, 0))
        held[folder] = before[0] + marker.documents, before[1] + marker.tokens
    return faults + _amounts(work, sums, held)


def _output(output: Path, marker: TextMarker) -> list[str]:
    path = output / marker.name
    try:
        same = path.stat().st_size == marker.output.size and content_hash(path) == marker.output.hash
    except OSError:
        return [f"{marker.name} is missing"]
    return [] if same else [f"{marker.name} was changed after it was written"]


def _amounts(work: Work, sums: Sums, written: Mapping[str, tuple[int, int]]) -> list[str]:
    """Every cell's texts are as many documents and tokens as were selected of it."""
    slots = loaded_by(work).slots
    selected = {
        folder_of(slots.phases[phase], slots.cells[cell]): (taken.documents, taken.tokens)
        for (phase, cell), taken in sums.items()
        if taken.documents
    }
    none = (0, 0)
    return [
        f"{folder} holds {written.get(folder, none)[0]:,} documents, {selected.get(folder, none)[0]:,} were selected"
        for folder in sorted(selected.keys() | written.keys())
        if written.get(folder, none) != selected.get(folder, none)
    ]
