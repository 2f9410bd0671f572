"""`mixc fit infolaw`: from a table of runs to a calibration, and what is printed of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mixc.compiler.documents.data import Unreadable
from mixc.compiler.fit.infolaw import InfoLawFit, fit_infolaw
from mixc.compiler.fit.infolaw_checks import check, doubts, identified_by, unbounded
from mixc.compiler.fit.infolaw_model import CONSTANTS
from mixc.compiler.fit.infolaw_runs import PUBLISHED_EDGES, InfoRun, InfoRuns, infolaw_runs
from mixc.compiler.fit.tables import Reading, read_table
from mixc.compiler.fit.written import Written, interval_text, percent
from mixc.compiler.laws.calibration import InfoLawCalibration
from mixc.compiler.review.canonical import canonical, figure
from mixc.compiler.review.words import table
from mixc.compiler.review.words import tokens as amount
from mixc.dsl.diagnostics import Diagnostic

CHINCHILLA = 20.0  # tokens per parameter, the unit of overtraining
DIGITS, INTERVAL_DIGITS, ERROR_DIGITS = 10, 4, 3
UNITS = {
    "params": "parameters",
    "tokens": "tokens",
    "info": "1e9 tokens of the best bucket read once",
    "loss": "nats per token",
    "logarithm": "natural",
}
ASSUMED = (
    "losses are of the validation text of the runs: differences carry over to other text, values do not",
    "constants were fitted together: their intervals are of each alone, and a, b and alpha move with each other",
)


def fit_infolaw_file(
    path: Path, name: str, reading: Reading, edges: Sequence[float] | None = None
) -> tuple[Written | None, list[Diagnostic]]:
    """Fit InfoLaw to the table at `path` and call the calibration `name`.

    `edges` are the upper ranks of the law's buckets; by default those that all runs share, else the published six.
    """
    try:
        runs = infolaw_runs(read_table(path, reading))
        buckets = tuple(edges) if edges else common_edges(runs.runs)
        check(runs, buckets)
        fit = fit_infolaw(runs, buckets)
        warnings = doubts(runs, fit)
    except Unreadable as error:
        return None, [error.diagnostic]
    content = calibration(name, runs, fit)
    InfoLawCalibration.model_validate(content)
    return Written(canonical(content), report(runs, fit)), warnings


def common_edges(runs: Sequence[InfoRun]) -> tuple[float, ...]:
    """The upper ranks that all runs state, where these cover all ranks; else the published six."""
    cuts = {tuple(sorted({cell.high for cell in run.cells} | {cell.low for cell in run.cells} - {0.0})) for run in runs}
    longest = max(cuts, key=lambda cut: (len(cut), cut))
    same = all(set(cut) <= set(longest) for cut in cuts) and longest[-1] == 1.0 and len(longest) > 1
    return longest if same else PUBLISHED_EDGES


def calibration(name: str, runs: InfoRuns, fit: InfoLawFit) -> dict[str, Any]:
    """The content of the file; the same for the same runs in any order."""
    listed = runs.runs
    sizes, budgets = [run.params for run in listed], [run.tokens for run in listed]
    law = fit.constants
    made: dict[str, Any] = {
        "schema": "mixc.calibration.infolaw/1",
        "name": name,
        "source": f"fitted by mixc fit infolaw to {len(listed)} runs",
        "parameters": {constant: figure(getattr(law, constant), DIGITS) for constant in CONSTANTS},
        "intervals": {
            constant: [None if end is None else figure(end, INTERVAL_DIGITS) for end in ends]
            for constant, ends in fit.intervals.items()
        },
        "edges": list(fit.edges),
        "units": UNITS,
        "fitted": {
            "params": [min(sizes), max(sizes)],
            "tokens": [min(budgets), max(budgets)],
            "overtraining": figure(max(run.tokens / run.params for run in listed) / CHINCHILLA),
            "repetition": figure(max(run.repetition for run in listed)),
        },
        "evidence": {
            "runs": len(listed),
            "sha256": runs.sha256,
            "outliers": [one.run for one in fit.outliers],
        },
        "errors": {
            "deviation": error(fit.deviation),
            "mean": error(fit.mean_error),
            "largest": error(fit.largest_error),
            "left_out": [
                {
                    "params": one.params,
                    "runs": one.runs,
                    "mean_error": error(one.mean_error),
                    "largest_error": error(one.largest_error),
                }
                for one in fit.left_out
            ],
        },
        "not_identified": {
            constant: f"open {where}; needed: {wanted}" for constant, (where, wanted) in unbounded(runs, fit).items()
        },
        "assumed": list(ASSUMED),
    }
    return made


def error(value: float) -> float:
    """A relative error for the file: three digits, and 0 for rounding."""
    return 0.0 if value < 1e-12 else figure(value, ERROR_DIGITS) or 0.0


def report(runs: InfoRuns, fit: InfoLawFit) -> str:
    """Constants, errors, sizes left out, runs off the law."""
    listed, law = runs.runs, fit.constants
    sizes, budgets = [run.params for run in listed], [run.tokens for run in listed]
    spoken = identified_by(runs, fit.edges)
    lines = [
        (constant, f"{getattr(law, constant):.5g}", interval_text(fit.intervals[constant]), spoken[constant])
        for constant in CONSTANTS
    ]
    head = (
        f"InfoLaw from {len(listed)} runs: {amount(min(sizes))} to {amount(max(sizes))} parameters, "
        f"{amount(min(budgets))} to {amount(max(budgets))} tokens, "
        f"{max(run.tokens / run.params for run in listed) / CHINCHILLA:.3g} x overtrained at most\n\n"
    )
    text = head + table(("parameter", "estimate", "90% interval", "identified by"), lines, left=(0, 3))
    text += f"\nerror of the loss on these runs: {percent(fit.mean_error)} mean, {percent(fit.largest_error)} largest\n"
    for one in fit.left_out:
        text += (
            f"without the {one.runs} runs of {amount(one.params)}, their error: {percent(one.mean_error)} mean, "
            f"{percent(one.largest_error)} largest\n"
        )
    if not fit.left_out:
        text += "no size can be left out: two would have to remain\n"
    for far in fit.outliers:
        text += f"off the law: {far.run}, by {100 * far.error:+.2g}%, {far.deviations:.0f} robust deviations\n"
    return text
