"""Buckets of quality hold their percentages of tokens, whatever the scores: integers, one huge outlier, one value."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.compiler.documents.data import Batch
from mixc.compiler.keyed_hash import hash60
from mixc.compiler.problem import InfoLaw
from mixc.compiler.scan.counts import FULL_BITS, LevelCounts
from mixc.compiler.scan.labels import Labelled
from mixc.compiler.scan.merge import Merger
from mixc.compiler.scan.ranks import (
    HASHES,
    Ranking,
    coarse,
    densities,
    per_bucket,
    ranking,
    rankings,
    segments,
    shares,
)
from tests.selection.pool import recipe, scanned, write_file

EDGES = (0.05, 0.2, 0.4, 0.6, 0.8, 1.0)
WIDTHS = np.diff([0.0, *EDGES])
COUNT = 30_000
RECIPE = """recipe pool
source crawl {
  path = "crawl", domain = news, language = en
  columns = { id: "id", tokens: "n" }
}
rater edu { column = "edu" }
quality { normalize = NORMALIZE }
domain news { weights = { edu: 1.0 } }
languages [en] { priority = 1.0 }
budget { model = 1M params, tokens = 3M tokens }
"""


def scores(kind: str, random: np.random.Generator) -> np.ndarray:
    values = random.choice(6, COUNT, p=[0.1, 0.3, 0.3, 0.15, 0.1, 0.05]).astype(np.float32)
    if kind != "integers":
        values = random.lognormal(0, 1, COUNT).astype(np.float32)
    if kind == "outlier":
        values[77] = 1e30
    return np.full(COUNT, 3, np.float32) if kind == "one value" else values


@pytest.mark.parametrize("kind", ["integers", "continuous", "outlier", "one value"])
@pytest.mark.parametrize("normalize", ["rank", "zscore", "minmax"])
def test_buckets_hold_their_percentages(tmp_path: Path, normalize: str, kind: str) -> None:
    random = np.random.default_rng(1)
    score, tokens = scores(kind, random), random.integers(20, 900, COUNT)
    ids = pa.array([f"d{i}" for i in range(COUNT)])
    (tmp_path / "crawl").mkdir()
    write_file(tmp_path / "crawl" / "a.parquet", pa.table({"id": ids, "n": tokens, "edu": score}))
    catalog, _ = scanned(recipe(tmp_path, RECIPE.replace("NORMALIZE", normalize)))
    found = rankings(catalog)["en", "news"]
    cut = segments(found, EDGES)
    whole = int((tokens + 1).sum())
    planned = per_bucket(shares(found, cut, catalog.groups["crawl", "en", "news"]), cut, len(EDGES))
    assert planned.sum() == found.total == whole
    assert np.abs(planned - WIDTHS * whole).max() <= 2

    # So do the documents themselves, each put into a bucket by its own hash.
    batch = Labelled(
        Batch(0, COUNT, scores={"edu": pa.array(score)}), np.zeros(COUNT, np.int32), tokens + 1, np.ones(COUNT, bool)
    )
    level = Merger(catalog.plan, catalog.tables).merge([("en", "news")], batch) >> (FULL_BITS - catalog.bits)
    hashes = hash60(b"17:draw:crawl:", ids)
    place = found.places(level.astype(np.int64))
    bucket = np.full(COUNT, -1)
    for s in range(len(cut.place)):
        inside = (place == cut.place[s]) & (cut.low[s] <= hashes) & (hashes < cut.high[s])
        assert (bucket[inside] == -1).all()
        bucket[inside] = cut.bucket[s]
    realised = np.bincount(bucket, weights=batch.tokens, minlength=len(EDGES))
    spread = np.sqrt(planned * 700.0)  # at most: every document of a bucket put there by chance
    assert (bucket >= 0).all()
    assert (np.abs(realised - planned) < 5 * spread).all()
    best = np.average(score, weights=batch.tokens * (bucket == 0))
    assert best >= np.average(score, weights=batch.tokens * (bucket == 5))


rankings_of = st.lists(st.integers(1, 1 << 40), min_size=1, max_size=30).map(
    lambda tokens: Ranking(np.arange(len(tokens))[::-1].copy(), np.cumsum(tokens))
)
edges_of = st.lists(st.integers(1, 99), unique=True, max_size=6).map(
    lambda cuts: (*(c / 100 for c in sorted(cuts)), 1.0)
)


@given(rankings_of, edges_of)
def test_segments_cover_every_place_and_every_hash_once(found: Ranking, edges: tuple[float, ...]) -> None:
    cut = segments(found, edges)
    assert cut.begin[0] == 0
    assert (cut.begin[1:] == cut.end[:-1]).all()
    assert cut.end[-1] == found.total
    for place in range(len(found.levels)):
        mine = np.flatnonzero(cut.place == place)
        assert cut.low[mine[0]] == 0
        assert cut.high[mine[-1]] == HASHES
        assert (cut.low[mine[1:]] == cut.high[mine[:-1]]).all()
        assert (np.diff(cut.bucket[mine]) > 0).all()
    ends = [int(Fraction(str(edge)) * found.total) for edge in edges]
    held = [0] * len(edges)
    for bucket, begin, end in zip(cut.bucket.tolist(), cut.begin.tolist(), cut.end.tolist(), strict=True):
        held[bucket] += end - begin
    assert held == np.diff([0, *ends]).tolist()


@given(rankings_of, edges_of, st.data())
def test_the_parts_of_sources_are_whole_and_sum_to_what_they_hold(
    found: Ranking, edges: tuple[float, ...], data: st.DataObject
) -> None:
    widths = np.diff([0, *found.ends.tolist()])
    mine = np.array([data.draw(st.integers(0, int(width))) for width in widths], dtype=np.int64)
    cut = segments(found, edges)
    held = np.flatnonzero(mine)[::-1]
    counts = LevelCounts(found.levels[held], np.ones(len(held), np.int64), mine[held])
    tokens = shares(found, cut, counts)
    assert (tokens >= 0).all()
    assert np.bincount(cut.place, weights=tokens.astype(float)) == pytest.approx(mine.astype(float))
    assert sum(tokens.tolist()) == sum(mine.tolist())
    if (mine == widths).all():
        assert (tokens == cut.end - cut.begin).all()


@given(rankings_of)
def test_densities_of_levels_have_the_mean_of_the_law(found: Ranking) -> None:
    law = InfoLaw("test", 0.92, 0.0, 0.0, 1.0, 1.0, EDGES)
    widths = np.diff([0, *found.ends.tolist()]) / found.total
    mean = float((densities(found, law) * widths).sum())
    assert mean == pytest.approx(float((np.exp(-law.theta * np.arange(6)) * WIDTHS).sum()), rel=1e-9)
    # Of a level that holds 2^-40 of all tokens, the difference of its ranks keeps few digits.
    assert (np.diff(densities(found, law)) <= 1e-3).all()


def test_coarse_is_the_largest_fill_of_a_bucket() -> None:
    counts = LevelCounts(np.array([1, 2, 3]), np.array([1, 1, 1]), np.array([60, 30, 10]))
    assert coarse(ranking(counts), (0.5, 1.0)) == pytest.approx(1.2)  # 60 of the 50 that the worst half holds
    assert coarse(ranking(counts), (0.05, 1.0)) == pytest.approx(2.0)  # 10 of the 5 of the best twentieth
