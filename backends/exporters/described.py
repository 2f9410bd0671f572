"""What documents about a dataset say of a manifest: names, languages, licences, shares, how it was decided, hashes.

Everything is planned: what a run then takes differs by the chance of its draw, which `mixc verify` tells. Nothing here
depends on the clock or on where files lie.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from mixc.backends.exporters.licences import Licence, licence
from mixc.compiler.review import words
from mixc.compiler.review.manifest import manifest_text
from mixc.compiler.review.schema import Manifest
from mixc.compiler.supply import languages
from mixc.dsl.display import unsteered

TEXTS: Final = "texts/**/*.parquet"  # what `mixc run --materialize` writes
COLUMNS: Final = {
    "id": "the document's id in its source",
    "text": "the text, as the source has it",
    "copies": "how often the document is to be read; `mixc run --repeat` repeats the row as often instead",
    "tokens": "tokens of one reading, counted or estimated as the recipe says",
}
PLANNED: Final = (
    "Shares and tokens are planned and count every reading; what a run takes differs by chance, as mixc verify tells."
)
PRECISE: Final = {"no": "nb", "tl": "fil"}  # where a code of mixc names less than the same code elsewhere
WORDS: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the mixture: unique tokens there are, planned tokens, and their share of the budget."""

    name: str
    supply: int
    tokens: int
    share: float

    @property
    def epochs(self) -> float | None:
        """Mean passes over the supply; None where there is none."""
        return self.tokens / self.supply if self.supply else None


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of quality ranks [low, high) over all rated pools; 0 is best."""

    low: float
    high: float
    part: Part


@dataclass(frozen=True, slots=True)
class Described:
    """The facts of a manifest. `licences` has every source, None where its licence is not stated.

    `sha256` is of the bytes of `file`, as `mixc compile` writes it.
    """

    name: str
    description: str
    languages: tuple[Part, ...]
    sources: tuple[Part, ...]
    domains: tuple[Part, ...]
    phases: tuple[Part, ...]
    buckets: tuple[Bucket, ...]
    licences: Mapping[str, Licence | None]
    file: str
    sha256: str

    @property
    def used(self) -> tuple[Part, ...]:
        """Sources that something is taken of."""
        return tuple(one for one in self.sources if one.tokens)

    @property
    def stated(self) -> tuple[Licence, ...]:
        """The licences of what is taken, by their expressions."""
        found = {one.expression: one for part in self.used if (one := self.licences[part.name]) is not None}
        return tuple(found[name] for name in sorted(found, key=lambda name: (name.lower(), name)))

    @property
    def silent(self) -> tuple[str, ...]:
        """Sources that something is taken of, and whose licence is not stated."""
        return tuple(part.name for part in self.used if self.licences[part.name] is None)


def described(manifest: Manifest) -> Described:
    """The facts of a manifest, the largest parts first."""
    text = manifest_text(manifest)
    return Described(
        name=manifest.recipe.name,
        description=manifest.recipe.description.strip(),
        languages=_parts(manifest, "language", [row.code for row in manifest.languages]),
        sources=_parts(manifest, "source", [row.name for row in manifest.sources]),
        domains=_parts(manifest, "domain", []),
        phases=_parts(manifest, "phase", [row.name for row in manifest.phases]),
        buckets=_buckets(manifest),
        licences={row.name: None if row.licence is None else licence(row.licence) for row in manifest.sources},
        file=f"{manifest.recipe.name}.manifest.json",
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def _parts(manifest: Manifest, key: str, names: list[str]) -> tuple[Part, ...]:
    tokens, supply = Counter(dict.fromkeys(names, 0)), Counter(dict.fromkeys(names, 0))
    pools: set[tuple[str, str, str, str]] = set()
    for row in manifest.mixture:
        name = cast("str", getattr(row, key))
        tokens[name] += row.tokens
        pool = (name, row.source, row.language, row.domain)
        if pool not in pools:  # phases share their supply
            pools.add(pool)
            supply[name] += row.supply
    found = [Part(name, supply[name], amount, amount / manifest.budget.tokens) for name, amount in tokens.items()]
    if key == "phase":
        return tuple(found)
    return tuple(sorted(found, key=lambda part: (-part.tokens, part.name)))


def _buckets(manifest: Manifest) -> tuple[Bucket, ...]:
    supply: Counter[tuple[float, float]] = Counter()
    tokens: Counter[tuple[float, float]] = Counter()
    ranks: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for pool in manifest.supply:
        if pool.rated:
            ranks[pool.source, pool.language, pool.domain] = list(zip(pool.low, pool.high, strict=True))
            supply.update(dict(zip(zip(pool.low, pool.high, strict=True), pool.tokens, strict=True)))
    for row in manifest.mixture:
        for bucket, amount in zip(
            ranks.get((row.source, row.language, row.domain), ()), row.tokens_by_bucket, strict=False
        ):
            tokens[bucket] += amount
    budget = manifest.budget.tokens
    return tuple(
        Bucket(low, high, Part("", supply[low, high], tokens[low, high], tokens[low, high] / budget))
        for low, high in sorted(supply)
    )


def tag(code: str) -> str:
    """The BCP 47 tag of a language as a manifest names it: `hi-Latn` for `hi_Latn`, `nb` for `no`.

    A name that is no language code stays as it is.
    """
    found = languages.resolve(code)
    if found is None:
        return code
    return PRECISE.get(found.code, found.code) + ("" if found.main else f"-{found.script}")


def one_line(text: str) -> str:
    """A text on one line."""
    return WORDS.sub(" ", unsteered(text)).strip()


def summary(facts: Described, manifest: Manifest) -> str:
    """What the dataset is, in two sentences behind the recipe's own words."""
    many = len([one for one in facts.languages if one.tokens])
    own = one_line(facts.description)
    stop = "" if not own or own[-1] in ".!?" else "."
    said = (
        f"A mixture of {words.count(many, 'language')} from {words.count(len(facts.used), 'source')} for pretraining "
        f"a language model of {words.tokens(manifest.budget.params)} parameters on "
        f"{words.tokens(manifest.budget.tokens)} tokens."
    )
    plan = "" if manifest.runnable else f" It is a plan without data: {manifest.reason}."
    return f"{own}{stop} {said}{plan}".strip()


def shares(parts: tuple[Part, ...]) -> str:
    """`en 30.00%, de 12.10%`: the parts of which something is taken."""
    return ", ".join(f"{one.name} {words.share(one.share)}" for one in parts if one.tokens)


def collection(facts: Described) -> str:
    """Where the texts come from, as a sentence."""
    return f"Texts are taken from the sources that the recipe names: {shares(facts.used)} of the tokens. {PLANNED}"


def decisions(manifest: Manifest) -> Iterator[str]:
    """How the mixture was decided and its documents are drawn, a sentence each."""
    rules = {one.rule for one in manifest.rules}
    active = {one.rule for one in manifest.rules if one.active}
    yield (
        f"The shares follow from the strategy {manifest.strategy.name} under "
        f"{words.count(len(rules), 'rule')} of the recipe, of which {len(active)} had to be paid for."
    )
    raters = list(_raters(manifest))
    if raters:
        edges = ", ".join(words.percent(edge) for edge in manifest.quality.edges)
        yield (
            f"Documents are ranked within their language and domain by {', '.join(raters)}, and "
            f"counted in buckets of quality that end at {edges} of the tokens, the best first."
        )
    limits = [f"{one.name} {one.limit.passes:g}" for one in manifest.sources if one.limit]
    if limits:
        yield f"Most passes over the best of a source: {', '.join(limits)}."
    if manifest.runnable:
        yield (
            "How often a document is read follows from its rank and a hash of its id with seed "
            f"{manifest.selection.seed}; the same documents are drawn on every machine."
        )
    for row in manifest.evaluations:
        if row.holdout is not None:
            yield f"{words.percent(row.holdout)} of the documents are held out by a hash of their ids."
        against = " and ".join(row.decontamination.against)
        yield (
            f"The recipe asks that no text shares {row.decontamination.ngram} words in a row with {against}; "
            "mixc contamination looks for them, the manifest does not say that it was run."
        )


def _raters(manifest: Manifest) -> Iterator[str]:
    for stage in manifest.plan:
        if stage.stage == "normalise":
            for one in stage.parameters.get("raters", ()):
                yield str(one["name"])
