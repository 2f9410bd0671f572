"""Blends for Megatron: text that its parser reads as meant, whole sequences, and what cannot be written."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from mixc.backends.exporters import megatron
from mixc.backends.exporters.megatron import export
from mixc.compiler.export import Counted, Settings
from tests.examples import shown
from tests.exporters.golden import check
from tests.exporters.made import DATA, codes, manifest, texts

EXPORT = "mixc export plan.manifest.json --to megatron -o export"
TWO = Settings(data=DATA, sequence=4096, batch=512)


def blends(made: Mapping[str, str] | None) -> dict[str, list[tuple[int, str]]]:
    """Weights and prefixes by phase, as `--data-args-path` splits them."""
    assert made is not None
    found = {}
    for name, text in made.items():
        if name.endswith(".args"):
            words = text.split()
            found[name.removesuffix(".args")] = [(int(w), p) for w, p in zip(words[::2], words[1::2], strict=True)]
    return found


def test_golden_places_of_ones_own_two_phases() -> None:
    made, found = export(manifest("pretrain-anneal"), TWO)
    assert made is not None
    assert codes(found) == ["M801", "M819"]
    check(made, "megatron/pretrain-anneal")


def test_golden_texts_of_a_run() -> None:
    plan = manifest("polyglot17")
    made, found = export(plan, Settings(texts=texts(plan), sequence=512, tokenizer="org/tokenizer"))
    assert made is not None
    assert found == []
    assert {"places.json", "prepare.py", "writer.py"} < set(made)
    check(made, "megatron/polyglot17")


def test_phases_of_a_run_have_texts_of_their_own() -> None:
    plan = manifest("pretrain-anneal")
    made, found = export(plan, Settings(texts=texts(plan), sequence=512, batch=16, tokenizer="org/tokenizer"))
    assert codes(found) == ["M801"]
    for phase, blend in blends(made).items():
        assert all(path.startswith(f"data/{phase}/") for _, path in blend)
    assert made is not None
    assert "These numbers count tokens as the run did" in made["README.md"]


def test_the_parser_reads_what_is_meant() -> None:
    """An odd number of words, or one weight that is no number, would turn weights into prefixes; zero is refused."""
    made, _ = export(manifest("pretrain-anneal"), TWO)
    assert made is not None
    for phase, blend in blends(made).items():
        words = made[f"{phase}.args"].split()
        assert len(words) % 2 == 0
        assert all(float(word) == int(word) > 0 for word in words[::2])
        assert [float(word) for word in words[::2]] == [weight for weight, _ in blend]
        assert len({path for _, path in blend}) == len(blend) < 32_767
        split = json.loads(made[f"{phase}.json"])
        assert split == {"train": words, "valid": None, "test": None}


def test_weights_are_the_sequences_of_a_phase_and_one_more() -> None:
    plan = manifest("pretrain-anneal")
    made, _ = export(plan, TWO)
    assert made is not None
    told = json.loads(made["samples.json"])
    assert told["sequence_length"] == 4096
    assert told["global_batch_size"] == 512
    total = 0
    for phase in plan.phases:
        steps = told["train_iters"][phase.name]
        assert told["train_samples"][phase.name] == steps * 512
        assert sum(weight for weight, _ in blends(made)[phase.name]) == steps * 512 + 1
        assert 0 <= phase.tokens - steps * 512 * 4096 < 2 * 512 * 4096
        total += steps
    first = told["train_iters"]["pretrain"]
    assert told["phase_transition_iterations"] == [first]
    assert f"--train-iters {total} --phase-transition-iterations {first} " in made["README.md"]
    tokens: dict[str, int] = {}
    for row in plan.mixture:
        for bucket, taken in enumerate(row.tokens_by_bucket):
            if row.phase == "pretrain":
                tokens[f"corpus/{row.source}/{row.language}/{row.domain}/{bucket}"] = taken
    whole = {path: (taken - 1) // 4096 for path, taken in tokens.items() if taken}
    for weight, path in blends(made)["pretrain"]:
        assert abs(weight - (first * 512 + 1) * whole[path] / sum(whole.values())) < 1
        assert weight <= whole[path]


def test_no_place_gives_more_than_lies_there() -> None:
    """Counts of the trainer's own tokens: the sequences of a place and one token more fit into its passes."""
    plan = manifest("polyglot17")
    of_run = texts(plan)
    pattern = "data/{source}/{language}/{domain}"
    sizes: dict[str, int] = {}
    for one in of_run:
        place = f"data/{one.source}/{one.language}/{one.domain}"
        sizes[place] = sizes.get(place, 0) + one.tokens
    counts = {place: Counted(10, tokens * (80 + i % 40) // 100) for i, (place, tokens) in enumerate(sizes.items())}
    options = Settings(data=pattern, texts=of_run, counts=counts, sequence=64, tokenizer="org/tokenizer")
    made, _ = export(plan, options)
    for weight, path in blends(made)["main"]:
        assert weight * 64 + 1 <= counts[path].tokens


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (Settings(sequence=4096), "M703"),
        (Settings(data="a/{langauge}", sequence=4096), "M704"),
        (Settings(data="my data/{language}", sequence=4096), "M708"),
        (Settings(data="data\t/{language}", sequence=4096), "M708"),
        (Settings(data=DATA), "M705"),
        (Settings(data=DATA, sequence=4096, batch=10**12), "M818"),
    ],
)
def test_what_cannot_be_written(settings: Settings, code: str) -> None:
    made, found = export(manifest("polyglot17"), settings)
    assert made is None
    assert code in codes(found)
    if settings.data == "my data/{language}":
        shown("M708", found, command=f"{EXPORT} --data '{settings.data}' --sequence-length 4096")


def test_phases_need_a_batch() -> None:
    made, found = export(manifest("pretrain-anneal"), Settings(data=DATA, sequence=4096))
    assert made is None
    assert [one.message for one in found] == ["`--batch` is missing: Megatron changes phases at iterations"]
    about = "The recipe has two phases."
    shown("M705", found, about=about, command=f"{EXPORT} --data 'corpus/{{language}}' --sequence-length 4096")


def test_a_run_needs_a_tokenizer() -> None:
    plan = manifest("polyglot17")
    made, found = export(plan, Settings(texts=texts(plan), sequence=512))
    assert made is None
    assert codes(found) == ["M705"]


def test_more_places_than_an_index_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(megatron, "MOST_PLACES", 30)
    made, found = export(manifest("pretrain-anneal"), TWO)
    assert made is None
    assert codes(found) == ["M709"]
