"""What `mixc fit transfer` prints: languages, what all share, the strongest terms, how unseen runs are predicted."""

from __future__ import annotations

import math

import numpy as np

from mixc.compiler.fit.transfer import DETERMINED, NORMAL_90, TransferFit
from mixc.compiler.fit.transfer_held_out import HeldOutRuns
from mixc.compiler.fit.transfer_model import (
    BETA,
    COMMON,
    FIRST,
    FLOOR,
    KINDS,
    SCALE,
    SHARED,
    TransferData,
    columns,
)
from mixc.compiler.fit.transfer_runs import TransferRuns
from mixc.compiler.fit.written import interval_text
from mixc.compiler.review.words import table
from mixc.compiler.review.words import tokens as amount

MOST_TERMS = 12
MEANING = {
    "p": "transfer fades as D^-p",
    "q": "cost grows as D^q",
    "g": "what is read counts as D^g",
    "h": "and as N^h",
}


def report(runs: TransferRuns, data: TransferData, fit: TransferFit, aside: tuple[HeldOutRuns, ...]) -> str:
    """The whole text."""
    made = runs.runs
    sizes, budgets = [run.params for run in made], [run.tokens for run in made]
    head = (
        f"{fit.form} transfer law of {len(runs.languages)} languages from {len(made)} runs: "
        f"{amount(min(sizes))} to {amount(max(sizes))} parameters, {amount(min(budgets))} to {amount(max(budgets))} "
        f"tokens; terms are at {amount(max(budgets))}\n\n"
    )
    tables = [_languages(runs, fit), _shared(fit), _terms(runs, fit)]
    errors = [f"standard deviation of a loss: {fit.noise:.3g} nats"]
    errors += [
        f"{one.what} held out ({one.runs} runs): R2 {one.fitted.r2:.4f}, mean error {one.fitted.mae:.3g} nats; "
        f"without transfer {one.isolated.r2:.4f}, {one.isolated.mae:.3g} nats"
        for one in aside
    ]
    return head + "\n".join(text for text in tables if text) + "\n" + "\n".join(errors) + "\n"


def _ends(value: float, error: float, low: float, high: float) -> tuple[float, float]:
    return max(value - NORMAL_90 * error, low), min(value + NORMAL_90 * error, high)


def _languages(runs: TransferRuns, fit: TransferFit) -> str:
    """a, b and beta of each language."""
    lines = []
    for i, code in enumerate(runs.languages):
        row = [code]
        for at in (FLOOR, SCALE, BETA):
            value, spread = float(fit.point.each[i, at]), float(fit.errors[i, at])
            low, high = _ends(value, spread, float(fit.room.low[i, at]), float(fit.room.high[i, at]))
            if at == SCALE:
                value, low, high = (math.exp(one) for one in (value, low, high))
            row += [f"{value:.4g}", interval_text((low, high))]
        losses = sum(1 for run in runs.runs if code in dict(run.losses))
        lines.append((*row, f"{losses} losses"))
    header = ("language", "floor", "90%", "scale", "90%", "exponent", "90%", "identified by")
    return table(header, lines, left=(0, 7))


def _shared(fit: TransferFit) -> str:
    """The exponents and the common values of kinds."""
    lines = []
    for i, name in enumerate(SHARED[: COMMON + 6]):
        low, high = float(fit.room.shared_low[i]), float(fit.room.shared_high[i])
        if high <= low:
            continue
        value = float(fit.point.shared[i])
        meaning = MEANING.get(name) or f"{'transfer' if i < COMMON + 3 else 'cost'}, {KINDS[(i - COMMON) % 3]}"
        ends = interval_text(_ends(value, float(fit.shared_errors[i]), low, high))
        lines.append((name, f"{value:.4g}", ends, meaning))
    return table(("shared", "estimate", "90% interval", "meaning"), lines, left=(0, 3)) if lines else ""


def _terms(runs: TransferRuns, fit: TransferFit) -> str:
    """The strongest terms that the runs identify, of T and of V."""
    names = columns(runs.runs, runs.languages)
    many = len(names)
    lines = []
    for word, at in (("transfer", 0), ("cost", many)):
        values = fit.point.each[:, FIRST + at : FIRST + at + many]
        known = (fit.determined[:, at : at + many] >= DETERMINED) & (values > 0)
        order = sorted(zip(*np.nonzero(known), strict=True), key=lambda pair: (-values[pair], pair))
        for i, j in order[:MOST_TERMS]:
            spread = float(fit.errors[i, FIRST + at + j])
            ends = interval_text(_ends(float(values[i, j]), spread, 0.0, math.inf))
            lines.append((f"{word} {runs.languages[i]} <- {names[j]}", f"{values[i, j]:.3g}", ends))
        if len(order) > MOST_TERMS:
            lines.append((f"and {len(order) - MOST_TERMS} more of {word}", "", ""))
    return table(("term", "estimate", "90% interval"), lines) if lines else ""
