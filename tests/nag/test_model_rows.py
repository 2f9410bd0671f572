"""Rows of token ids in shapes that no other row decides."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.models.rows import GPU_TOKENS, RowBatch, row_batches, shape_of

torch = pytest.importorskip("torch", reason="PyTorch is not installed: shapes of rows are NOT TESTED")

ROWS = st.lists(st.lists(st.integers(1, 9), max_size=70), max_size=60)


@given(ROWS, st.integers(1, 600))
def test_every_row_is_in_one_batch_as_it_is(rows: list[list[int]], at_once: int) -> None:
    found: dict[int, list[int]] = {}
    for batch in row_batches(rows, "cpu", pad=7, at_once=at_once):
        assert len(batch.numbers) == len(batch.tokens)
        assert (batch.tokens[~batch.real] == 7).all()
        for number, tokens, real in zip(batch.numbers, batch.tokens, batch.real, strict=True):
            assert number not in found
            assert len(tokens) == shape_of(len(rows[number]))
            found[number] = tokens[real].tolist()
    assert found == {i: row for i, row in enumerate(rows) if row}


@given(ROWS)
def test_on_a_gpu_all_batches_of_a_length_have_one_shape(rows: list[list[int]]) -> None:
    batches: list[RowBatch] = list(row_batches(rows, torch.device("meta")))
    shapes = defaultdict(set)
    for batch in batches:
        shapes[batch.tokens.shape[1]].add(batch.tokens.shape[0])
        assert batch.real.shape == batch.tokens.shape
        assert len(batch.numbers) < len(batch.tokens)  # of a batch without padding transformers makes another kernel
    assert all(some == {GPU_TOKENS // length} for length, some in shapes.items())
    assert sorted(i for batch in batches for i in batch.numbers) == [i for i, row in enumerate(rows) if row]
