"""What commands share: options, and the two streams. Data goes to stdout, diagnostics go to stderr."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn, TextIO, TypeAlias

import typer

from mixc.compiler.cli.guard import ERRORS, refused, silence

if TYPE_CHECKING:
    from mixc.compiler.recipe import Recipe as CheckedRecipe
    from mixc.dsl.diagnostics import Diagnostic

DiagnosticsFormat: TypeAlias = Literal["full", "concise", "json", "github"]
WIDTH = 100
BROKEN_PIPE = 141

Recipe = Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe, `NAME.mix`.")]
Diagnostics = Annotated[DiagnosticsFormat, typer.Option("--diagnostics", help="How errors and warnings are printed.")]
Params = Annotated[
    list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="Set a param of the recipe: `size=7B`.")
]
AllowOutside = Annotated[
    bool, typer.Option("--allow-outside", help="Let the recipe read files outside its own folder.")
]
Engine = Annotated[str, typer.Option("--engine", metavar="NAME", help="Where work is done: `local` or `ray`.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="How many processes; all processors by default.")]
Force = Annotated[bool, typer.Option("--force", help="Read manifests that were edited after they were compiled.")]


def report(found: Iterable[Diagnostic], form: DiagnosticsFormat) -> int:
    """Print diagnostics on stderr; the exit code that they ask for.

    JSON is one array even when there is nothing to say; a command reports once.
    """
    from mixc.dsl.diagnostics import has_errors
    from mixc.dsl.render import render

    listed = list(found)
    if listed or form == "json":
        terminal = sys.stderr is not None and sys.stderr.isatty()
        color = form == "full" and terminal and "NO_COLOR" not in os.environ
        width = shutil.get_terminal_size((WIDTH, 24)).columns if terminal else WIDTH
        _write(sys.stderr, render(listed, form, color=color, width=width))
    return ERRORS if has_errors(listed) else 0


def show(text: str) -> None:
    """Print data on stdout, free of what a terminal would obey; quiet when nobody reads it any more."""
    from mixc.dsl.display import harmless

    _write(sys.stdout, harmless(text))


def given_params(pairs: list[str] | None) -> dict[str, str]:
    """`--param name=value`, each name once."""
    params: dict[str, str] = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            wrong(f"`--param {pair}` sets nothing: write `--param name=value`")
        if name.strip() in params:
            wrong(f"`--param` sets `{name.strip()}` twice")
        params[name.strip()] = value.strip()
    return params


def checked(
    recipe: Path, params: list[str] | None, allow_outside: bool
) -> tuple[CheckedRecipe | None, list[Diagnostic]]:
    """A recipe with what the command line sets of it, checked; None with the reasons against it."""
    from mixc.compiler.pipeline import CHECK, Artefacts, run_passes

    made, found = run_passes(CHECK, Artefacts(recipe, given_params(params), allow_outside))
    return made.recipe, found


def one_of(word: str, allowed: Iterable[str], what: str) -> None:
    """Refuse a word that is none of the allowed ones."""
    from mixc.dsl.suggest import suggest

    known = list(allowed)
    if word not in known:
        nearest = suggest(word, known)
        hint = f"did you mean `{nearest}`?" if nearest else f"choose from {', '.join(known)}"
        wrong(f"no {what} is called `{word}`: {hint}")


def wrong(sentence: str) -> NoReturn:
    """Leave because the command line is wrong."""
    raise typer.BadParameter(sentence)


def here(path: Path | None) -> Path | None:
    """A path of this machine. An address of an object store would be taken for a folder called `s3:`."""
    scheme = re.match(r"(\w+):/(?!/)", path.as_posix()) if path is not None else None
    if scheme:
        wrong(f"`{scheme[1]}://…` is an address, and mixc writes to this machine: name a place here, and copy from it")
    return path


def _write(stream: TextIO | None, text: str) -> None:
    """Write all of a text, or leave: quietly where the reader went away, with a sentence where the system refuses."""
    if stream is None or stream.closed:  # Python has no stream where the descriptor was closed before it started
        if text and stream is sys.stdout:
            raise refused("cannot print: standard output is closed")
        return
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        silence(stream)
        raise SystemExit(BROKEN_PIPE) from None
    except OSError as error:
        silence(stream)
        raise refused(f"cannot print: {(error.strerror or 'the system gave no reason').lower()}") from None
