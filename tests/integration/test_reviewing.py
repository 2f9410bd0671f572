"""A reviewer reads one Markdown comment and knows: what changed, by how much, why, what binds now, what it costs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from bad_input import COMPILE, RECIPE

from mixc.compiler.cli.guard import guarded

EDITS = (
    ("[en, de, no] { priority = 1.0 }", "[en, no] { priority = 1.0 }\nlanguage de { priority = 2.0 }"),
    ("no: 2B tokens", "no: 3B tokens"),
    ("share(en) >= 50%", "share(en) >= 60%"),
    ("tokens = 100B tokens", "tokens = 120B tokens"),
)


@pytest.fixture
def comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "recipe.mix"
    path.write_text(RECIPE)
    assert guarded(list(COMPILE)) == 0
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    text = RECIPE
    for old, new in EDITS:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    assert guarded(list(COMPILE)) == 0
    capsys.readouterr()
    assert guarded(["diff", "HEAD:recipe.manifest.json", "recipe.manifest.json", "--format", "markdown"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def test_five_questions_are_answered(comment: str) -> None:
    lines = comment.splitlines()
    causes = [line for line in lines if line.startswith("|")]
    assert any("priority" in line and "de" in line and "| 1 | 2 |" in line for line in causes), comment
    assert any("supply of `no` in `crawl` | 2B tokens | 3B tokens |" in line for line in causes), comment
    assert any("share(en)" in line and "50%" in line and "60%" in line for line in causes), comment
    assert any("100B" in line and "120B" in line for line in lines), comment
    for code in ("en", "de", "no"):
        assert any(line.startswith((f"| {code} ", f"| `{code}`")) for line in lines), comment
    assert "share(en) >= 60%" in comment
    assert "bind" in comment
    assert "loss" in comment
