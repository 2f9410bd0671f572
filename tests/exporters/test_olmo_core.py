"""Source mixtures for OLMo-core: ratios that add up, repetitions that suffice, and what cannot be written."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mixc.backends.exporters.leaves import Leaf, Mixture, Stage
from mixc.backends.exporters.olmo_core import enough, export, sources
from mixc.backends.exporters.steps import by_pass, scheduled
from mixc.compiler.export import Settings
from tests.exporters.golden import check
from tests.exporters.made import codes, manifest, texts

DATA = "corpus/{source}/{language}/{domain}/{bucket}.npy"
TWO = Settings(data=DATA, sequence=4096, batch=512)


def listed(made: Mapping[str, str] | None, phase: str) -> list[dict[str, Any]]:
    assert made is not None
    found: list[dict[str, Any]] = yaml.safe_load(made[f"{phase}.yaml"])["sources"]
    return found


def constants(text: str) -> dict[str, Any]:
    """Names in capitals of a program, with their values."""
    return {
        target.id: ast.literal_eval(line.value)
        for line in ast.parse(text).body
        if isinstance(line, ast.Assign) and isinstance(target := line.targets[0], ast.Name) and target.id != "HERE"
    }


def test_golden_places_of_ones_own_two_phases() -> None:
    made, found = export(manifest("pretrain-anneal"), TWO)
    assert made is not None
    assert codes(found) == ["M801", "M819"]
    check(made, "olmo-core/pretrain-anneal")


def test_golden_texts_of_a_run() -> None:
    plan = manifest("polyglot17")
    made, found = export(plan, Settings(texts=texts(plan), sequence=512, batch=16, tokenizer="org/tokenizer"))
    assert made is not None
    assert codes(found) == ["M801"]
    assert all(one["paths"][0].endswith(".npy") for one in listed(made, "main"))
    check(made, "olmo-core/polyglot17")


def test_every_phase_closes_and_is_a_whole_number_of_steps() -> None:
    plan = manifest("pretrain-anneal")
    made, _ = export(plan, TWO)
    assert made is not None
    told = constants(made["mixture.py"])
    assert told["GLOBAL_BATCH_SIZE"] == 4096 * 512
    assert told["SEED"] == plan.selection.seed
    for phase in plan.phases:
        entries = listed(made, phase.name)
        ratios = [one["target_ratio"] for one in entries]
        assert sum(ratios) == pytest.approx(1, abs=1e-15)
        assert float(np.sum(ratios)) == pytest.approx(1, abs=1e-15)
        assert all(0 < ratio <= 1 for ratio in ratios)
        assert len({one["source_name"] for one in entries}) == len(entries)
        assert told["REQUESTED_TOKENS"][phase.name] % told["GLOBAL_BATCH_SIZE"] == 0
        assert all(one["max_source_fraction"] == 1.0 <= one["max_repetition_ratio"] <= 6 for one in entries)


def test_repetitions_are_those_of_the_mixture_rounded_up() -> None:
    plan = manifest("pretrain-anneal")
    made, _ = export(plan, TWO)
    four = {one["paths"][0]: one["max_repetition_ratio"] for one in listed(made, "pretrain")}
    assert four["corpus/fineweb2/ar/web/1.npy"] == pytest.approx(4, abs=1e-4)
    assert four["corpus/fineweb/en/web/0.npy"] == 1.0


@settings(deadline=None)
@given(st.integers(1, 10**13), st.integers(1, 10**13), st.floats(1e-9, 1.0))
def test_building_does_not_fail_by_rounding(available: int, requested: int, ratio: float) -> None:
    repetition = enough(available, requested, ratio)
    needed = int(requested * ratio)
    assert int((available * 1.0) * repetition) >= needed
    assert repetition >= 1
    # and allows no more than the next decimal, or the next float64 of that size
    assert repetition <= max(1.0, needed / available) * (1 + 1e-15) + 2.1e-6


PLACE = st.tuples(st.integers(1, 10**9), st.integers(1, 60))


@settings(deadline=None)
@given(st.lists(PLACE, min_size=1, max_size=8), st.sampled_from([1, 16, 100, 4096]), st.integers(1, 64))
def test_sources_of_any_size_can_be_built(places: list[tuple[int, int]], length: int, batch: int) -> None:
    leaves = tuple(
        Leaf(f"{i}.npy", f"s{i}", max(1, size * tenths // 10), size, None, None)
        for i, (size, tenths) in enumerate(places)
    )
    mixed, schedules, _ = scheduled(Mixture("m", (Stage("main", 0, leaves),), False), length, batch, by_pass)
    if schedules is None:
        return
    schedule, stage = schedules[0], mixed.stages[0]
    asked = schedule.read * length
    assert asked % (batch * length) == 0
    for leaf, one, sequences in zip(stage.leaves, sources(stage, schedule, length), schedule.sequences, strict=True):
        needed = int(asked * one["target_ratio"])
        assert int(leaf.available * one["max_source_fraction"] * one["max_repetition_ratio"]) >= needed
        assert sequences * length - 1 <= needed <= sequences * length  # at most one token is cut off
        assert needed <= leaf.tokens


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (Settings(sequence=4096, batch=512), "M703"),
        (Settings(data=DATA, batch=512), "M705"),
        (Settings(data=DATA, sequence=4096), "M705"),
        (Settings(data=DATA, sequence=4096, batch=10**12), "M818"),
    ],
)
def test_what_cannot_be_written(settings: Settings, code: str) -> None:
    made, found = export(manifest("polyglot17"), settings)
    assert made is None
    assert codes(found) == [code]
