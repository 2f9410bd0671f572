"""Writing a manifest as what another program reads: what `mixc export` does.

Exporters are entry points of the group `mixc.backends` named `export-…`, modules with a function `export`. What they
give is written as a whole, with a list of the files, so that a later export takes away what it no longer has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from mixc import __version__
from mixc.compiler import registry
from mixc.compiler.export_folder import cannot_export, earlier, foreign_folder, standing, written
from mixc.compiler.plain_json import loads
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors, page
from mixc.dsl.reading import file_bytes
from mixc.dsl.suggest import suggest
from mixc.dsl.wording import plain

PREFIX = "export-"
WORDS = ("phase", "source", "language", "domain", "bucket")  # of a pattern for places
MOST = 1 << 63


@dataclass(frozen=True, slots=True)
class CellTexts:
    """Texts that a run wrote of one cell in one phase: its `folder`, how much lies there.

    `rows` are what the files hold. `documents` and `tokens` count a document as often as it is to be read; under
    `repeat` its row stands there that often, else once, with its `copies`.
    """

    phase: str
    source: str
    language: str
    domain: str
    bucket: int
    folder: str
    rows: int
    documents: int
    tokens: int
    repeat: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """What lies at one place in the trainer's own tokens: documents (or samples) and tokens."""

    documents: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says of an export.

    `dataset_root` is where benchmark items lie as files; `data` is a pattern of where tokenised data lie, with the
    words of `WORDS` in braces; `texts` are what a run wrote; `counts` say by place what lies there. `sequence` is the
    length of a training sequence in tokens, `batch` the sequences of a step, `tokenizer` a name or folder.
    """

    dataset_root: str | None = None
    data: str | None = None
    texts: tuple[CellTexts, ...] | None = None
    counts: Mapping[str, Counted] | None = None
    sequence: int | None = None
    batch: int | None = None
    tokenizer: str | None = None


@dataclass(frozen=True, slots=True)
class Capability:
    """What a program can be told of a mixture, as `mixc export --list` shows it.

    `reads` is the form of its data, `needs` which options, `unit` what its number means, `exact` how near it comes,
    `phases` and `caps` how it is told of phases and of limits to repetition, `verified` how and with which version that
    was seen.
    """

    reads: str
    needs: str
    unit: str
    exact: str
    phases: str
    caps: str
    verified: str


class Exporter(Protocol):
    """A program that manifests are written for."""

    CAPABILITY: Capability

    def export(self, manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
        """Texts by path below the folder, `/` between its parts; None with the reasons against it."""
        ...


def targets() -> tuple[str, ...]:
    """What there are exporters for, sorted."""
    return tuple(sorted(name.removeprefix(PREFIX) for name in registry.names() if name.startswith(PREFIX)))


def capabilities() -> Mapping[str, Capability]:
    """What every exporter can say, by name."""
    return {name: cast("Exporter", registry.load(PREFIX + name)).CAPABILITY for name in targets()}


def export(
    manifest: Manifest, target: str, folder: Path, settings: Settings
) -> tuple[tuple[str, ...] | None, list[Diagnostic]]:
    """Write what a program reads of a manifest into a folder; the names of the files, or the reasons against it."""
    if target not in targets():
        return None, [unknown_exporter(target, targets())]
    try:
        before, found = earlier(folder)
    except OSError as error:
        return None, [cannot_export(str(folder), (error.strerror or str(error)).lower())]
    if found:
        return None, found
    exporter = cast("Exporter", registry.load(PREFIX + target))
    texts, found = exporter.export(manifest, settings)
    if texts is None or has_errors(found):
        return None, found
    names = tuple(sorted(texts))
    if taken := standing(folder, names, before):
        return None, [foreign_folder(str(folder), taken)]
    data = {name: texts[name].encode() for name in names}
    problems = written(folder, data, before, {"exporter": target, "manifest": manifest.integrity, "mixc": __version__})
    return (None, found + problems) if has_errors(problems) else (names, found + problems)


def read_counts(path: Path, target: str, settings: Settings) -> tuple[Mapping[str, Counted] | None, list[Diagnostic]]:
    """What lies at every place, from a file of counts for such an export; None with the reason why not."""
    try:
        file = loads(file_bytes(path), _once)
        places, made = file["places"], file.get("prepared", {})
        wanted = {"program": target, "sequence": settings.sequence, "tokenizer": settings.tokenizer}
        other = {key: made[key] for key, one in wanted.items() if made.get(key) and one and made[key] != one}
        counted = {str(place): Counted(one["documents"], one["tokens"]) for place, one in places.items()}
    except OSError as error:
        return None, [bad_counts(str(path), (error.strerror or str(error)).lower())]
    except _Twice as twice:
        return None, [bad_counts(str(path), f"`{twice}` stands twice in it")]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, [bad_counts(str(path), "it is not of the form that one has")]
    if other:
        return None, [others_counts(str(path), other)]
    for place, one in counted.items():
        if not all(type(number) is int and 0 <= number < MOST for number in (one.documents, one.tokens)):
            return None, [bad_counts(str(path), f"`{place}` needs documents and tokens, whole and not below zero")]
    return counted, []


class _Twice(ValueError):
    """A key that stands twice in one object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise _Twice(key)
        made[key] = value
    return made


@page("M700")
def unknown_exporter(target: str, known: tuple[str, ...]) -> Diagnostic:
    """There is no exporter of that name.

    `mixc export M --to NAME` writes what the program NAME reads. Exporters are entry points of the group
    `mixc.backends` named `export-…`, so other packages may bring more.

    What to do: `mixc export --list` lists them.
    """
    close = suggest(target, known)
    return Diagnostic(
        "M700",
        f"there is no exporter `{plain(target)}`",
        notes=(f"exporters: {', '.join(f'`{one}`' for one in known)}",),
        helps=(f"did you mean `--to {close}`?",) if close else (),
    )


@page("M804")
def bad_counts(path: str, why: str) -> Diagnostic:
    """a file of counts cannot be read

    It is a JSON object: `{"places": {"corpus/web/en": {"documents": 1200, "tokens": 840000}}}`, with whole numbers,
    zero where less lies than a trainer reads at once.

    What to do: correct it; `prepare.py` of an export writes one.
    """
    return Diagnostic(
        "M804",
        f"`{plain(path, 200)}` is no file of counts: {plain(why, 200)}",
        helps=(
            'write `{"places": {"PLACE": {"documents": 1200, "tokens": 840000}}}`, as `prepare.py` of an export does',
        ),
        subject=path,
    )


@page("M835")
def others_counts(path: str, made: Mapping[str, object]) -> Diagnostic:
    """counts are of other data

    `prepare.py` of an export counts what it wrote: for one program, by one tokenizer, in samples of one length. Places
    of another program may have the same names.

    What to do: run `prepare.py` of this export, with `--counts` and a name of its own.
    """
    what = ", ".join(f"{key} {plain(str(value))}" for key, value in sorted(made.items()))
    return Diagnostic(
        "M835",
        f"`{plain(path, 200)}` counts other data: {what}",
        helps=("run `prepare.py` of this export: `python prepare.py --counts OTHER.json`",),
        subject=path,
    )
