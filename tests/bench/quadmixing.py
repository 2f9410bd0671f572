"""QuaDMix in memory: merging, ranking and sampling as scan and run do them, and document by document in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mixc.backends.quadmix.reference import Pool, Selection, draw, select
from mixc.compiler.documents.data import Batch, Wanted
from mixc.compiler.laws.sampling import Curve, sampling_value
from mixc.compiler.scan.catalog import LEAST_BITS
from mixc.compiler.scan.counts import FULL_BITS
from mixc.compiler.scan.counts import _Tally as Levels
from mixc.compiler.scan.handover import Block
from mixc.compiler.scan.labels import Labeller
from mixc.compiler.scan.merge import Merger
from mixc.compiler.scan.normalise import fit
from mixc.compiler.scan.plan import Counting, Plan, RaterPlan, SourcePlan, whole_weights
from mixc.compiler.scan.profile import _Tally as Scores
from mixc.compiler.scan.ranks import ranking
from tests.bench.reference_selection import DOMAINS, RATERS, metadata
from tests.bench.selecting import CURVE, SEED, WEIGHTS

ROWS = 65536  # of a batch
FIXED = 32
NAMES = tuple(f"r{i}" for i in range(RATERS))


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """The same documents as batches and as arrays, of one language; `uniform` [n] in [0, 1)."""

    batches: list[Batch]
    pool: Pool
    uniform: NDArray[np.float64]


def prepared(documents: int) -> Input:
    """Documents from a seed."""
    table = pa.concat_tables(metadata(documents, SEED)).unify_dictionaries().combine_chunks()
    domain = table["domain"].chunk(0)
    tokens = table["tokens"].to_numpy().astype(np.int64)
    scores = [table[f"score{i}"].chunk(0) for i in range(RATERS)]
    batches = []
    for first in range(0, documents, ROWS):
        rows = min(ROWS, documents - first)
        columns = {name: column.slice(first, rows) for name, column in zip(NAMES, scores, strict=True)}
        mine = tokens[first : first + rows]
        batches.append(Batch(first, rows, domain=domain.slice(first, rows), tokens=mine, scores=columns))
    code = domain.indices.to_numpy().astype(np.int64)
    raw = np.stack([column.to_numpy() for column in scores], axis=1).astype(np.float64)
    pool = Pool(code, np.zeros(documents, np.int64), tokens, raw)
    return Input(batches, pool, np.random.default_rng(SEED).random(documents))


def plan() -> Plan:
    """How the documents are merged."""
    wanted = Wanted(domain="domain", tokens="tokens", scores=tuple((name, name) for name in NAMES))
    source = SourcePlan("crawl", (), wanted, Counting("column", "tokens"), "en", None, eos=False)
    raters = tuple(RaterPlan(name, name, "higher", None, "exclude", "language") for name in NAMES)
    weights = {f"domain{m:02}": dict(zip(NAMES, WEIGHTS[m % len(WEIGHTS)], strict=True)) for m in range(DOMAINS)}
    return Plan((source,), raters, tuple((m, whole_weights(mine)) for m, mine in sorted(weights.items())), "rank")


def production(given: Input) -> Callable[[], NDArray[np.int64]]:
    """Copies [n]: histograms, tables, levels, counts by level, then the curve of every level and the draw."""

    def work() -> NDArray[np.int64]:
        of = plan()
        labeller, scores = Labeller(of.sources[0]), Scores(of.raters)
        blocks = [scores.add(labeller.keys, labeller.label(batch)) for batch in given.batches]
        merger, levels, keys = Merger(of, fit(of, scores.result())), Levels(LEAST_BITS), labeller.keys
        merged = []
        for block in blocks:
            merged.append(merger.merged(keys, block.group, block.scored))
            levels.add(len(keys), block.group, merged[-1], block.tokens)
        found = levels.result(keys)
        expected = np.zeros((len(keys), 1 << LEAST_BITS), dtype=np.int64)
        for group, key in enumerate(keys):
            ranks = ranking(found.groups[key])
            values = sampling_value(Curve(*CURVE), ranks.ends / ranks.total)
            expected[group, ranks.levels] = np.rint(values * (1 << FIXED)).astype(np.int64)
        uniform = np.split(given.uniform, range(ROWS, len(given.uniform), ROWS))
        drawn = (_drawn(expected, *each) for each in zip(blocks, merged, uniform, strict=True))
        return np.concatenate(list(drawn))

    return work


def _drawn(
    expected: NDArray[np.int64], block: Block, level: NDArray[np.int32], uniform: NDArray[np.float64]
) -> NDArray[np.int64]:
    place = (block.group << LEAST_BITS) + (level >> (FULL_BITS - LEAST_BITS))
    copies = expected.reshape(-1).take(place)
    below = (uniform * (1 << FIXED)).astype(np.int64) < copies & ((1 << FIXED) - 1)
    return np.asarray((copies >> FIXED) + below)


def reference(given: Input) -> Callable[[], NDArray[np.int64]]:
    """Copies [n] of the float64 reference."""
    weights = np.array([WEIGHTS[m % len(WEIGHTS)] for m in range(DOMAINS)])
    better = ("higher",) * RATERS

    def work() -> NDArray[np.int64]:
        curves = [Curve(*CURVE)] * DOMAINS
        found: Selection = select(given.pool, weights, curves, normaliser="rank", scope="language", better=better)
        return draw(found.copies, given.uniform)

    return work
