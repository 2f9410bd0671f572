"""What is offered at a place, in texts that are being written: `|` is where the cursor stands."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixc.backends.lsp.completing import choices
from mixc.backends.lsp.cursor import spot
from mixc.backends.lsp.workspace import Workspace
from mixc.compiler.front.kinds import KINDS, LAW_KINDS
from mixc.compiler.front.terms import FUNCTIONS
from mixc.compiler.front.units import SINGULAR
from mixc.compiler.laws.calibration import shipped

START = """\
recipe written
param size = 1.2B params
budget { model = size, tokens = 100B tokens }
source web { supply = { en: 900B tokens, de: 60B tokens }, domain = pages, assume = rated, epochs <= 4 }
languages [en, de] { priority = 1 }
group both = [en, de]
rater edu { column = "edu" }
"""


def offered(text: str, folder: Path, good: str = "") -> list[str]:
    """The words that are offered where `|` stands, the likeliest first; `good` is what stood there before."""
    before, _, after = (START + text).partition("|")
    workspace = Workspace()
    workspace.put(folder / "written.mix", START + good)
    workspace.known(folder / "written.mix")
    workspace.put(folder / "written.mix", before + after)
    _, found = choices(workspace, folder / "written.mix", len(before))
    return [one.word for one in found]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("so|", ["require", "prefer", "minimize", "import", "override", *KINDS]),
        ("override |", list(KINDS)),
        ("source books { |", [key.name for key in KINDS["source"].keys]),
        ("source books { domain = x, ids = |", ["unique", "per-file", "shared"]),
        ("source books {\n  domain = |\n}", ["pages"]),
        ("source books { columns = { te|", ["id", "text", "language", "domain", "tokens"]),
        ("source books { eos = |", ["true", "false"]),
        ("domain pages { weights = { |", ["edu"]),
        ("domain pages { sampling = { lambda: 3, |", ["omega", "eta", "epsilon", "temperature"]),
        ("quality { order = |", ["free", "epochs", "shares"]),
        ("law |", ["infolaw", "transfer"]),
        ("law transfer { |", [key.name for key in LAW_KINDS["transfer"].keys]),
        ('law infolaw { calibration = "|', list(shipped())),
        ("require |", [*FUNCTIONS, "size", "both"]),
        ("require share(|", ["web", "en", "de", "pages", "both", "size", "each", "best", "language"]),
        ("require share(web, |", ["web", "en", "de", "pages", "both", "size", "each", "best", "language"]),
        ("require tokens(web) >= 3B |", list(SINGULAR)),
        ("budget { tokens = 3B |", ["tokens"]),
        ("budget { ratio >= 20 |", ["tokens/param"]),
        ("language |", ["en", "de", "aa"]),
        ("languages [de, |", ["en", "de", "aa"]),
        ("language fr { transfer = { |", ["en", "de"]),
        ("phase late { after = |", []),
        ("phase late {\n  req|", ["after", "budget", "require", "prefer", "minimize", "source", "override"]),
        ("# source |", []),
    ],
)
def test_what_is_offered(text: str, first: list[str], tmp_path: Path) -> None:
    assert offered(text, tmp_path)[: len(first)] == first
    if not first:
        assert offered(text, tmp_path) == []


def test_what_is_written_is_not_offered_again(tmp_path: Path) -> None:
    found = offered("source books { domain = x, epochs <= 3, |", tmp_path)
    assert "domain" not in found and "epochs" not in found and "license" in found


def test_files_are_offered_as_far_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "math.mix").write_text("recipe math\n")
    (tmp_path / "sizes.csv").write_text("language,tokens\n")
    assert offered('import m = "|', tmp_path) == ["shared/"]
    assert offered('import m = "shared/|', tmp_path) == ["shared/math.mix"]
    assert offered('source s { supply = "|', tmp_path) == ["shared/", "sizes.csv"]


def test_columns_of_the_data_are_offered(tmp_path: Path) -> None:
    pq.write_table(pa.table({"body": ["a"], "lang": ["en"], "score": [1.0]}), tmp_path / "a.parquet")
    text = 'source docs { path = "a.parquet", epochs <= 2, columns = { text: "body", language: "|" } }'
    assert offered(text, tmp_path) == ["body", "lang", "score"]
    assert offered(text.replace('"|"', "|"), tmp_path, text.replace("|", "lang")) == ['"body"', '"lang"', '"score"']
    assert offered('source docs { path = "a.parquet", epochs <= 2 }\nrater r { column = "|" }', tmp_path) == [
        "body", "lang", "score",
    ]  # fmt: skip


def test_any_place_of_any_text_has_an_answer(tmp_path: Path) -> None:
    for recipe in sorted(Path("recipes").glob("*.mix"))[:6]:
        text = recipe.read_text(encoding="utf-8")
        for offset in range(0, len(text), 7):
            found = spot(text[:offset], offset)
            assert 0 <= found.start <= offset
            assert text[found.start : offset] == found.word
