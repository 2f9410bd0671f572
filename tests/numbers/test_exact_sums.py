"""Sums of whole numbers made by sorting, by limbs and in two words, against Python's own integers."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.selection.kernel import SQUARED, Seen
from mixc.backends.selection.sums import exact_products, moments
from mixc.compiler.scan.catalog import fine_enough, too_coarse
from mixc.compiler.scan.counts import LevelCounts, _Tally, summed
from mixc.compiler.scan.ordered import LEVELS, levels
from mixc.compiler.scan.runs import KEY_BITS, counted, in_order, merged

keys_of = st.lists(st.integers(0, 5) | st.integers(0, (1 << KEY_BITS + 4) - 1), max_size=60)


@given(keys_of)
def test_keys_are_sorted_with_their_rows(keys: list[int]) -> None:
    ordered, rows = in_order(np.array(keys, dtype=np.int64))
    assert ordered.tolist() == sorted(keys)
    assert [keys[row] for row in rows] == ordered.tolist()
    assert sorted(rows.tolist()) == list(range(len(keys)))


@given(st.lists(keys_of, min_size=1, max_size=4))
def test_counts_of_parts_add_up(parts: list[list[int]]) -> None:
    found = merged([counted(np.array(part, dtype=np.int64)) for part in parts])
    assert dict(zip(*(column.tolist() for column in found), strict=True)) == Counter(chain.from_iterable(parts))


documents_of = st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 65535), st.integers(1, 9000)), max_size=80)


@given(documents_of, st.sampled_from([12, 16]), st.integers(0, 80))
def test_levels_are_counted_in_whatever_batches(documents: list[tuple[int, int, int]], bits: int, cut: int) -> None:
    tally, keys = _Tally(bits), [("en", str(i)) for i in range(3)]
    for part in (documents[:cut], documents[cut:]):
        group, level, tokens = np.array(part, dtype=np.int64).reshape(-1, 3).T
        tally.add(3, group.astype(np.int32), level.astype(np.int32), tokens, np.ones(len(part), dtype=bool))
    found = tally.result(keys)
    for i, key in enumerate(keys):
        mine = [(level >> 16 - bits, tokens) for group, level, tokens in documents if group == i and level >= 0]
        there = found.groups.get(key, LevelCounts(*(np.zeros(0, np.int64),) * 3))
        assert there.levels.tolist() == sorted({level for level, _ in mine})
        for level, count, total, largest in zip(
            there.levels, there.documents, there.tokens, there.largest, strict=True
        ):
            held = [tokens for other, tokens in mine if other == level]
            assert (count, total, largest) == (len(held), sum(held), max(held))
        assert found.excluded.get(key, 0) == sum(group == i and level < 0 for group, level, _ in documents)
        if len(there.levels) > 1 and bits == 16 and not too_coarse({key: there.coarser(4)}):
            assert len(there.coarser(4).levels) == 1 or fine_enough({key: there}, 4)


def test_largest_documents_are_kept_when_counts_add_up() -> None:
    one = LevelCounts(np.array([1, 3]), np.array([1, 2]), np.array([5, 9]), np.array([5, 6]))
    both = summed([one, LevelCounts(np.array([3]), np.array([1]), np.array([7]), np.array([7]))])
    assert (both.levels.tolist(), both.tokens.tolist(), both.largest.tolist()) == ([1, 3], [5, 16], [5, 7])


words = st.integers(0, 99) | st.integers(0, 2**63 - 1)


@given(st.lists(st.tuples(st.integers(0, 3), words, words), max_size=50))
def test_products_of_words_are_summed_exactly(rows: list[tuple[int, int, int]]) -> None:
    where, one, other = (np.array([row[i] for row in rows], dtype=np.int64) for i in range(3))
    assert exact_products(where, 4, one, other) == [sum(a * b for at, a, b in rows if at == i) for i in range(4)]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5000) | st.integers(1, 2**40)), max_size=50))
def test_squares_of_tokens_are_summed_exactly(documents: list[tuple[int, int]]) -> None:
    seen = Seen(*(np.zeros(4, dtype=np.int64) for _ in range(5)))  # type: ignore[arg-type]
    slot, tokens = (np.array([document[i] for document in documents], dtype=np.int64) for i in range(2))
    seen.add(slot, tokens)
    for i in range(4):
        mine = [count for at, count in documents if at == i]
        assert (int(seen.documents[i]), int(seen.tokens[i])) == (len(mine), sum(mine))
        assert int(seen.largest[i]) == max(mine, default=0)
        assert (int(seen.high[i]) << 32) + int(seen.low[i]) + seen.huge.get(i, 0) == sum(t * t for t in mine)
        assert (i in seen.huge) == any(t >= SQUARED for t in mine)


@given(st.integers(0, 2**36), st.integers(0, 2**36))
def test_the_variance_of_a_draw_is_that_of_one_copy_more_or_less(one: int, other: int) -> None:
    before, after = sorted((one, other))
    mean, second, _ = moments(before, after)
    part = abs((after & 0xFFFFFFFF) - (before & 0xFFFFFFFF))
    assert (second << 32) - mean * mean == part * ((1 << 32) - part)


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=2, max_size=30))
def test_levels_are_ordered_as_the_scores_are(scores: list[float]) -> None:
    ordered = levels(np.sort(np.array(scores, dtype=np.float32)))
    assert (np.diff(ordered.astype(np.int64)) >= 0).all()
    assert ordered.max() < LEVELS
