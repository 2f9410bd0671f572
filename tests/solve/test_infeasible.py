"""What a user reads when a recipe cannot be compiled: M301 and M303 from recipes, M304 and odd places by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mixc.compiler.pipeline import Artefacts, find_supply, load, run_passes, settle, state_problem
from mixc.compiler.problem import Problem
from mixc.compiler.solve.errors import Line, contradiction, no_optimum
from mixc.compiler.solve.infeasible import members_of, why
from mixc.compiler.solve.strategies import lower_problem
from mixc.dsl.diagnostics import PAGES, Diagnostic, has_errors
from tests.examples import shown

HEAD = """recipe mix
source stack { supply = { en: 500B tokens }, domain = code, assume = rated, epochs <= 4 }
source crawl { supply = { en: 900B tokens, de: 300B tokens }, domain = web, assume = rated, epochs <= 4 }
source wiki { supply = { en: 40B tokens, de: 20B tokens }, domain = books, density = 1.0, epochs <= 6 }
language en { priority = 2.0 }
language de { priority = 1.0 }
"""
BUDGET = "budget { model = 1.2B params, tokens = 400B tokens }\n"


def problem_of(folder: Path, text: str) -> Problem:
    """The problem of a recipe; its own diagnostics must be no errors."""
    path = folder / "mix.mix"
    path.write_text(text)
    made, found = run_passes((load, find_supply, settle, state_problem), Artefacts(path))
    assert not has_errors(found), found
    assert made.problem is not None
    return made.problem


def explained(folder: Path, rules: str, *, head: str = HEAD, budget: str = BUDGET) -> Diagnostic:
    """The one diagnostic of a recipe that cannot be decided."""
    found = why(lower_problem(problem_of(folder, head + budget + rules)), 1.0)
    assert len(found) == 1
    return found[0]


def lines_of(diagnostic: Diagnostic) -> list[tuple[str, str]]:
    return [(label.span.text, label.text) for label in diagnostic.labels]


def test_shares_that_leave_tokens_without_a_place(tmp_path: Path) -> None:
    rules = "require share(code) <= 15%\nrequire share(web) <= 40%\nrequire share(books) <= 10%\n"
    found = explained(tmp_path, rules + "require share(de) >= 5%\n")
    assert found.code == "M301"
    assert found.message == "these requirements cannot hold together"
    assert set(lines_of(found)) == {
        ("require share(code) <= 15%", "at most 15% from `code`"),
        ("require share(web) <= 40%", "at most 40% from `web`"),
        ("require share(books) <= 10%", "at most 10% from `books`"),
    }
    assert found.helps == ("loosening any one by 35 points restores feasibility, e.g. `share(web) <= 75%`",)
    assert "all tokens must come from somewhere: shares sum to 100%" in found.notes


def test_supply_takes_part_with_its_limit(tmp_path: Path) -> None:
    head = HEAD.replace("de: 300B", "de: 70B")
    found = explained(tmp_path, "require tokens(de) >= 350B tokens\nrequire share(books) <= 10%\n", head=head)
    assert found.code == "M301"
    assert ("epochs <= 4", "over 970B tokens, at most 4 passes") in lines_of(found)
    for way in ("`tokens(de) >= 320B tokens`", "`share(books) <= 17.5%`", "`epochs <= 4.429` in source crawl"):
        assert way in found.helps[0]
    assert found.helps[0].startswith("one of these is enough: ")


def test_what_the_help_says_is_enough_is_enough(tmp_path: Path) -> None:
    head = HEAD.replace("de: 300B", "de: 70B")
    for rules in (
        "require tokens(de) >= 320B tokens\nrequire share(books) <= 10%\n",
        "require tokens(de) >= 350B tokens\nrequire share(books) <= 17.5%\n",
    ):
        assert explained(tmp_path, rules, head=head).code == "M304"  # that is: no conflict is found
    wider = head.replace("domain = web, assume = rated, epochs <= 4", "domain = web, assume = rated, epochs <= 4.429")
    rules = "require tokens(de) >= 350B tokens\nrequire share(books) <= 10%\n"
    assert explained(tmp_path, rules, head=wider).code == "M304"
    less = head.replace("domain = web, assume = rated, epochs <= 4", "domain = web, assume = rated, epochs <= 4.42")
    assert explained(tmp_path, rules, head=less).code == "M301"


def test_one_rule_against_the_supply(tmp_path: Path) -> None:
    found = explained(tmp_path, "require share(books) >= 95%\n")
    assert ("require share(books) >= 95%", "at least 95% from `books`") in lines_of(found)
    assert "`share(books) >= 90%`" in found.helps[0]
    assert "`epochs <= 6.334` in source wiki" in found.helps[0]


def test_each_shows_the_members_that_clash(tmp_path: Path) -> None:
    found = explained(tmp_path, "require share(each(language)) >= 60%\n")
    assert {label.text for label in found.labels} == {"at least 60% from `de`", "at least 60% from `en`"}
    assert "by 20 points" in found.helps[0]


def test_a_loss_that_no_mixture_reaches(tmp_path: Path) -> None:
    found = explained(tmp_path, "require loss(de) <= 2.0\n")
    assert found.code == "M301"
    assert found.message == "`loss(de) <= 2.0` cannot hold"
    assert "a loss of at most 2 in `de`" in [label.text for label in found.labels]


def test_passes_rules_are_named_as_rules(tmp_path: Path) -> None:
    found = explained(tmp_path, "require passes(wiki) <= 2\nrequire share(books) >= 40%\n")
    texts = [text for text, _ in lines_of(found)]
    assert "require passes(wiki) <= 2" in texts
    assert any("`passes(wiki) <= 2.667`" in help_ for help_ in found.helps)


def test_two_contradictions_say_that_one_remains(tmp_path: Path) -> None:
    rules = (
        "require share(code) >= 70%\nrequire share(web) >= 70%\nrequire share(de) >= 60%\nrequire share(en) >= 60%\n"
    )
    found = explained(tmp_path, rules)
    assert len(found.labels) == 2
    assert found.helps[0].endswith("; other requirements contradict each other beyond this")


def test_a_budget_that_the_limits_cannot_fill(tmp_path: Path) -> None:
    found = explained(tmp_path, "", budget="budget { model = 1.2B params, tokens = 9T tokens }\n")
    assert found.code == "M303"
    assert found.message == "the sources' limits let in 7.16T tokens of the budget's 9T tokens"
    assert found.notes == ("1.84T tokens are missing",)
    assert found.helps == (
        "lower the budget to 7.16T tokens, or allow 1.257 times as many passes everywhere, or add sources",
    )
    assert len(found.labels) == 3


def test_one_number_of_epochs_is_named(tmp_path: Path) -> None:
    head = HEAD.replace("epochs <= 6", "epochs <= 4")
    found = explained(tmp_path, "", head=head, budget="budget { model = 1.2B params, tokens = 9T tokens }\n")
    assert "or allow `epochs <= 5.114`" in found.helps[0]


def test_a_phase_that_its_sources_cannot_fill(tmp_path: Path) -> None:
    phases = """phase early { budget = 300B tokens }
phase late {
  after = early
  budget = 100B tokens
  source math { supply = { en: 1B tokens }, domain = maths, assume = rated, epochs <= 2 }
  require share(maths) >= 5%
}
"""
    found = explained(tmp_path, phases)
    assert found.code == "M301"
    assert ("require share(maths) >= 5%", "at least 5% of phase `late` from `maths`") in lines_of(found)
    assert "`share(maths) >= 2%`" in found.helps[0]


def test_rules_without_text_are_shown_by_their_place(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, HEAD + BUDGET + "require share(code) >= 70%\nrequire share(web) >= 70%\n")
    rules = tuple(replace(rule, span=None, place=f"mix.mix:{9 + k}:1") for k, rule in enumerate(problem.rules))
    found = why(lower_problem(replace(problem, rules=rules)), 1.0)[0]
    assert found.labels == ()
    assert found.place.startswith("mix.mix:")
    assert any(note.startswith("mix.mix:9:1: `share(code) >= 70%`: at least 70%") for note in found.notes)


def test_at_most_five_lines_are_printed() -> None:
    lines = [Line(None, f"a.mix:{k}:1", f"rule {k}", "said") for k in range(8)]
    notes = contradiction(lines, (), ()).notes
    assert len(notes) == 6
    assert notes[-1] == "and 3 more"


def test_an_unsolved_program_that_can_hold_is_a_numerical_failure(tmp_path: Path) -> None:
    found = explained(tmp_path, "require share(de) >= 5%\n")
    assert found == no_optimum("1")
    assert found.code == "M304"
    about = "The requirements can hold, and the solver stops without a mixture."
    shown("M304", found, about=about, command="mixc compile mix.mix")


@pytest.mark.parametrize("code", ["M301", "M303", "M304"])
def test_pages_are_manual_pages(code: str) -> None:
    page = PAGES[code]
    assert page.title
    assert not page.title.endswith(".")
    assert len(page.text) > 300


def test_every_limit_rule_and_budget_is_a_member(tmp_path: Path) -> None:
    rules = "require share(de) >= 5%\nprefer share(en) >= 90% weight 0.05\nrequire passes(wiki) <= 3\n"
    members = members_of(lower_problem(problem_of(tmp_path, HEAD + BUDGET + rules)))
    assert [(member.kind, member.name) for member in members] == [
        ("rule", "share(de) >= 5%"),
        ("limit", "crawl"),
        ("limit", "passes(wiki) <= 3"),
        ("limit", "stack"),
        ("budget", "main"),
    ]
