"""From a checked recipe and its catalogs to pools of unique tokens.

Steps: read every source, turn sizes into tokens (`entries`), settle who is in the mixture, take off overlaps, cut
rated pools into buckets of quality. Reading also covers what else the decision needs from files: calibrations, and
the manifests that `change(…)` compares with.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from mixc.compiler.laws.density import cut, pool_density, with_edges
from mixc.compiler.problem import Bucket, InfoLaw, Pool
from mixc.compiler.recipe import Recipe, Source
from mixc.compiler.supply import pool_messages as messages
from mixc.compiler.supply.assumptions import assumptions
from mixc.compiler.supply.catalog import Catalog, read_catalog
from mixc.compiler.supply.checks import check_domains, check_languages, check_sources
from mixc.compiler.supply.entries import NO_LANGUAGE, Entry, conversions, entries, inline_rows, named, unused
from mixc.compiler.supply.reading import Readings, read_inputs, shown_path
from mixc.compiler.supply.supply import Supply, SupplyFile, SupplyInput, Unused
from mixc.dsl.diagnostics import Diagnostic, has_errors

if TYPE_CHECKING:
    from mixc.compiler.scan.catalog import Catalog as Scanned
    from mixc.compiler.supply.documents import Documents


@dataclass(frozen=True, slots=True)
class Holding:
    """A source with the tokens it holds: `tokens` per canonical language, before and then after overlap."""

    source: Source
    catalog: Catalog | None
    entries: tuple[Entry, ...]
    tokens: Mapping[str, int]


def build_supply(recipe: Recipe, scanned: Scanned | None = None) -> tuple[Supply | None, list[Diagnostic]]:
    """All pools of the recipe, sorted, with their provenance; None when anything is wrong that stops planning.

    `scanned` is the catalog of the recipe's documents, which a recipe that has any needs.
    """
    readings, found = read_inputs(recipe)
    holdings, found_in_sources = read_sources(recipe, scanned)
    found += found_in_sources
    if has_errors(found) or readings is None:
        return None, found
    languages = languages_of(recipe, holdings)
    gate = None if scanned is None else scanned.plan.gate
    found += check_languages(recipe, [(h.source, h.entries, h.tokens) for h in holdings], gate)
    found += check_domains(recipe, {domain for _, _, domain in scanned.groups} if scanned else set())
    found += check_sources([(h.source, h.catalog, h.entries, h.tokens) for h in holdings], languages)
    if not has_errors(found) and not languages:
        found.append(messages.nothing_at_all([s.name for s in recipe.sources], recipe.budget.span))
    if has_errors(found):
        return None, found
    if scanned is not None and recipe.quality.scale == "omega":
        from mixc.compiler.supply.omega import scaled

        held = sum(h.tokens.get(code, 0) for h in holdings for code in languages)
        recipe, problems = scaled(recipe, scanned, held, languages)
        if problems:
            return None, found + problems
    edges = bucket_edges(recipe, readings.law)
    documents = None
    if scanned is not None:
        from mixc.compiler.supply.documents import check_coarse, ranked

        documents = ranked(recipe, scanned, edges)
        found += check_coarse(recipe, documents, languages, edges)
    return assemble(recipe, readings, without_overlap(holdings), languages, documents), found


def read_sources(recipe: Recipe, scanned: Scanned | None) -> tuple[list[Holding], list[Diagnostic]]:
    """Every source's sizes as tokens; a catalog named by two sources is read once."""
    catalogs: dict[tuple[str, str | None], Catalog | None] = {}
    holdings, found = [], []
    for source in recipe.sources:
        if source.paths:
            from mixc.compiler.supply.documents import document_entries

            assert scanned is not None
            rows = document_entries(source, scanned)
            holdings.append(Holding(source, None, rows, totals(rows)))
            continue
        catalog = None
        if source.supply_file is not None:
            key = (source.supply_file, source.language)
            if key not in catalogs:
                shown = source.supply_name or shown_path(source.supply_file, recipe)
                span = source.supply_span or source.span
                catalogs[key], problems = read_catalog(Path(source.supply_file), shown, span, source.language)
                found += problems
            catalog = catalogs[key]
            if catalog is None:
                continue
        rows = entries(source, catalog.rows if catalog else inline_rows(source))
        holdings.append(Holding(source, catalog, rows, totals(rows)))
    return holdings, found


def totals(rows: Iterable[Entry]) -> dict[str, int]:
    """Tokens per canonical language."""
    sums: Counter[str] = Counter()
    for row in rows:
        if row.code is not None and not row.reason:
            sums[row.code] += row.tokens
    return dict(sums)


def languages_of(recipe: Recipe, holdings: Iterable[Holding]) -> tuple[str, ...]:
    """Who is in the mixture: exactly the declared; with `languages all` or no declaration, all that have supply.

    Text of no known language is among them only where there is nothing else: documents without a language column.
    """
    declared = {language.code for language in recipe.languages}
    if declared and recipe.all_languages is None:
        return tuple(sorted(declared))
    held = {code for h in holdings for code, tokens in h.tokens.items() if tokens > 0}
    return tuple(sorted((held - NO_LANGUAGE or (held if all(h.source.paths for h in holdings) else set())) | declared))


def without_overlap(holdings: Sequence[Holding]) -> list[Holding]:
    """Take off what a source shares with others, in the languages that both hold."""
    held = {h.source.name: h.tokens for h in holdings}
    reduced = []
    for h in holdings:
        left = {}
        for code, tokens in h.tokens.items():
            shared = [Fraction(repr(part)) for other, part in h.source.overlap if held.get(other, {}).get(code, 0) > 0]
            left[code] = tokens - round(tokens * min(Fraction(1), sum(shared, Fraction(0))))
        reduced.append(Holding(h.source, h.catalog, h.entries, left))
    return reduced


def assemble(
    recipe: Recipe,
    readings: Readings,
    holdings: Sequence[Holding],
    languages: tuple[str, ...],
    documents: Documents | None,
) -> Supply:
    """Pools, and all that the manifest says about them."""
    edges = bucket_edges(recipe, readings.law)
    pools: list[Pool] = []
    inputs: list[SupplyInput] = []
    left: list[Unused] = []
    for h in holdings:
        density, assumed = density_of(recipe, h.source, readings.law)
        if documents is not None and h.source.paths:
            from mixc.compiler.supply.documents import describe_documents, document_pools

            pools += document_pools(recipe, h.source, documents, languages, edges, readings.law, density)
            inputs.append(describe_documents(h.source, documents.catalog, languages, density, assumed))
        else:
            held = [code for code in languages if h.tokens.get(code, 0) > 0]
            pools += [pool(h, code, density, edges, readings.law) for code in held]
            inputs.append(describe(h, languages, density, assumed))
        left += unused(h.source.name, h.entries, frozenset(languages))
    pools.sort(key=lambda p: (p.source, p.language, p.domain))
    files = {f.name: f for one in inputs for f in one.files} | {f.name: f for f in readings.files}
    return Supply(
        pools=tuple(pools),
        languages=languages,
        edges=edges,
        law=readings.law,
        inputs=tuple(sorted(inputs, key=lambda i: i.source)),
        unused=tuple(left),
        files=tuple(sorted(files.values(), key=lambda f: (f.kind, f.name))),
        assumptions=(*readings.assumptions, *(s for one in inputs for s in assumptions(one, recipe))),
        baselines=readings.baselines,
        transfer=readings.transfer,
        documents=documents,
    )


def bucket_edges(recipe: Recipe, law: InfoLaw) -> tuple[float, ...]:
    """Upper ranks of buckets: the recipe's or the calibration's, with those that `best(p)` and a curve's omega need."""
    best = {term.of.best for rule in recipe.rules for term in rule.terms if term.of.best is not None}
    omega = {d.sampling.omega for d in recipe.domains if d.sampling and d.sampling.omega is not None}
    return with_edges(recipe.quality.edges or law.edges, best | omega)


def density_of(recipe: Recipe, source: Source, law: InfoLaw) -> tuple[float, bool]:
    """The density of an unrated pool, or the factor on a rated one's buckets; and whether it is assumed."""
    domain = next((d.density for d in recipe.domains if d.name == source.domain), None)
    stated = source.density if source.density is not None else domain
    if stated is not None:
        return stated, False
    return (1.0, False) if source.rated else (pool_density(law), True)


def pool(holding: Holding, code: str, density: float, edges: tuple[float, ...], law: InfoLaw) -> Pool:
    """One (source, language, domain): six buckets when rated, else one."""
    source, tokens = holding.source, holding.tokens[code]
    buckets = cut(tokens, edges, law, density) if source.rated else (Bucket(0.0, 1.0, tokens, density),)
    return Pool(source.name, code, source.domain, source.rated, buckets)


def describe(holding: Holding, languages: tuple[str, ...], density: float, assumed: bool) -> SupplyInput:
    """A source's part of the manifest; documents only when every row that is used publishes them."""
    source, catalog = holding.source, holding.catalog
    used = [row for row in holding.entries if row.code in languages and not row.reason]
    counts = [row.documents for row in used]
    files: tuple[SupplyFile, ...] = ()
    if catalog is not None:
        files = (SupplyFile("catalog", catalog.name, catalog.sha256, catalog.size),)
    inline = sorted(f"{entry.language} {entry.amount!r} {entry.unit}\n" for entry in source.supply)
    return SupplyInput(
        source=source.name,
        files=files,
        sha256=catalog.sha256 if catalog else hashlib.sha256("".join(inline).encode()).hexdigest(),
        tokens=sum(holding.tokens.get(code, 0) for code in languages),
        documents=sum(c for c in counts if c is not None) if counts and None not in counts else None,
        units=tuple(sorted({row.unit for row in used})),
        conversions=conversions(used),
        tokenizer=named(catalog, "tokenizer"),
        origin=source.origin or named(catalog, "origin"),
        overlap=source.overlap,
        rated=source.rated,
        density=density,
        density_assumed=assumed,
        license=source.license or named(catalog, "licence of the corpus"),
    )
