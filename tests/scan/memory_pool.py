"""Small random pools in memory: as QuaDMix's float64 reference takes them, and as scanning meets them in a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.backends.quadmix.reference import Normaliser, Pool, Scope
from mixc.compiler.documents.data import Batch, Wanted
from mixc.compiler.scan.catalog import Catalog, at_bits, settled_bits
from mixc.compiler.scan.counts import Counts, LevelCounts
from mixc.compiler.scan.labels import Key, Labelled
from mixc.compiler.scan.merge import Merger
from mixc.compiler.scan.normalise import Tables, fit
from mixc.compiler.scan.ordered import levels, middles
from mixc.compiler.scan.plan import Counting, Plan, RaterPlan, SourcePlan, whole_weights
from mixc.compiler.scan.profile import Profile, Sparse

LANGUAGES, DOMAINS = ("en", "de"), ("news", "forums", "books")
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """One pool with the choices made for it; `weights` [domains, raters]."""

    pool: Pool
    weights: Floats
    normaliser: Normaliser
    scope: Scope
    better: tuple[Any, ...]
    plan: Plan
    keys: list[Key]
    batch: Labelled

    def tables(self) -> Tables:
        """Fitted on all documents."""
        return fit(self.plan, Profile(scores=self.histograms()))

    def table(self) -> pa.Table:
        """The documents as a file holds them."""
        code = {"lang": np.array(LANGUAGES)[self.pool.language], "domain": np.array(DOMAINS)[self.pool.domain]}
        return pa.table({**code, "n": self.pool.tokens, **self.batch.batch.scores})

    def histograms(self) -> dict[Key, Sparse]:
        """Documents by level of every rater and language."""
        found = {}
        for rater in self.plan.raters:
            level = levels(self.batch.batch.scores[rater.name].to_numpy()).astype(np.int64)
            for code, language in enumerate(LANGUAGES):
                places, counts = np.unique(level[self.pool.language == code], return_counts=True)
                if len(places):
                    found[rater.name, language] = places, counts.astype(np.int64)
        return found

    def levels(self, tables: Tables) -> Ints:
        """The merged level of 16 bits of every document."""
        return Merger(self.plan, tables).merge(self.keys, self.batch).astype(np.int64)

    def groups(self) -> list[tuple[Key, NDArray[np.bool_]]]:
        """The documents of every (language, domain) that has any."""
        rows = [(key, self.batch.group == group) for group, key in enumerate(self.keys)]
        return [(key, mine) for key, mine in rows if mine.any()]

    def catalog(self, tables: Tables, level: Ints) -> Catalog:
        """As scanning makes it, at the bits that it settles on."""
        found = {key: counted(level[rows], self.pool.tokens[rows]) for key, rows in self.groups()}
        bits = settled_bits(found)
        groups = {("web", *key): group for key, group in at_bits(Counts(found), bits).groups.items()}
        return Catalog(self.plan, tables, bits, groups, (), {}, {}, {}, {})


def counted(level: Ints, tokens: Ints) -> LevelCounts:
    """Documents and tokens by level."""
    levels, where, documents = np.unique(level, return_inverse=True, return_counts=True)
    sums = np.zeros(len(levels), dtype=np.int64)
    np.add.at(sums, where, tokens)
    return LevelCounts(levels, documents.astype(np.int64), sums)


def scores(random: np.random.Generator, count: int) -> NDArray[np.float32]:
    """One rater's scores: integers, or continuous ones, perhaps with one huge outlier, or all the same."""
    kind = random.integers(0, 5)
    if kind == 0:
        return random.integers(0, 6, count).astype(np.float32)
    if kind == 1:
        return np.full(count, 2.5, dtype=np.float32)
    values = (random.lognormal(0, 1, count) if kind < 4 else random.normal(0, 3, count)).astype(np.float32)
    if kind == 2:
        values[random.integers(0, count)] = 1e30
    return values


def random_case(seed: int, raters: int | None = None) -> Case:
    """A pool of 1 to 400 documents. Scores lie on the grid of 20 bits, so rounding to it is not what is tested."""
    random = np.random.default_rng(seed)
    count, held = int(random.integers(1, 400)), raters or int(random.integers(1, 4))
    raw = np.stack([scores(random, count) for _ in range(held)], axis=1)
    domain, language = random.integers(0, 3, count), random.integers(0, 2, count)
    tokens = random.integers(1, 2000, count)
    pool = Pool(domain, language, tokens, middles(levels(raw.reshape(-1))).reshape(raw.shape))
    shares = random.dirichlet(np.ones(held), 3)
    normaliser: Any = random.choice(["rank", "zscore", "minmax"])
    scope: Any = random.choice(["language", "global"])
    better = tuple(str(b) for b in random.choice(["higher", "lower"], held))
    names = [f"r{i}" for i in range(held)]
    wanted = Wanted(language="lang", domain="domain", tokens="n", scores=tuple((name, name) for name in names))
    plan = Plan(
        sources=(SourcePlan("web", (), wanted, Counting("column", "n"), None, None, eos=False),),
        raters=tuple(
            RaterPlan(name, name, b, None, "exclude", scope)  # type: ignore[arg-type]
            for name, b in zip(names, better, strict=True)
        ),
        weights=tuple(
            sorted((DOMAINS[m], whole_weights(dict(zip(names, shares[m].tolist(), strict=True)))) for m in range(3))
        ),
        normalize=normaliser,
    )
    keys = [(code, name) for code in LANGUAGES for name in DOMAINS]
    columns = {name: pa.array(raw[:, i]) for i, name in enumerate(names)}
    batch = Labelled(
        Batch(0, count, scores=columns), (language * 3 + domain).astype(np.int32), tokens, np.ones(count, dtype=bool)
    )
    return Case(pool, shares, normaliser, scope, better, plan, keys, batch)
