"""What is said of tables of proxy runs, of searches on them, and of experiments that are designed."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.wording import listed, named, plain


@page("M740")
def unreadable_runs(name: str, why: str) -> Diagnostic:
    """a table of proxy runs cannot be read

    Proxy runs are a table with one row per run, `.parquet`, `.csv` or `.jsonl`: the parameters that `mixc design
    quadmix` wrote to `experiments.parquet`, and a loss.

    What to do: check the name and the form of the file.
    """
    return Diagnostic(
        "M740",
        f"`{named(name)}` cannot be read as a table of runs",
        notes=(why,),
        helps=("name the `experiments.parquet` that `mixc design quadmix` wrote, with a column of losses",),
        subject=name,
    )


@page("M741")
def missing_columns(name: str, columns: Sequence[str], of: int, recipe: str) -> Diagnostic:
    """a table of proxy runs lacks parameters of the recipe

    Every domain of the recipe that is rated has the columns `alpha:DOMAIN:RATER`, one per rater of the recipe's rated
    domains, and `lambda:DOMAIN`, `omega:DOMAIN`, `eta:DOMAIN`, `epsilon:DOMAIN`. Domains and raters may be numbered in
    the recipe's order instead: `alpha_0_0`, `lambda_0`. A table of mixtures has one column per domain, and its rows sum
    to 1.

    What to do: start from the `experiments.parquet` that `mixc design quadmix` wrote for this recipe.
    """
    return Diagnostic(
        "M741",
        f"`{named(name)}` lacks {len(columns)} of the {of} parameters of `{plain(recipe)}`",
        notes=(f"missing: {listed(columns)}",),
        helps=("add losses to the `experiments.parquet` that `mixc design quadmix` wrote for this recipe",),
        subject=name,
    )


@page("M742")
def unused_columns(name: str, columns: Sequence[str]) -> Diagnostic:
    """a table of proxy runs has columns that mean nothing here

    A warning: only parameters and losses are used. A column that was meant as a loss is named by `--loss`; one that
    was meant as a parameter is misspelt, or belongs to another recipe.
    """
    return Diagnostic(
        "M742",
        f"columns are not used: {listed(columns)}",
        helps=("name losses by `--loss COLUMN`, or `--loss COLUMN=WEIGHT`",),
        severity=Severity.WARNING,
        subject=name,
    )


@page("M743")
def too_few_runs(name: str, runs: int, least: int) -> Diagnostic:
    """there are too few runs to learn from

    Below 20 runs there is nothing to tell a surrogate from a guess. QuaDMix used 3,000 runs for 182 parameters, RegMix
    512 for 17.

    What to do: run more experiments.
    """
    return Diagnostic("M743", f"{runs} runs are too few: {least} are the least to learn from", helps=(
        "run more of the experiments",
    ), subject=name)  # fmt: skip


@page("M744")
def fewer_than_parameters(name: str, runs: int, free: int) -> Diagnostic:
    """there are fewer runs than parameters

    A warning: the surrogates share what they learn between domains, so that this is no contradiction, but most of what
    they say of single parameters is a guess. Watch what they predict of runs left out, and the doubt of the answer.
    """
    return Diagnostic(
        "M744",
        f"{runs:,} runs are fewer than the {free:,} free parameters",
        helps=("run more experiments, or rate fewer domains",),
        severity=Severity.WARNING,
        subject=name,
    )


@page("M745")
def constant_loss(name: str, column: str) -> Diagnostic:
    """a loss is the same in all runs

    Nothing can be learned from it: the column is not the loss, or was filled in by one value.

    What to do: name the column of the losses by `--loss COLUMN`, or give the loss of each run with all its digits.
    """
    return Diagnostic(
        "M745",
        f"`{plain(column)}` is the same in all runs",
        helps=("name the column of the losses by `--loss COLUMN`, or give each loss with all its digits",),
        subject=name,
    )


@page("M746")
def not_finite(name: str, column: str, rows: Sequence[int]) -> Diagnostic:
    """a number is not finite

    A loss that is NaN or infinite is a run that failed; a parameter that is, or that is missing, is no parameter. An
    empty loss is a run that was not done yet, and is left out.

    What to do: leave the loss of a failed run empty, or remove the row.
    """
    return Diagnostic(
        "M746",
        f"`{plain(column, 60)}` is no finite number in {_rows(len(rows))}",
        notes=(f"rows, counted from 0: {listed(rows)}",),
        helps=("leave the loss of a failed run empty, or remove the row",),
        subject=name,
    )


@page("M747")
def not_run_yet(name: str, missing: int, runs: int) -> Diagnostic:
    """some runs have no loss yet

    A warning: runs whose loss is empty are left out. Where they failed because of their parameters, leaving them out
    hides a bad region from the search: give such runs a high loss.
    """
    return Diagnostic(
        "M747",
        f"{missing:,} of {runs:,} runs have no loss and are left out",
        helps=("where a run failed because of its parameters, give it a high loss",),
        severity=Severity.WARNING,
        subject=name,
    )


@page("M748")
def duplicated_runs(name: str, count: int, example: Sequence[int]) -> Diagnostic:
    """runs stand in the table twice

    A warning: rows with the same parameters and the same loss are one run, and are counted once; twice, they would be
    both learned from and tested on. Rows with the same parameters and different losses are runs of their own.
    """
    return Diagnostic(
        "M748",
        f"{_rows(count)} {'repeats' if count == 1 else 'repeat'} the parameters and the loss of another, and "
        f"{'is' if count == 1 else 'are'} left out",
        helps=("remove the copies, so that the table says how many runs there are",),
        notes=(f"rows, counted from 0: {listed(example)}",),
        severity=Severity.WARNING,
        subject=name,
    )


@page("M749")
def same_run(name: str, run: str, rows: Sequence[int]) -> Diagnostic:
    """one run has several sets of parameters

    The column `run` names an experiment. Two rows with one name and different parameters are a mix-up of tables.

    What to do: keep the row whose parameters the run had, or give one of the runs another name.
    """
    return Diagnostic(
        "M749",
        f"run `{plain(run)}` stands in the table with different parameters",
        helps=("keep the row whose parameters the run had, or give one of them another name",),
        notes=(f"rows, counted from 0: {listed(rows)}",),
        subject=name,
    )


@page("M750")
def no_lightgbm() -> Diagnostic:
    """LightGBM is not installed

    The search fits LightGBM to the proxy runs, as QuaDMix and RegMix do.

    What to do: `pip install 'mixc[search]'`.
    """
    return Diagnostic("M750", "LightGBM is not installed", helps=("pip install 'mixc[search]'",))


@page("M751")
def nothing_rated(recipe: str) -> Diagnostic:
    """no domain of the recipe is rated

    QuaDMix weighs raters and samples by rank in every domain that has `weights`. A recipe without such a domain has no
    sampling parameters; mixtures of its domains can still be designed and searched.

    What to do: give domains `weights`, or design mixtures with `--mixtures`.
    """
    return Diagnostic("M751", f"no domain of `{plain(recipe)}` is rated, so it has no sampling parameters", helps=(
        "give a domain `weights = { RATER: 1.0 }`, or use `--mixtures`",
    ), subject=recipe)  # fmt: skip


@page("M752")
def no_such_loss(name: str, column: str, columns: Sequence[str]) -> Diagnostic:
    """a loss is not in the table

    Without `--loss` the loss is the column `loss`.
    """
    return Diagnostic("M752", f"there is no column `{plain(column)}`", notes=(
        f"columns: {listed(columns)}",
    ), helps=("name the loss by `--loss COLUMN`",), subject=name)  # fmt: skip


@page("M753")
def out_of_range(name: str, column: str, rows: Sequence[int], allowed: str) -> Diagnostic:
    """a parameter is outside of what it can be

    Weights of raters are 0 or more and sum to 1 in each domain, omega is within 0 and 1, lambda, eta and epsilon are 0
    or more; shares of a mixture are 0 or more. Numbers that are valid but beyond the ranges of Algorithm 1 are no
    error: the search then goes as far as they do.

    What to do: correct the value, or remove the row.
    """
    return Diagnostic(
        "M753",
        f"`{plain(column, 60)}` is not {allowed} in {_rows(len(rows))}",
        helps=("correct the value, or remove the row",),
        notes=(f"rows, counted from 0: {listed(rows)}",),
        subject=name,
    )


@page("M754")
def weak_surrogate(r2: float) -> Diagnostic:
    """the surrogates say little of runs that they were not shown

    A warning: of the differences between runs left out, less than a quarter is predicted (R2 below 0.25). What was
    found is then hardly more than a guess near the mean of the experiments.

    What to do: run more experiments, or larger proxies: what is left may be their noise.
    """
    return Diagnostic(
        "M754",
        f"the surrogates predict little of runs left out: R2 {r2:.2f}",
        helps=("run more experiments, or larger proxies",),
        severity=Severity.WARNING,
    )


@page("M755")
def at_the_border(parameters: Sequence[str]) -> Diagnostic:
    """what was found lies at the border of the experiments

    A warning: these parameters are at the end of the range that experiments were drawn from; a better value may lie
    beyond, where the search does not go because no run was there.

    What to do: add runs on the other side of the border and fit again.
    """
    many = len(parameters) > 1
    return Diagnostic(
        "M755",
        f"{len(parameters)} {'parameters are' if many else 'parameter is'} at the border of the experiments: "
        f"{listed(parameters, 6)}",
        helps=("add runs beyond the border and fit again: a better value may lie there",),
        severity=Severity.WARNING,
    )


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"
