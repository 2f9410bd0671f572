"""XXH3-128 (seed 0) of many records of one length at once, in numpy: for records of 17 to 128 bytes.

After its specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md). Other lengths go through the C library.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

SHORTEST, LONGEST = 17, 128  # bytes
MODULUS = 1 << 64
SECRET = np.frombuffer(
    bytes.fromhex(
        "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
        "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8"
        "fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    ),
    "<u8",
)
P1, P2, P4 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x85EBCA77C2B2AE63
AVALANCHE = np.uint64(0x165667919E3779F9)
HALF, LOWER = np.uint64(32), np.uint64(0xFFFFFFFF)


def xxh3_128(records: NDArray[np.uint8]) -> tuple[Words, Words]:
    """(high, low) words of the hashes of records [n, length]."""
    count, length = records.shape
    if not SHORTEST <= length <= LONGEST:
        raise ValueError(f"no records of {length} bytes")
    low, high = np.full(count, length * P1 % MODULUS, dtype=np.uint64), np.zeros(count, dtype=np.uint64)
    for step in range((length - 1) // 32, -1, -1):
        first, last = (_pair(records, at) for at in (16 * step, length - 16 * (step + 1)))
        low += _folded(first, SECRET[4 * step : 4 * step + 2])
        low ^= last[0] + last[1]
        high += _folded(last, SECRET[4 * step + 2 : 4 * step + 4])
        high ^= first[0] + first[1]
    mixed = low * np.uint64(P1)
    mixed += high * np.uint64(P4)
    mixed += np.uint64(length * P2 % MODULUS)
    return np.negative(_avalanche(mixed)), _avalanche(low + high)


def total(high: Words, low: Words) -> int:
    """The sum of hashes, a whole number."""
    limbs = ((low & LOWER, 0), (low >> HALF, 32), (high & LOWER, 64), (high >> HALF, 96))
    return sum(int(limb.sum(dtype=np.uint64)) << shift for limb, shift in limbs)


def _pair(records: NDArray[np.uint8], at: int) -> tuple[Words, Words]:
    """Two words of every record, from a byte on."""
    count, length = records.shape
    words: tuple[NDArray[Any], ...] = tuple(
        np.ndarray((count,), "<u8", records, place, (length,)) for place in (at, at + 8)
    )
    return words[0].astype(np.uint64), words[1].astype(np.uint64)


def _folded(words: tuple[Words, Words], secret: Words) -> Words:
    """Both words with the secret, multiplied to 128 bits, of which the halves are joined."""
    a, b = words[0] ^ secret[0], words[1] ^ secret[1]
    a_low, a_high, b_low, b_high = a & LOWER, a >> HALF, b & LOWER, b >> HALF
    a *= b
    carried = a_low * b_low
    carried >>= HALF
    carried += a_high * b_low
    a_low *= b_high
    a_low += carried & LOWER
    a_high *= b_high
    a_high += carried >> HALF
    a_high += a_low >> HALF
    return np.asarray(a ^ a_high)


def _avalanche(words: Words) -> Words:
    words ^= words >> np.uint64(37)
    words *= AVALANCHE
    words ^= words >> HALF
    return words
