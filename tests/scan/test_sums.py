"""Counts as they are added up over files and kept: every way gives the same whole numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from mixc.compiler.scan import counts as counting
from mixc.compiler.scan import ragged
from mixc.compiler.scan.counts import Counts, LevelCounts
from mixc.compiler.scan.labels import Key
from mixc.compiler.scan.store import read_numbers, write_numbers
from mixc.compiler.scan.totals import Totals

LEVELS = 64
numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9)
levels = st.dictionaries(st.integers(0, LEVELS - 1), st.tuples(st.integers(1, 9), st.integers(1, 2**40)), max_size=60)
keys = st.tuples(st.sampled_from(["en", "de"]), st.sampled_from(["news", "books"]))
files = st.lists(st.tuples(st.dictionaries(keys, levels), st.dictionaries(keys, st.integers(1, 5))), max_size=6)

Groups = dict[Key, dict[int, tuple[int, int]]]
Held = tuple[Groups, dict[Key, int]]


def counts_of(groups: Groups, excluded: dict[Key, int]) -> Counts:
    found = {}
    for key, held in groups.items():
        if held:
            rows = np.array([(level, d, t, t // d) for level, (d, t) in sorted(held.items())], dtype=np.int64)
            found[key] = LevelCounts(*rows.T)
    return Counts(found, excluded)


def plain(counts: Counts) -> tuple[dict[Key, list[list[int]]], dict[Key, int]]:
    groups = counts.groups.items()
    columns = {key: [c.tolist() for c in (g.levels, g.documents, g.tokens, g.largest)] for key, g in groups}
    return columns, dict(counts.excluded)


@given(files, st.sampled_from([6, 16]))
def test_totals_are_the_sums_of_files(held: list[Held], bits: int) -> None:
    parts = [counts_of(*one) for one in held]
    totals = Totals(bits)
    for one in parts:
        totals.add("web", one)
    found = totals.by_source()
    assert found.keys() == ({"web"} if parts else set())
    if parts:
        assert plain(found["web"]) == plain(counting.total(parts))


@given(files)
def test_counts_are_kept_as_they_are(held: list[Held]) -> None:
    for one in held:
        counts = counts_of(*one)
        assert plain(counting.from_table(counting.to_table(counts))) == plain(counts)


@given(st.lists(st.tuples(st.text(max_size=3), st.lists(st.tuples(numbers, numbers), max_size=5)), max_size=6))
def test_ragged_rows_are_kept_as_they_are(rows: list[tuple[str, list[tuple[int, int]]]]) -> None:
    columns_of = (np.array(held, dtype=np.int64).reshape(-1, 2).T for _, held in rows)
    arrays = [([name, i], list(columns)) for i, ((name, _), columns) in enumerate(zip(rows, columns_of, strict=True))]
    table = ragged.to_table(("one", "other"), arrays)
    found = [(head, np.stack(columns).T.tolist()) for head, columns in ragged.from_table(table)]
    assert found == [([name, i], [list(pair) for pair in held]) for i, (name, held) in enumerate(rows)]


def test_ragged_rows_survive_a_file(tmp_path: Path) -> None:
    rows = [
        (["en", 1], (np.arange(9), np.arange(9) << 40)),
        (["de", 2], (np.zeros(0, np.int64), np.zeros(0, np.int64))),
    ]
    write_numbers(ragged.to_table(("one", "other"), rows), tmp_path / "kept.parquet")
    found = list(ragged.from_table(read_numbers(tmp_path / "kept.parquet")))
    assert [head for head, _ in found] == [["en", 1], ["de", 2]]
    assert all(
        (a == b).all()
        for (_, one), (_, other) in zip(found, rows, strict=True)
        for a, b in zip(one, other, strict=True)
    )
    encodings = pq.ParquetFile(tmp_path / "kept.parquet").metadata.row_group(0).column(1).encodings
    assert "BYTE_STREAM_SPLIT" in encodings
