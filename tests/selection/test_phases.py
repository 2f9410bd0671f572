"""Phases: together they touch what their copies add up to, and share no document until all were read once."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mixc.backends.selection.backend import Run
from mixc.backends.selection.slots import FIXED, scaled
from tests.selection.pool import LANGUAGES, RECIPE, compiled, plain_pool, recipe, rows_of, selected, unrated, write

UNRATED = """recipe pool
source library {{ path = "library", domain = books, language = en, columns = {{ id: "id", tokens: "n" }}, epochs <= 4 }}
languages [en] {{ priority = 1.0 }}
budget {{ model = 1M params, tokens = {tokens} tokens, seed = 5 }}
phase a {{ budget = {share:.12f} * budget.tokens }}
phase b {{ after = a, budget = {rest:.12f} * budget.tokens }}
"""
COUNT = 20_000


def two_phases(folder: Path, first: int, second: int) -> tuple[dict[str, int], dict[str, int]]:
    """Copies by document of two phases that take these hundredths of one cell."""
    table = unrated(COUNT)
    supply = sum(table["n"].to_pylist()) + COUNT
    share = round(first / (first + second), 12)
    text = UNRATED.format(share=share, rest=1 - share, tokens=supply * (first + second) // 100)
    write(folder / "library", table)
    job = compiled(recipe(folder, text))
    selected(job, folder / "out")
    rows = rows_of(folder / "out")
    taken = []
    for phase in ("a", "b"):
        mine = rows.filter(pc.field("phase") == phase)
        taken.append(dict(zip(mine["id"].to_pylist(), mine["copies"].to_pylist(), strict=True)))
    return taken[0], taken[1]


def test_point_6_and_then_point_3_of_a_cell_touch_point_9_of_it(tmp_path: Path) -> None:
    first, second = two_phases(tmp_path, 60, 30)
    assert not first.keys() & second.keys()
    assert set(first.values()) == set(second.values()) == {1}
    spread = 5 * np.sqrt(COUNT) / 2 / COUNT
    assert len(first) / COUNT == pytest.approx(0.6, abs=spread)
    assert len(second) / COUNT == pytest.approx(0.3, abs=spread)
    assert len(first.keys() | second.keys()) / COUNT == pytest.approx(0.9, abs=spread)


def test_no_document_is_read_again_before_all_were_read(tmp_path: Path) -> None:
    first, second = two_phases(tmp_path, 60, 90)
    assert len(first.keys() | second.keys()) == COUNT
    both = {name: first.get(name, 0) + second.get(name, 0) for name in first.keys() | second.keys()}
    assert set(both.values()) == {1, 2}
    assert sum(copies == 2 for copies in both.values()) / COUNT == pytest.approx(
        0.5, abs=5 * np.sqrt(COUNT) / 2 / COUNT
    )


def test_more_than_one_copy_a_phase_differs_by_one_document_by_document(tmp_path: Path) -> None:
    first, second = two_phases(tmp_path, 150, 130)
    assert set(first.values()) == {1, 2}
    assert len(first) == COUNT
    both = {name: first[name] + second.get(name, 0) for name in first}
    assert set(both.values()) == {2, 3}


@given(st.integers(0, 1 << 60), st.integers(0, (1 << FIXED) - 1))
@example(1 << 60, (1 << FIXED) - 1)
def test_thresholds_are_exact_and_do_not_overflow(width: int, fraction: int) -> None:
    found = scaled(np.array([width], dtype=np.uint64), np.array([[fraction]], dtype=np.uint64))
    assert int(found[0, 0]) == int(Fraction(width * fraction, 1 << FIXED))


def copies_by_cell(job: Run) -> dict[tuple[str, str, str, int], float]:
    """Copies that all phases take of every cell."""
    found: dict[tuple[str, str, str, int], float] = {}
    for row in job.manifest.mixture:
        for bucket, (tokens, supply) in enumerate(zip(row.tokens_by_bucket, row.supply_by_bucket, strict=True)):
            key = (row.source, row.language, row.domain, bucket)
            found[key] = found.get(key, 0) + tokens / supply
    return found


@pytest.mark.parametrize("budget", ["1M", "3M", "6M", "9M", "16M", "24M"])
def test_an_unrated_source_is_neither_thrown_away_nor_favoured(tmp_path: Path, budget: str) -> None:
    """It counts as what a whole rated pool is on average: between its second and its fourth bucket, always."""
    text = RECIPE.replace("tokens = 9M", f"tokens = {budget}").replace(LANGUAGES, "languages [en] { priority = 1.0 }\n")
    job = compiled(plain_pool(tmp_path, text))
    density = {(row.source, row.domain): row.density for row in job.manifest.supply}
    tokens = {(row.source, row.domain): row.tokens for row in job.manifest.supply}
    for domain in ("news", "forums"):
        rated = density["crawl", domain]
        mean = sum(d * t for d, t in zip(rated, tokens["crawl", domain], strict=True)) / sum(tokens["crawl", domain])
        assert rated[-1] < density["library", "books"][0] < rated[0]
        assert density["library", "books"][0] == pytest.approx(mean, rel=0.4)
    copies = copies_by_cell(job)
    unrated_copies = copies["library", "en", "books", 0]
    for domain in ("news", "forums"):
        assert copies["crawl", "en", domain, 4] <= unrated_copies <= copies["crawl", "en", domain, 1] + 1e-3


def test_it_is_used_once_what_is_better_is_used_up(tmp_path: Path) -> None:
    text = RECIPE.replace("tokens = 9M", "tokens = 16M").replace(LANGUAGES, "languages [en] { priority = 1.0 }\n")
    job = compiled(plain_pool(tmp_path, text))
    assert 0 < copies_by_cell(job)["library", "en", "books", 0] < 4
