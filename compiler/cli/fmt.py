"""`mixc fmt`: the one formatting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixc.compiler.cli.guard import CHANGES
from mixc.compiler.cli.session import Diagnostics, report, show

if TYPE_CHECKING:
    from mixc.dsl.diagnostics import Diagnostic

Recipes = Annotated[list[Path], typer.Argument(metavar="RECIPE...", help="Recipes, `NAME.mix`, or folders of them.")]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit 2 if a recipe is not in the one formatting.")]


def fmt(recipes: Recipes, check: Check = False, diagnostics: Diagnostics = "full") -> int:
    """Write recipes in the one formatting. Comments are kept, meaning never changes."""
    found: list[Diagnostic] = []
    changed: list[Path] = []
    for path in _recipes(recipes):
        moved, more = _format(path, write=not check)
        found += more
        changed += [path] * moved
    code = report(found, diagnostics)
    for path in changed:
        show(f"{'would format' if check else 'formatted'} {path}\n")
    return code or (CHANGES if check and changed else 0)


def _recipes(paths: list[Path]) -> list[Path]:
    """The recipes named, each once; of a folder all below it, in the order of their names."""
    found: list[Path] = []
    for path in paths:
        found += sorted(path.rglob("*.mix")) if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def _format(path: Path, *, write: bool) -> tuple[bool, list[Diagnostic]]:
    """Whether the file is not in the one formatting; it is then written, if asked."""
    from mixc.compiler.front.artefacts import not_a_recipe
    from mixc.dsl.formatter import format_source
    from mixc.dsl.reading import read_source

    source, found = read_source(path, str(path))
    text, found = (None, found) if source is None else format_source(source)
    if text is None:
        other = not_a_recipe(path, str(path), source)
        return False, [other] if other else found
    data = text.encode()
    if data == path.read_bytes():
        return False, found
    if write:
        from mixc.compiler.review.output import write_atomically

        problems = write_atomically(path, data)
        return not problems, [*found, *problems]
    return True, found
