"""What texts a run wrote, cell by cell, from the markers beside them; no text is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from mixc.backends.selection.gather import TextMarker, read_text_marker
from mixc.backends.selection.layout import TEXTS, folder_of
from mixc.backends.selection.markers import SUFFIX
from mixc.backends.selection.run import has_texts, selected, texts_written
from mixc.backends.selection.slots import Cell
from mixc.compiler.export import CellTexts
from mixc.compiler.review.rows import MixtureRow
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, page


def texts_of(output: Path, manifest: Manifest) -> tuple[tuple[CellTexts, ...] | None, list[Diagnostic]]:
    """The texts of every cell that a finished run of this manifest wrote any of, in the order of the manifest.

    Folders are named as `output` is given.
    """
    try:
        return _texts_of(output, manifest)
    except OSError as error:  # a marker that cannot be read is no cell without texts
        why = f"{error.filename or output} cannot be read: {(error.strerror or str(error)).lower()}"
        return None, [incomplete(str(output), why)]


def _texts_of(output: Path, manifest: Manifest) -> tuple[tuple[CellTexts, ...] | None, list[Diagnostic]]:
    rows, found = selected(output, manifest.integrity)
    if rows is None:
        return None, found
    if not has_texts(output):
        return None, [no_texts_written(str(output))]
    markers: dict[str, TextMarker] = {}
    if damaged := _damaged(output, manifest, markers):
        return None, [incomplete(str(output), damaged)]
    by_folder: dict[str, list[TextMarker]] = defaultdict(list)
    for name, marker in markers.items():
        by_folder[name.rpartition("/")[0]].append(marker)
    written = [_cell(output, by_folder, row, bucket)
               for row in manifest.mixture for bucket in range(len(row.tokens_by_bucket))]  # fmt: skip
    texts = tuple(one for one in written if one is not None)
    if not texts:
        return None, [no_texts_written(str(output))]
    return texts, []


def _damaged(output: Path, manifest: Manifest, markers: dict[str, TextMarker]) -> str | None:
    """What of the texts is not as the run wrote it; None where all are there, of one form, by name in `markers`."""
    names = sorted(path.relative_to(output).as_posix() for path in (output / TEXTS).rglob(f"*.parquet{SUFFIX}"))
    if len(names) != texts_written(output):
        return f"{len(names):,} of {texts_written(output):,} files are finished"
    forms = set()
    for name in (one.removesuffix(SUFFIX) for one in names):
        marker = read_text_marker(output, name)
        if marker is None or marker.manifest != manifest.integrity or not _sound(marker):
            return f"`{name}{SUFFIX}` is not what a run writes"
        markers[name] = marker
        forms.add(marker.repeat)
        try:
            size = (output / name).stat().st_size
        except OSError:
            return f"`{name}` is not there"
        if size != marker.output.size:
            return f"`{name}` has {size:,} bytes of {marker.output.size:,}"
    return "some rows stand for several copies, some for one" if len(forms) > 1 else None


def _sound(marker: TextMarker) -> bool:
    counts = (marker.documents, marker.tokens, marker.output.rows, marker.output.size)
    return type(marker.repeat) is bool and all(type(count) is int and count >= 0 for count in counts)


def _cell(
    output: Path, by_folder: Mapping[str, Sequence[TextMarker]], row: MixtureRow, bucket: int
) -> CellTexts | None:
    folder = folder_of(row.phase, Cell(row.source, row.language, row.domain, bucket, 0, 0, ()))
    markers = by_folder.get(folder, ())
    if not markers:
        return None
    return CellTexts(
        row.phase,
        row.source,
        row.language,
        row.domain,
        bucket,
        (output / folder).as_posix(),
        sum(marker.output.rows for marker in markers),
        sum(marker.documents for marker in markers),
        sum(marker.tokens for marker in markers),
        any(marker.repeat for marker in markers),
    )


@page("M584")
def no_texts_written(folder: str) -> Diagnostic:
    """a run wrote no texts

    A selection names documents; trainers read texts, which are written on demand.

    What to do: `mixc run NAME.manifest.json -o FOLDER --materialize`, which adds them to the selection that is there.
    """
    helps = ("run the manifest into it again with `--materialize`",)
    return Diagnostic("M584", f"`{folder}` holds a selection without its texts", subject=folder, helps=helps)


@page("M585")
def incomplete(folder: str, why: str) -> Diagnostic:
    """texts of a run are incomplete or not as it wrote them

    Files were taken away or changed since, or a run that writes them anew was interrupted. What is left would be
    another mixture.

    What to do: `mixc run NAME.manifest.json -o FOLDER --materialize` again (with `--repeat`, if that is wanted); what
    stands is not written again.
    """
    helps = ("run the manifest into it again with `--materialize`",)
    return Diagnostic("M585", f"the texts in `{folder}` are incomplete", notes=(why,), subject=folder, helps=helps)
