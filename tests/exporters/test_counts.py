"""Files of counts: what is read of them, what is refused, and places where too little lies."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mixc.backends.exporters.leaves import mixture
from mixc.compiler.export import Counted, Settings, read_counts
from tests.examples import shown
from tests.exporters.made import codes, manifest, texts

EXPORT = "mixc export plan.manifest.json -o export --to"
OF_RUN = "data/{source}/{language}/{domain}"


def test_counts_are_read(tmp_path: Path) -> None:
    file = tmp_path / "counts.json"
    file.write_text('{"places": {"a": {"documents": 2, "tokens": 30}, "b": {"documents": 1, "tokens": 0}}}')
    assert read_counts(file, "megatron", Settings()) == ({"a": Counted(2, 30), "b": Counted(1, 0)}, [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"places": []}',
        '{"places": {"a": 7}}',
        '{"places": {"a": {"documents": 1}}}',
        '{"places": {"a": {"documents": 1, "tokens": -1}}}',
        '{"places": {"a": {"documents": 1.5, "tokens": 1}}}',
        '{"places": {"a": {"documents": "1", "tokens": 1}}}',
    ],
)
def test_what_is_no_file_of_counts(text: str, tmp_path: Path) -> None:
    file = tmp_path / "counts.json"
    file.write_text(text)
    counted, found = read_counts(file, "megatron", Settings())
    assert counted is None
    assert codes(found) == ["M804"]
    if "1.5" in text:
        shown("M804", found, files=[file], command=f"{EXPORT} megatron --counts counts.json", at=tmp_path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    counted, found = read_counts(tmp_path / "counts.json", "megatron", Settings())
    assert counted is None
    assert found[0].message.endswith("is no file of counts: no such file or directory")


def settings_of_run(**changed: Any) -> Settings:
    """A run of polyglot17 whose places are counted as the run did, but for some."""
    of_run = texts(manifest("polyglot17"))
    sizes: dict[str, int] = {}
    for one in of_run:
        place = OF_RUN.format(source=one.source, language=one.language, domain=one.domain)
        sizes[place] = sizes.get(place, 0) + one.tokens
    counts = {place: Counted(10, tokens) for place, tokens in sizes.items()} | changed
    return Settings(data=OF_RUN, texts=of_run, counts=counts, sequence=512)


def test_texts_too_short_for_a_sample_are_left_out_and_the_rest_is_exported() -> None:
    """Writers of fixed sequences leave a place empty that holds less than one."""
    whole, found = mixture(manifest("polyglot17"), settings_of_run())
    assert whole is not None
    assert found == []
    path = whole.stages[0].leaves[0].path
    rest, found = mixture(manifest("polyglot17"), settings_of_run(**{path: Counted(3, 0)}))
    assert codes(found) == ["M807"]
    assert path in found[0].message
    about = "The texts of one place have less than a sequence of 512 tokens."
    shown("M807", found, about=about, command=f"{EXPORT} megatron --run out --counts counts.json --sequence-length 512")
    assert rest is not None
    assert rest.stages[0].leaves == whole.stages[0].leaves[1:]


def test_a_place_below_one_sequence_does_not_shorten_the_others() -> None:
    whole, _ = mixture(manifest("polyglot17"), settings_of_run())
    assert whole is not None
    first, *others = whole.stages[0].leaves
    some, found = mixture(manifest("polyglot17"), settings_of_run(**{first.path: Counted(3, 511)}))
    assert some is not None
    assert found == []
    assert some.stages[0].leaves[0].tokens == 511  # exporters of sequences leave it out
    assert some.stages[0].leaves[1:] == tuple(others)
    less, _ = mixture(manifest("polyglot17"), settings_of_run(**{first.path: Counted(3, first.tokens // 2)}))
    assert less is not None
    assert all(
        2 * a.tokens in (b.tokens, b.tokens - 1) for a, b in zip(less.stages[0].leaves, [first, *others], strict=True)
    )


def test_data_of_ones_own_may_not_be_empty() -> None:
    plan = manifest("hello")
    places = {f"c/{row.language}": Counted(9, row.supply) for row in plan.mixture}
    empty = sorted(places)[0]
    settings = Settings(data="c/{language}", counts=places | {empty: Counted(0, 0)})
    made, found = mixture(plan, settings)
    assert made is None
    assert codes(found) == ["M806"]
    command = f"{EXPORT} streaming --data 'c/{{language}}' --counts counts.json"
    about = '`counts.json` says `{"documents": 0, "tokens": 0}` of a place.'
    shown("M806", found, about=about, command=command)
    fewer = replace(settings, counts={place: one for place, one in places.items() if place != empty})
    _, found = mixture(plan, fewer)
    assert codes(found) == ["M805"]
    shown("M805", found, about="`counts.json` says nothing of a place.", command=command)


def test_data_of_ones_own_may_not_be_read_more_often_than_allowed() -> None:
    plan = manifest("hello")
    row = max(plan.mixture, key=lambda one: one.epochs)
    places = {f"c/{one.language}": Counted(9, one.supply) for one in plan.mixture}
    small = Counted(1, row.tokens // 100)
    made, found = mixture(plan, Settings(data="c/{language}", counts=places | {f"c/{row.language}": small}))
    assert made is None
    assert codes(found) == ["M802"]
    about = "A place holds a hundredth of what the mixture reads of it."
    command = f"{EXPORT} streaming --data 'c/{{language}}' --counts counts.json"
    shown("M802", found, about=about, command=command, numbers=False)
    assert json.dumps(row.language)[1:-1] in found[0].message


@pytest.mark.parametrize(
    ("target", "sequence", "tokenizer", "said"),
    [
        ("streaming", 512, "t", None),
        ("streaming", None, None, None),
        ("megatron", 512, "t", "program streaming"),
        ("streaming", 256, "t", "sequence 512"),
        ("streaming", 512, "other", "tokenizer t"),
    ],
)
def test_counts_are_of_one_program_tokenizer_and_length(
    target: str, sequence: int | None, tokenizer: str | None, said: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "counts.json"
    made = {"program": "streaming", "sequence": 512, "tokenizer": "t"}
    file.write_text(json.dumps({"places": {"a": {"documents": 2, "tokens": 30}}, "prepared": made}))
    counted, found = read_counts(file, target, Settings(sequence=sequence, tokenizer=tokenizer))
    assert (counted is None) == (said is not None)
    assert codes(found) == ([] if said is None else ["M835"])
    assert said is None or found[0].message.endswith(f"counts other data: {said}")
    if said == "sequence 512":
        command = f"{EXPORT} streaming --data 'c/{{language}}' --counts counts.json --sequence-length 256 --tokenizer t"
        shown("M835", found, files=[file], command=command, at=tmp_path)
