"""Keyed hashes equal a plain loop over the C library, whatever array holds the ids."""

from __future__ import annotations

import math
import random

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mixc.compiler import keyed_hash
from mixc.compiler.keyed_hash import hash60, selection_digest, text_id

PREFIX = b"42:draw:web:"
TYPES = [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int8(), pa.string())]
UNICODE = st.text(st.characters(exclude_categories=["Cs"]), max_size=90)


def plain(prefix: bytes, ids: list[str]) -> list[int]:
    return [xxhash.xxh64_intdigest(prefix + id.encode(), seed=42) >> 4 for id in ids]


@pytest.fixture(params=[1, 3, 10**9], ids=["vectorised", "mixed", "loop"])
def fewest(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyed_hash, "FEWEST_ROWS", request.param)
    monkeypatch.setattr(keyed_hash, "ROWS_AT_ONCE", 5)


@pytest.mark.usefixtures("fewest")
@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=50), st.lists(UNICODE, max_size=40), st.sampled_from(TYPES), st.data())
def test_any_ids_in_any_array(prefix: bytes, ids: list[str], kind: pa.DataType, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(ids)))
    stop = data.draw(st.integers(start, len(ids)))
    array = pa.array(ids, kind).slice(start, stop - start)
    hashes = hash60(prefix, array)
    assert hashes.dtype == np.uint64
    assert hashes.tolist() == plain(prefix, ids[start:stop])


@pytest.mark.usefixtures("fewest")
@pytest.mark.parametrize("length", [*range(72), 127, 128, 129, 255, 256, 257, 1000])
def test_every_length_of_key(length: int) -> None:
    for prefix in (b"", b"1:split:a:", b"p" * 33):
        ids = ["".join(chr(33 + (row * 7 + column * row) % 90) for column in range(length)) for row in range(13)]
        assert hash60(prefix, pa.array(ids)).tolist() == plain(prefix, ids)


@pytest.mark.parametrize("kind", TYPES[:3])
def test_many_ids_of_many_lengths(kind: pa.DataType) -> None:
    ids = [str(row * row) if row % 5 else f"ß{row}" * (row % 7) for row in range(20_000)]
    array = pa.array(ids, kind).slice(17)
    assert hash60(PREFIX, array).tolist() == plain(PREFIX, ids[17:])
    same = [f"<urn:uuid:{row:037d}>" for row in range(20_000)]
    assert hash60(PREFIX, pa.array(same, kind).slice(3)).tolist() == plain(PREFIX, same[3:])


def test_both_ways_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyed_hash, "FEWEST_ROWS", 10)
    looped: list[int] = []
    each = keyed_hash._hash_each

    def counted(prefix: bytes, ids: pa.Array) -> NDArray[np.uint64]:
        looped.append(len(ids))
        return each(prefix, ids)

    monkeypatch.setattr(keyed_hash, "_hash_each", counted)
    ids = ["abc"] * 10 + ["é" * 4] * 9 + ["x" * 400] * 11
    assert hash60(PREFIX, pa.array(ids)).tolist() == plain(PREFIX, ids)
    assert looped == [20]


def test_ids_without_data_or_rows() -> None:
    assert hash60(PREFIX, pa.array([], pa.string())).tolist() == []
    assert hash60(PREFIX, pa.array([], TYPES[2])).tolist() == []
    assert hash60(PREFIX, pa.array([""] * 3000)).tolist() == plain(PREFIX, [""]) * 3000
    assert hash60(b"", pa.array(["", "a"])).tolist() == plain(b"", ["", "a"])


def test_a_null_has_no_hash() -> None:
    unused = pa.DictionaryArray.from_arrays(pa.array([1, 1, 1], pa.int32()), pa.array([None, "a"]))
    assert hash60(PREFIX, unused).tolist() == plain(PREFIX, ["a"] * 3)
    used = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1], pa.int32()), pa.array([None, "a"]))
    for array in (pa.array(["a", None]), pa.array(["a", None], TYPES[2]), used):
        with pytest.raises(ValueError, match="null"):
            hash60(PREFIX, array)
    assert hash60(PREFIX, pa.array(["a", None, "b"]).slice(2)).tolist() == plain(PREFIX, ["b"])


def test_hashes_of_sequential_ids_are_uniform_and_purposes_independent() -> None:
    """Chi-square of 1,024 intervals and the mean, per source; the correlation of two purposes."""
    rows = 200_000
    ids = pa.array([str(row) for row in range(rows)])
    for source in (b"a", b"b", b"web"):
        draw, shuffle = (hash60(b"0:%s:%s:" % (purpose, source), ids) / 2.0**60 for purpose in (b"draw", b"shuffle"))
        for unit in (draw, shuffle):
            counts = np.bincount((unit * 1024).astype(int), minlength=1024)
            square = float(((counts - rows / 1024) ** 2).sum() / (rows / 1024))
            assert abs(square - 1023) < 4 * math.sqrt(2 * 1023)
            assert abs(unit.mean() - 0.5) < 4 / math.sqrt(12 * rows)
        assert abs(np.corrcoef(draw, shuffle)[0, 1]) < 4 / math.sqrt(rows)
        assert abs(np.corrcoef(draw[1:], draw[:-1])[0, 1]) < 4 / math.sqrt(rows)


Record = tuple[str, int, int]  # id, copies, cell
RECORDS = st.lists(st.tuples(UNICODE, st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**63 - 1)), max_size=20)


def digest(records: list[Record], kind: pa.DataType = TYPES[0]) -> int:
    ids, copies, cells = ([record[part] for record in records] for part in range(3))
    return selection_digest(pa.array(ids, kind), np.array(copies, np.int64), np.array(cells, np.int64))


@settings(max_examples=100, deadline=None)
@given(RECORDS, st.sampled_from(TYPES[:3]))
def test_the_digest_is_the_sum_of_its_records(records: list[Record], kind: pa.DataType) -> None:
    expected = 0
    for id, copies, cell in records:
        text = id.encode()
        record = len(text).to_bytes(4, "little") + text + copies.to_bytes(8, "little", signed=True)
        expected += xxhash.xxh3_128_intdigest(record + cell.to_bytes(8, "little"))
    assert digest(records, kind) == expected % 2**128


@settings(max_examples=50, deadline=None)
@given(RECORDS, RECORDS, st.randoms(use_true_random=False))
def test_the_digest_adds_up_in_any_order(a: list[Record], b: list[Record], order: random.Random) -> None:
    both = [*a, *b]
    order.shuffle(both)
    assert digest(both) == (digest(a) + digest(b)) % 2**128


def test_the_digest_tells_apart_what_differs() -> None:
    known: list[list[Record]] = [[("a", 1, 0)], [("a", 2, 0)], [("a", 1, 1)], [("b", 1, 0)], [("", 1, 0)], []]
    known.append(known[0] * 2)
    assert len({digest(records) for records in known}) == len(known)
    assert digest([("doc-1", 2, 7), ("é", 1, 3)]) == 0x6830F9103B9DEBC9C719C464C21F190E
    with pytest.raises(ValueError, match="null"):
        selection_digest(pa.array(["a", None]), np.ones(2, np.int64), np.ones(2, np.int64))


@pytest.mark.parametrize("kind", TYPES[:3])
def test_a_text_gives_the_id(kind: pa.DataType) -> None:
    texts = ["skipped", "", "the text", None, "日本語", "the text", "x" * 100_000]
    ids = text_id(pa.array(texts, kind).slice(1))
    assert ids.type == pa.string()
    expected = [None if text is None else xxhash.xxh3_128_hexdigest(text.encode()) for text in texts[1:]]
    assert ids.to_pylist() == expected
    assert text_id(pa.array([], kind)).to_pylist() == []
