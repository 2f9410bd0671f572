"""Sets for LitData: shares, whole passes, and how far the drawing surely goes."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixc.backends.exporters.leaves import Stage
from mixc.backends.exporters.litdata import certain, export
from mixc.backends.exporters.steps import Schedule
from mixc.compiler.export import Settings
from tests.exporters.golden import check
from tests.exporters.made import DATA, codes, leaf, manifest, texts

TWO = Settings(data=DATA, sequence=4096)


def told(made: Mapping[str, str] | None, phase: str) -> dict[str, Any]:
    assert made is not None
    found: dict[str, Any] = json.loads(made[f"{phase}.json"])
    return found


def test_golden_places_of_ones_own_two_phases() -> None:
    made, found = export(manifest("pretrain-anneal"), TWO)
    assert made is not None
    assert codes(found) == ["M819"]
    check(made, "litdata/pretrain-anneal")


def test_golden_texts_of_a_run() -> None:
    plan = manifest("polyglot17")
    made, found = export(plan, Settings(texts=texts(plan), sequence=512, tokenizer="org/tokenizer"))
    assert made is not None
    assert found == []
    check(made, "litdata/polyglot17")


def test_sets_have_shares_that_close_and_passes_rounded_up() -> None:
    made, _ = export(manifest("pretrain-anneal"), TWO)
    assert made is not None
    for number, phase in enumerate(("pretrain", "anneal")):
        one = told(made, phase)
        assert one["seed"] == 42 + number  # phases draw different parts of a place
        assert one["sequence_length"] == 4096
        assert 0 < one["sequences_for_sure"] <= one["sequences"]
        assert math.fsum(item["weight"] for item in one["sets"]) == 1
    passes = {item["input_dir"]: item["passes"] for item in told(made, "pretrain")["sets"]}
    assert passes["corpus/fineweb/en/web/0"] == 1
    assert passes["corpus/fineweb2/ar/web/1"] == 4
    ast.parse(made["loader.py"])
    assert "iterate_over_all=False" in made["loader.py"]  # its default refuses weights


def test_with_a_batch_whole_steps_are_told() -> None:
    made, found = export(manifest("pretrain-anneal"), Settings(data=DATA, sequence=4096, batch=512))
    assert codes(found) == ["M801", "M819"]
    assert told(made, "anneal")["sequences"] % 512 == 0


def test_a_single_set_is_drawn_to_its_end() -> None:
    stage = Stage("main", 1000, (leaf(1000, 1000),))
    assert certain(stage, Schedule((10,), 10, None), 100) == 10


def test_how_far_the_drawing_surely_goes_by_hand() -> None:
    """Halves of 10,000 and of 100: M/2 + 4 sqrt(M/4) = 100 where sqrt(M) = sqrt(204) - 2."""
    stage = Stage("main", 200, (leaf(100, 10_000), leaf(100, 100, path="b")))
    assert certain(stage, Schedule((100, 100), 200, None), 1) == 150


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 40)), min_size=2, max_size=9))
def test_no_set_ends_before_what_is_sure(places: list[tuple[int, int]]) -> None:
    leaves = tuple(leaf(max(1, size * tenths // 10), size, path=str(i)) for i, (size, tenths) in enumerate(places))
    stage = Stage("main", 0, leaves)
    sequences = tuple(one.tokens for one in leaves)
    total = sum(sequences)
    sure = certain(stage, Schedule(sequences, total, None), 1)
    assert sure <= total
    for one in leaves:
        sets = -(-one.tokens // one.available)
        share = one.tokens / total / sets
        assert sure * share + 4 * math.sqrt(sure * share * (1 - share)) <= one.available + 1e-3


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (Settings(sequence=4096), "M703"),
        (Settings(data=DATA), "M705"),
        (Settings(data=DATA, sequence=10**13), "M808"),
        (Settings(data=DATA, sequence=4096, batch=10**12), "M818"),
    ],
)
def test_what_cannot_be_written(settings: Settings, code: str) -> None:
    made, found = export(manifest("polyglot17"), settings)
    assert made is None
    assert code in codes(found)
