"""Diagnostics as an editor shows them, each in the file that it points into."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from lsprotocol import types

from mixc.backends.lsp.positions import Places
from mixc.dsl.diagnostics import Diagnostic, Label, Severity
from mixc.dsl.display import visible

SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
}
NAME = "mixc"
TOP = types.Range(types.Position(0, 0), types.Position(0, 0))


def by_file(
    path: Path, found: Iterable[Diagnostic], places: Callable[[Path], Places], uri: Callable[[Path], str]
) -> dict[Path, list[types.Diagnostic]]:
    """What was found when a recipe was checked, by file; what points nowhere stands at the recipe's beginning."""
    made: dict[Path, list[types.Diagnostic]] = {path: []}
    for one in found:
        where = file_of(one.labels[0]) if one.labels else path
        made.setdefault(where, []).append(_shown(one, where, places, uri))
    return made


def file_of(label: Label) -> Path:
    """The file that a label points into."""
    return Path(label.span.source.name)


def _shown(
    one: Diagnostic, where: Path, places: Callable[[Path], Places], uri: Callable[[Path], str]
) -> types.Diagnostic:
    first, *others = one.labels or (None,)
    return types.Diagnostic(
        range=places(where).of(first.span) if first else TOP,
        message=message(one),
        severity=SEVERITIES[one.severity],
        code=one.code,
        source=NAME,
        related_information=[
            types.DiagnosticRelatedInformation(
                types.Location(uri(file_of(it)), places(file_of(it)).of(it.span)), visible(it.text or "here")
            )
            for it in others
            if it is not None and file_of(it).is_absolute()
        ],
    )


def message(one: Diagnostic) -> str:
    """The sentence, what the label says, what is true, and what to type: one a line."""
    label = one.labels[0].text if one.labels else ""
    rest = [*([label] if label else []), *(f"note: {note}" for note in one.notes), *(f"help: {it}" for it in one.helps)]
    return "\n".join(visible(text) for text in (one.message, *rest))
