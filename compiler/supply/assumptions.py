"""What was assumed about the data and the law, and what was left aside, as sentences for manifest and terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixc.compiler.recipe import Recipe
from mixc.compiler.supply.pool_messages import amount
from mixc.compiler.supply.supply import Reason, Supply, SupplyInput, Unused

if TYPE_CHECKING:
    from mixc.compiler.laws.calibration import InfoLawCalibration

LEFT_ASIDE: dict[Reason, str] = {
    "not declared": "undeclared languages",
    "other script": "languages in another script",
    "other language": "languages that the source is not for",
    "unknown code": "languages of unknown code",
    "no language": "languages not identified",
    "no words": "languages with words only",
}


def assumptions(source: SupplyInput, recipe: Recipe) -> tuple[str, ...]:
    """Rates, tokenizer, ratings and density that nobody measured."""
    found = []
    for unit, per in (("bytes", "byte"), ("words", "word")):
        rates = {c.script: c.rate for c in source.conversions if c.assumed and c.unit == unit}
        if rates:
            listed = ", ".join(f"{script} {rate:g}" for script, rate in sorted(rates.items()))
            found.append(f"source {source.source}: tokens per {per} are assumed per script: {listed}")
    if "tokens" in source.units and source.tokenizer and source.tokenizer != recipe.budget.tokenizer:
        found.append(f"source {source.source}: published tokens are those of {source.tokenizer}")
    if source.rated:
        found.append(f"source {source.source}: quality is assumed to be rated, so that buckets are percentiles")
    if source.density_assumed:
        found.append(
            f"source {source.source}: unrated, its density is assumed to be a pool's mean, {source.density:.4g}"
        )
    return tuple(found)


def fitted_range(calibration: InfoLawCalibration, params: float | None) -> tuple[str, ...]:
    """Which model sizes a law was fitted on and checked at, and whether `params` lies outside of them."""
    sizes = calibration.fitted.params
    if sizes is None or calibration.evidence is not None:  # a fit of one's own says more (`extrapolation.py`)
        return ()
    low, high = sizes
    said = f"calibration {calibration.name}: fitted on models of {size(low)} to {size(high)} parameters"
    if calibration.validated is not None:
        high = max(high, calibration.validated.params)
        said += f", checked at {size(calibration.validated.params)}"
    if params is not None and not low <= params <= high:
        said += f"; {size(params)} parameters are an extrapolation"
    return (said,)


def left_aside(supply: Supply) -> tuple[str, ...]:
    """What the sources hold and the mixture does not use, one sentence per source and reason."""
    groups: dict[tuple[str, Reason], list[Unused]] = {}
    for one in supply.unused:
        groups.setdefault((one.source, one.reason), []).append(one)
    sentences = []
    for (source, reason), left in sorted(groups.items()):
        what = LEFT_ASIDE[reason] if len(left) > 1 else LEFT_ASIDE[reason].replace("languages", "language", 1)
        largest = ", ".join(f"{one.tag} {amount(one.tokens)}" for one in left[:3]) + ", …" * (len(left) > 3)
        total = amount(sum(one.tokens for one in left))
        sentences.append(f"source {source}: {len(left)} {what} with {total} not used ({largest})")
    return tuple(sentences)


def size(params: float) -> str:
    """`1.2B`, `252M`."""
    return f"{params / 1e9:g}B" if params >= 1e9 else f"{params / 1e6:g}M"
