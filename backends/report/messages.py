"""What can be wrong with asking for a report."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, page
from mixc.dsl.suggest import suggest
from mixc.dsl.wording import plain


@page("M780")
def no_report_packages(package: str) -> Diagnostic:
    """A page and its plots need packages that are not installed.

    The page is made by Jinja, its plots by Altair and vl-convert. `--format markdown` needs none of them.

    What to do: install them with `pip install 'mixc[report]'`.
    """
    return Diagnostic(
        "M780",
        f"a report with plots needs the package `{plain(package)}`, which is not installed",
        helps=("install it: `pip install 'mixc[report]'`", "or ask for a report without plots: `--format markdown`"),
    )


@page("M781")
def unknown_plot(name: str, known: Sequence[str]) -> Diagnostic:
    """The report has no plot of that name.

    A plot is there if the manifest holds what it shows: `transfer` needs a language that learns from another, `quality`
    a rated domain.

    What to do: name one of those that are listed.
    """
    close = suggest(name, tuple(known))
    return Diagnostic(
        "M781",
        f"the report on this manifest has no plot `{plain(name)}`",
        notes=(f"plots: {', '.join(f'`{one}`' for one in known)}",),
        helps=(f"did you mean `--plot {close}`?",) if close else (),
    )


@page("M782")
def foreign_run(folder: str, recipe: str) -> Diagnostic:
    """The folder given with `--run` belongs to another manifest.

    What a run selected can be compared only with the manifest it was run from.

    What to do: give the folder that `mixc run` made of this manifest.
    """
    return Diagnostic(
        "M782",
        f"the run in `{plain(folder, 200)}` is of another manifest",
        notes=(f"it selected documents for the recipe `{plain(recipe)}`, in another version",) if recipe else (),
        helps=("run this one: `mixc run MANIFEST -o DIR`",),
        subject=folder,
    )


@page("M783")
def unreadable_run(folder: str, why: str) -> Diagnostic:
    """The folder given with `--run` holds no run that ended.

    `mixc run` writes `run.json` when everything is selected; a run that was interrupted has none yet.

    What to do: give the folder of a run that ended, or run it again, which goes on where it stopped.
    """
    return Diagnostic(
        "M783",
        f"`{plain(folder, 200)}` holds no run that ended: {plain(why, 200)}",
        helps=("run it again: `mixc run MANIFEST -o DIR` goes on where it stopped",),
        subject=folder,
    )
