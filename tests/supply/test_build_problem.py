"""The problem: phases, languages, transfer, laws, rules made concrete."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from supply_builder import complaints, inline, only, problem_of, recipe, source, supply_of

from mixc.compiler.build_problem import build_problem, phase_budgets
from mixc.compiler.problem import ProblemPhase
from mixc.compiler.recipe import (
    Budget,
    Function,
    Language,
    LanguageLaw,
    Laws,
    Limit,
    Phase,
    Recipe,
    Rule,
    Selector,
    Sense,
    Term,
)  # fmt: skip
from mixc.dsl.diagnostics import Severity
from tests.examples import shown

SIX = inline(en=9e9, de=8e9, no=7e9, ru=6e9, pl=5e9, eu=4e9)
CALIBRATION = {
    "schema": "mixc.calibration.transfer/1",
    "name": "run7",
    "source": "a test",
    "form": "logc",
    "tokens": 1e9,
    "transfer_exponent": 0.5,
    "cost_exponent": 0.25,
    "transfer": {"no": {"de": 0.4, "ja": 0.3}, "de": {"en": 0.2}},
    "cost": {"no": {"ru": 0.1}},
    "languages": {"no": {"floor": 0.5, "scale": 2.0, "exponent": 0.3}},
}


def rule(
    text: str, of: Selector, sense: Sense = ">=", bound: float = 0.01, function: Function = "share", **more
) -> Rule:  # type: ignore[no-untyped-def]
    return Rule(text, (Term(1.0, function, of),), sense, bound, **more)


def six(folder: Path, **details: object) -> Recipe:
    return recipe(folder, source(supply=SIX), **details)


def calibrated(folder: Path, **changes: object) -> None:
    (folder / "run7.json").write_text(json.dumps({**CALIBRATION, **changes}), encoding="utf-8")


def test_a_recipe_without_phases_has_one(tmp_path: Path) -> None:
    problem = problem_of(six(tmp_path))
    assert problem.phases == (ProblemPhase("main", 10**10),)
    assert (problem.params, problem.tokens, problem.flops) == (1e9, 10**10, 6e19)
    assert problem.law.name == "infolaw-2605.02364"


def test_flops_follow_from_params_and_tokens(tmp_path: Path) -> None:
    assert problem_of(six(tmp_path, budget=Budget(2e9, 10**10, None))).flops == 6 * 2e9 * 1e10
    with pytest.raises(ValueError, match="searched for"):
        build_problem(six(tmp_path, budget=Budget(None, None, 1e20)), supply_of(six(tmp_path)))


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=6), st.integers(1, 10**14))
def test_phase_budgets_sum_to_the_budget(parts: list[int], tokens: int) -> None:
    phases = tuple(Phase(f"p{i}", part / sum(parts)) for i, part in enumerate(parts))
    made = phase_budgets(recipe(Path(), phases=phases), tokens)
    assert sum(phase.tokens for phase in made) == tokens
    assert [phase.name for phase in made] == [phase.name for phase in phases]
    for phase, share in zip(made, phases, strict=True):
        assert abs(phase.tokens - share.fraction * tokens) <= 1 + 1e-12 * tokens


def test_without_laws_of_their_own_languages_use_infolaws_loss(tmp_path: Path) -> None:
    languages = (
        Language("en", 3.0),
        Language("de", law=LanguageLaw(floor=0.7)),
        Language("no", law=LanguageLaw(scale=5.0, exponent=0.2)),
    )
    german, english, norwegian = problem_of(replace(six(tmp_path), languages=languages)).languages
    assert (english.priority, english.floor, english.scale, english.exponent) == (3.0, 0.0, 3.7373, 0.0441)
    assert english.assumed
    assert (german.floor, german.scale, german.assumed) == (0.7, 3.7373, True)
    assert (norwegian.scale, norwegian.exponent, norwegian.assumed) == (5.0, 0.2, False)


def test_languages_all_share_their_defaults(tmp_path: Path) -> None:
    made = replace(six(tmp_path), languages=(Language("en", 4.0),), all_languages=Language("all", 0.5))
    priorities = {language.code: language.priority for language in problem_of(made).languages}
    assert priorities == {"de": 0.5, "en": 4.0, "eu": 0.5, "no": 0.5, "pl": 0.5, "ru": 0.5}


def test_transfer_between_families(tmp_path: Path) -> None:
    languages = (*map(Language, ("de", "en", "eu", "pl", "ru")), Language("no", transfer=(("de", 0.3),)))
    made = replace(six(tmp_path), languages=languages, laws=Laws(family=0.1))
    transfer = {language.code: dict(language.transfer) for language in problem_of(made).languages}
    assert transfer == {
        "de": {"en": 0.1, "no": 0.1},
        "en": {"de": 0.1, "no": 0.1},
        "eu": {},
        "no": {"de": 0.3, "en": 0.1},
        "pl": {"ru": 0.1},
        "ru": {"pl": 0.1},
    }
    assert "transfer between languages of one family is assumed to be 0.1" in supply_of(made).assumptions


def test_a_calibration_is_evaluated_at_the_budget_and_the_recipe_replaces_terms(tmp_path: Path) -> None:
    calibrated(tmp_path)
    declared = (*map(Language, ("de", "en", "ru")), Language("no", transfer=(("en", 0.07),)))
    made = replace(six(tmp_path), languages=declared, laws=Laws(transfer="run7.json"))
    german, _, norwegian, _ = problem_of(made).languages
    assert dict(german.transfer) == {"en": approx(0.2 / 10**0.5)}
    assert dict(norwegian.transfer) == {"de": approx(0.4 / 10**0.5), "en": 0.07}
    assert dict(norwegian.cost) == {"ru": approx(0.1 * 10**0.25)}
    assert (norwegian.floor, norwegian.scale, norwegian.assumed) == (0.5, 2.0, False)
    assert ("calibration", "run7.json") in {(f.kind, f.name) for f in supply_of(made).files}


def test_terms_that_the_form_does_not_have_are_left_out(tmp_path: Path) -> None:
    no = Language("no", transfer=(("de", 0.3),), cost=(("de", 0.2),))
    for form, transfer, cost in (("isolated", 0, 0), ("linear", 1, 0), ("logc", 1, 1)):
        made = replace(six(tmp_path), languages=(Language("de"), no), laws=Laws(form=form))  # type: ignore[arg-type]
        (_, norwegian) = problem_of(made).languages
        assert (len(norwegian.transfer), len(norwegian.cost)) == (transfer, cost)


def test_a_calibration_of_another_form_or_signal(tmp_path: Path) -> None:
    calibrated(tmp_path, form="linear", signal="tokens")
    made = six(tmp_path, laws=Laws(transfer="run7.json"))
    about = '`run7.json` was fitted with `--form linear`; the recipe says `law transfer { calibration = "run7.json" }`.'
    shown("M436", build_problem(made, supply_of(made))[1], about=about, command="mixc compile recipe.mix", at=tmp_path)
    assert complaints(made) == [
        ("M436", "calibration `run7.json` was fitted with `form = linear`, and the recipe uses `logc`"),
        ("M436", "calibration `run7.json` was fitted with `signal = tokens`, and the recipe uses `info`"),
    ]


def test_more_transfer_than_text_warns_once(tmp_path: Path) -> None:
    made = six(tmp_path, laws=Laws(family=0.6))
    problem, found = build_problem(made, supply_of(made))
    assert problem is not None
    assert only(found).severity is Severity.WARNING
    assert only(found).notes == ("above 100%: de 120%, en 120%, no 120%",)


def test_each_makes_one_rule_per_member(tmp_path: Path) -> None:
    every = rule("share(each(language)) >= 1%", Selector(each="language"), place="test.mix:3:1")
    rules = problem_of(six(tmp_path, rules=(every,))).rules
    assert [r.text for r in rules] == [f"share({code}) >= 1%" for code in ("de", "en", "eu", "no", "pl", "ru")]
    assert [r.terms[0].of for r in rules] == [
        Selector(languages=(code,)) for code in ("de", "en", "eu", "no", "pl", "ru")
    ]
    assert {r.place for r in rules} == {"test.mix:3:1"}
    group = replace(every, text="share(each(slavic)) >= 1%", members=("ru", "pl"))
    assert [r.text for r in problem_of(six(tmp_path, rules=(group,))).rules] == ["share(pl) >= 1%", "share(ru) >= 1%"]


def test_each_goes_into_every_term(tmp_path: Path) -> None:
    terms = tuple(Term(c, "loss", Selector(each="language"), b) for c, b in ((1.0, None), (-1.01, "natural")))  # type: ignore[arg-type]
    text = "loss(each(language)) <= 101% * natural.loss(each(language))"
    rules = problem_of(six(tmp_path, rules=(Rule(text, terms, "<=", 0.0),))).rules
    assert rules[0].text == "loss(de) <= 101% * natural.loss(de)"
    assert [t.of.languages for t in rules[0].terms] == [("de",), ("de",)]


def test_each_of_other_kinds(tmp_path: Path) -> None:
    sources = (source("a", supply=SIX, domain="Arts & Ent"), source("b", supply=SIX, domain="web"))
    phases = (Phase("early", 0.5), Phase("late", 0.5))
    rules = tuple(
        rule(f"share(each({kind})) <= 90%", Selector(each=kind), "<=", 0.9)  # type: ignore[arg-type]
        for kind in ("source", "domain", "phase")
    )
    made = recipe(tmp_path, *sources, rules=rules, phases=phases)
    assert [r.text for r in problem_of(made).rules] == [
        'share("Arts & Ent") <= 90%',
        "share(a) <= 90%",
        "share(b) <= 90%",
        "share(early) <= 90%",
        "share(late) <= 90%",
        "share(web) <= 90%",
    ]


def test_rules_about_nothing(tmp_path: Path) -> None:
    sources = (source("web", supply=inline(en=5)), source("wiki", supply=inline(de=5), domain="encyclopedia"))
    nothing = Selector(sources=("web",), languages=("de",))

    def told(*rules: Rule) -> list[tuple[str, str, Severity]]:
        made = recipe(tmp_path, *sources, rules=rules)
        problem, found = build_problem(made, supply_of(made))
        assert (problem is None) == any(d.severity is Severity.ERROR for d in found)
        assert problem is None or not problem.rules
        return [(d.code, d.message, d.severity) for d in found]

    needed = "`share(web, de) >= 5%` can never hold: there is no supply of what it names"
    assert told(rule("share(web, de) >= 5%", nothing, ">=", 0.05)) == [("M438", needed, Severity.ERROR)]
    allowed = "`share(web, de) <= 5%` has no effect: there is no supply of what it names"
    assert told(rule("share(web, de) <= 5%", nothing, "<=", 0.05)) == [("M438", allowed, Severity.WARNING)]
    wished = rule("share(web, de) >= 5%", nothing, ">=", 0.05, weight=0.1)
    assert [severity for *_, severity in told(wished)] == [Severity.WARNING]
    quality = rule("quality(web, de) >= 90%", nothing, ">=", 0.9, "quality")
    assert [severity for *_, severity in told(quality)] == [Severity.WARNING]


def test_members_without_supply_matter_only_where_something_is_asked(tmp_path: Path) -> None:
    sources = (source("web", supply=inline(en=5, de=5)), source("wiki", supply=inline(de=5), domain="encyclopedia"))
    of = Selector(sources=("wiki",), each="language")
    atmost = rule("share(wiki, each(language)) <= 5%", of, "<=", 0.05)
    made = recipe(tmp_path, *sources, rules=(atmost,))
    assert [r.text for r in problem_of(made).rules] == ["share(wiki, de) <= 5%"]
    atleast = rule("share(wiki, each(language)) >= 5%", of, ">=", 0.05)
    assert complaints(recipe(tmp_path, *sources, rules=(atleast,))) == [
        ("M438", "`share(wiki, en) >= 5%` can never hold: there is no supply of what it names")
    ]


def test_a_source_of_one_phase_is_absent_from_others(tmp_path: Path) -> None:
    sources = (source("web", supply=inline(en=5)), source("math", supply=inline(en=5), phases=("late",)))
    phases = (Phase("early", 0.5), Phase("late", 0.5))
    inside = rule("share(math) >= 5%", Selector(sources=("math",)), phase="early")
    assert complaints(recipe(tmp_path, *sources, phases=phases, rules=(inside,)))[0][0] == "M438"
    late = replace(inside, phase="late")
    assert problem_of(recipe(tmp_path, *sources, phases=phases, rules=(late,))).rules == (late,)
    named = rule("share(math, early) >= 5%", Selector(sources=("math",), phases=("early",)))
    assert complaints(recipe(tmp_path, *sources, phases=phases, rules=(named,)))[0][0] == "M438"


def test_change_reads_language_shares(tmp_path: Path) -> None:
    rows = [{"code": "en", "share": 0.75, "tokens": 7}, {"code": "de", "share": 0.25}]
    (tmp_path / "old.manifest.json").write_text(json.dumps({"languages": rows}), encoding="utf-8")
    change = Rule(
        'change("old.manifest.json") <= 5%', (Term(1, "change", Selector(), manifest="old.manifest.json"),), "<=", 0.05
    )
    made = six(tmp_path, rules=(change,))
    assert problem_of(made).baselines == (("old.manifest.json", (("de", 0.25), ("en", 0.75))),)
    assert problem_of(made).rules == (change,)
    assert ("manifest", "old.manifest.json") in {(f.kind, f.name) for f in supply_of(made).files}


def test_everything_is_sorted(tmp_path: Path) -> None:
    sources = (source("b", supply=SIX, limit=Limit(4.0)), source("a", supply=inline(ru=5, de=5)))
    rules = (rule("share(ru) >= 1%", Selector(languages=("ru",))), rule("share(de) >= 1%", Selector(languages=("de",))))
    problem = problem_of(recipe(tmp_path, *sources, rules=rules))
    assert [s.name for s in problem.sources] == ["a", "b"]
    assert problem.sources[1].limit == Limit(4.0)
    keys = [(p.source, p.language) for p in problem.pools]
    assert keys == sorted(keys)
    assert [r.text for r in problem.rules] == ["share(de) >= 1%", "share(ru) >= 1%"]
    assert [language.code for language in problem.languages] == ["de", "en", "eu", "no", "pl", "ru"]
