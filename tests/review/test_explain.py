"""Explanations, summaries and comparisons of hand-made decisions."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from review_builder import decided, provenance, share, small_manifest, small_problem, toy_decide
from test_diff import golden

from mixc.compiler.problem import Decision, Problem
from mixc.compiler.recipe import Rule, Selector, Strategy, Term
from mixc.compiler.review import words
from mixc.compiler.review.binding import PRICE, taken, what_binds
from mixc.compiler.review.compare import ALL, compare, compare_json, compare_text
from mixc.compiler.review.explain import explain
from mixc.compiler.review.manifest import build_manifest
from mixc.compiler.review.summary import OWN, language_table, quality_table, summary
from mixc.compiler.review.verify import unproved, why_outdated
from mixc.dsl.diagnostics import Diagnostic
from tests.examples import shown


def bound_manifest():
    """English is held by its rule."""
    problem = small_problem()
    decision = decided(replace(problem, rules=(share("en", 0.68), problem.rules[1])))
    return build_manifest(decision, provenance())


@pytest.mark.parametrize("name", ["no", "en", "web", "encyclopedia", "main", "share(no)"])
def test_golden_explanations(name: str) -> None:
    text, found = explain(bound_manifest(), "toy.manifest.json", name, toy_decide)
    assert found == []
    golden(f"explain-{name}.txt", text or "")


def test_golden_summary() -> None:
    golden("summary.txt", summary(bound_manifest()))


def test_a_rule_that_binds_is_what_binds() -> None:
    problem = small_problem()
    decision = decided(replace(problem, rules=(share("en", 0.68),)))
    assert what_binds(decision, "language", "en") == "share(en) >= 68%"
    assert what_binds(decision, "language", "no") == "epochs <= 4 (web)"
    assert what_binds(decision, "domain", "encyclopedia") == "not used"


def test_a_language_without_a_rule_is_told_which_rules_it_yields_to() -> None:
    problem = small_problem()
    bound = decided(replace(problem, rules=(share("de", 0.45, line=3),)))
    assert what_binds(bound, "language", "en") == PRICE
    table = language_table(bound)
    assert table.endswith(f"price: {OWN}: share(de) >= 45%\n"), table
    text, _ = explain(build_manifest(bound, provenance()), "toy.manifest.json", "en", toy_decide)
    free = toy_decide(replace(problem, rules=()))[0]
    assert free is not None
    was, now = (taken(one, "language", "en").tokens / problem.tokens for one in (free, bound))
    assert was > now
    assert text is not None
    pushed = f"Without `require share(de) >= 45%` it would have {words.share(was)}, {words.points(was - now)} points."
    assert f"No rule names it.\n{pushed}\n" in text


def test_shares_by_quality_sum_to_all_of_the_budget() -> None:
    problem = small_problem()
    pools = tuple(replace(pool, rated=pool.language != "en") for pool in problem.pools)
    decision = decided(replace(problem, pools=pools))
    lines = [line.split() for line in quality_table(decision).splitlines()[1:]]
    assert sum(float(line[-3].removesuffix("%")) for line in lines) == pytest.approx(100, abs=0.02)
    unrated = taken(decision, "language", "en")
    share_of = words.share(unrated.tokens / problem.tokens)
    assert lines[-1] == ["unrated", share_of, words.tokens(unrated.tokens), words.epochs(unrated.epochs)]


def test_unknown_names_list_what_there_is() -> None:
    text, found = explain(small_manifest(), "m.json", "wiky", toy_decide)
    assert text is None
    assert found[0].code == "M465"
    assert found[0].helps == ("did you mean `wiki`?",)
    assert "3 languages: de, en, no" in found[0].notes[0]
    shown("M465", found, command="mixc explain m.json --of wiky")


def test_one_more_point_that_is_impossible() -> None:
    def never(_: Problem) -> tuple[Decision | None, list[Diagnostic]]:
        return None, [Diagnostic("M301", "these requirements cannot hold together")]

    text, _ = explain(small_manifest(), "m", "no", never)
    assert text is not None
    assert "One more point is not possible: these requirements cannot hold together." in text


def test_strategies_side_by_side() -> None:
    def decide(problem: Problem) -> tuple[Decision | None, list[Diagnostic]]:
        if problem.strategy.name == "natural":
            return None, [Diagnostic("M301", "these requirements cannot hold together")]
        return toy_decide(problem)

    columns = compare(replace(small_problem(), strategy=Strategy("unimax", epochs=2.0)), ALL, decide)
    assert {c.strategy.name: c.strategy.epochs for c in columns}["unimax"] == 2.0
    text = compare_text(columns)
    assert "none [M301]" in text
    assert all(line == line.rstrip() for line in text.splitlines())
    rows = {row["strategy"]: row for row in json.loads(compare_json(columns))["strategies"]}
    assert rows["natural"] == {"strategy": "natural", "diagnostics": ["M301 these requirements cannot hold together"]}
    assert rows["direct"]["over_direct"] == 0
    assert rows["direct"]["max_reads"] >= rows["direct"]["mean_reads"] >= 1


def test_only_numbers_moved_is_settled_by_proof() -> None:
    fresh = small_manifest()
    other = fresh.model_copy(update={"notes": ("the last digit differs",)})
    decision = decided(small_problem())
    good = (decision.certificate, decision.rules)
    assert why_outdated(fresh, fresh) is None
    assert why_outdated(other, fresh) == "the mixture differs"
    assert why_outdated(other, fresh, lambda _: good) is None
    weak = (replace(decision.certificate, gap=1e-3), decision.rules)
    assert "proved to 0.001" in (why_outdated(other, fresh, lambda _: weak) or "")
    broken = (decision.certificate, (replace(decision.rules[0], slack=-0.01), *decision.rules[1:]))
    assert unproved(decision, lambda _: broken) == "its mixture breaks `require share(en) >= 30%`"


def test_changed_inputs_are_never_settled_by_proof() -> None:
    fresh = small_manifest()
    rule = small_manifest(replace(small_problem(), rules=(share("en", 0.31),)))
    assert why_outdated(rule, fresh, lambda _: (None, ())) == "an input that decides the mixture changed"  # type: ignore[arg-type]
    words = build_manifest(decided(small_problem()), replace(provenance(), description="other words"))
    assert why_outdated(words, fresh, lambda _: (None, ())) == "the recipe or one of its files changed"  # type: ignore[arg-type]


def within(selector: Selector, text: str) -> tuple[Rule, Rule]:
    """The two rules that one line with `within` makes."""
    low, high = (
        Rule(text, (Term(1.0, "share", selector),), sense, bound) for sense, bound in ((">=", 0.0), ("<=", 1.0))
    )
    return low, high


def test_within_is_named_once() -> None:
    problem = small_problem()
    rules = within(Selector(languages=("no",)), "share(no) within 0% .. 100%")
    manifest = build_manifest(decided(replace(problem, rules=rules)), provenance())
    text, _ = explain(manifest, "toy.manifest.json", "no", toy_decide)
    assert text is not None
    assert text.count("share(no) within 0% .. 100%") == 1


def test_a_source_names_the_rules_on_its_domain() -> None:
    problem = small_problem()
    rules = within(Selector(domains=("encyclopedia",)), "share(encyclopedia) within 0% .. 100%")
    manifest = build_manifest(decided(replace(problem, rules=rules)), provenance())
    wiki, web = (explain(manifest, "toy.manifest.json", name, toy_decide)[0] or "" for name in ("wiki", "web"))
    assert "share(encyclopedia) within 0% .. 100%" in wiki
    assert "No rule names it." in web
