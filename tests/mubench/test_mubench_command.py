"""`mixc mubench` as a user runs it: golden report and patch, JSON, and what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mixc.compiler.cli.compile import artefacts
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.dsl.diagnostics import has_errors
from tests.cli.conftest import RECIPE
from tests.cli.ran import Ran
from tests.examples import shown
from tests.mubench.model_results import results, write

Mixc = Callable[..., Ran]
HERE = Path(__file__).parent
ACCURACIES = {"en": 0.72, "de": 0.6, "no": 0.4}
OPTIONS = {"arc_easy": 4, "bmlama": 10, "hellaswag": 4, "xstorycloze": 2}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a compiled recipe and results of the early panel."""
    folder = tmp_path_factory.mktemp("prepared")
    recipe = folder / "toy.mix"
    recipe.write_text(RECIPE + "evaluate { suite = mubench }\n")
    made, found = run_passes(COMPILE, Artefacts(recipe))
    assert not has_errors(found)
    for path, data in artefacts(made, folder / "toy.manifest.json").items():
        path.write_bytes(data)
    for seed, (dataset, options) in enumerate(OPTIONS.items()):
        results(folder / "results", dataset, ACCURACIES, 600, options, seed)
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """A copy of it to work in."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return tmp_path


def run(mixc: Mixc, *arguments: str) -> Ran:
    return mixc("mubench", "results", "--manifest", "toy.manifest.json", *arguments)


def test_the_report(folder: Path, mixc: Mixc) -> None:
    ran = run(mixc)
    assert ran.code == 0
    assert ran.out == (HERE / "report.txt").read_text()
    assert "warning[M673]: `hellaswag` has 600 items of 9,044" in ran.err


def test_the_patch_is_a_recipe_that_checks_and_compiles(folder: Path, mixc: Mixc) -> None:
    ran = run(mixc, "-o", "proposed.mix")
    assert ran.code == 0
    assert ran.out.endswith("\nwrote proposed.mix\n")
    text = (folder / "proposed.mix").read_text()
    assert text == (HERE / "proposed.mix").read_text()
    assert mixc("check", "proposed.mix") == Ran(0, "proposed.mix: fine\n", "")
    assert mixc("fmt", "--check", "proposed.mix").code == 0
    lines = "".join(line + "\n" for line in text.splitlines() if line.startswith(("override", "#")))
    (folder / "mine.mix").write_text('recipe mine extends "toy.mix"\n' + lines)
    assert mixc("check", "mine.mix").code == 0  # its lines may be put at the end of a recipe that extends


def test_the_patch_is_the_same_for_any_half_and_place(folder: Path, mixc: Mixc) -> None:
    run(mixc, "-o", "one.mix")
    for half in ("weights", "all"):
        run(mixc, "--half", half, "-o", "two.mix", "--format", "json")
        assert (folder / "one.mix").read_text() == (folder / "two.mix").read_text()
    (folder / "below").mkdir()
    run(mixc, "-o", "below/three.mix")
    assert 'extends "../toy.mix"' in (folder / "below" / "three.mix").read_text()


def test_json_holds_every_figure(folder: Path, mixc: Mixc) -> None:
    ran = run(mixc, "--format", "json", "--diagnostics", "json")
    data = json.loads(ran.out)
    assert data["formula"] == "mubench-1"
    assert data["half"] == "report"
    assert [one["set"] for one in data["sets"]] == sorted(OPTIONS)
    first = data["sets"][0]
    assert [pair["languages"] for pair in first["pairs"]] == [["de", "en"], ["de", "no"], ["en", "no"]]
    for pair in first["pairs"]:
        assert pair["mlc"] == pytest.approx(pair["both_right"] + pair["same_wrong"], abs=2e-6)
    assert first["languages"]["en"]["lift"] == {"value": pytest.approx(1 / first["languages"]["en"]["acc"]),
                                                "interval": first["languages"]["en"]["lift"]["interval"]}  # fmt: skip
    assert "acc_norm" not in data["sets"][1]["languages"]["de"]  # bmlama
    assert data["languages"]["no"]["gap"] > data["languages"]["de"]["gap"] > 0 == data["languages"]["en"]["gap"]
    assert data["proposal"]["half"] == "weights"
    shares = [one["proposed_share"] for one in data["proposal"]["languages"]]
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    assert run(mixc, "--format", "json").out == ran.out


def test_halves_differ_and_all_holds_both(folder: Path, mixc: Mixc) -> None:
    items = {
        half: [one["items"] for one in json.loads(run(mixc, "--half", half, "--format", "json").out)["sets"]]
        for half in ("report", "weights", "all")
    }
    assert items["all"] == [600] * 4
    assert [a + b for a, b in zip(items["report"], items["weights"], strict=True)] == items["all"]


def test_wrong_results_write_no_patch(folder: Path, mixc: Mixc) -> None:
    write(folder / "results", "hellaswag_de_mubench", ["{\n"], time="2027-01-01T00-00-00.1")
    ran = run(mixc, "-o", "proposed.mix")
    assert (ran.code, ran.out) == (1, "")
    shown(
        "M665",
        ran.err,
        about="The file was cut: its only line is `{`.",
        command="mixc mubench results --manifest toy.manifest.json -o proposed.mix",
    )
    assert (
        "error[M665]: line 1 of `model/samples_hellaswag_de_mubench_2027-01-01T00-00-00.1.jsonl` is not JSON" in ran.err
    )
    assert not (folder / "proposed.mix").exists()


def test_a_patch_that_cannot_be_written_is_told(folder: Path, mixc: Mixc) -> None:
    (folder / "file").write_text("")
    ran = run(mixc, "-o", "file/proposed.mix")
    assert ran.code == 1
    assert "error[M678]: `file/proposed.mix` cannot be written" in ran.err
    shown(
        "M678",
        ran.err,
        about="`file` is a file.",
        command="mixc mubench results --manifest toy.manifest.json -o file/proposed.mix",
    )


def test_another_panel_than_the_manifests(folder: Path, mixc: Mixc) -> None:
    ran = run(mixc, "--panel", "full")
    assert ran.code == 0
    assert "M679" in ran.err
    assert "`gpqa`" in ran.err


def test_supply_that_leaves_no_room_is_told(folder: Path, mixc: Mixc) -> None:
    recipe = (folder / "toy.mix").read_text()
    assert "  epochs <= 4\n" in recipe
    (folder / "toy.mix").write_text(recipe.replace("  epochs <= 4\n", "") + "require share(no) >= 18%\n")
    ran = mixc("compile", "toy.mix")
    assert ran.code == 0, ran.err
    ran = run(mixc)
    assert ran.code == 1
    assert "error[M676]: supply leaves no room near the weights of the manifest: no" in ran.err
    assert "`no` has 18.00%, supply allows 8.00%" in ran.err
    shown(
        "M676",
        ran.err,
        about="The recipe has 2B tokens of Norwegian, and `require share(no) >= 18%`.",
        command="mixc mubench results --manifest toy.manifest.json",
    )


def test_guessing_proposes_nothing(folder: Path, mixc: Mixc) -> None:
    for seed, (dataset, options) in enumerate(OPTIONS.items()):
        results(folder / "guessed", dataset, dict.fromkeys(ACCURACIES, 1 / options), 300, options, seed)
    ran = mixc("mubench", "guessed", "--manifest", "toy.manifest.json", "-o", "proposed.mix")
    assert ran.code == 0
    assert "warning[M677]" in ran.err
    assert "nothing is proposed" in ran.err
    assert not (folder / "proposed.mix").exists()


def test_guards_alone(folder: Path, mixc: Mixc) -> None:
    write(folder / "guards", "global_mmlu_de_stem", [{"doc": {}, "acc": float(i % 2)} for i in range(10)])
    ran = mixc("mubench", "guards", "--manifest", "toy.manifest.json", "--panel", "guard")
    assert ran.code == 0
    assert ran.out.startswith("not evaluated, for want of tasks: no\n")
    assert ran.out.splitlines()[3].split() == ["global_mmlu_de_stem", "10", "0.500", "0.158"]


def test_a_manifest_that_is_none(folder: Path, mixc: Mixc) -> None:
    ran = mixc("mubench", "results", "--manifest", "toy.mix")
    assert (ran.code, ran.out) == (1, "")
