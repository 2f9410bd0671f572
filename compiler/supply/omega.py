"""`scale = omega`: sampling curves that give the budget as they are, by one factor on every omega (QuaDMix).

The paper steers the size of a selection by omega alone. A domain of T tokens along a curve of integral F gives T F
tokens whatever its scores are, so the factor follows from what the domains hold, before any document is ranked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from mixc.compiler.laws.sampling import Curve, fraction, omega_for_budget
from mixc.compiler.recipe import Domain, Recipe
from mixc.compiler.scan.catalog import Catalog
from mixc.compiler.supply.documents import curve_of
from mixc.compiler.supply.pool_messages import omega_out_of_reach
from mixc.dsl.diagnostics import Diagnostic

DIGITS = 6  # of a scaled omega, so that its text is the same on every platform; the program makes up for the rest


def scaled(recipe: Recipe, catalog: Catalog, held: int, languages: tuple[str, ...]) -> tuple[Recipe, list[Diagnostic]]:
    """The recipe with its omegas scaled; `held` are the tokens of the mixture's languages in all sources.

    Where some domains have no curve, the curves are to give that part of the budget that their domains are of all that
    is held.
    """
    assert recipe.budget.tokens is not None, "the front refuses to scale to an open budget"
    rated = dict(catalog.plan.weights)
    curves = {d.name: c for d in recipe.domains if d.name in rated and (c := curve_of(d.sampling)) is not None}
    tokens = tokens_of(catalog, curves, languages)
    if not sum(tokens.values()):
        return recipe, []  # other complaints say that these domains hold nothing
    budget = recipe.budget.tokens * sum(tokens.values()) / held
    found = omega_for_budget(list(curves.values()), [tokens[name] for name in curves], budget)
    if found is None:
        low, high = reach(curves, tokens)
        return recipe, [omega_out_of_reach(budget, low, high, tuple(curves), recipe.quality.scale_span)]
    omegas = {name: float(f"{curve.omega:.{DIGITS}g}") for name, curve in zip(curves, found, strict=True)}
    domains = tuple(with_omega(domain, omegas.get(domain.name)) for domain in recipe.domains)
    return replace(recipe, domains=domains), []


def tokens_of(catalog: Catalog, curves: Mapping[str, Curve], languages: tuple[str, ...]) -> dict[str, int]:
    """Tokens of every domain with a curve, in the languages of the mixture."""
    tokens = dict.fromkeys(curves, 0)
    for (_, language, domain), counts in catalog.groups.items():
        if domain in tokens and language in languages:
            tokens[domain] += int(counts.tokens.sum())
    return tokens


def reach(curves: Mapping[str, Curve], tokens: Mapping[str, int]) -> tuple[float, float]:
    """The least and the most tokens that curves give, over all factors on their omegas."""
    ends = (
        math.fsum(tokens[name] * fraction(replace(curve, omega=omega)) for name, curve in curves.items())
        for omega in (0.0, 1.0)
    )
    low, high = ends
    return low, high


def with_omega(domain: Domain, omega: float | None) -> Domain:
    """A domain with a scaled omega beside the one that the recipe states."""
    if omega is None or domain.sampling is None:
        return domain
    sampling = replace(domain.sampling, omega=omega, stated_omega=domain.sampling.omega)
    return replace(domain, sampling=sampling)
