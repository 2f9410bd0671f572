"""XXH3-128 in numpy against the C library, at every length that it takes."""

from __future__ import annotations

import numpy as np
import pytest
import xxhash

from mixc.compiler.short_hash import LONGEST, SHORTEST, total, xxh3_128


@pytest.mark.parametrize("length", range(SHORTEST, LONGEST + 1))
def test_records_hash_as_by_the_c_library(length: int) -> None:
    records = np.random.default_rng(length).integers(0, 256, (40, length), dtype=np.uint8)
    records[0], records[1] = 0, 255
    high, low = xxh3_128(records)
    expected = [xxhash.xxh3_128_intdigest(record.tobytes()) for record in records]
    assert [(int(h) << 64) + int(w) for h, w in zip(high, low, strict=True)] == expected
    assert total(high, low) == sum(expected)


def test_other_lengths_are_refused() -> None:
    for length in (SHORTEST - 1, LONGEST + 1):
        with pytest.raises(ValueError, match=f"no records of {length} bytes"):
            xxh3_128(np.zeros((2, length), dtype=np.uint8))
