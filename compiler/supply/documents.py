"""From a catalog of documents to pools: buckets are token percentiles of merged quality, by (language, domain)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.laws.density import interval_density
from mixc.compiler.laws.sampling import Curve, sampling_value
from mixc.compiler.problem import Bucket, InfoLaw, Pool
from mixc.compiler.recipe import Domain, Recipe, Sampling, Source
from mixc.compiler.scan import messages
from mixc.compiler.scan.catalog import Catalog
from mixc.compiler.scan.counting import rate_of
from mixc.compiler.scan.counts import LevelCounts
from mixc.compiler.scan.labels import Key
from mixc.compiler.scan.plan import SourcePlan
from mixc.compiler.scan.ranks import Ranking, Segments, coarse, densities, per_bucket, rankings, segments, shares
from mixc.compiler.supply.entries import Entry
from mixc.compiler.supply.languages import resolve, script
from mixc.compiler.supply.supply import Conversion, SupplyInput
from mixc.dsl.diagnostics import Diagnostic

COARSE = 0.5

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Documents:
    """A catalog and what follows from it: how every rated (language, domain) is ranked and cut.

    `curves` holds S [levels], by the inclusive rank of each level (QuaDMix Eq. 2), where a domain has a sampling curve,
    `temperatures` T by domain, where it is sampled by one. `domains` are as they are used: with scaled omegas.
    """

    catalog: Catalog
    rankings: Mapping[Key, Ranking]
    segments: Mapping[Key, Segments]
    curves: Mapping[Key, Floats]
    temperatures: Mapping[str, float]
    domains: tuple[Domain, ...] = ()


def ranked(recipe: Recipe, catalog: Catalog, edges: tuple[float, ...]) -> Documents:
    """Rankings of a catalog, cut at the edges of the buckets."""
    found = rankings(catalog)
    stated = {domain.name: curve_of(domain.sampling) for domain in recipe.domains}
    curves = {
        key: sampling_value(curve, ranking.ends / ranking.total)
        for key, ranking in found.items()
        if (curve := stated.get(key[1])) is not None
    }
    heat = {d.name: d.sampling.temperature for d in recipe.domains if d.sampling and d.sampling.temperature}
    return Documents(
        catalog, found, {key: segments(one, edges) for key, one in found.items()}, curves, heat, recipe.domains
    )


def document_entries(source: Source, catalog: Catalog) -> tuple[Entry, ...]:
    """What a source holds in every language, whatever the domain; text in another script counts for none."""
    held: dict[str, list[int]] = {}
    for (name, language, _), counts in sorted(catalog.groups.items()):
        if name == source.name:
            sums = held.setdefault(language, [0, 0])
            sums[0] += int(counts.tokens.sum())
            sums[1] += int(counts.documents.sum())
    return tuple(_entry(language, tokens, documents) for language, (tokens, documents) in held.items())


def _entry(tag: str, tokens: int, documents: int) -> Entry:
    code = resolve(tag)
    if code is None:
        return Entry(tag, None, tokens, "tokens", 1.0, False, "other", documents, "unknown code")
    if not code.main:
        return Entry(tag, None, tokens, "tokens", 1.0, False, code.script, documents, "other script")
    return Entry(tag, code.code, tokens, "tokens", 1.0, False, code.script, documents)


def document_pools(
    recipe: Recipe, source: Source, documents: Documents, languages: tuple[str, ...], edges: tuple[float, ...],
    law: InfoLaw, unrated: float,
) -> list[Pool]:  # fmt: skip
    """The pools of one source, one per language of the mixture and domain; `unrated` is the density without a rater."""
    domains = {domain.name: domain for domain in recipe.domains}
    pools = []
    for (name, language, domain), counts in sorted(documents.catalog.groups.items()):
        if name != source.name or language not in languages:
            continue
        stated = source.density if source.density is not None else domains.get(domain, Domain(domain)).density
        if (language, domain) in documents.rankings:
            pools.append(_rated(source.name, (language, domain), counts, documents, edges, law, stated))
        else:
            tokens = int(counts.tokens.sum())
            bucket = Bucket(0.0, 1.0, tokens, unrated if stated is None else stated)
            pools.append(Pool(source.name, language, domain, False, (bucket,)))
    return pools


def _rated(
    name: str, key: Key, counts: LevelCounts, documents: Documents, edges: tuple[float, ...], law: InfoLaw,
    stated: float | None,
) -> Pool:  # fmt: skip
    ranking, cut = documents.rankings[key], documents.segments[key]
    factor = 1.0 if stated is None else stated
    if key[1] in documents.temperatures:
        mine = densities(ranking, law)[ranking.places(counts.levels)]
        held = int(counts.tokens.sum())
        mean = math.fsum((counts.tokens * mine).tolist()) / held
        return Pool(name, *key, False, (Bucket(0.0, 1.0, held, factor * mean),), once=True)
    tokens = shares(ranking, cut, counts)
    by_bucket = per_bucket(tokens, cut, len(edges))
    dense = _means(tokens, densities(ranking, law)[cut.place], cut, len(edges))
    buckets = tuple(
        Bucket(low, high, int(held), factor * (interval_density(law, low, high) if mean is None else mean))
        for low, high, held, mean in zip((0.0, *edges[:-1]), edges, by_bucket, dense, strict=True)
    )
    value = documents.curves.get(key)
    if value is None:
        return Pool(name, *key, True, buckets)
    copies = tuple(0.0 if mean is None else mean for mean in _means(tokens, value[cut.place], cut, len(edges)))
    return Pool(name, *key, True, buckets, copies, float(value[cut.place[np.flatnonzero(tokens)[0]]]))


def _means(tokens: NDArray[np.int64], values: Floats, cut: Segments, buckets: int) -> list[float | None]:
    """Token-weighted means of a figure of every segment, by bucket; None where a bucket is empty."""
    found: list[float | None] = []
    for j in range(buckets):
        mine = cut.bucket == j
        held = int(tokens[mine].sum())
        found.append(math.fsum((tokens[mine] * values[mine]).tolist()) / held if held else None)
    return found


def curve_of(sampling: Sampling | None) -> Curve | None:
    """QuaDMix's curve of a domain, with what is not stated at its plainest: no slope, no floor."""
    if sampling is None or sampling.temperature is not None:
        return None
    omega = 1.0 if sampling.omega is None else sampling.omega
    return Curve(sampling.lam or 0.0, omega, 1.0 if sampling.eta is None else sampling.eta, sampling.epsilon or 0.0)


def check_coarse(
    recipe: Recipe, documents: Documents, languages: tuple[str, ...], edges: tuple[float, ...]
) -> list[Diagnostic]:
    """Groups in which one level fills more than half of a bucket; the worst of every domain is reported."""
    found = []
    for domain in recipe.domains:
        fills = {
            language: coarse(ranking, edges)
            for (language, name), ranking in documents.rankings.items()
            if name == domain.name and language in languages
        }
        if fills and max(fills.values()) > COARSE:
            worst = max(sorted(fills), key=lambda language: fills[language])
            found.append(messages.coarse_rater(worst, domain.name, fills[worst], domain.span))
    return found


def conversions_of(plan: SourcePlan, languages: AbstractSet[str]) -> tuple[Conversion, ...]:
    """The rates at which bytes of text were counted as tokens, by script; none where tokens were counted."""
    if plan.counting.way != "bytes":
        return ()
    scripts: dict[str, set[str]] = {}
    for language in languages:
        scripts.setdefault(script(language) or "other", set()).add(language)
    assumed = plan.counting.rate is None
    return tuple(
        Conversion("bytes", name, rate_of(plan, min(held)), assumed, tuple(sorted(held)))
        for name, held in sorted(scripts.items())
    )


def describe_documents(
    source: Source, catalog: Catalog, languages: tuple[str, ...], density: float, assumed: bool
) -> SupplyInput:
    """A source's part of the manifest and the lock; its hash is over names and content hashes of its files."""
    files = catalog.files_of(source.name)
    mine = {key: counts for key, counts in catalog.groups.items() if key[0] == source.name and key[1] in languages}
    lines = "".join(f"{file.identity} {file.size}\n" for file in sorted(files, key=lambda f: (f.identity, f.size)))
    plan = catalog.plan.source(source.name)
    unrated = any(key[2] not in dict(catalog.plan.weights) for key in mine)
    return SupplyInput(
        source=source.name,
        files=(),
        sha256=hashlib.sha256(lines.encode()).hexdigest(),
        tokens=sum(int(counts.tokens.sum()) for counts in mine.values()),
        documents=sum(int(counts.documents.sum()) for counts in mine.values()),
        units=("bytes",) if plan.counting.way == "bytes" else ("tokens",),
        conversions=conversions_of(plan, {key[1] for key in mine}),
        tokenizer=plan.counting.name if plan.counting.way == "tokenizer" else None,
        origin=source.origin,
        overlap=source.overlap,
        rated=False,
        density=density,
        density_assumed=assumed and unrated,
        license=source.license,
        size=sum(file.size for file in files),
        count=len(files),
    )
