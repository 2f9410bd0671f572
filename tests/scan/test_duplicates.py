"""Duplicate ids: all of them, the same ones in any order and division, in bounded memory."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mixc.compiler.keyed_hash import hash60
from mixc.compiler.recipe import Source
from mixc.compiler.scan.duplicate_messages import duplicate_ids
from mixc.compiler.scan.duplicates import MOST, SECTIONS, Duplicates, Found, Pair, find
from mixc.dsl.diagnostics import PAGES
from mixc.dsl.text import SourceText, Span
from tests.examples import shown

Batch = tuple[int, int, list[int]]  # file, first row, hashes


def batches(hashes: Sequence[int], rows: int = 3, files: int = 4) -> list[Batch]:
    """The hashes dealt out to files in batches of `rows`."""
    per_file = -(-len(hashes) // files) if hashes else 1
    found = []
    for file in range(files):
        here = list(hashes[file * per_file : (file + 1) * per_file])
        found += [(file, row, here[row : row + rows]) for row in range(0, len(here), rows)]
    return found


def plain(given: Sequence[Batch]) -> list[Pair]:
    """Every pair, from a dictionary of lists."""
    places: dict[int, list[tuple[int, int]]] = {}
    for file, first, hashes in given:
        for row, value in enumerate(hashes):
            places.setdefault(value, []).append((file, first + row))
    return sorted((min(found), later) for found in places.values() for later in sorted(found)[1:])


def search(folder: Path, workers: Sequence[Sequence[Batch]], collecting: int, **options: int) -> Found:
    spills: list[Path] = []
    for mine in workers:
        collected = Duplicates(folder, collecting)
        for file, first, hashes in mine:
            collected.add(file, first, np.array(hashes, dtype=np.uint64))
        spills += collected.close()
    return find(spills[::-1], **options)


FEW = st.sampled_from([0, 1, SECTIONS, SECTIONS + 1, 2**64 - 1, 2**60, 17])
HASHES = st.lists(FEW | st.integers(0, 2**64 - 1), max_size=300)


@settings(max_examples=60, deadline=None)
@given(HASHES, st.integers(0, MOST), st.integers(1, 3), st.sampled_from([1, 64 * 7, 1 << 20]), st.randoms())
def test_the_same_pairs_in_any_order_division_and_memory(
    hashes: list[int], limit: int, workers: int, memory: int, order: random.Random
) -> None:
    given = batches(hashes)
    expected = plain(given)
    order.shuffle(given)
    with TemporaryDirectory() as folder:
        found = search(Path(folder), [given[n::workers] for n in range(workers)], memory, limit=limit, memory=memory)
    assert found.total == len(expected)
    assert list(found) == expected[:limit]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([3, 3 + SECTIONS, 8]), min_size=300, max_size=900), st.sampled_from([64 * 90, 1 << 20]))
def test_one_id_very_often(hashes: list[int], memory: int) -> None:
    given = batches(hashes, rows=50)
    expected = plain(given)
    with TemporaryDirectory() as folder:
        forward = search(Path(folder), [given], memory, limit=MOST)
        backward = search(Path(folder), [given[::-2], given[-2::-2]], memory, limit=MOST, memory=1)
    assert forward == backward
    assert forward.total == len(expected)
    assert list(forward) == expected[:MOST]


def test_ids_are_found_again(tmp_path: Path) -> None:
    ids = [f"doc-{row}" for row in range(50_000)]
    ids[31_234], ids[49_999] = ids[12], ids[12]
    hashes = hash60(b"0:draw:web:", pa.array(ids))
    collected = Duplicates(tmp_path, 1 << 18)
    for file, first in ((1, 25_000), (0, 0)):
        collected.add(file, 0, hashes[first : first + 25_000])
    spills = collected.close()
    assert len(spills) == -(-50_000 // ((1 << 18) // 64))
    assert find(spills) == Found(2, (((0, 12), (1, 6_234)), ((0, 12), (1, 24_999))))


def test_nothing_to_find(tmp_path: Path) -> None:
    assert find([]) == Found(0, ())
    empty = Duplicates(tmp_path)
    empty.add(0, 0, np.empty(0, dtype=np.uint64))
    assert empty.close() == ()
    assert list(tmp_path.iterdir()) == []
    assert search(tmp_path, [batches(range(5000), rows=100)], 64 * 777) == Found(0, ())


@pytest.mark.parametrize("kind", ["different", "one id", "pairs"])
def test_memory_is_bounded(tmp_path: Path, kind: str) -> None:
    memory, files, rows = 2 << 20, 60, 20_000
    generator = np.random.default_rng(7)
    pool = generator.integers(0, 2**64, 250_000, dtype=np.uint64)
    make: dict[str, Callable[[], NDArray[np.uint64]]] = {
        "different": lambda: generator.integers(0, 2**64, rows, dtype=np.uint64),
        "one id": lambda: np.full(rows, 5, dtype=np.uint64),
        "pairs": lambda: generator.choice(pool, rows),
    }
    tracemalloc.start()
    collected = Duplicates(tmp_path, memory)
    for file in range(files):
        collected.add(file, 0, make[kind]())
    found = find(collected.close(), memory=memory)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.total == 0 or kind != "different"
    assert found.total == files * rows - 1 or kind != "one id"
    assert peak < 1.3 * memory + 3 * rows * 8 < files * rows * 16 / 3


def test_what_cannot_be(tmp_path: Path) -> None:
    collected = Duplicates(tmp_path)
    one = np.zeros(1, dtype=np.uint64)
    for file, row in ((-1, 0), (1 << 24, 0), (0, -1), (0, 1 << 40)):
        with pytest.raises(ValueError, match="no place"):
            collected.add(file, row, one)
    collected.add((1 << 24) - 1, (1 << 40) - 1, one)
    collected.add(0, 0, one)
    spills = collected.close()
    assert find(spills).pairs == (((0, 0), ((1 << 24) - 1, (1 << 40) - 1)),)
    with pytest.raises(ValueError, match="limit"):
        find(spills, limit=MOST + 1)
    spills[0].write_bytes(spills[0].read_bytes()[:-1])
    with pytest.raises(OSError, match="not a complete spill"):
        find(spills)


def test_the_diagnostic_names_both_places_and_the_way_out() -> None:
    found = duplicate_ids(Source("web", "web"), ("a.parquet", 3), ("b.parquet", 14), "x\n" + "y" * 100, 1203)
    assert found.code == "M540"
    assert found.message == f"source `web` has two documents with the id `x�{'y' * 77}…`"
    assert found.notes == (
        "in row 3 of `a.parquet`, again in row 14 of `b.parquet`",
        "1,203 rows repeat an id that stands before them",
    )
    assert [text.split("`")[1] for text in found.helps] == ["ids = per-file", "ids = shared"]
    twice = duplicate_ids(Source("web", "web"), ("a.parquet", 3), ("b.parquet", 14), "doc-7", 1203)
    shown("M540", twice, about="Two files number their documents alike.", command="mixc scan recipe.mix")
    within = duplicate_ids(Source("web", "web"), ("a", 0), ("a", 1), "7", 1)
    assert within.notes[1] == "no other id stands twice"
    assert within.helps[0] == "give every document an id of its own"
    assert "ids = unique" in PAGES["M540"].text


def test_the_diagnostic_points_at_the_source() -> None:
    text = SourceText("r.mix", "source web {}")
    found = duplicate_ids(Source("web", "web", span=Span(text, 0, 6)), ("a", 0), ("b", 0), "7", 1)
    assert found.place == "r.mix:1:1"
