"""`mixc fit transfer`: from a table of runs to a calibration, and what is printed of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mixc.compiler.documents.data import Unreadable
from mixc.compiler.fit.infolaw_file import error
from mixc.compiler.fit.tables import Reading, read_table
from mixc.compiler.fit.transfer import NORMAL_90, Form, TransferFit, fit_transfer
from mixc.compiler.fit.transfer_checks import check, doubts, loose, outliers
from mixc.compiler.fit.transfer_held_out import HeldOutRuns, held_out
from mixc.compiler.fit.transfer_information import information_of
from mixc.compiler.fit.transfer_model import (
    BETA,
    COMMON,
    FIRST,
    FLOOR,
    KINDS,
    SCALE,
    Floats,
    TransferData,
    columns,
    transfer_data,
)
from mixc.compiler.fit.transfer_report import report
from mixc.compiler.fit.transfer_runs import TransferRuns, transfer_runs
from mixc.compiler.fit.written import Written
from mixc.compiler.laws.calibration import TransferCalibration
from mixc.compiler.problem import InfoLaw
from mixc.compiler.review.canonical import canonical, figure
from mixc.dsl.diagnostics import Diagnostic

DIGITS, SHORT = 8, 4
UNITS = {"tokens": "tokens", "params": "parameters", "loss": "nats per token", "logarithm": "natural"}
OWN = {"info": "1e9 tokens of information", "tokens": "share of the budget"}
NOTHING = 1e-6  # a term below this is left out
ASSUMED = (
    "losses are of the validation texts of the runs: differences carry over to other text, values do not",
    "intervals are from the curvature of the squares: with a dozen or two of runs they are too narrow",
    "terms of one kind (same family, same script, neither) are drawn to a common value, as strongly as the runs allow",
)


@dataclass(frozen=True, slots=True)
class Request:
    """How a transfer law is fitted: its form, and InfoLaw's constants when the signal is information."""

    form: Form = "logc"
    law: InfoLaw | None = None

    @property
    def signal(self) -> Literal["info", "tokens"]:
        """What a language learns from."""
        return "tokens" if self.law is None else "info"


def fit_transfer_file(
    path: Path, name: str, reading: Reading, request: Request
) -> tuple[Written | None, list[Diagnostic]]:
    """Fit the transfer law to the table at `path` and call the calibration `name`."""
    try:
        runs = transfer_runs(read_table(path, reading))
        check(runs)
    except Unreadable as problem:
        return None, [problem.diagnostic]
    tokens, params = max(run.tokens for run in runs.runs), max(run.params for run in runs.runs)
    own = None if request.law is None else information_of(runs, request.law)
    data = transfer_data(runs.runs, runs.languages, own, tokens, params)
    fit = fit_transfer(data, request.form)
    aside = held_out(data, runs.runs, request.form)
    content = calibration(name, runs, data, fit, aside, request)
    TransferCalibration.model_validate(content)
    return Written(canonical(content), report(runs, data, fit, aside)), doubts(runs, data, fit)


def calibration(
    name: str,
    runs: TransferRuns,
    data: TransferData,
    fit: TransferFit,
    aside: tuple[HeldOutRuns, ...],
    request: Request,
) -> dict[str, Any]:
    """The content of the file; the same for the same runs in any order."""
    made = runs.runs
    sizes, budgets = [run.params for run in made], [run.tokens for run in made]
    point, languages = fit.point, runs.languages
    names = columns(made, languages)
    content: dict[str, Any] = {
        "schema": "mixc.calibration.transfer/1",
        "name": name,
        "source": f"fitted by mixc fit transfer to {len(made)} runs",
        "form": fit.form,
        "signal": request.signal,
        "tokens": max(budgets),
        "params": max(sizes),
        **{key: round(float(point.shared[i]), DIGITS) for i, key in enumerate(EXPONENTS)},
        "transfer": matrix(point.transfer, languages, names),
        "cost": matrix(point.cost, languages, names),
        "languages": {
            code: {
                "floor": figure(float(point.each[i, FLOOR]), DIGITS),
                "scale": figure(math.exp(point.each[i, SCALE]), DIGITS),
                "exponent": figure(float(point.each[i, BETA]), DIGITS),
            }
            for i, code in enumerate(languages)
        },
        "common": common(fit),
        "units": UNITS | {"own": OWN[request.signal]},
        "fitted": {"params": [min(sizes), max(sizes)], "tokens": [min(budgets), max(budgets)]},
        "evidence": {
            "runs": len(made),
            "sha256": runs.sha256,
            "outliers": list(dict.fromkeys(run for run, _, _ in outliers(runs, data, fit))),
        },
        "intervals": intervals(fit, languages, names),
        "errors": {"deviation": error(fit.noise), "held_out": [scores(one) for one in aside]},
        "not_identified": {
            word: {i: [j for one, j in pairs if one == i] for i, _ in pairs}
            for word, pairs in zip(("transfer", "cost"), loose(runs, data, fit), strict=True)
        },
        "assumed": [*ASSUMED, *((f"information by calibration {request.law.name}",) if request.law else ())],
    }
    return content


def common(fit: TransferFit) -> dict[str, float]:
    """What terms of each kind are drawn to: `transfer same family`, …"""
    return {
        f"{word} {kind}": round(float(fit.point.shared[COMMON + 3 * at + k]), DIGITS)
        for at, word in enumerate(("transfer", "cost"))
        for k, kind in enumerate(KINDS)
        if fit.room.shared_high[COMMON + 3 * at + k] > 0
    }


EXPONENTS = ("transfer_exponent", "cost_exponent", "budget_exponent", "size_exponent")


def matrix(values: Floats, languages: tuple[str, ...], names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Terms that are not nothing, by receiver and giver."""
    rows = {
        one: {other: round(float(values[i, j]), DIGITS) for j, other in enumerate(names) if values[i, j] > NOTHING}
        for i, one in enumerate(languages)
    }
    return {one: row for one, row in rows.items() if row}


def intervals(fit: TransferFit, languages: tuple[str, ...], names: tuple[str, ...]) -> dict[str, Any]:
    """90 % intervals by the curvature of the squares, cut at the bounds."""
    many = len(names)
    low = np.maximum(fit.point.each - NORMAL_90 * fit.errors, fit.room.low)
    high = np.minimum(fit.point.each + NORMAL_90 * fit.errors, fit.room.high)
    free = fit.room.high > fit.room.low

    def ends(i: int, at: int) -> list[float | None]:
        pair = [float(low[i, at]), float(high[i, at])]
        return [figure(math.exp(end) if at == SCALE else end, SHORT) for end in pair]

    def terms(at: int) -> dict[str, Any]:
        rows = {
            one: {other: ends(i, at + j) for j, other in enumerate(names) if free[i, at + j]}
            for i, one in enumerate(languages)
        }
        return {one: row for one, row in rows.items() if row}

    shared = {
        key: [
            figure(float(np.clip(value - NORMAL_90 * spread, a, b)), SHORT),
            figure(float(np.clip(value + NORMAL_90 * spread, a, b)), SHORT),
        ]
        for key, value, spread, a, b in zip(
            EXPONENTS,
            fit.point.shared,
            fit.shared_errors,
            fit.room.shared_low,
            fit.room.shared_high,
            strict=False,
        )
        if b > a
    }
    own = (("floor", FLOOR), ("scale", SCALE), ("exponent", BETA))
    return {
        "transfer": terms(FIRST),
        "cost": terms(FIRST + many),
        "languages": {one: {word: ends(i, at) for word, at in own} for i, one in enumerate(languages)},
        "shared": shared,
    }


def scores(one: HeldOutRuns) -> dict[str, Any]:
    """Scores of runs held out, for the file."""
    return {
        "what": one.what,
        "runs": one.runs,
        "r2": round(one.fitted.r2, 6),
        "mae": figure(one.fitted.mae, SHORT),
        "r2_isolated": round(max(one.isolated.r2, -1e6), 6),
        "mae_isolated": figure(one.isolated.mae, SHORT),
    }
