"""What can be wrong with a calibration: one function per code, its docstring the manual page."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, Label, page
from mixc.dsl.text import Span
from mixc.dsl.wording import plain


def at(span: Span | None) -> tuple[Label, ...]:
    """A label, where there is a place."""
    return (Label(span),) if span else ()


@page("M430")
def unknown(name: str, span: Span | None, shipped: Sequence[str], close: str | None) -> Diagnostic:
    """A calibration has an unknown name.

    A calibration is named by one of the names that come with mixc, or by the path of a file that `mixc fit` wrote,
    relative to the recipe. The name is neither.

    Correct the name; a file's name ends in `.json`.
    """
    return Diagnostic(
        "M430",
        f"no calibration is called `{name}`",
        at(span),
        (f"shipped calibrations: {', '.join(shipped)}",),
        (f'did you mean "{close}"?' if close else 'a file is named by its path: `calibration = "fits/run7.json"`',),
        subject=name,
    )


@page("M431")
def unreadable(name: str, span: Span | None, reason: str) -> Diagnostic:
    """A calibration file cannot be read.

    The file is missing, is a folder, or may not be opened. Its path is relative to the recipe that names it.
    """
    return Diagnostic(
        "M431",
        f"calibration `{name}` cannot be read: {reason[:1].lower()}{reason[1:]}",
        at(span),
        (),
        ("the path is relative to the recipe",),
        subject=name,
    )


@page("M432")
def not_json(name: str, span: Span | None, reason: str) -> Diagnostic:
    """A calibration file is not JSON.

    The file is truncated, or was edited by hand and a comma or bracket was lost. The note says where reading stopped.

    Run the fit again, or repair the file.
    """
    return Diagnostic(
        "M432",
        f"calibration `{name}` is not JSON",
        at(span),
        (f"reading stopped: {reason.splitlines()[0]}",),
        ("write it again with `mixc fit`",),
        subject=name,
    )


@page("M433")
def other_kind(name: str, span: Span | None, found: str | None, wanted: str) -> Diagnostic:
    """A calibration is of another kind or version.

    Every calibration says in `schema` which law it is for and in which version of the format. An InfoLaw calibration
    cannot serve as a transfer calibration, and a file from a newer mixc cannot be read by an older one.
    """
    what = f'says `"schema": "{plain(found)}"`' if found else "does not say its `schema`"
    return Diagnostic(
        "M433",
        f"calibration `{name}` {what}, where `{wanted}` is needed",
        at(span),
        (),
        ("name a calibration of this law, or fit one with this version of mixc",),
        subject=name,
    )


@page("M434")
def unfit(name: str, span: Span | None, complaints: Sequence[str]) -> Diagnostic:
    """A calibration file says something that the law cannot use.

    A constant is missing, misspelt, negative or not finite, or the edges of the quality buckets do not rise to 1.
    The notes name each by its path in the file.
    """
    more = (f"and {len(complaints) - 5} more",) if len(complaints) > 5 else ()
    return Diagnostic(
        "M434",
        f"calibration `{name}` does not fit its law: {complaints[0]}",
        at(span),
        (*complaints[1:5], *more),
        ("correct the file, or write it again with `mixc fit`",),
        subject=name,
    )
