"""`scale = omega`: one factor on every omega, such that the sampling curves give the budget as they are."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest import approx
from scipy.integrate import quad

from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.supply.pool_messages import amount
from mixc.dsl.diagnostics import Diagnostic
from tests.examples import shown
from tests.selection.pool import (
    BOOKS,
    BUDGET,
    HEAD,
    LANGUAGES,
    RATERS,
    compiled,
    documents,
    plain_pool,
    selected,
    verified,
)

OMEGAS = {"news": 0.2, "forums": 0.05}
CURVES = """domain news {
  weights  = { fine: 1.0 }
  sampling = { lambda: 12, omega: 20%, eta: 1.0, epsilon: 0.002 }
}
domain forums {
  weights  = { edu: 0.35, fine: 0.65 }
  sampling = { lambda: 3, omega: 5%, eta: 0.5, epsilon: 0 }
}
"""
SCALE = "quality { scale = omega }\n"
RECIPE = HEAD + RATERS + CURVES + LANGUAGES + BUDGET + SCALE
TOKENS = 9_000_000


def held(languages: tuple[str, ...] = ("en", "de")) -> dict[str, int]:
    """Tokens of every domain, an end of text for each document."""
    table = documents().to_pylist()
    return {
        domain: sum(row["n"] + 1 for row in table if row["domain"] == domain and row["lang"] in languages)
        for domain in OMEGAS
    }


def integral(curve: Mapping[str, float]) -> float:
    """F by quadrature of the paper's equation 3."""
    inside = quad(
        lambda r: (2 / (1 + math.exp(-curve["lam"] * (curve["omega"] - r)))) ** curve["eta"], 0, curve["omega"]
    )
    return float(inside[0]) + curve["epsilon"]


def curves_of(manifest: Path) -> dict[str, dict[str, Any]]:
    (stage,) = (row for row in json.loads(manifest.read_text())["plan"] if row["stage"] == "sample")
    assert stage["parameters"]["scale"] == "omega"
    return dict(stage["parameters"]["curves"])


def given(manifest: Path) -> float:
    """Tokens that the curves give as they are, by the manifest's own means of S: what kappa is on the whole is left."""
    supply = json.loads(manifest.read_text())["supply"]
    return float(sum(c * t for row in supply for c, t in zip(row["copies"], row["tokens"], strict=True)))


def test_the_curves_give_the_budget_by_one_factor(tmp_path: Path) -> None:
    job = compiled(plain_pool(tmp_path, RECIPE))
    curves, tokens = curves_of(job.path), held()
    assert {name: curve["stated_omega"] for name, curve in curves.items()} == OMEGAS
    factors = [curve["omega"] / curve["stated_omega"] for curve in curves.values()]
    assert factors[0] == approx(factors[1], rel=1e-5)
    assert factors[0] > 1.1
    assert sum(tokens[name] * integral(curve) for name, curve in curves.items()) == approx(TOKENS, rel=1e-5)


def test_what_is_left_to_the_program_is_about_one(tmp_path: Path) -> None:
    """But for the width of levels; without `scale`, the program has to multiply the curves."""
    scaled = compiled(plain_pool(tmp_path / "omega", RECIPE))
    plain = compiled(
        plain_pool(tmp_path / "copies", RECIPE.replace(SCALE, "").replace("epochs  <= 4", "epochs  <= 40"))
    )
    assert given(scaled.path) == approx(TOKENS, rel=0.05)
    assert given(plain.path) < TOKENS / 3
    assert not any("scale" in row["parameters"] for row in json.loads(plain.path.read_text())["plan"])


def test_domains_without_a_curve_keep_their_natural_part(tmp_path: Path) -> None:
    job = compiled(plain_pool(tmp_path, RECIPE.replace(RATERS, BOOKS + RATERS)))
    curves, tokens = curves_of(job.path), held()
    data = json.loads(job.path.read_text())
    whole = sum(sum(row["tokens"]) for row in data["supply"])
    assert sum(tokens.values()) < whole
    taken = sum(tokens[name] * integral(curve) for name, curve in curves.items())
    assert taken == approx(TOKENS * sum(tokens.values()) / whole, rel=1e-5)


def test_it_is_run_and_verified(tmp_path: Path) -> None:
    job = compiled(plain_pool(tmp_path, RECIPE))
    outcome = selected(job, tmp_path / "out")
    report, found = verified(job, tmp_path / "out")
    assert not found
    assert report is not None
    assert sum(cell.realised for cell in report.cells) == approx(TOKENS, rel=0.02)
    assert outcome.markers


def test_an_omega_ends_at_the_whole_domain(tmp_path: Path) -> None:
    """The widest is cut at 100 %, the others go on."""
    job = compiled(plain_pool(tmp_path, RECIPE.replace("9M tokens", "16M tokens")))
    curves = curves_of(job.path)
    assert curves["news"]["omega"] == 1.0
    assert 0.25 < curves["forums"]["omega"] < 1.0


@pytest.mark.parametrize(("tokens", "epsilon"), [("1M", 0.3), ("60M", 0.002)])
def test_a_budget_out_of_reach_says_what_is_within(tmp_path: Path, tokens: str, epsilon: float) -> None:
    text = RECIPE.replace("9M tokens", f"{tokens} tokens").replace("epsilon: 0.002", f"epsilon: {epsilon}")
    (only,) = said(plain_pool(tmp_path, text.replace("epochs  <= 4", "epochs  <= 40")))
    assert (only.code, only.message) == ("M440", f"no omega makes the sampling curves give {tokens} tokens")
    held_by = held()
    low = held_by["news"] * epsilon
    high = held_by["news"] * integral({"lam": 12, "omega": 1, "eta": 1, "epsilon": epsilon})
    high += held_by["forums"] * integral({"lam": 3, "omega": 1, "eta": 0.5, "epsilon": 0})
    assert only.notes == (f"the curves of `news`, `forums` can give {amount(low)} to {amount(high)}",)
    if tokens == "60M":
        about = "The recipe has `tokens = 60M tokens` and curves of `sampling` without `omega`."
        shown("M440", only, about=about, command="mixc compile pool.mix", at=tmp_path, numbers=False)


def said(path: Path) -> list[Diagnostic]:
    return run_passes(COMPILE, Artefacts(path))[1]
