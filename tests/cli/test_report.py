"""`mixc report`: what it writes, and what it refuses without leaving anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.ran import Ran
from tests.examples import shown

Mixc = Callable[..., Ran]
MANIFEST = "toy.manifest.json"


@pytest.fixture
def compiled(mixc: Mixc, folder: Path) -> Mixc:
    """`mixc` beside the toy's manifest."""
    ran = mixc("compile", "toy.mix")
    assert ran.code == 0, ran.err
    return mixc


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_page(compiled: Mixc, folder: Path) -> None:
    ran = compiled("report", MANIFEST, "-o", "report.html")
    assert (ran.code, ran.err, ran.out) == (0, "", "wrote report.html\n")
    page = (folder / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "Three languages, small enough to read." in page
    again = compiled("report", MANIFEST, "--format", "html", PYTHONHASHSEED="7")
    assert again.out == page
    assert str(folder) not in page


def test_markdown_for_a_pull_request(compiled: Mixc, folder: Path) -> None:
    ran = compiled("report", MANIFEST, "--against", MANIFEST)
    assert (ran.code, ran.err) == (0, "")
    assert "| **Against the previous** | loss no change |" in ran.out
    assert "| share(en) &gt;= 80% | yes | 80.00% |" in ran.out
    assert compiled("report", MANIFEST, "--against", MANIFEST, "-o", "x.md").code == 0
    assert (folder / "x.md").read_text() == ran.out


def test_single_plots(compiled: Mixc, folder: Path) -> None:
    assert compiled("report", MANIFEST, "--plot", "languages", "-o", "a.svg").code == 0
    assert (folder / "a.svg").read_text().startswith("<svg ")
    assert compiled("report", MANIFEST, "--plot", "languages").out == (folder / "a.svg").read_text()
    assert compiled("report", MANIFEST, "--plot", "benefit", "-o", "b.png").code == 0
    assert (folder / "b.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--plot", "languages", "-o", "x.html"), "`--plot` writes a picture"),
        (("-o", "x.png"), "say which plot"),
        (("-o", "x.pdf"), "`x.pdf` ends as nothing that a report can be"),
        (("-o", "x"), "or say `--format`"),
        (("--plot", "languages", "--format", "png"), "add `-o NAME.png`"),
    ],
)
def test_what_does_not_go_together(compiled: Mixc, folder: Path, arguments: tuple[str, ...], words: str) -> None:
    there = names(folder)
    ran = compiled("report", MANIFEST, *arguments)
    assert ran.code == 1
    assert words in " ".join(ran.err.split())
    assert names(folder) == there


def test_a_plot_that_is_not_there(compiled: Mixc, folder: Path) -> None:
    ran = compiled("report", MANIFEST, "--plot", "langages", "-o", "x.svg")
    assert ran.code == 1
    assert "error[M781]: the report on this manifest has no plot `langages`" in ran.err
    assert "did you mean `--plot languages`?" in ran.err
    shown("M781", ran.err, command="mixc report toy.manifest.json --plot langages -o x.svg")
    assert "`transfer`" not in ran.err, "nobody learns from another in this recipe"
    assert not (folder / "x.svg").exists()


def test_without_its_packages(compiled: Mixc, folder: Path) -> None:
    hidden = folder / "hidden"
    hidden.mkdir()
    (hidden / "altair.py").write_text("raise ModuleNotFoundError('no altair', name='altair')\n")
    ran = compiled("report", MANIFEST, "-o", "x.html", PYTHONPATH=str(hidden))
    assert ran.code == 1
    assert "error[M780]: a report with plots needs the package `altair`" in ran.err
    about = "The package `altair` is not installed."
    shown("M780", ran.err, about=about, command="mixc report toy.manifest.json -o x.html")
    assert not (folder / "x.html").exists()
    assert compiled("report", MANIFEST, PYTHONPATH=str(hidden)).code == 0


def written(folder: Path, name: str, **changes: object) -> str:
    owner = json.loads((folder / MANIFEST).read_text())["integrity"]
    row = {"phase": "main", "source": "crawl", "digest": "0", "copies": 5, "tokens": 99_000_000_000}
    run = {"manifest": owner, "recipe": "toy", "selection": [row], **changes}
    (folder / name).mkdir()
    (folder / name / "run.json").write_text(json.dumps(run))
    return name


def test_what_a_run_selected(compiled: Mixc, folder: Path) -> None:
    ran = compiled("report", MANIFEST, "--run", written(folder, "run"))
    assert (ran.code, ran.err) == (0, "")
    assert "| main | crawl | 100,000,000,000 | 99,000,000,000 | -1.00% | 5 |" in ran.out
    assert "1.00% of the budget lies elsewhere" in ran.out


def test_the_run_of_another_manifest(compiled: Mixc, folder: Path) -> None:
    ran = compiled("report", MANIFEST, "--run", written(folder, "run", manifest="f" * 64), "-o", "x.html")
    assert ran.code == 1
    assert "error[M571]: `run` holds the selection of another manifest, ffffffffffff" in ran.err
    assert not (folder / "x.html").exists()


@pytest.mark.parametrize("selection", [[{}], "text", [{"phase": "main", "source": "x", "tokens": "many"}]])
def test_a_run_that_cannot_be_read(compiled: Mixc, folder: Path, selection: object) -> None:
    ran = compiled("report", MANIFEST, "--run", written(folder, "run", selection=selection))
    assert ran.code == 1
    assert "error[M581]: `run` holds no selection" in ran.err


def test_a_run_that_has_not_ended(compiled: Mixc, folder: Path) -> None:
    ran = compiled("report", MANIFEST, "--run", written(folder, "run", selection=None))
    assert ran.code == 1
    assert "error[M583]: the run into `run` has not ended" in ran.err
    about = "`mixc run` was interrupted."
    shown("M583", ran.err, about=about, command="mixc report toy.manifest.json --run run")


def test_a_folder_without_a_run(compiled: Mixc) -> None:
    ran = compiled("report", MANIFEST, "--run", "nowhere")
    assert ran.code == 1
    assert "error[M581]: `nowhere` holds no selection" in ran.err


def test_the_manifest_is_not_overwritten(compiled: Mixc, folder: Path) -> None:
    before = (folder / MANIFEST).read_bytes()
    ran = compiled("report", MANIFEST, "--format", "html", "-o", MANIFEST)
    assert ran.code == 1
    assert "error[M" in ran.err
    assert (folder / MANIFEST).read_bytes() == before


def test_a_manifest_that_is_none(compiled: Mixc, folder: Path) -> None:
    ran = compiled("report", "toy.mix", "-o", "x.html")
    assert ran.code == 1
    assert ran.err.startswith("error[M")
    assert not (folder / "x.html").exists()
