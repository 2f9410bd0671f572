"""Whether runs identify the transfer law, which of its terms they do not, and which runs would."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixc.compiler.documents.data import Unreadable
from mixc.compiler.fit.fit_messages import few_runs, loose_terms, outlying_runs, silent_language
from mixc.compiler.fit.transfer import DETERMINED, TransferFit
from mixc.compiler.fit.transfer_model import FIRST, TransferData, columns, losses_at
from mixc.compiler.fit.transfer_runs import TransferRuns
from mixc.compiler.review.words import listed
from mixc.dsl.diagnostics import Diagnostic

FEWEST = 6
LOSSES = 4
SAME_SHARE = 1e-3
FAR = 5.0


def check(runs: TransferRuns) -> None:
    """Raise `Unreadable` where a language's own law is not identified."""
    name, made = runs.name, runs.runs
    if len(made) < FEWEST:
        more = f"add {FEWEST - len(made)} or more: small models, mixtures of all languages drawn at random"
        raise Unreadable(few_runs(name, len(made), FEWEST, "the transfer law", (more,)))
    counts = {code: sum(1 for run in made if code in dict(run.losses)) for code in runs.languages}
    rare = [code for code in runs.languages if counts[code] < LOSSES]
    if rare:
        why = f"has losses in {counts[rare[0]]} runs, and three constants: four losses are needed"
        raise Unreadable(silent_language(name, rare, why, (f"evaluate {LOSSES} runs or more on `{rare[0]}`",)))
    shares = {
        code: [dict(run.taken).get(code, 0.0) / run.tokens for run in made if code in dict(run.losses)]
        for code in runs.languages
    }
    never = [code for code in runs.languages if max(shares[code]) == 0]
    if never:
        helps = (f"add runs that read `{never[0]}`, or leave its losses out",)
        raise Unreadable(silent_language(name, never, "is evaluated, and no run reads it", helps))
    same = [code for code in runs.languages if max(shares[code]) - min(shares[code]) < SAME_SHARE]
    if same:
        helps = (f"add runs in which `{same[0]}` has half and twice of its share",)
        raise Unreadable(silent_language(name, same, "has the same share in all runs that are evaluated on it", helps))


def loose(runs: TransferRuns, data: TransferData, fit: TransferFit) -> tuple[list[tuple[str, str]], ...]:
    """(receiver, giver) of terms of T, and (payer, other) of V, that the runs do not identify, sorted."""
    names = columns(runs.runs, runs.languages)
    many = len(names)
    free = fit.room.high[:, FIRST:] > fit.room.low[:, FIRST:]
    weak = free & (fit.determined < DETERMINED)
    return tuple(
        sorted((names[i], names[j]) for i, j in zip(*np.nonzero(weak[:, at : at + many]), strict=True))
        for at in (0, many)
    )


def doubts(runs: TransferRuns, data: TransferData, fit: TransferFit) -> list[Diagnostic]:
    """Warnings: terms that are not identified, runs with losses far off the law."""
    found = []
    total = int((fit.room.high[:, FIRST:] > fit.room.low[:, FIRST:]).sum())
    terms = loose(runs, data, fit)
    many = sum(len(one) for one in terms)
    if many:
        notes = [
            f"{word}: {listed([f'{i} <- {j}' for i, j in pairs], 8)}"
            for word, pairs in zip(("transfer", "cost"), terms, strict=True)
            if pairs
        ]
        found.append(loose_terms(runs.name, total, many, notes, (wanted(runs, terms),)))
    far = outliers(runs, data, fit)
    if far:
        found.append(outlying_runs(runs.name, [f"{run} ({code}, {error:+.2g} nats)" for run, code, error in far]))
    return found


def wanted(runs: TransferRuns, terms: Sequence[Sequence[tuple[str, str]]]) -> str:
    """Runs that would identify most of what is loose: the pairs that stand most often."""
    counts: dict[str, int] = {}
    for pairs in terms:
        for _, giver in pairs:
            counts[giver] = counts.get(giver, 0) + 1
    givers = sorted(counts, key=lambda code: (-counts[code], code))[:3]
    receiver = next(i for pairs in terms for i, j in pairs if j == givers[0])
    return (
        f"add runs that are mostly one language, first of all {listed([f'`{code}`' for code in givers], 3)}: half of "
        f"`{givers[0]}` with a tenth of `{receiver}` and little else, at the smallest and the largest budget"
    )


def outliers(runs: TransferRuns, data: TransferData, fit: TransferFit) -> list[tuple[str, str, float]]:
    """(run, language, residual) of losses far off the law, the furthest first."""
    residual = data.loss - losses_at(data, fit.point)
    scale = max(1.4826 * float(np.nanmedian(np.abs(residual))), 1e-9)
    rows, languages = np.nonzero(np.nan_to_num(np.abs(residual)) > FAR * max(scale, fit.noise / 2))
    order = sorted(zip(rows, languages, strict=True), key=lambda at: (-abs(residual[at]), at))
    return [(runs.runs[k].name, runs.languages[i], float(residual[k, i])) for k, i in order]
