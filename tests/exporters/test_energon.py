"""Metadatasets: passes that are exact, ranges that phases do not share, remote places, what cannot be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.exporters.energon import _ranges, export
from mixc.compiler.export import Counted, Settings
from tests.examples import shown
from tests.exporters.golden import check
from tests.exporters.made import DATA, codes, leaf, manifest, texts


def entries(made: Mapping[str, str] | None, phase: str) -> list[dict[str, Any]]:
    assert made is not None
    found: list[dict[str, Any]] = yaml.safe_load(made[f"{phase}.yaml"])["splits"]["train"]["blend_epochized"]
    return found


def test_golden_places_of_ones_own_two_phases() -> None:
    made, found = export(manifest("pretrain-anneal"), Settings(data="msc://c/{source}/{language}/{domain}/{bucket}"))
    assert made is not None
    assert found == []
    check(made, "energon/pretrain-anneal")


def test_golden_texts_of_a_run() -> None:
    plan = manifest("polyglot17")
    made, found = export(plan, Settings(texts=texts(plan)))
    assert made is not None
    assert found == []
    assert {one["repetitions"] for one in entries(made, "main")} == {1}
    assert all(one["path"].endswith(".jsonl") and one["split_part"] == "train" for one in entries(made, "main"))
    check({name: text for name, text in made.items() if name != "jsonl.py"}, "energon/polyglot17")


def test_a_fraction_that_no_other_phase_reads_is_a_number() -> None:
    plan = manifest("polyglot17")
    made, _ = export(plan, Settings(data=DATA))
    read = {one["path"]: one["repetitions"] for one in entries(made, "main")}
    for row in plan.mixture:
        for bucket, (tokens, supply) in enumerate(zip(row.tokens_by_bucket, row.supply_by_bucket, strict=True)):
            path = DATA.format(source=row.source, language=row.language, domain=row.domain, bucket=bucket)
            assert (path in read) == (tokens > 0)
            if tokens and tokens % supply == 0:
                assert isinstance(read[path], int)
            if tokens:
                assert int(read[path] * supply) - tokens in (0, 1) or read[path] == tokens / supply


@given(st.integers(1, 60), st.integers(1, 1000), st.lists(st.integers(1, 3000), min_size=2, max_size=4))
def test_phases_read_ranges_one_after_the_other(samples: int, available: int, takes: list[int]) -> None:
    start, seen = 0, Counter(dict.fromkeys(range(samples), 0))
    for take in takes:
        before = seen.total()
        for one in _ranges(
            leaf(take, available, samples), start, Settings(counts={"place": Counted(samples, available)})
        ):
            subset = one.get("subset", {"range": [0, samples]})
            assert isinstance(subset, dict)
            for _ in range(int(str(one["repetitions"]))):
                seen.update(range(*subset["range"]))
        start += take
        assert max(seen.values()) - min(seen.values()) <= 1  # nothing is read again before all is read
        assert seen.total() == start * samples // available
        assert seen.total() - before - take * samples // available in (0, 1)


@given(st.integers(1, 10**6), st.lists(st.integers(1, 10**6), min_size=2, max_size=4))
def test_ranges_in_percent_meet_and_stay_within(available: int, takes: list[int]) -> None:
    start, ends = 0, ["0.0%"]
    for take in takes:
        for one in _ranges(leaf(take, available), start, Settings()):
            subset = one.get("subset")
            if isinstance(subset, dict):
                low, high = subset["range"]
                assert 0 <= float(low[:-1]) < float(high[:-1]) <= 100
                assert low == (ends[-1] if ends[-1] != "100.0%" else "0.0%")
                ends.append(high)
        start += take


def test_what_is_missing_or_cannot_be_read() -> None:
    plan = manifest("hello")
    assert codes(export(plan, Settings())[1]) == ["M703"]
    found = export(plan, Settings(data="s3://bucket/{language}/{source}"))[1]
    assert set(codes(found)) == {"M815"}
    assert "`msc://PROFILE/" in found[0].helps[0]
    command = "mixc export plan.manifest.json --to energon -o export --data 's3://bucket/{language}/{source}'"
    shown("M815", found, command=command)
    assert export(plan, Settings(data="msc://bucket/{language}/{source}"))[0] is not None
    nothing = plan.model_copy(update={"mixture": ()})
    assert codes(export(nothing, Settings(data=DATA))[1]) == ["M808"]
