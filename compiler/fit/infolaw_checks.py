"""Whether runs identify the constants of InfoLaw, and which runs would."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.compiler.documents.data import Unreadable
from mixc.compiler.fit.fit_messages import (
    few_runs,
    no_repetition,
    not_a_law,
    one_mixture,
    one_size,
    open_intervals,
    outlying_runs,
)
from mixc.compiler.fit.infolaw import InfoLawFit
from mixc.compiler.fit.infolaw_model import CONSTANTS, LEAST_BETA, Constant
from mixc.compiler.fit.infolaw_runs import InfoRun, InfoRuns
from mixc.compiler.review.words import tokens as amount
from mixc.dsl.diagnostics import Diagnostic

FEWEST = len(CONSTANTS) + 1
REPEATED = 1.05  # passes
SAME = 1e-6


def check(runs: InfoRuns, edges: Sequence[float]) -> None:
    """Raise `Unreadable` where a constant is not identified, naming runs that would identify it."""
    name, listed = runs.name, runs.runs
    if len(listed) < FEWEST:
        missing = FEWEST - len(listed)
        more = f"add {missing} or more, of two sizes or more, in different mixtures, some with a bucket read twice"
        raise Unreadable(few_runs(name, len(listed), FEWEST, "InfoLaw", (more,)))
    sizes = {run.params for run in listed}
    largest = max(listed, key=lambda run: (run.params, run.tokens))
    if len(sizes) == 1:
        size = largest.params
        wanted = f"two or three of these mixtures at {amount(size / 2)} and at {amount(size * 2)} parameters"
        raise Unreadable(one_size(name, amount(size), len(listed), wanted))
    if max(run.repetition for run in listed) < REPEATED:
        raise Unreadable(no_repetition(name, max(run.repetition for run in listed), repeating(listed, edges)))
    mixes = {tuple(round(share / SAME) for share in shares(run, edges)) for run in listed}
    if len(mixes) == 1:
        wanted = f"runs of {amount(min(sizes))} parameters with more and with less of the best bucket"
        raise Unreadable(one_mixture(name, len(listed), wanted))


def shares(run: InfoRun, edges: Sequence[float]) -> list[float]:
    """What a run takes of each bucket of the law, as shares of its tokens."""
    found = [0.0] * len(edges)
    for cell in run.cells:
        for i, (low, high) in enumerate(zip((0.0, *edges[:-1]), edges, strict=True)):
            met = max(0.0, min(cell.high, high) - max(cell.low, low))
            found[i] += cell.taken * met / (cell.high - cell.low) / run.tokens
    return found


def repeating(runs: Sequence[InfoRun], edges: Sequence[float]) -> str:
    """A run, in words, that reads the best bucket three times; of the largest budget there is."""
    run = max(runs, key=lambda one: (one.tokens, one.params))
    cell = min(run.cells, key=lambda one: (one.low, one.supply))
    best = cell.supply * min(1.0, edges[0] / cell.high) if cell.low == 0 else cell.supply
    wanted = 3 * best / run.tokens
    if wanted <= 1:
        many = f"that takes {100 * wanted:.0f}% of its tokens from it"
    else:
        many = f"from a sample of it with {amount(run.tokens / 6)} unique tokens, half of its budget"
    return (
        f"a run of {amount(run.params)} parameters and {amount(run.tokens)} tokens that reads the best bucket "
        f"({amount(best)} unique tokens) three times: one {many}"
    )


def doubts(runs: InfoRuns, fit: InfoLawFit) -> list[Diagnostic]:
    """Warnings about a fit; raises M725 where it is none."""
    if fit.constants.beta <= 2 * LEAST_BETA:
        note = f"Spearman's correlation of loss with information is {fit.correlation:+.2f}, where -1 is expected"
        raise Unreadable(not_a_law(runs.name, "they do not fall as information grows", note))
    found = []
    if fit.outliers:
        found.append(outlying_runs(runs.name, [f"{one.run} ({100 * one.error:+.2g}%)" for one in fit.outliers]))
    loose = unbounded(runs, fit)
    if loose:
        ends = [f"`{constant}` {where}" for constant, (where, _) in loose.items()]
        helps = dict.fromkeys(f"add {wanted}" for _, wanted in loose.values())
        found.append(open_intervals(runs.name, ends, tuple(helps)))
    return found


def unbounded(runs: InfoRuns, fit: InfoLawFit) -> dict[Constant, tuple[str, str]]:
    """Constants whose interval is open: at which end, and runs that would close it."""
    listed = runs.runs
    large, small = max(run.params for run in listed), min(run.params for run in listed)
    wanted: dict[Constant, str] = {
        "theta": f"runs of {amount(small)} parameters that take nearly all from one bucket, each from another",
        "a": f"runs in the same mixtures at {amount(2 * large)} parameters, or at {amount(small / 2)}",
        "b": repeating(listed, fit.edges),
        "alpha": repeating(listed, fit.edges),
        "beta": f"runs of {amount(small)} parameters with a tenth and with ten times of their tokens",
    }
    found: dict[Constant, tuple[str, str]] = {}
    for constant, (low, high) in fit.intervals.items():
        ends = [word for word, end in (("below", low), ("above", high)) if end is None]
        if ends:
            found[constant] = (f"from {' or '.join(ends)}", wanted[constant])
    return found


def identified_by(runs: InfoRuns, edges: Sequence[float]) -> dict[Constant, str]:
    """What in the runs speaks for each constant, for the table."""
    listed = runs.runs
    sizes = sorted({run.params for run in listed})
    mixes = {tuple(round(share / SAME) for share in shares(run, edges)) for run in listed}
    repeated = [run for run in listed if run.repetition >= REPEATED]
    most = max(run.repetition for run in listed)
    budgets = sorted({run.tokens for run in listed})
    return {
        "theta": f"{len(mixes)} mixtures of {len(edges)} buckets",
        "a": f"{len(sizes)} sizes, {amount(sizes[0])} to {amount(sizes[-1])}",
        "b": f"{len(repeated)} runs with repetition, up to {most:.3g} passes",
        "alpha": f"{len(listed)} losses",
        "beta": f"{len(budgets)} budgets, {amount(budgets[0])} to {amount(budgets[-1])}",
    }
