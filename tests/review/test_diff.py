"""What a reviewer reads: golden reports, and the five questions answered by the Markdown alone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from review_builder import language, pool, provenance, share, small_manifest, small_problem, toy_decide
from test_changes import MORE, POLISH

from mixc.compiler.problem import Decision, Pool, Problem, ProblemSource
from mixc.compiler.recipe import Limit
from mixc.compiler.review.diff_report import report
from mixc.compiler.review.difference import Difference, as_json, difference
from mixc.compiler.review.effect import effect
from mixc.compiler.review.manifest import build_manifest
from mixc.dsl.diagnostics import Diagnostic

CASES = Path(__file__).parents[1] / "cases" / "review"
A = small_problem()
SEVERAL = replace(
    A,
    languages=(A.languages[0], A.languages[1], language("no", 1.5)),
    rules=(share("en", 0.75), A.rules[1]),
    sources=(ProblemSource("web", Limit(6.0, place="toy.mix:9:3")), A.sources[1]),
)


class Watched(tuple[Pool, ...]):
    """Pools that count how often they are gone through."""

    passes = 0

    def __iter__(self) -> Iterator[Pool]:
        self.passes += 1
        return super().__iter__()


def compared(a: Problem, b: Problem, decide=toy_decide) -> Difference:
    return difference(("old.json", small_manifest(a)), ("new.json", small_manifest(b)), decide)


def golden(name: str, text: str) -> None:
    path = CASES / name
    if os.environ.get("MIXC_UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("name", ["several", "budget", "language"])
def test_golden_reports(name: str) -> None:
    found = compared(A, {"several": SEVERAL, "budget": MORE, "language": POLISH}[name])
    golden(f"diff-{name}.md", report(found, "markdown"))
    golden(f"diff-{name}.txt", report(found, "text"))
    golden(f"diff-{name}.json", as_json(found))


def test_nothing_changed() -> None:
    found = compared(A, A)
    assert found.identical
    assert "The manifests are the same." in report(found, "text")
    assert "proved gap" not in report(found, "text")
    assert "proved gap to the optimum: 1.0e-09 -> 2.0e-09" in report(replace(found, gaps=(1e-9, 2e-9)), "text")


def test_one_input_is_the_whole_cause_without_solving() -> None:
    def never(_: Problem) -> tuple[Decision | None, list[Diagnostic]]:
        raise AssertionError("one change needs no other solution")

    found = compared(A, MORE, never)
    assert [cause.title for cause in found.causes] == ["training tokens"]
    assert found.causes[0].effect == found.together
    assert "All tokens ×1.2" in report(found, "markdown")


def test_causes_and_interaction_add_up() -> None:
    found = compared(A, SEVERAL)
    assert found.interaction is not None
    total = sum(cause.effect.loss for cause in found.causes) + found.interaction.loss
    assert total == pytest.approx(found.together.loss, abs=1e-12)
    for move in found.together.moves:
        effects = [*(cause.effect for cause in found.causes), found.interaction]
        parts = [m.share for e in effects for m in e.moves if (m.axis, m.name) == (move.axis, move.name)]
        assert sum(parts) == pytest.approx(move.share, abs=1e-12)


def test_an_input_that_cannot_stand_alone_is_said_so() -> None:
    impossible = replace(SEVERAL, rules=(share("en", 0.6), share("de", 0.41)))

    def picky(problem: Problem) -> tuple[Decision | None, list[Diagnostic]]:
        return (None, [Diagnostic("M301", "these cannot hold")]) if len(problem.rules) > 2 else toy_decide(problem)

    a = small_manifest(A)
    b = build_manifest(*(picky(replace(impossible, rules=impossible.rules[:1]))[0], provenance()))
    found = difference(("a", a), ("b", b), picky)
    assert found.interaction is not None
    found = difference(("a", a), ("b", b), lambda _: (None, [Diagnostic("M301", "these cannot hold")]))
    assert found.interaction is None
    text = report(found, "markdown")
    assert "alone gives no mixture: these cannot hold [M301]" in text
    assert "no remainder is given" in text


def test_five_questions() -> None:
    text = report(compared(A, SEVERAL), "markdown")
    assert "4 inputs changed" in text  # what changed
    assert "| priority of `no` | 0.5 | 1.5 | toy.mix:22 |" in text
    assert "| no | 12.00% | 8.00% | +4.00 |" in text  # by how much
    assert (
        "by shares moved, the largest effect is that of rule (`require share(en) >= 30%` -> `require share(en) >= 75%`)"
        in text
    )  # which input caused it
    assert "| `require share(en) >= 75%` | now binds |" in text  # what binds now
    assert "| no | epochs <= 6 (web) | epochs <= 4 (web) |" in text
    assert "Predicted loss 3.1647 to 3.1983: +0.03360 (worse)" in text  # what it costs


def test_rows_that_did_not_move_are_folded_with_a_count() -> None:
    found = compared(A, MORE)
    assert "1 language did not move (`--full` shows all)" in report(found, "markdown")
    assert "did not move" not in report(found, "markdown", full=True)
    assert "| de |" in report(found, "markdown", full=True)


def test_facts_that_decide_nothing() -> None:
    a = small_manifest()
    b = build_manifest(toy_decide(A)[0], replace(provenance(), seed=18, licences=(("web", "CC0"), ("wiki", None))))
    found = difference(("a", a), ("b", b), toy_decide)
    assert not found.causes
    assert not found.identical
    text = report(found, "text")
    assert "No input that decides shares changed" in text
    assert "seed 17 -> 18" in text
    assert "licence of web: ODC-By-1.0 -> CC0" in text


def test_json_is_data() -> None:
    data = json.loads(as_json(compared(A, SEVERAL)))
    assert data["schema"] == {"name": "mixc.diff", "version": 1}
    assert {cause["title"] for cause in data["causes"]} >= {"priority of `no`", "rule"}


def passes(languages: int) -> int:
    """How often the pools of so many languages are gone through for what moved."""
    codes = [f"l{i:02}" for i in range(languages)]
    pools = Watched(pool("web", code, 10**12) for code in codes)
    problem = replace(A, languages=tuple(map(language, codes)), sources=A.sources[:1], pools=pools, rules=())
    decision, _ = toy_decide(problem)
    assert decision is not None
    before = pools.passes
    assert len(effect(decision, decision).moves) > languages
    return pools.passes - before


def test_pools_are_not_gone_through_for_every_name() -> None:
    """Names times pools is what made a diff of many languages slow."""
    assert 0 < passes(40) == passes(4)
