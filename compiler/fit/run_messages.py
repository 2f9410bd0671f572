"""What can be wrong with a table of training runs: M710 to M717."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, page
from mixc.dsl.wording import listed, named, plain


@page("M710")
def unreadable_runs(name: str, why: str) -> Diagnostic:
    """A table of runs cannot be read.

    Runs are a CSV file with a header, a Parquet file, or JSON lines with one object each; the ending of the name says
    which: `.csv`, `.parquet`, `.jsonl`.

    Name another file, or save the table again in one of these formats.
    """
    return Diagnostic(
        "M710",
        f"`{named(name)}` holds no runs: {plain(why, 200)}",
        (),
        (),
        ("name a table of runs: `.csv` with a header, `.parquet` or `.jsonl`",),
        subject=name,
    )


@page("M711")
def missing_columns(name: str, missing: Sequence[tuple[str, str | None]], there: Sequence[str]) -> Diagnostic:
    """A table of runs lacks columns.

    `mixc fit infolaw --help` and `mixc fit transfer --help` list the columns that a fit reads. A column of another
    name is given with `--column`, once for each:

        mixc fit infolaw runs.csv -o ours.json --column loss=val_loss
    """
    wanted = ", ".join(f"`{column}`" for column, _ in missing)
    close = [f"`--column {column}={near}`" for column, near in missing if near]
    return Diagnostic(
        "M711",
        f"`{named(name)}` has no column {wanted}",
        (),
        (f"its columns: {listed(there, 20)}",),
        (f"did you mean {' '.join(close)}?" if close else "name the column that holds it: `--column loss=val_loss`",),
        subject=name,
    )


@page("M712")
def bad_values(name: str, column: str, rows: Sequence[tuple[str, str]], rule: str) -> Diagnostic:
    """A run states a value that is missing or cannot be.

    Losses, sizes and tokens are finite numbers above 0, shares and tokens of a bucket or language are 0 or more. A run
    that failed, and so has no loss or NaN, says nothing about the law: it is left out by whoever knows why, not by the
    fit.

    Correct the rows that are named, or remove them.
    """
    first, found = rows[0]
    more = (f"{len(rows):,} rows, at {listed([place for place, _ in rows])}",) if len(rows) > 1 else ()
    said = "is missing" if found == "" else f"is `{plain(found)}`"
    return Diagnostic(
        "M712",
        f"`{column}` {said} at {first} of `{named(name)}`: {rule}",
        (),
        more,
        ("correct the rows, or remove runs that did not finish",),
        subject=name,
    )


@page("M713")
def unlikely_units(name: str, column: str, why: str, helps: Sequence[str]) -> Diagnostic:
    """Numbers of a table of runs are not in the units of the law.

    Laws count parameters, tokens and nats, all in ones. A model of 1.2 parameters or a run of 86 tokens was written in
    billions; losses of 20 are perplexities or bits. Guessing would give a law whose constants mean something else, so
    the fit asks:

        mixc fit infolaw runs.csv -o ours.json --unit tokens=1e9 --unit params=1e6

    A unit multiplies its columns: `params`, `tokens` (also those of buckets and languages), `supply` (also `pool`),
    `loss`.
    """
    return Diagnostic(
        "M713",
        f"`{column}` of `{named(name)}` seems to be in another unit: {why}",
        (),
        (),
        tuple(helps),
        subject=name,
    )


@page("M714")
def bad_sum(name: str, rows: Sequence[tuple[str, float]], what: str, whole: float) -> Diagnostic:
    """The parts of a run do not add up to its whole.

    The shares of a run sum to 1, and its tokens per bucket or language to `tokens`, within one part in a hundred.
    Where they do not, a column is missing, the units differ, or shares are per cent.

    Correct the table; shares in per cent are read with `--unit share=0.01`.
    """
    run, total = rows[0]
    more = (f"{len(rows):,} runs: {listed([run for run, _ in rows])}",) if len(rows) > 1 else ()
    percent = abs(total / whole / 100 - 1) < 0.01
    helps = ("are they per cent? then add `--unit share=0.01`",) if percent else ("are all parts of the run there?",)
    return Diagnostic(
        "M714", f"the {what} of {plain(run, 60)} sum to {total:.6g} of {whole:g}", (), more, helps, subject=name
    )


@page("M715")
def duplicated_runs(name: str, copies: Sequence[tuple[str, str]]) -> Diagnostic:
    """A run stands twice in a table.

    Two rows that agree in everything, the loss to the last digit included, are one run; counted twice it would make
    intervals too narrow. So would two runs of one name. Runs that differ in their seed differ in their loss.

    Remove the copies.
    """
    first, second = copies[0]
    more = (f"{len(copies):,} rows repeat others",) if len(copies) > 1 else ()
    return Diagnostic(
        "M715",
        f"{plain(second, 60)} of `{named(name)}` is {plain(first, 60)} again",
        (),
        more,
        ("remove the copies",),
        subject=name,
    )


@page("M716")
def broken_run(name: str, run: str, why: str) -> Diagnostic:
    """The rows of a run contradict each other.

    In a long table the rows of one run agree in `params`, `tokens` and `loss`, and each part of it stands once. Ranks
    of quality run from 0 (best) to 1, `low` below `high`, without overlap inside a pool; edges of a wide table rise,
    and end in 1.
    """
    return Diagnostic(
        "M716",
        f"{plain(run, 60)} of `{named(name)}` {why}",
        (),
        (),
        ("correct the rows of this run",),
        subject=name,
    )


@page("M717")
def constant_loss(name: str, what: str, value: float, runs: int) -> Diagnostic:
    """All runs have the same loss.

    A law says how the loss moves with the mixture, the size and the budget. Runs whose losses agree to the last digit
    identify none of it; a column was filled by hand, or losses were rounded away.
    """
    return Diagnostic(
        "M717",
        f"{what} is {value:g} in all {runs} runs of `{named(name)}`",
        (),
        (),
        ("give the loss of each run with all its digits",),
        subject=name,
    )
