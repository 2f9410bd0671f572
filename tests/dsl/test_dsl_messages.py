"""Hand-written messages: each example is a mistake, no two sentences claim one key, every sentence can be reached."""

import re

import pytest

from mixc.dsl import errors  # noqa: F401
from mixc.dsl.diagnostics import PAGES
from mixc.dsl.messages import examples_of, keys_of
from mixc.dsl.parser import parse
from mixc.dsl.sentences import SENTENCES
from mixc.dsl.text import SourceText

EXAMPLES = [(sentence, example) for sentence in SENTENCES for example in examples_of(sentence)]
FORBIDDEN = re.compile(r"\b(invalid|illegal|error|token|NoneType|str|int|dict|None)\b|[A-Z]{4,}(?![a-z])|_[A-Z]")


@pytest.mark.parametrize(("sentence", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_an_example_is_a_mistake(sentence, example):
    assert keys_of(example)


def test_no_two_sentences_claim_one_key():
    owners = {}
    for sentence, example in EXAMPLES:
        for key in keys_of(example):
            other, first = owners.setdefault(key, (sentence, example))
            assert other is sentence, f"{example!r} of {sentence.message!r} and {first!r} of {other.message!r}"


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda s: s.label + " / " + s.message)
def test_a_sentence_is_said_about_one_of_its_examples(sentence):
    """Slips spotted by their words come first, so a sentence could be dead; this one is not."""
    pattern = re.compile(re.sub(r"@\w+", ".*", re.escape(sentence.message).replace("\\@", "@")))
    said = [
        diagnostic.message
        for example in examples_of(sentence)
        for diagnostic in parse(SourceText("", f"recipe r\n{example.removesuffix('~')}\n"))[1]
    ]
    assert any(pattern.fullmatch(message) for message in said), said


@pytest.mark.parametrize(("sentence", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_one_mistake_gives_one_diagnostic_in_plain_words(sentence, example):
    tree, diagnostics = parse(SourceText("", f"recipe r\n{example.removesuffix('~')}\nminimize loss\n"))
    assert tree is None
    assert len(diagnostics) == 1, [d.message for d in diagnostics]
    (diagnostic,) = diagnostics
    for text in (diagnostic.message, diagnostic.labels[0].text, *diagnostic.helps, *diagnostic.notes):
        assert not FORBIDDEN.search(re.sub(r"`[^`]*`", "", text)), text
        assert not text.endswith(".")
        assert text[0] == text[0].lower()
    assert "@" not in diagnostic.message


def test_every_code_of_the_syntax_has_a_page():
    pages = [page for code, page in PAGES.items() if code.startswith("M0")]
    assert {page.code for page in pages} >= {f"M{number:03}" for number in range(1, 11)}
    for page in pages:
        assert page.title
        assert "Example" in page.text
