"""What can be wrong with what lies at a place: M832 to M834."""

from __future__ import annotations

from mixc.backends.exporters.messages import LONG
from mixc.compiler.review.words import tokens
from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.wording import plain


@page("M832")
def held_back(path: str, available: int, taken: int, planned: int) -> Diagnostic:
    """a place holds so little that a phase is cut short

    Counted in the trainer's tokens a place of a run may hold less, for its share, than the others. Reading it again
    would be a pass that was not decided, and leaving it behind another mixture; so all are read less.

    What to do: give its source the tokens of this tokenizer (a column of tokens, or `tokens_per_byte`), and compile and
    run again. A place that was prepared only in part is prepared again when its entry is taken out of the counts.
    """
    return Diagnostic(
        "M832",
        f"a phase is cut to {tokens(taken)} of {tokens(planned)} tokens: `{plain(path, LONG)}` holds no more than "
        f"{tokens(available)}",
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
