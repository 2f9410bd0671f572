"""Weights of samples: Data-Juicer's own rounding gives the numbers that were decided, and no place nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.exporters.data_juicer import export, weights
from mixc.compiler.export import Counted, Settings
from tests.examples import shown
from tests.exporters.golden import check
from tests.exporters.made import DATA, codes, manifest, texts


def drawn(made: Sequence[float], most: int) -> list[int]:
    """The rule by which Data-Juicer shares samples out."""
    shares = np.array(made, dtype=np.float64)
    shares /= np.sum(shares)
    numbers: list[int] = []
    for share in shares:
        numbers.append(min(int(np.ceil(most * share)), most - sum(numbers)))
    return numbers


def written(made: Mapping[str, str] | None, phase: str) -> dict[str, Any]:
    assert made is not None
    found: dict[str, Any] = yaml.safe_load(made[f"{phase}.yaml"])
    return found


def test_golden_places_of_ones_own_two_phases() -> None:
    plan = manifest("pretrain-anneal")
    counts = {
        f"corpus/{row.source}/{row.language}/{row.domain}/{bucket}": Counted(supply // 700, supply)
        for row in plan.mixture
        for bucket, supply in enumerate(row.supply_by_bucket)
    }
    made, found = export(plan, Settings(data=DATA, counts=counts))
    assert codes(found) == ["M819"]
    assert made is not None
    check(made, "data-juicer/pretrain-anneal")


def test_golden_texts_of_a_run() -> None:
    plan = manifest("polyglot17")
    made, found = export(plan, Settings(texts=texts(plan, repeat=True)))
    assert found == []
    assert made is not None
    check(made, "data-juicer/polyglot17")


@given(st.lists(st.integers(1, 10**11), min_size=1, max_size=60))
def test_every_place_gives_its_number_of_samples(samples: list[int]) -> None:
    assert drawn(weights(samples), sum(samples)) == samples


def test_equal_weights_would_leave_the_last_places_out() -> None:
    assert drawn([1.0] * 30, 100) == [4] * 25 + [0] * 5
    assert drawn(weights([4, 3] * 15), 105) == [4, 3] * 15


def test_numbers_of_samples_follow_from_documents_and_tokens() -> None:
    plan = manifest("hello")
    rows = {row.language: row for row in plan.mixture}
    counts = {f"c/{code}": Counted(1000 + i, row.supply) for i, (code, row) in enumerate(sorted(rows.items()))}
    config = written(export(plan, Settings(data="c/{language}", counts=counts))[0], "main")
    samples = [one.documents * rows[path[2:]].tokens // one.tokens for path, one in sorted(counts.items())]
    made = [one["weight"] for one in config["dataset"]["configs"]]
    assert drawn(made, config["dataset"]["max_sample_num"]) == samples
    assert "suffixes" not in config
    counts["c/de"] = Counted(1, rows["de"].tokens + 1)
    made_again, found = export(plan, Settings(data="c/{language}", counts=counts))
    assert codes(found) == ["M807"]
    assert len(written(made_again, "main")["dataset"]["configs"]) == 2


def test_of_a_run_every_row_is_read_once() -> None:
    plan = manifest("hello")
    cells = texts(plan, repeat=True)
    config = written(export(plan, Settings(texts=cells, data=DATA))[0], "main")
    assert config["dataset"]["max_sample_num"] == sum(one.rows for one in cells)
    assert config["suffixes"] == [".parquet"]
    assert config["dataset"]["configs"][0]["path"] == "selection/texts/main/web/de/und"


def test_what_is_missing() -> None:
    plan = manifest("pretrain-anneal")
    assert codes(export(plan, Settings())[1]) == ["M703"]
    _, found = export(plan, Settings(data="c/{phase}"))
    assert codes(found) == ["M707", "M834", "M706", "M706"]
    command = "mixc export plan.manifest.json --to data-juicer -o export"
    shown("M834", found, command=f"{command} --data 'c/{{phase}}'")
    _, found = export(plan, Settings(texts=texts(plan)))
    assert codes(found) == ["M803"]
    about = "`out` was filled by `mixc run --materialize`, which writes each text once."
    shown("M803", found, about=about, command=f"{command} --run out")
    one = tuple(replace(cell, repeat=True) for cell in texts(plan) if cell.phase == "anneal")
    assert codes(export(plan, Settings(texts=one))[1]) == ["M808"]
    counts = {"c/all": Counted(1, 10**15)}
    assert codes(export(plan, Settings(data="c/all", counts=counts))[1])[-2:] == ["M808", "M808"]
