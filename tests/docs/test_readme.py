"""The README: its recipe compiles, and every console block shows what its commands print.

The commands of all blocks run in order, in one copy of the recipes that is a git repository. `MIXC_UPDATE_GOLDEN=1`
writes what they print into the README. `$ $EDITOR FILE  # OLD -> NEW` stands for an edit by hand.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mixc.compiler.export import capabilities
from mixc.compiler.review.words import markdown_table
from tests.corpus.present import corpus
from tests.docs.shown import TINY, run, run_lines
from tests.mubench.model_results import results
from tests.mubench.test_mubench_contamination import write_items

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BLOCKS = re.compile(r"^```(console|console corpus|sh)\n(.*?)^```", re.S | re.M)  # `corpus`: what `make corpus` builds
MIDDLE = "## From documents to a selection"
GENERATED = shutil.ignore_patterns("*.manifest.json", "*.lock", "*.tables.parquet", ".mixc")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with the recipes and the README's own one."""
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes", ignore=GENERATED)
    recipe = re.search(r"```mix\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    assert recipe is not None
    (tmp_path / "recipes" / "nordic.mix").write_text(recipe.group(1), encoding="utf-8")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path / "recipes"


def test_console_blocks_show_what_their_commands_print(folder: Path) -> None:
    printed("console", folder, second=False)


def test_the_walk_through_documents_shows_what_its_commands_print(folder: Path) -> None:
    (folder.parent / "build").mkdir()
    (folder.parent / "build" / "corpus").symlink_to(corpus())
    for name in ("nordic", "polyglot17"):
        run(f"mixc compile {name}.mix", folder, (0,))
    write_items(folder / "items")
    plan = json.loads((folder / "polyglot17.manifest.json").read_text(encoding="utf-8"))
    languages = dict.fromkeys([plan["evaluations"][0]["pivot"], *plan["evaluations"][0]["covered"]], 0.5)
    for task in plan["tasks"]:
        results(folder / "results", task["dataset"], languages, items=60, options=task["options"][1])
    printed("console corpus", folder, second=True)


def printed(console: str, folder: Path, *, second: bool) -> None:
    """Run the commands of one kind of console, and of `sh` in the first or second half of the README.

    What a console prints is what the README shows, or is written there.
    """
    text = README.read_text(encoding="utf-8")
    middle = text.index(MIDDLE)

    def shown(block: re.Match[str]) -> str:
        if block[1] == "sh" and (block.start() > middle) == second:
            for command in run_lines(block[2]):
                run(command, folder, (0,))
        if block[1] != console:
            return block.group()
        commands = [line for line in block[2].splitlines() if line.startswith("$ ")]
        return f"```{block[1]}\n" + "".join(f"{one}\n{run(one[2:], folder)}" for one in commands) + "```"

    now = BLOCKS.sub(shown, text)
    if os.environ.get("MIXC_UPDATE_GOLDEN"):
        README.write_text(now, encoding="utf-8")
        return
    assert TINY.sub("tiny", now) == TINY.sub("tiny", text)


def test_the_row_of_the_manifest_is_one_of_its_rows(folder: Path) -> None:
    block = re.search(r"```json\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    assert block is not None
    shown = json.loads(block.group(1).replace(", …", ""))
    run("mixc compile nordic.mix", folder)
    rows = json.loads((folder / "nordic.manifest.json").read_text(encoding="utf-8"))["mixture"]
    assert any(all(row[key] == value for key, value in shown.items()) for row in rows)


def test_named_files_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), target


def test_the_table_of_programs_is_what_their_exporters_declare() -> None:
    """`mixc export --list` and the README say the same."""
    rows = [
        (f"`{name}`", one.reads, one.needs, one.unit, one.exact, one.phases, one.caps, one.verified)
        for name, one in capabilities().items()
    ]
    header = ("program", "reads", "needs", "number", "how near", "phases", "limits to repetition", "checked")
    table = markdown_table(header, rows, left=range(len(header)))
    text = README.read_text(encoding="utf-8")
    now = re.sub(r"(?s)(<!-- trainers -->\n).*(<!-- /trainers -->)", lambda m: m[1] + table + m[2], text)
    if os.environ.get("MIXC_UPDATE_GOLDEN"):
        README.write_text(now, encoding="utf-8")
        return
    assert now == text
