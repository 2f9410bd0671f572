"""Every diagnostic has a number of its own, a page, and a golden report that shows it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from mixc.compiler.pages import all_pages

ROOT = Path(__file__).parents[2]
PAGE = re.compile(r'^@page\("(M\d{3})"\)', re.MULTILINE)
CODE = re.compile(r"\b(M\d{3})\b")
SOURCES = [path for top in ("dsl", "compiler", "backends") for path in (ROOT / top).rglob("*.py")]
GOLDEN = {code for path in (ROOT / "tests" / "cases").rglob("*.txt") for code in CODE.findall(path.read_text())}
# Shown by tests with words of their own instead of a golden report, for what a file cannot hold.
ELSEWHERE = {code for path in (ROOT / "tests").rglob("*.py") for code in CODE.findall(path.read_text())}


def test_codes_are_unique_and_have_pages() -> None:
    codes = Counter(code for path in SOURCES for code in PAGE.findall(path.read_text()))
    assert [code for code, count in codes.items() if count > 1] == []
    assert set(codes) <= set(all_pages())


@pytest.mark.parametrize("code", sorted(all_pages()))
def test_a_code_is_shown_by_a_test(code: str) -> None:
    assert code in GOLDEN | ELSEWHERE
    assert all_pages()[code].text
