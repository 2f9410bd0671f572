"""Mixtures that rounding spoils: a language left with nothing is an error, a wide gap a warning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from test_infeasible import problem_of

from mixc.compiler.problem import Problem
from mixc.compiler.recipe import Strategy
from mixc.compiler.solve import doubts
from mixc.compiler.solve.decide import decide
from mixc.dsl.diagnostics import Severity
from tests.examples import shown

RECIPE = """recipe mix
budget { model = 1.2B params, tokens = 100B tokens }
source crawl { supply = { en: 900B tokens, no: NO tokens }, domain = web, assume = rated, epochs <= 4 }
language en { priority = 1.0 }
language no { priority = PRIORITY }
"""


def problem(folder: Path, supply: str, priority: str) -> Problem:
    return problem_of(folder, RECIPE.replace("NO", supply).replace("PRIORITY", priority))


@pytest.mark.parametrize("strategy", ["direct", "natural", "two_step"])
def test_a_language_with_next_to_no_supply(tmp_path: Path, strategy: str) -> None:
    decision, found = decide(replace(problem(tmp_path, "1", "1.0"), strategy=Strategy(strategy)))  # type: ignore[arg-type]
    assert decision is None
    assert [d.code for d in found] == ["M442"]
    assert found[0].message == "`no` gets no tokens, so its predicted loss is infinite"
    assert "its supply is 1 tokens, of which 4 tokens may be used" in found[0].notes[0]
    assert "sources with more of `no`" in found[0].helps[0]


def test_a_language_of_next_to_no_priority(tmp_path: Path) -> None:
    decision, found = decide(problem(tmp_path, "3B", "0.0000001"))
    assert decision is None
    assert "`require tokens(no) >= 100K tokens`" in found[0].helps[0]


def test_a_language_of_no_priority_may_go_without(tmp_path: Path) -> None:
    rare = problem(tmp_path, "1", "1.0")
    english, other = rare.languages
    decision, found = decide(replace(rare, languages=(english, replace(other, priority=0.0))))
    assert found == []
    assert decision is not None


def test_a_wide_gap_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = problem(tmp_path, "3B", "0.000001")
    assert decide(coarse)[1] == []
    monkeypatch.setattr(doubts, "WIDE", 1e-12)
    decision, found = decide(coarse)
    assert decision is not None
    assert [(d.code, d.severity) for d in found] == [("M443", Severity.WARNING)]
    assert "rounding to millionths of the budget" in found[0].notes[0]
    assert "`no`, which has 200K tokens" in found[0].notes[0]
    about = "The recipe has `language no { priority = 0.000001 }`; this is said from 0.01 % on, here for less."
    shown("M443", found, about=about, command="mixc compile mix.mix", numbers=False)


def test_no_supply_at_all_is_no_mixture(tmp_path: Path) -> None:
    empty = replace(problem(tmp_path, "3B", "1.0"), pools=())
    assert [d.code for d in decide(empty)[1]] == ["M441"]
    about = "The only source was taken away."
    shown("M441", decide(empty)[1], about=about)
    assert [d.code for d in decide(replace(empty, languages=(), sources=()))[1]] == ["M441"]
