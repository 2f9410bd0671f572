"""How far a recipe lies outside of the runs that a calibration was fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mixc.compiler.supply.assumptions import size
from mixc.compiler.supply.pool_messages import amount
from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.text import Span
from mixc.dsl.wording import at

if TYPE_CHECKING:
    from mixc.compiler.laws.calibration import InfoLawCalibration, TransferCalibration

FAR = 10.0
INSIDE = 1.001


def extrapolated(
    calibration: InfoLawCalibration | TransferCalibration, params: float | None, tokens: float | None, span: Span | None
) -> tuple[tuple[str, ...], list[Diagnostic]]:
    """What the manifest says of a fitted calibration's range, and a warning where the recipe is far outside of it."""
    evidence, fitted = calibration.evidence, calibration.fitted
    if evidence is None:
        return (), []
    ranges, beyond, factors = [], [], []
    cases = (
        (fitted.params, params, size, " parameters"),
        (fitted.tokens, tokens, lambda value: amount(round(value)).removesuffix(" tokens"), " tokens"),
    )
    for ends, value, shown, word in cases:
        if ends is None:
            continue
        low, high = ends
        ranges.append(f"{shown(low)} to {shown(high)}{word}" if low < high else f"{shown(low)}{word}")
        factor = 1.0 if value is None else max(value / high, low / value)
        if value is not None and factor > INSIDE:
            side = "the largest" if value > high else "the smallest"
            times = f"{factor:.3g} times" if value > high else f"1/{factor:.3g} of"
            beyond.append(f"{shown(value)}{word} are an extrapolation, {times} {side}")
            factors.append(factor)
    said = f"calibration {calibration.name}: fitted on {evidence.runs} runs of {' and '.join(ranges)}"
    far = bool(factors) and max(factors) > FAR
    return ("; ".join((said, *beyond)),), [far_outside(calibration.name, ranges, beyond, span)] if far else []


@page("M730")
def far_outside(name: str, ranges: Sequence[str], beyond: Sequence[str], span: Span | None) -> Diagnostic:
    """A recipe is far outside of the runs that its calibration was fitted to.

    A warning: the recipe's model or budget is more than ten times larger, or smaller, than any run of the fit. Laws
    were checked at some six times the size and five times the tokens of their runs, not there. Intervals of constants
    say little about predictions so far away; the optimum between sources is less touched than the loss.

    Train a few runs nearer to the recipe, and fit again.
    """
    return Diagnostic(
        "M730",
        f"calibration `{name}` is used far outside of its runs: {'; '.join(beyond)}",
        at(span),
        (f"its runs: {' and '.join(ranges)}",),
        ("add runs nearer to this budget and fit again",),
        Severity.WARNING,
    )
