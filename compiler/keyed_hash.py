"""Keyed hashes of documents: whether one is drawn, how it is shuffled, what a selection adds up to.

A hash depends on the bytes of the id and of the prefix alone, so any order, any sharding and any engine with an XXH64
gives the same one. The vectorised form is for many keys of one length; everything else goes through the C library.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from mixc.compiler.short_hash import LONGEST, total, xxh3_128

Words = NDArray[np.uint64]

SEED = 42
BITS = 60
P1, P2, P3, P4, P5 = (
    np.uint64(prime)
    for prime in (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )
)
MODULUS = 1 << 64
# Where numpy overtakes the C loop: many rows repay its some 100 calls; gathering and long keys cost it (measured).
FEWEST_ROWS = 2048
LONGEST_KEY = 256
RECORD = 20  # bytes of a record of the digest beside the id
ROWS_AT_ONCE = 8192  # so that the arrays of a step stay in the cache


def hash60(prefix: bytes, ids: pa.Array) -> Words:
    """The top 60 bits of XXH64 with seed 42 over `prefix` and the UTF-8 id: uint64 [n], below 2^60.

    The prefix is `b"<seed>:<purpose>:<source>:"`. Ids are a string, large_string or dictionary array, sliced or not;
    a null has no hash and is a `ValueError`.
    """
    if ids.null_count:
        raise ValueError("an id is null")
    if pa.types.is_dictionary(ids.type):
        if ids.dictionary.null_count or len(ids.dictionary) > len(ids):
            return hash60(prefix, ids.dictionary_decode())
        indices: NDArray[np.integer[Any]] = ids.indices.to_numpy(zero_copy_only=False)
        return np.take(hash60(prefix, ids.dictionary), indices)
    offsets, data = _buffers(ids)
    lengths = np.diff(offsets)
    hashes = np.empty(len(lengths), dtype=np.uint64)
    slow = np.ones(len(lengths), dtype=bool)
    for length, rows in _groups(lengths, LONGEST_KEY - len(prefix)):
        slow[rows] = False
        for here in _blocks(rows, len(lengths)):
            hashes[here] = _xxh64(_keys(prefix, data, offsets[:-1][here], length), len(prefix) + length)
    if slow.any():
        hashes[slow] = _hash_each(prefix, ids if slow.all() else ids.filter(pa.array(slow)))
    return hashes >> np.uint64(64 - BITS)


def selection_digest(ids: pa.Array, copies: NDArray[np.int64], cells: NDArray[np.int64]) -> int:
    """Sum mod 2^128 of XXH3-128 (seed 0) over one record per document: any order and any sharding give the same sum.

    A record is the length of the UTF-8 id in bytes (4 bytes), the id, its copies (8 bytes) and its cell (8 bytes),
    all little-endian. The digests of two disjoint parts of a selection add up.
    """
    texts = _plain(ids)
    if texts.null_count:
        raise ValueError("an id is null")
    offsets, data = _buffers(texts)
    lengths = np.diff(offsets)
    amounts = np.stack([copies, cells], axis=1).astype("<i8")
    slow = np.ones(len(lengths), dtype=bool)
    found = 0
    for length, rows in _groups(lengths, LONGEST - RECORD):
        slow[rows] = False
        for block in _blocks(rows, len(lengths)):
            records = _records(data, offsets[:-1][block], length, amounts[block])
            found += total(*xxh3_128(records))
    if slow.any():
        kept = slice(None) if slow.all() else slow
        found += _digest_each(texts if slow.all() else texts.filter(pa.array(slow)), amounts[kept])
    return found % (1 << 128)


def _digest_each(texts: pa.Array, amounts: NDArray[np.int64]) -> int:
    """The sum of the hashes of all records by the C library, row by row."""
    lengths = np.diff(_buffers(texts)[0]).astype("<u4")
    records = _joined(_fixed(lengths, 4), texts.cast(pa.large_binary()), _fixed(amounts, 16))
    digests = b"".join(map(xxhash.xxh3_128_digest, records.to_pylist()))  # as integers they would take twice as long
    words = np.frombuffer(digests, ">u4").astype(np.uint32).reshape(-1, 4)
    limbs: list[int] = words.sum(axis=0, dtype=np.uint64).tolist()
    return sum(limb << shift for limb, shift in zip(limbs, (96, 64, 32, 0), strict=True))


def text_id(texts: pa.Array) -> pa.Array:
    """The id of a document that has none: XXH3-128 of its UTF-8 text in hexadecimal, string [n]; null for a null.

    Documents of one text are one document.
    """
    texts = _plain(texts)
    ids = pa.array(map(xxhash.xxh3_128_hexdigest, _each(texts)), pa.string(), size=len(texts))
    return pc.call_function("if_else", [texts.is_valid(), ids, pa.scalar(None, pa.string())])


def _plain(texts: pa.Array) -> pa.Array:
    return texts.dictionary_decode() if pa.types.is_dictionary(texts.type) else texts


def _buffers(texts: pa.Array) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Offsets [n + 1] of an array of strings or bytes into its data, whose slice begins anywhere."""
    wide = pa.types.is_large_string(texts.type) or pa.types.is_large_binary(texts.type)
    _, offsets, data = texts.buffers()
    if not len(texts):  # which may have no offsets at all
        return np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.uint8)
    kind = np.dtype(np.int64 if wide else np.int32)
    starts = np.frombuffer(offsets, kind, len(texts) + 1, texts.offset * kind.itemsize)
    return starts, np.frombuffer(data, np.uint8) if data else np.empty(0, dtype=np.uint8)


def _each(texts: pa.Array) -> Iterator[memoryview]:
    """The bytes of every row, not copied, for texts may be long; those of a null may be any."""
    offsets, data = _buffers(texts)
    edges = offsets.tolist()
    return map(data.data.__getitem__, map(slice, edges, edges[1:]))


def _fixed(values: NDArray[Any], width: int) -> pa.Array:
    """Every row of an array as `width` bytes."""
    rows = len(values)
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.large_binary(), rows, buffers)


def _joined(*parts: Any) -> Any:
    """Bytes of all parts of every row, one after the other."""
    return pc.call_function("binary_join_element_wise", [*parts, pa.scalar(b"", pa.large_binary())])


def _hash_each(prefix: bytes, ids: pa.Array) -> Words:
    """XXH64 by the C library, row by row."""
    keys = _joined(pa.scalar(prefix, pa.large_binary()), ids.cast(pa.large_binary()))
    return np.fromiter(map(xxhash.xxh64_intdigest, keys.to_pylist(), repeat(SEED)), np.uint64, len(ids))


def _groups(lengths: NDArray[Any], longest: int) -> Iterator[tuple[int, slice | NDArray[np.intp]]]:
    """(length of the id, rows of it) for every length worth the vectorised form; a slice where all rows have it."""
    if len(lengths) < FEWEST_ROWS:
        return
    if lengths[0] <= longest and (lengths == lengths[0]).all():
        yield int(lengths[0]), slice(None)
        return
    counts = np.bincount(np.clip(lengths, 0, max(longest, 0) + 1), minlength=1)
    for length in np.flatnonzero(counts[: max(longest + 1, 0)] >= FEWEST_ROWS).tolist():
        yield length, np.flatnonzero(lengths == length)


def _blocks(rows: slice | NDArray[np.intp], count: int) -> Iterator[slice | NDArray[np.intp]]:
    """Some rows at a time, of rows among `count`."""
    for first in range(0, count if isinstance(rows, slice) else len(rows), ROWS_AT_ONCE):
        block = slice(first, first + ROWS_AT_ONCE)
        yield block if isinstance(rows, slice) else rows[block]


def _records(
    data: NDArray[np.uint8], starts: NDArray[Any], length: int, amounts: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """The length of the id, the id, and two numbers of every row: uint8 [n, 20 + length]."""
    records = np.empty((len(starts), RECORD + length), dtype=np.uint8)
    records[:, :4] = np.frombuffer(length.to_bytes(4, "little"), np.uint8)
    _put(records[:, 4 : 4 + length], data, starts)
    records[:, 4 + length :] = amounts.view(np.uint8).reshape(len(starts), 16)
    return records


def _put(target: NDArray[np.uint8], data: NDArray[np.uint8], starts: NDArray[Any]) -> None:
    """Copy ids of one length, which begin at `starts`, into the rows of a target [n, length]."""
    count, length = target.shape
    if length:
        # One item of `length` bytes at every byte of the data: taking items copies whole ids.
        items: NDArray[Any] = np.ndarray((len(data) - length + 1,), f"V{length}", data, strides=(1,))
        target[:] = items[starts].view(np.uint8).reshape(count, length)


def _keys(prefix: bytes, data: NDArray[np.uint8], starts: NDArray[Any], length: int) -> NDArray[np.uint8]:
    """Prefix and id of every row, padded with zeros to whole words: uint8 [n, 8 * words]."""
    size = len(prefix) + length
    keys = np.zeros((len(starts), -(-size // 8) * 8), dtype=np.uint8)
    keys[:, : len(prefix)] = np.frombuffer(prefix, np.uint8)
    _put(keys[:, len(prefix) : size], data, starts)
    return keys


def _xxh64(keys: NDArray[np.uint8], size: int) -> Words:
    """XXH64 with seed 42 of the first `size` bytes of every row."""
    words = np.ascontiguousarray(keys.view("<u8").T).astype(np.uint64, copy=False)  # [words, n]
    stripes, used = size // 32, size // 32 * 4
    hashes = _stripes(words[:used].reshape(stripes, 4, -1)) if stripes else np.full(len(keys), P5 + np.uint64(SEED))
    hashes += np.uint64(size)
    for word in _round(words[used : size // 8]):
        hashes ^= word
        hashes = _turn(hashes, 27)
        hashes *= P1
        hashes += P4
    at = size // 8 * 8
    if size - at >= 4:
        hashes ^= (words[-1] & np.uint64(0xFFFFFFFF)) * P1
        hashes = _turn(hashes, 23)
        hashes *= P2
        hashes += P3
        at += 4
    for column in range(at, size):
        hashes ^= keys[:, column].astype(np.uint64) * P5
        hashes = _turn(hashes, 11)
        hashes *= P1
    return _avalanche(hashes)


def _stripes(words: Words) -> Words:
    """The hash after whole stripes of 32 bytes, [stripes, 4, n] -> [n]: four lanes, then their merge."""
    starts = (SEED + int(P1) + int(P2), SEED + int(P2), SEED, SEED - int(P1))
    lanes: Words = np.array([start % MODULUS for start in starts], dtype=np.uint64)[:, None]
    for stripe in words:
        lanes = _turn(stripe * P2 + lanes, 31)
        lanes *= P1
    hashes: Words = np.add.reduce([_turn(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)])
    for lane in _round(lanes):
        hashes ^= lane
        hashes *= P1
        hashes += P4
    return hashes


def _round(words: Words) -> Words:
    """A word on its way into the hash."""
    turned = _turn(words * P2, 31)
    turned *= P1
    return turned


def _turn(words: Words, bits: int) -> Words:
    """Bits rotated to the left."""
    left = words << np.uint64(bits)
    left |= words >> np.uint64(64 - bits)
    return left


def _avalanche(hashes: Words) -> Words:
    for shift, prime in ((33, P2), (29, P3)):
        hashes ^= hashes >> np.uint64(shift)
        hashes *= prime
    hashes ^= hashes >> np.uint64(32)
    return hashes
