"""Levels, ranks and expected tokens as they are counted, against QuaDMix document by document in float64."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from memory_pool import Case, Floats, Ints, counted, random_case

from mixc.backends.quadmix.reference import merge, normalise, token_rank
from mixc.compiler.documents.data import DataFile
from mixc.compiler.documents.reading import parts
from mixc.compiler.laws.sampling import Curve, sampling_value
from mixc.compiler.review.tables import pool_curve
from mixc.compiler.scan.catalog import LEAST_BITS, Catalog
from mixc.compiler.scan.counts import FULL_BITS, LevelCounts, count
from mixc.compiler.scan.normalise import Tables
from mixc.compiler.scan.profile import profile
from mixc.compiler.scan.ranks import ranking
from mixc.compiler.supply.documents import Documents

POOLS = 1000
# A step and a merge are rounded down, a z-score to the nearest, and each of three weights is whole: so many levels of
# 2^16 may lie between where a document stands and where it should. The next level is all that this reaches at 12 bits.
ROUNDING = 6
CURVE = Curve(20.0, 0.4, 1.0, 0.01)


@lru_cache(maxsize=300)
def levelled(seed: int, raters: int | None = None) -> tuple[Case, Tables, Ints]:
    """A pool with its tables and levels."""
    case = random_case(seed, raters)
    tables = case.tables()
    return case, tables, case.levels(tables)


def reference_quality(case: Case) -> Floats:
    """Merged quality [n] in float64; z-scores are clipped as the specification says."""
    normalised = normalise(case.pool, case.normaliser, case.scope, case.better)
    if case.normaliser == "zscore":
        normalised = np.clip(normalised, -8.0, 8.0)
    return merge(normalised, case.pool.domain, case.weights)


def ranks_at(catalog: Catalog, case: Case, level: Ints) -> tuple[Ints, Ints, Ints]:
    """(tokens up to and with a document's level [n], those from `reach` levels above on, and from below on).

    The first is its rank as it is counted; the others are the ranks of its neighbours, in tokens of the group.
    """
    reach = -(-ROUNDING >> (FULL_BITS - catalog.bits))
    found = np.zeros((3, len(level)), dtype=np.int64)
    coarse = level >> (FULL_BITS - catalog.bits)
    for key, rows in case.groups():
        held = catalog.groups["web", *key]
        for i, shift in enumerate((0, reach + 1, -reach)):
            above = np.concatenate([np.cumsum(held.tokens[::-1])[::-1], [0]])
            found[i, rows] = above[np.searchsorted(held.levels, coarse[rows] + shift)]
    return found[0], found[1], found[2]


def reference_rank(case: Case, quality: Floats) -> Ints:
    """Equation 2 in tokens [n], which are whole."""
    rank = token_rank(quality, case.batch.group.astype(np.int64), case.pool.tokens)
    sums = np.bincount(case.batch.group, weights=case.pool.tokens)[case.batch.group]
    return np.rint(rank * sums).astype(np.int64)


def rounded(quality: Floats) -> Floats:
    """Equal qualities may differ in their last digits where they are sums in another order."""
    return np.round(quality, 12)


def test_ranks_of_a_thousand_pools_are_those_of_equation_2_up_to_neighbours() -> None:
    below_zero = documents = 0
    for seed in reversed(range(POOLS)):  # the first ones are looked at again
        case, tables, level = levelled(seed)
        assert (level >= 0).all()
        catalog = case.catalog(tables, level)
        rank, above, below = ranks_at(catalog, case, level)
        exact = reference_rank(case, rounded(reference_quality(case)))
        assert (above <= exact).all(), seed
        assert (exact <= below).all(), seed
        below_zero += int((rank < exact).sum())
        documents += len(rank)
    assert below_zero < documents / 500  # ranks are never better than they should be, but for rounding


def test_both_passes_over_a_file_count_what_is_there(tmp_path: Path) -> None:
    for seed in range(30):
        case, tables, level = levelled(seed)
        path = tmp_path / f"{seed}.parquet"
        pq.write_table(case.table(), path, row_group_size=50)
        (part,) = parts(DataFile("web", path.name, str(path), "parquet", path.stat().st_size, ""))
        found, plain = profile(case.plan, part), case.histograms()
        assert found.scores.keys() == plain.keys()
        assert all((found.scores[key][i] == plain[key][i]).all() for key in plain for i in (0, 1))
        assert found.held == {key: (int(rows.sum()), int(case.pool.tokens[rows].sum())) for key, rows in case.groups()}
        groups = count(case.plan, tables, FULL_BITS, part).groups
        assert groups.keys() == found.held.keys()
        for key, rows in case.groups():
            same(groups[key], counted(level[rows], case.pool.tokens[rows]))


def same(one: LevelCounts, other: LevelCounts) -> None:
    """Asserts that counts are equal."""
    for name in ("levels", "documents", "tokens"):
        assert (getattr(one, name) == getattr(other, name)).all()


def test_one_rater_alone_is_never_ranked_better_than_it_should_be() -> None:
    for seed in range(200):
        case, tables, level = levelled(seed, 1)
        catalog = case.catalog(tables, level)
        rank, _, _ = ranks_at(catalog, case, level)
        exact = reference_rank(case, reference_quality(case))
        mass = np.zeros(len(rank), dtype=np.int64)
        coarse = level >> (FULL_BITS - catalog.bits)
        for key, rows in case.groups():
            held = catalog.groups["web", *key]
            mass[rows] = held.tokens[np.searchsorted(held.levels, coarse[rows])]
        assert (exact <= rank).all(), seed
        assert (rank - exact <= mass).all(), seed


def test_shifting_bits_away_only_ever_lowers_a_rank_within_its_level() -> None:
    for seed in range(200):
        case, tables, level = levelled(seed)
        catalog = case.catalog(tables, level)
        rank, _, _ = ranks_at(catalog, case, level)
        exact = reference_rank(case, level.astype(np.float64))
        coarse = level >> (FULL_BITS - catalog.bits)
        same = np.array(
            [
                case.pool.tokens[(coarse == coarse[i]) & (case.batch.group == case.batch.group[i])].sum()
                for i in range(len(level))
            ]
        )
        assert (exact <= rank).all(), seed
        assert (rank - exact < same).all(), seed


def least_bits(case: Case, level: Ints) -> int:
    """The least bits at which no level holds more than a hundredth of its group beyond the heaviest of its values."""
    for bits in range(LEAST_BITS, FULL_BITS):
        fine = True
        for _, rows in case.groups():
            whole = int(case.pool.tokens[rows].sum())
            held: dict[int, dict[int, int]] = {}
            for value, tokens in zip(level[rows].tolist(), case.pool.tokens[rows].tolist(), strict=True):
                inside = held.setdefault(value >> (FULL_BITS - bits), {})
                inside[value] = inside.get(value, 0) + tokens
            fine &= all((sum(one.values()) - max(one.values())) * 100 <= whole for one in held.values())
        if fine:
            return bits
    return FULL_BITS


def test_bits_are_the_least_that_part_what_is_not_a_tie() -> None:
    chosen = set()
    for seed in range(200):
        case, tables, level = levelled(seed)
        bits = case.catalog(tables, level).bits
        assert bits == least_bits(case, level), seed
        chosen.add(bits)
    assert {LEAST_BITS, FULL_BITS} <= chosen


def test_expected_tokens_are_the_sum_over_levels_exactly() -> None:
    for seed in range(200):
        case, tables, level = levelled(seed)
        catalog = case.catalog(tables, level)
        rankings = {key[1:]: ranking(held) for key, held in catalog.groups.items()}
        curves = {key: sampling_value(CURVE, one.ends / one.total) for key, one in rankings.items()}
        found = Documents(catalog, rankings, {}, curves, {})
        for key, rows in case.groups():
            curve = pool_curve(found, ("web", *key))
            place = rankings[key].places(level[rows] >> (FULL_BITS - catalog.bits))
            tokens = case.pool.tokens[rows]
            by_document = sum(int(s) * int(t) for s, t in zip(curve.values[place], tokens, strict=True))
            assert by_document == curve.weight
            rank = np.array([Fraction(int(e), rankings[key].total) for e in rankings[key].ends])[place]
            exact = sampling_value(CURVE, rank.astype(np.float64))
            assert curve.weight / (1 << 32) == pytest.approx(float(exact @ tokens), rel=1e-8)
