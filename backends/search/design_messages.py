"""What is said of experiments that are designed, and of the recipes that are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.wording import listed, named, plain

LEAST = 10**6  # tokens of a recipe's budget


@page("M756")
def budget_out_of_reach(tokens: int, kept: int, drawn: int, typical: float) -> Diagnostic:
    """the proxy budget is larger than what draws can give

    A draw of parameters takes F of a domain's tokens, about 6 % with Algorithm 1. Where a budget is more than the
    limits on epochs allow a draw to be stretched to, the draw is drawn again; here too few are left.

    What to do: give a smaller `--tokens`, or a larger pool. A recipe's budget is 1M tokens at least, so a pool holds
    some 15M.
    """
    return Diagnostic(
        "M756",
        f"only {kept:,} of {drawn:,} draws can fill a budget of {tokens:,} tokens under the recipe's limits",
        notes=(f"the median draw takes {typical:,.0f} tokens once",),
        helps=("give a smaller `--tokens`, 1M at least, or a larger pool" if tokens > LEAST else "give a larger pool",),
    )


@page("M757")
def draws_rejected(kept: int, drawn: int) -> Diagnostic:
    """many draws were drawn again

    A warning: draws that cannot fill the budget under the recipe's limits on epochs are drawn again, so that the
    experiments are those of Algorithm 1 that take more; parameters that take little are not seen.

    What to do: nothing, or a smaller `--tokens`.
    """
    return Diagnostic(
        "M757",
        f"{drawn - kept:,} of {drawn:,} draws could not fill the budget and were drawn again",
        helps=("give a smaller `--tokens` to keep them",),
        severity=Severity.WARNING,
    )


@page("M758")
def folder_in_use(folder: str, names: Sequence[str]) -> Diagnostic:
    """the folder of experiments holds something else

    Experiments are written into a folder of their own: recipes of an earlier design left among them would be run, and
    losses that were added to `experiments.parquet` would be lost.

    What to do: name another folder, or remove the old one.
    """
    return Diagnostic("M758", f"`{named(folder)}` is not empty", notes=(
        f"it holds {listed(names)}",
    ), helps=("name a folder that does not exist yet",), subject=folder)  # fmt: skip


@page("M759")
def not_written(path: str, why: str) -> Diagnostic:
    """a file cannot be written

    The system refused, for the reason given. Nothing is left half-written.

    What to do: name another place with `-o`.
    """
    return Diagnostic(
        "M759",
        f"`{named(path)}` cannot be written: {why}",
        helps=("name another place with `-o`",),
        subject=path,
    )


@page("M760")
def wrong_output(path: str, wanted: str) -> Diagnostic:
    """the output is no file that can be written so

    What was found is written as a recipe, `NAME.mix`, that extends the recipe that was searched for. It may not take
    the place of that recipe or of the runs.

    What to do: name a new file with `-o`.
    """
    helps = ("name a new file that ends in `.mix`: `-o found.mix`",)
    return Diagnostic("M760", f"`{named(path)}` is not {wanted}", helps=helps, subject=path)


@page("M761")
def does_not_check(example: str, why: Sequence[str]) -> Diagnostic:
    """a recipe with these parameters does not pass `mixc check`

    What is written extends the recipe and changes its budget, weights and sampling curves. Here the recipe says
    something that contradicts this; what it is, is told by the diagnostics of `mixc check`.

    What to do: change the recipe as they say.
    """
    return Diagnostic("M761", f"`{named(example)}` would not pass `mixc check`", notes=tuple(why), helps=(
        "change the recipe, or the options of the command, such that this holds",
    ))  # fmt: skip


@page("M762")
def nothing_to_mix(recipe: str) -> Diagnostic:
    """the recipe has one domain only

    A mixture is of two domains at least: what is varied are their shares.

    What to do: add a source of another domain; without `--mixtures`, a rated domain may stand alone.
    """
    helps = ("add a source of another domain, or leave `--mixtures` out to vary how the domain is sampled",)
    return Diagnostic("M762", f"`{plain(recipe)}` has fewer than two domains to mix", helps=helps, subject=recipe)


@page("M763")
def no_documents(recipe: str) -> Diagnostic:
    """the recipe has no documents to draw experiments from

    Experiments are drawn from documents, and their shares follow from how many tokens each domain holds. A recipe of
    published sizes alone has neither.

    What to do: give a source a `path`.
    """
    return Diagnostic("M763", f"`{plain(recipe)}` reads no documents, so there is nothing to run", helps=(
        'give a source `path = "data/*.parquet"`',
    ), subject=recipe)  # fmt: skip


@page("M764")
def experiments_lost(lost: Sequence[tuple[str, Diagnostic]], runs: int, folder: Path) -> Diagnostic:
    """some experiments have no manifest

    The recipe of every experiment is compiled. Where a draw contradicts a rule or a limit of the recipe there is no
    mixture; more documents than `mixc compile` reads by itself have to be scanned first.

    What to do: the others can run. `mixc compile` on one of them says why, with the lines of the recipe.
    """
    name, why = lost[0]
    return Diagnostic(
        "M764",
        f"{len(lost):,} of {runs:,} experiments have no manifest",
        notes=(f"{name}: {why.message} [{why.code}]",),
        helps=(f"`mixc compile {quote(str(folder / name))} --allow-outside` says why",),
        severity=Severity.WARNING,
    )
