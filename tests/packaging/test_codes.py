"""Every diagnostic has a number of its own, a page, and an example that a test compares with what mixc prints."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from mixc.compiler.pages import all_pages
from tests.cli.words import options, parsed

ROOT = Path(__file__).parents[2]
PAGE = re.compile(r'^@page\("(M\d{3})"\)', re.MULTILINE)
SOURCES = [path for top in ("dsl", "compiler", "backends") for path in (ROOT / top).rglob("*.py")]
sys.path.append(str(ROOT / "recipes" / "manual"))

from pages.examples import best_examples  # noqa: E402 (what `make docs` shows)

EXAMPLES = best_examples()
OF_OTHERS = {"--output_path", "--log_samples", "--limit"}  # options of programs that mixc tells to run
OF_A_MACHINE = re.compile(r"/(?:tmp|root|home)/|pytest-|0x[0-9a-f]{8}")


def test_codes_are_unique_and_have_pages() -> None:
    codes = Counter(code for path in SOURCES for code in PAGE.findall(path.read_text()))
    assert [code for code, count in codes.items() if count > 1] == []
    assert set(codes) <= set(all_pages())


@pytest.mark.parametrize("code", sorted(all_pages()))
def test_a_code_has_a_page_and_an_example(code: str) -> None:
    assert all_pages()[code].text
    assert code in EXAMPLES, f"call `shown({code!r}, …)` of tests/examples.py in the test that meets it"
    example = EXAMPLES[code]
    assert re.search(rf"^(error|warning)\[{code}\]: ", example.report, re.M)
    assert example.files or example.command or example.about
    assert not OF_A_MACHINE.search(example.report + example.about)


def test_commands_of_examples_are_commands_of_mixc() -> None:
    for command in sorted({one.command for one in EXAMPLES.values() if one.command}):
        parsed(command)


def test_options_that_a_help_tells_to_type_are_there() -> None:
    told = {
        (option, one.command)
        for one in EXAMPLES.values()
        for line in re.findall(r"^ *= help: (.*)$", one.report, re.M)
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", line)
    }
    assert len(told) > 30
    assert {(option, command) for option, command in told if option not in options() | OF_OTHERS} == set()


def test_every_transcript_is_compared_by_a_test() -> None:
    recorded = {path.stem for path in (ROOT / "tests" / "cases" / "shown").glob("*.txt")}
    texts = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    compared = {code for text in texts if "shown(" in text for code in re.findall(r"M\d{3}", text)}
    assert recorded <= compared & set(all_pages())
