"""What can be wrong with asking for a report."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, page
from mixc.dsl.suggest import suggest
from mixc.dsl.wording import plain


@page("M780")
def no_report_packages(package: str | None) -> Diagnostic:
    """A page and its plots need packages that are not installed.

    The page is made by Jinja, its plots by Altair and vl-convert. `--format markdown` needs none of them.

    What to do: install them with `pip install 'mixc[report]'`.
    """
    return Diagnostic(
        "M780",
        f"a report with plots needs the package `{plain(package or '')}`, which is not installed",
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
