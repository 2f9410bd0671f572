"""What was assumed about a source, as sentences for the manifest."""

from __future__ import annotations

from mixc.compiler.recipe import Recipe
from mixc.compiler.supply.supply import SupplyInput


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
