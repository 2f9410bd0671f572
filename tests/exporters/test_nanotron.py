"""Stages for nanotron: the form its source gives them, equal lists, steps that end before a set does.

nanotron itself cannot be installed, so the form is a model of the fields of its `config.py`, written by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mixc.backends.exporters import nanotron
from mixc.backends.exporters.nanotron import export
from mixc.compiler.export import Settings
from tests.exporters.golden import check
from tests.exporters.made import DATA, codes, manifest, texts

TWO = Settings(data=DATA, sequence=4096, batch=512)
Positive = Annotated[float, Field(gt=0, le=1, strict=True)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Sets(Strict):
    """`NanosetDatasetsArgs`."""

    dataset_folder: list[str]
    dataset_weights: list[Positive]
    dataset_read_path: list[str] | None = None
    dataset_max_tokens: list[int] | None = None
    tokenizer_name: str | None = None
    vocab_size: int | None = None
    token_size_in_bytes: int | None = None
    return_positions: bool | None = None

    @model_validator(mode="after")
    def equal(self) -> Sets:
        assert len(self.dataset_folder) == len(self.dataset_weights) == len(set(self.dataset_folder))
        return self


class Data(Strict):
    """`DataArgs`."""

    dataset: Sets
    seed: int
    num_loading_workers: int


class DatasetStage(Strict):
    """`DatasetStageArgs`."""

    name: str
    start_training_step: int
    data: Data


class Tokens(Strict):
    """Of `TokensArgs` what the mixture decides."""

    sequence_length: int
    train_steps: int


class Config(Strict):
    """Of nanotron's `Config` what the mixture decides, with what its own checks ask for."""

    tokens: Tokens
    data_stages: list[DatasetStage]

    @model_validator(mode="after")
    def ordered(self) -> Config:
        starts = [stage.start_training_step for stage in self.data_stages]
        assert starts[0] == 1
        assert starts == sorted(set(starts))
        assert starts[-1] <= self.tokens.train_steps
        assert len({stage.name for stage in self.data_stages}) == len(starts)
        return self


def config(made: Mapping[str, str] | None) -> Config:
    assert made is not None
    found: Any = yaml.safe_load(made["data.yaml"])
    return Config.model_validate(found)


def test_golden_places_of_ones_own_two_phases() -> None:
    made, found = export(manifest("pretrain-anneal"), TWO)
    assert made is not None
    assert codes(found) == ["M801", "M819"]
    check(made, "nanotron/pretrain-anneal")


def test_golden_texts_of_a_run() -> None:
    plan = manifest("polyglot17")
    made, found = export(plan, Settings(texts=texts(plan), sequence=512, batch=16, tokenizer="org/tokenizer"))
    assert made is not None
    assert codes(found) == ["M801"]
    check(made, "nanotron/polyglot17")


def test_stages_have_the_form_of_the_source_and_end_in_time() -> None:
    plan = manifest("pretrain-anneal")
    made, _ = export(plan, TWO)
    told = config(made)
    starts = [stage.start_training_step for stage in told.data_stages] + [told.tokens.train_steps + 1]
    for phase, stage, begin, end in zip(plan.phases, told.data_stages, starts, starts[1:], strict=False):
        assert stage.name == phase.name
        weights = stage.data.dataset.dataset_weights
        assert sum(weights) == pytest.approx(1, abs=1e-15)
        # a sequence takes one token more than its length from a file
        assert (end - begin) * 512 * 4097 <= phase.tokens


def test_no_set_is_asked_for_more_than_it_holds() -> None:
    """Else it would begin again without a word: shares times sequences are at most what is decided, and lies there."""
    plan = manifest("pretrain-anneal")
    made, _ = export(plan, TWO)
    told = config(made)
    cells = {
        (row.phase, f"corpus/{row.source}/{row.language}/{row.domain}/{bucket}"): (tokens, row.supply_by_bucket[bucket])
        for row in plan.mixture
        for bucket, tokens in enumerate(row.tokens_by_bucket)
    }
    starts = [stage.start_training_step for stage in told.data_stages] + [told.tokens.train_steps + 1]
    for stage, begin, end in zip(told.data_stages, starts, starts[1:], strict=False):
        sets, sequences = stage.data.dataset, (end - begin) * 512
        for path, weight in zip(sets.dataset_folder, sets.dataset_weights, strict=True):
            tokens, supply = cells[stage.name, path]
            assert round(weight * sequences) * 4097 <= tokens
            assert round(weight * sequences) <= -(-tokens // supply) * (supply // 4097)


def test_a_place_that_is_one_is_a_list_of_one() -> None:
    made, _ = export(manifest("hello"), Settings(data="all", sequence=512, batch=8))
    sets = config(made).data_stages[0].data.dataset
    assert (sets.dataset_folder, sets.dataset_weights) == (["all"], [1.0])


@pytest.mark.parametrize(
    ("settings", "found_codes"),
    [
        (Settings(sequence=4096, batch=512), ["M703"]),
        (Settings(data=DATA), ["M705", "M705"]),
        (Settings(data=DATA, sequence=4096), ["M705"]),
        (Settings(data=DATA, sequence=4096, batch=10**12), ["M818", "M818"]),
    ],
)
def test_what_cannot_be_written(settings: Settings, found_codes: list[str]) -> None:
    made, found = export(manifest("pretrain-anneal"), settings)
    assert made is None
    assert [code for code in codes(found) if code != "M819"] == found_codes


def test_more_places_than_an_index_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nanotron, "MOST_PLACES", 30)
    made, found = export(manifest("pretrain-anneal"), TWO)
    assert made is None
    assert codes(found) == ["M709"]
