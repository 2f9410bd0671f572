"""What rules mean: sums of terms against a bound."""

from __future__ import annotations

from pathlib import Path

import pytest
from front_recipe import check

from mixc.compiler.recipe import Rule, Selector, Term


def rule(folder: Path, text: str) -> Rule:
    (found,) = check(folder, text).rules
    return found


SHARE_DE = Term(1.0, "share", Selector(languages=("de",)))


@pytest.mark.parametrize(
    ("text", "terms", "sense", "bound"),
    [
        ("require share(de) >= 30%", (SHARE_DE,), ">=", 0.3),
        ("require 30% <= share(de) + 5%", (Term(-1.0, "share", Selector(languages=("de",))),), "<=", -0.25),
        ("require share(de) > 0.3", (SHARE_DE,), ">=", 0.3),
        ("require 2 * share(de) - share(de) == 10%", (SHARE_DE,), "==", 0.1),
        ("require share(de, web) <= 5%", (Term(1.0, "share", Selector(("web",), ("de",))),), "<=", 0.05),
        ("require share(nob_Latn) <= 5%", (Term(1.0, "share", Selector(languages=("no",))),), "<=", 0.05),
        ("require share(language.de) <= 5%", (SHARE_DE,), "<=", 0.05),
        (
            "require share(best(5%), de) <= 1%",
            (Term(1.0, "share", Selector(languages=("de",), best=0.05)),),
            "<=",
            0.01,
        ),
        ("require tokens(de) >= 10% * budget.tokens", (Term(1.0, "tokens", Selector(languages=("de",))),), ">=", 2e9),
        ("require passes(web) <= 3", (Term(1.0, "passes", Selector(("web",))),), "<=", 3.0),
        ("require info(de) >= 5B tokens", (Term(1.0, "info", Selector(languages=("de",))),), ">=", 5e9),
        ("require quality >= 60%", (Term(1.0, "quality", Selector()),), ">=", 0.6),
        (
            "require loss(de) <= 101% * natural.loss(de)",
            (
                Term(1.0, "loss", Selector(languages=("de",))),
                Term(-1.01, "loss", Selector(languages=("de",)), baseline="natural"),
            ),
            "<=",
            0.0,
        ),
        ('require change("old/m.json") <= 5%', (Term(1.0, "change", Selector(), manifest="old/m.json"),), "<=", 0.05),
        (
            "require tokens(de) >= 2 * tokens(en)",
            (Term(1.0, "tokens", Selector(languages=("de",))), Term(-2.0, "tokens", Selector(languages=("en",)))),
            ">=",
            0.0,
        ),
    ],
)
def test_rule(tmp_path: Path, text: str, terms: tuple[Term, ...], sense: str, bound: float) -> None:
    found = rule(tmp_path, text)
    assert (found.terms, found.sense, found.bound, found.weight) == (terms, sense, bound, None)
    assert found.place == "recipe.mix:4"


def test_within_is_two_rules_of_one_text(tmp_path: Path) -> None:
    found = check(tmp_path, "group north = [no, de]\nrequire share( north )  within 6%..20%\n").rules
    assert [(r.text, r.sense, r.bound) for r in found] == [
        ("share(north) within 6% .. 20%", ">=", 0.06),
        ("share(north) within 6% .. 20%", "<=", 0.2),
    ]
    assert found[0].terms[0].of == Selector(languages=("no", "de"))


def test_prefer_has_a_weight_of_its_own(tmp_path: Path) -> None:
    found = check(tmp_path, "prefer share(de) >= 5% weight 0.2\nprefer share(de) < 50%\n").rules
    assert [(r.text, r.weight) for r in found] == [("share(de) >= 5%", 0.2), ("share(de) <= 50%", 0.05)]


@pytest.mark.parametrize(
    ("argument", "kind", "members"),
    [("language", "language", None), ("source", "source", None), ("north", "language", ("no", "de"))],
)
def test_each(tmp_path: Path, argument: str, kind: str, members: tuple[str, ...] | None) -> None:
    found = rule(tmp_path, f"group north = [no, de]\nrequire share(each({argument})) >= 0.1%\n")
    assert found.terms[0].of == Selector(each=kind)  # type: ignore[arg-type]
    assert found.members == members
