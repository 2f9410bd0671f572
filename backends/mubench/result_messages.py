"""What can be wrong with results as a whole, and with what is proposed from them: M671 to M678."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.backends.mubench.messages import AGAIN
from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.wording import listed, plain


@page("M671")
def missing_results(code: str, datasets: Sequence[str], planned: int) -> Diagnostic:
    """a language lacks results

    A warning: the plan names tasks that have no samples. Gaps over different sets of tasks cannot be compared, so the
    priority of the language is left as it is.

    What to do: evaluate the tasks that are missing.
    """
    what = "any task" if len(datasets) == planned else listed([f"`{name}`" for name in datasets])
    return Diagnostic(
        "M671",
        f"there are no results of {what} in `{code}`",
        notes=("its priority is left as it is",),
        helps=("evaluate what is missing with the exported command",),
        severity=Severity.WARNING,
    )


@page("M672")
def no_pivot(datasets: Sequence[str]) -> Diagnostic:
    """there are no results in English

    Gaps and transfer are measured against English on the same items. Without it there is nothing to compare with.

    What to do: evaluate the English tasks of the plan, even if the mixture has no English.
    """
    return Diagnostic(
        "M672",
        f"there are no results in `en` for {listed([f'`{name}`' for name in datasets])}",
        helps=("evaluate the English tasks of the plan, too",),
    )


@page("M673")
def few_items(dataset: str, found: int, known: int) -> Diagnostic:
    """a set was evaluated in part

    A warning: there are fewer items than the set is known to have, as with `--limit`. Intervals are the wider for it.

    What to do: nothing, or evaluate without `--limit`.
    """
    return Diagnostic(
        "M673",
        f"`{dataset}` has {found:,} items of {known:,}",
        notes=("evaluated in part; intervals are wide",),
        severity=Severity.WARNING,
    )


@page("M674")
def no_half(dataset: str, half: str) -> Diagnostic:
    """a half of a set has no items

    A warning: items are divided by a hash of their ids, one half to set weights and one to report. With a few items a
    half may be empty; the set is left out of it.

    What to do: evaluate more items, or `--half all` to look at all of them.
    """
    return Diagnostic(
        "M674",
        f"no item of `{dataset}` falls into the half `{half}`",
        helps=("evaluate more items",),
        severity=Severity.WARNING,
    )


@page("M675")
def other_metric(name: str, line: int, metric: str, stated: float, counted: float) -> Diagnostic:
    """a sample contradicts its own log-likelihoods

    The harness writes for every item whether the best option was the right one. Counted again from the
    log-likelihoods in the same line it is another: the file was edited, or written by another harness.

    What to do: run the evaluation of this task again.
    """
    return Diagnostic(
        "M675",
        f"line {line:,} of `{name}` states {metric} {stated:g}, its log-likelihoods say {counted:g}",
        subject=f"{name}:{line}",
        helps=(AGAIN,),
    )


@page("M676")
def no_room(codes: Sequence[str], caps: Sequence[str]) -> Diagnostic:
    """limits leave no room for proposed weights

    Weights stay within what the supply allows: unique tokens times passes over the budget; English keeps nine tenths
    of its tokens. No weights within these limits lie near enough to those of the manifest.

    What to do: allow more passes, add supply, or lower the budget.
    """
    return Diagnostic(
        "M676",
        f"supply leaves no room near the weights of the manifest: {listed(codes)}",
        notes=tuple(caps[:8]),
        helps=("allow more `epochs`, add supply, or lower the budget",),
    )


@page("M677")
def nothing_measured(datasets: Sequence[str], deciding: bool = True) -> Diagnostic:
    """English shows nothing that others could lag behind

    A warning: on no set does English stand out from guessing by two standard errors, so that there is no gap to
    speak of, and nothing is proposed.

    What to do: evaluate a later checkpoint or a larger model, or more items.
    """
    return Diagnostic(
        "M677",
        f"English does not stand out from guessing on {listed([f'`{name}`' for name in datasets])}",
        notes=("no gap is measured, and nothing is proposed",) if deciding else ("left out of gaps",),
        helps=("evaluate a later checkpoint, or more items",) if deciding else (),
        severity=Severity.WARNING,
    )


@page("M678")
def unwritable(name: str, why: str) -> Diagnostic:
    """a file cannot be written

    The folder may not be written to, or there is no room. What stood there before is as it was.

    What to do: make room, change permissions, or name another place.
    """
    return Diagnostic("M678", f"`{name}` cannot be written: {plain(why, 120)}", subject=name, helps=(
        "make room, change permissions, or name another place",
    ))  # fmt: skip


@page("M679")
def missing_datasets(names: Sequence[str]) -> Diagnostic:
    """sets of the plan were not evaluated

    A warning: no language has results of them, and what is said rests on the other sets alone.

    What to do: nothing, or evaluate the whole panel.
    """
    return Diagnostic(
        "M679",
        f"nothing of the plan was evaluated on {listed([f'`{name}`' for name in names])}",
        notes=("the other sets take their weight",),
        severity=Severity.WARNING,
    )
