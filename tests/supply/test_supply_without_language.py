"""Documents of which nothing says the language: left out with a word where others have one, used where none has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from mixc.compiler.cli.guard import guarded
from tests.examples import shown

RECIPE = """recipe u
budget { model = 10M params, tokens = 1M tokens }
source books { path = "a.jsonl", columns = { language: "lang" }, epochs <= 40 }
"""


def compiled(folder: Path, tags: Sequence[str | None], more: str = "") -> int:
    """Compile with 900 documents that have these tags in turn; the exit code."""
    rows = [{"id": f"{i}", "text": "word " * 200, "lang": tags[i % len(tags)]} for i in range(900)]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "u.mix").write_text(RECIPE + more)
    return guarded(["compile", str(folder / "u.mix")])


@pytest.mark.parametrize("more", ["", "languages [en, de] { priority = 1 }\n"], ids=["found", "declared"])
def test_a_part_without_a_language_is_told(more: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compiled(tmp_path, ["en", "de", None], more) == 0
    said = capsys.readouterr().err
    assert said.startswith("warning[M449]: 22.39% of source `books` has no language and is left out: 43.8K tokens of")
    assert "u.mix:3:1" in said and "a source of their own with `language = en`" in said
    if not more:
        about = "Every third document has no language."
        shown("M449", said, about=about, files=[tmp_path / "u.mix"], command="mixc compile u.mix", at=tmp_path)


@pytest.mark.parametrize("tags", [["en"] * 199 + [None], [None], ["en", "de"]], ids=["few", "all", "none"])
def test_nothing_is_said_where_little_or_nothing_is_left_out(
    tags: list[str | None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compiled(tmp_path, tags) == 0
    assert capsys.readouterr().err == ""


def test_a_source_without_any_is_told_to_say_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "b.jsonl").write_text(json.dumps({"id": "b", "text": "other " * 200}) + "\n")
    assert compiled(tmp_path, ["en"], 'source web { path = "b.jsonl", epochs <= 4 }\n') == 0
    said = capsys.readouterr().err
    assert "warning[M426]: source `web` holds no language of the mixture" in said
    assert "= note: it holds: und" in said
    assert "= help: say what its language is: `language = en`" in said
    about = "The documents of `b.jsonl` say no language."
    shown("M426", said, about=about, files=[tmp_path / "u.mix"], command="mixc compile u.mix", at=tmp_path)
