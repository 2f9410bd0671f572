"""`mixc compile`: from a recipe to its manifest and lock, and the tables of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mixc.compiler.cli.guard import CHANGES
from mixc.compiler.cli.session import (
    AllowOutside,
    Diagnostics,
    DiagnosticsFormat,
    Params,
    Recipe,
    given_params,
    here,
    report,
    show,
    wrong,
)
from mixc.compiler.review.beside import MANIFEST, lock_beside, tables_beside

if TYPE_CHECKING:
    from mixc.compiler.pipeline import Artefacts
    from mixc.compiler.review.tables import RunTables
    from mixc.dsl.diagnostics import Diagnostic

Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="MANIFEST", callback=here, help="Where the manifest goes; lock and tables beside it."
    ),
]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit 2 if one of them is out of date.")]
Locked = Annotated[bool, typer.Option("--locked", help="Refuse inputs other than those that the lock pins.")]
After = Annotated[
    Path | None,
    typer.Option("--after", metavar="MANIFEST", help="Go on after this mixture: what it took counts from the start."),
]
Format = Annotated[Literal["text", "json"], typer.Option("--format", help="The table, or the manifest itself.")]


def compile_recipe(
    recipe: Recipe,
    output: Output = None,
    check: Check = False,
    locked: Locked = False,
    params: Params = None,
    after: After = None,
    allow_outside: AllowOutside = False,
    form: Format = "text",
    diagnostics: Diagnostics = "full",
) -> int:
    """Decide the mixture of a recipe; write its manifest and lock, and the tables of a run where it reads documents."""
    from mixc.compiler.pipeline import DECIDE, PIN, Artefacts, run_passes
    from mixc.dsl.diagnostics import has_errors

    manifest = _output(output, recipe)
    made, found = run_passes(PIN, Artefacts(recipe, given_params(params), allow_outside, after))
    found += _misplaced(made, manifest)
    if locked and not has_errors(found):
        found += _against_lock(made, lock_beside(manifest))
    if not has_errors(found):
        made, more = run_passes(DECIDE, made)
        found += more
    if has_errors(found):
        return report(found, diagnostics)
    if check:
        return _check(made, found, manifest, diagnostics)
    return _write(made, found, manifest, form, diagnostics)


def _output(output: Path | None, recipe: Path) -> Path:
    if output is not None and str(output) == "-":
        wrong("`-o` names a file, and `-` is no name for one: `--format json` prints the manifest")
    return output or recipe.parent / (recipe.stem + MANIFEST)


def _misplaced(made: Artefacts, manifest: Path) -> list[Diagnostic]:
    """Outputs that would be written over an input, or over each other."""
    if made.recipe is None or made.lock is None:
        return []
    from mixc.compiler.places import filled
    from mixc.compiler.review.output import misplaced

    outputs = {"manifest": manifest, "lock": lock_beside(manifest)}
    if made.catalog is not None:
        outputs["tables"] = tables_beside(manifest)
    names = [*made.lock.file, *(name for source in made.lock.source.values() for name in source.files)]
    names += [] if made.catalog is None else [file.name for file in made.catalog.files]
    folder = Path(made.recipe.path).parent
    return misplaced(outputs, [made.path, *(folder / filled(name, made.recipe.places) for name in names)])


def artefacts(made: Artefacts, manifest: Path) -> dict[Path, bytes]:
    """The bytes of manifest and lock by path."""
    from mixc.compiler.review.lock import lock_text
    from mixc.compiler.review.manifest import manifest_text

    assert made.manifest is not None
    assert made.lock is not None
    files = {
        manifest: manifest_text(made.manifest).encode(),
        lock_beside(manifest): lock_text(made.lock).encode(),
    }
    return files if made.tables is None else files | {tables_beside(manifest): _tables(made.tables, manifest)}


def _tables(tables: RunTables, manifest: Path) -> bytes:
    """The bytes on disk where they hold the same tables: another version of the writer may have written them."""
    from mixc.compiler.review.tables import read_tables, tables_bytes

    path = tables_beside(manifest)
    same, _ = read_tables(str(path), tables.hash)
    return tables_bytes(tables) if same is None else path.read_bytes()


def _against_lock(made: Artefacts, path: Path) -> list[Diagnostic]:
    from mixc.compiler.review.lock import drift, inputs_differ, read_lock

    pinned, found = read_lock(str(path))
    if pinned is None or made.lock is None:
        return found
    drifts = drift(pinned, made.lock)
    return [inputs_differ(str(path), drifts)] if drifts else []


def _check(made: Artefacts, found: list[Diagnostic], manifest: Path, form: DiagnosticsFormat) -> int:
    """Exit 2 unless both files are what compiling gives now."""
    from mixc.compiler.review.output import holds
    from mixc.compiler.review.verify import out_of_date

    outdated = []
    for path, data in artefacts(made, manifest).items():
        if holds(path, data):
            continue
        why = _why(made, path, path == manifest)
        outdated += [out_of_date(str(path), why)] if why else []
    code = report([*found, *outdated], form)
    if not outdated:
        show(f"{manifest}: up to date\n")
    return CHANGES if outdated else code


def _why(made: Artefacts, path: Path, is_manifest: bool) -> str | None:
    """Why the file on disk does not stand; None when another platform's last digits are all that differs."""
    from mixc.compiler.review.reading import read_manifest
    from mixc.compiler.review.verify import why_outdated
    from mixc.compiler.solve.decide import prove

    if not path.exists():
        return "it was never written"
    if not is_manifest or made.manifest is None:
        return "its inputs changed"
    on_disk, found = read_manifest(str(path))
    if on_disk is None:
        return found[0].message
    return why_outdated(on_disk, made.manifest, prove)


def _write(
    made: Artefacts, found: list[Diagnostic], manifest: Path, form: Literal["text", "json"], style: DiagnosticsFormat
) -> int:
    from mixc.compiler.review.output import write_together

    files = artefacts(made, manifest)
    code = report([*found, *write_together(files)], style)
    if code:
        return code
    if form == "json":
        show(files[manifest].decode())
        return 0
    from mixc.compiler.review.summary import language_table, proof, quality_table

    assert made.decision is not None
    tables = [language_table(made.decision), quality_table(made.decision)]
    text = "\n".join(table for table in tables if table)
    show(f"{text}\n{proof(made.decision)}wrote {' and '.join(map(str, files))}\n")
    return 0
