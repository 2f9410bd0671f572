"""The shipped recipes, compiled: golden mixtures, rules recomputed from whole tokens, published optima beside ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from shipped import NAMES, RECIPES, ROOT, compiled

from tests.fuzz.arithmetic import cells_of, faults

# Two phases have a grid each, and limits over both: rounding costs more there than the rest of the proof.
GAP = {"pretrain-anneal": 3e-7}
PUBLISHED = {  # InfoLaw (arXiv 2605.02364): exact shares of the six buckets; what the paper's own search found
    ("300B tokens", "free"): ((0.55537, 0.44463, 0, 0, 0, 0), {0: 0.548, 1: 0.444}),
    ("1000B tokens", "shares"): ((0.39176, 0.39176, 0.21648, 0, 0, 0), {0: 0.395, 2: 0.214}),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_beside_a_recipe_is_what_it_compiles_to(name: str) -> None:
    """Golden: the same bytes here, or on another platform the same inputs and a mixture proved anew."""
    if os.environ.get("MIXC_UPDATE_GOLDEN"):
        mixc("compile", f"recipes/{name}.mix")
    ran = mixc("compile", "--check", f"recipes/{name}.mix")
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr


def mixc(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "mixc", *arguments], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("name", NAMES)
def test_tokens_add_up_and_every_rule_holds(name: str) -> None:
    manifest, _, _ = compiled(name)
    assert faults(manifest) == []
    assert all(cell.tokens <= 1000 * max(cell.supply, 1) for cell in cells_of(manifest))
    assert manifest["rules"] or name in ("hello", "english-quality")


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_certified(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    manifest, _, _ = compiled(name)
    certificate = manifest["certificate"]
    with capsys.disabled():
        print(f"\n{name}: loss {certificate['loss']:.6f}, optimality gap {certificate['gap']:.1e}")
    assert certificate["bound"] <= certificate["loss"] * (1 + 1e-12)
    assert certificate["gap"] <= GAP.get(name, 1e-7)
    assert certificate["tie_break"] <= 1e-7 * certificate["loss"]


@pytest.mark.parametrize(("total", "ranking"), PUBLISHED)
def test_english_quality_is_infolaws_optimum(total: str, ranking: str, capsys: pytest.CaptureFixture[str]) -> None:
    exact, published = PUBLISHED[total, ranking]
    manifest, _, _ = compiled("english-quality", ("total", total), ("ranking", ranking))
    (row,) = manifest["mixture"]
    with capsys.disabled():
        print(f"\nenglish-quality {total}, order = {ranking}: {row['share_by_bucket']}, published {published}")
    assert row["share_by_bucket"] == pytest.approx(exact, abs=5e-4)
    for bucket, share in published.items():
        assert row["share_by_bucket"][bucket] == pytest.approx(share, abs=0.01)


def test_the_comment_of_english_quality_shows_what_it_computes() -> None:
    comment = (RECIPES / "english-quality.mix").read_text()
    for (total, ranking), (exact, published) in PUBLISHED.items():
        row = next(line for line in comment.splitlines() if line.startswith(f"#   {total.split()[0]}"))
        assert ranking in row
        shown = [float(word) for word in re.findall(r"(?<![\w.])(?:\.\d+|0)(?![\w.])", row)]
        assert shown[:6] == pytest.approx(exact, abs=6e-4)
        assert all(f"w{bucket} {share:.3f}".replace("0.", ".") in row for bucket, share in published.items())


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_this_machine_is_in_a_manifest(name: str) -> None:
    _, text, _ = compiled(name)
    assert str(ROOT) not in text
    assert str(Path.home()) not in text
    assert not re.search(r"20\d\d-\d\d-\d\dT", text)
