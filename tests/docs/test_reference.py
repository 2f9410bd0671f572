"""The reference page: complete, its examples compile, and the copy in the repository is what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mixc.compiler.cli.explain import WORD
from mixc.compiler.front.kinds import KINDS, STRATEGIES
from mixc.compiler.front.terms import FUNCTIONS
from mixc.compiler.pipeline import CHECK, Artefacts, run_passes
from mixc.compiler.reference import MEANINGS, RESULT_MEANINGS, STRATEGY_MEANINGS, reference, topic, topics

PAGE = Path(__file__).parents[2] / "recipes" / "LANGUAGE.md"
CASES = Path(__file__).parents[1] / "cases"


def test_every_function_and_strategy_is_described() -> None:
    assert set(MEANINGS) == set(FUNCTIONS)
    assert set(STRATEGY_MEANINGS) == set(STRATEGIES)


def test_every_kind_and_key_is_on_the_page() -> None:
    page = reference()
    for kind in KINDS.values():
        assert f"`{kind.name}" in page
        for key in kind.keys:
            assert f"- `{key.name} " in page, f"{key.name} of {kind.name}"


def test_the_copy_in_the_repository_is_the_page() -> None:
    renewed = "renew it with: mixc explain reference > recipes/LANGUAGE.md"
    assert PAGE.read_text(encoding="utf-8") == reference(), renewed


def test_examples_check_and_are_formatted(tmp_path: Path) -> None:
    from mixc.dsl.formatter import format_source
    from mixc.dsl.text import SourceText

    examples = re.findall(r"```mix\n(.*?)```", reference(), re.S)
    assert examples
    for index, text in enumerate(examples):
        path = tmp_path / f"{index}.mix"
        path.write_text(text, encoding="utf-8")
        assert run_passes(CHECK, Artefacts(path))[1] == []
        assert format_source(SourceText(path.name, text)) == (text, [])


@pytest.mark.parametrize("word", topics())
def test_every_topic_has_text_and_can_be_typed(word: str) -> None:
    text = topic(word)
    assert text is not None
    assert word in text
    assert WORD.match(word)


def test_a_word_with_several_meanings_gets_all_of_them() -> None:
    text = topic("epochs") or ""
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# epochs, a function in rules",
        "# epochs, a key of `source`",
        "# epochs, a key of `mixture`",
    ]


@pytest.mark.parametrize("word", RESULT_MEANINGS)
def test_a_word_of_results_is_one_that_mixc_prints(word: str) -> None:
    printed = "".join(path.read_text(encoding="utf-8") for path in CASES.rglob("*.txt"))
    assert re.search(rf"\b{word}", printed)


def test_other_words_have_none() -> None:
    assert topic("norwegian") is None
