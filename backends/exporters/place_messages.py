"""What can be wrong with what lies at a place: M832 to M834."""

from __future__ import annotations

from mixc.backends.exporters.messages import LONG
from mixc.compiler.review.words import share, tokens
from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.wording import plain


@page("M832")
def other_sizes(path: str, shares: tuple[float, float], moved: float, taken: int, wanted: int) -> Diagnostic:
    """texts that were counted are of other sizes than were selected

    A selection counts tokens by its source's column, or by bytes; a trainer's tokenizer counts others. All that was
    selected is read, once, up to as many tokens as were selected. So shares differ where the two counts do, and a phase
    ends early where all places together hold less.

    What to do: give the sources the tokens of this tokenizer (a column of tokens, or `tokens_per_byte`), and compile
    and run again. A place that was prepared only in part is prepared again when its entry is taken out of the counts.
    """
    return Diagnostic(
        "M832",
        f"a phase reads {tokens(taken)} of {tokens(wanted)} selected tokens, {share(moved)} of them at other places "
        "than was decided",
        notes=(f"most of all `{plain(path, LONG)}`: {share(shares[0])} were decided, {share(shares[1])} are read",),
        helps=("give its source `tokens_per_byte` or a column of tokens by this tokenizer, and compile again",),
        severity=Severity.WARNING,
    )


@page("M833")
def remote_place(path: str) -> Diagnostic:
    """texts would be prepared at a remote place

    `prepare.py` writes to this machine.

    What to do: give a `--data` of this machine, and copy what was prepared; or export data that exist by `--data`
    without `--run`.
    """
    return Diagnostic(
        "M833",
        f"`prepare.py` cannot write to `{plain(path, LONG)}`",
        helps=("give a `--data` of this machine",),
    )


@page("M834")
def divided_phases() -> Diagnostic:
    """data are divided by phase, and nobody counted them

    What lies at a place with `{phase}` in it is a part of the supply. Without a count it is taken for all of it, so
    numbers that are passes over a place, and what is left of it, are wrong.

    What to do: count what lies at every place: `--counts FILE.json`.
    """
    return Diagnostic(
        "M834",
        "places of a single phase are taken to hold the whole supply",
        notes=("`--data` is divided by {phase}",),
        helps=("give `--counts FILE.json`",),
        severity=Severity.WARNING,
    )
