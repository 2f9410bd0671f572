"""`mixc export`: what is written, what a later export takes away, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.cli.ran import Ran
from tests.examples import shown

Mixc = Callable[..., Ran]
MANIFEST = "toy.manifest.json"


def compiled(mixc: Mixc, folder: Path, evaluate: str = "evaluate { suite = mubench }") -> None:
    """The toy's manifest, with an evaluation."""
    recipe = folder / "toy.mix"
    recipe.write_text(recipe.read_text() + evaluate + "\n")
    ran = mixc("compile", "toy.mix")
    assert ran.code == 0, ran.err


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_tasks_are_written_for_the_languages_of_the_recipe(mixc: Mixc, folder: Path) -> None:
    compiled(mixc, folder)
    ran = mixc("export", MANIFEST, "--to", "lm-eval", "-o", "eval")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "18 files for lm-eval; wrote eval\n"
    names = written(folder / "eval")
    assert {name for name in names if "hellaswag" in name} == {
        "tasks/hellaswag/_hellaswag_mubench.yaml",
        *(f"tasks/hellaswag/hellaswag_{code}_mubench.yaml" for code in ("de", "en", "no")),
    }
    assert json.loads((folder / "eval/export.json").read_text())["files"] == [n for n in names if n != "export.json"]
    assert all(str(folder) not in (folder / "eval" / name).read_text() for name in names)


def test_the_same_manifest_gives_the_same_bytes(mixc: Mixc, folder: Path) -> None:
    compiled(mixc, folder)
    for where in ("one", "two"):
        assert mixc("export", MANIFEST, "--to", "lm-eval", "-o", where, PYTHONHASHSEED=str(len(where))).code == 0
    for name in written(folder / "one"):
        assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes()


def test_a_language_that_is_gone_takes_its_tasks_along(mixc: Mixc, folder: Path) -> None:
    compiled(mixc, folder)
    mixc("export", MANIFEST, "--to", "lm-eval", "-o", "eval")
    recipe = folder / "toy.mix"
    lines = recipe.read_text().replace(", no: 2B tokens", "").replace("language no { priority = 0.5 }\n", "")
    recipe.write_text(lines)
    assert mixc("compile", "toy.mix").code == 0
    assert mixc("export", MANIFEST, "--to", "lm-eval", "-o", "eval").code == 0
    assert not [name for name in written(folder / "eval") if "_no_" in name]


def test_a_manifest_without_an_evaluation_has_no_tasks(mixc: Mixc, folder: Path) -> None:
    mixc("compile", "toy.mix")
    ran = mixc("export", MANIFEST, "--to", "lm-eval", "-o", "eval")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error[M690]: the manifest of `toy` says nothing of how the model is evaluated")
    shown(
        "M690",
        ran.err,
        about="The recipe has no line `evaluate { … }`.",
        command="mixc export toy.manifest.json --to lm-eval -o eval",
    )
    assert not (folder / "eval").exists()


def test_a_folder_of_others_is_left_alone(mixc: Mixc, folder: Path) -> None:
    compiled(mixc, folder)
    (folder / "eval").mkdir()
    (folder / "eval" / "mine.txt").write_text("mine")
    ran = mixc("export", MANIFEST, "--to", "lm-eval", "-o", "eval")
    assert ran.code == 1
    assert ran.err.startswith("error[M701]: `eval` holds files that no export wrote")
    shown(
        "M701",
        ran.err,
        about="The folder `eval` holds a file `mine.txt`.",
        command="mixc export toy.manifest.json --to lm-eval -o eval",
    )
    assert written(folder / "eval") == ["mine.txt"]


def test_a_list_of_files_that_leads_outside_is_not_followed(mixc: Mixc, folder: Path) -> None:
    compiled(mixc, folder)
    (folder / "eval").mkdir()
    (folder / "eval" / "export.json").write_text('{"files": ["../toy.mix"]}')
    assert "M701" in mixc("export", MANIFEST, "--to", "lm-eval", "-o", "eval").err
    assert (folder / "toy.mix").exists()


def test_a_file_is_no_folder(mixc: Mixc, folder: Path) -> None:
    compiled(mixc, folder)
    told = mixc("export", MANIFEST, "--to", "lm-eval", "-o", "toy.mix").err
    assert "error[M702]: cannot export into `toy.mix`" in told
    shown("M702", told, command="mixc export toy.manifest.json --to lm-eval -o toy.mix")


def test_exporters_are_listed_and_misspelt_ones_found(mixc: Mixc, folder: Path) -> None:
    assert [line for line in mixc("export", "--list").out.splitlines() if line.startswith("lm-eval ")]
    compiled(mixc, folder)
    ran = mixc("export", MANIFEST, "--to", "lmeval", "-o", "eval")
    assert ran.code == 1
    assert "error[M700]: there is no exporter `lmeval`" in ran.err
    assert "did you mean `--to lm-eval`?" in ran.err
    shown("M700", ran.err, command="mixc export toy.manifest.json --to lmeval -o eval")


def test_what_is_missing_is_named(mixc: Mixc) -> None:
    assert "`--to` is missing" in mixc("export", MANIFEST).err
    assert "a manifest is missing" in mixc("export").err


def test_a_foreign_index_gives_no_right_to_a_folder(mixc: Mixc, folder: Path) -> None:
    compiled(mixc, folder)
    (folder / "mine").mkdir()
    (folder / "mine" / "data.csv").write_text("precious")
    (folder / "mine" / "export.json").write_text('{"files": ["data.csv"]}')
    ran = mixc("export", MANIFEST, "--to", "lm-eval", "-o", "mine")
    assert (ran.code, "M701" in ran.err) == (1, True)
    assert (folder / "mine" / "data.csv").read_text() == "precious"


def test_a_file_beside_an_export_is_not_written_over(mixc: Mixc, folder: Path) -> None:
    compiled(mixc, folder)
    assert mixc("export", MANIFEST, "--to", "lm-eval", "-o", "eval").code == 0
    (folder / "eval" / "main.yaml").write_text("mine")
    again = ("export", MANIFEST, "--to", "streaming", "--data", "c/{language}/{bucket}", "-o", "eval")
    ran = mixc(*again)
    assert (ran.code, "M701" in ran.err) == (1, True)
    (folder / "eval" / "main.yaml").unlink()
    assert mixc(*again).code == 0
    assert sorted(path.name for path in (folder / "eval").iterdir()) == ["README.md", "export.json", "main.yaml"]


def test_options_that_mean_nothing_are_refused(mixc: Mixc, folder: Path) -> None:
    compiled(mixc, folder)
    ran = mixc("export", MANIFEST, "--to", "croissant", "--data", "c", "-o", "x")
    assert (ran.code, "`--data` has no effect" in ran.err) == (1, True)
    assert mixc("export", MANIFEST, "--to", "croissant", "-o", "x").code == 0
    for wrong in (["--data", ""], ["--data", "a\nb"], ["--dataset-root", "r"]):
        assert mixc("export", MANIFEST, "--to", "megatron", *wrong, "-o", "y").code == 1
    assert mixc("export", MANIFEST, "--to", "croissant", "-o", "a" * 300).code == 1


def test_a_recipe_is_no_manifest(mixc: Mixc, folder: Path) -> None:
    ran = mixc("export", "toy.mix", "--to", "spdx", "-o", "x")
    assert ran.code == 1
    assert "`toy.mix` is not a manifest: it is a recipe" in ran.err
    assert "give its manifest: `toy.manifest.json`" in ran.err


def test_an_export_goes_on_where_another_was_cut_short(mixc: Mixc, folder: Path) -> None:
    compiled(mixc, folder)
    made = folder / "eval"
    made.mkdir()
    (made / f".export.json.{'0' * 32}.tmp").write_text('{"exporter"')  # before anything had its name
    assert mixc("export", MANIFEST, "--to", "lm-eval", "-o", "eval").code == 0
    whole = {name: (made / name).read_bytes() for name in written(made)}
    for name in list(whole)[1:3]:  # the list came first: it names what is not there yet, and what is to go
        (made / name).unlink()
    index = json.loads(whole["export.json"]) | {"files": sorted([*set(whole) - {"export.json"}, "old/tasks.yaml"])}
    (made / "export.json").write_text(json.dumps(index))
    (made / "old").mkdir()
    (made / "old" / "tasks.yaml").touch()
    assert mixc("export", MANIFEST, "--to", "lm-eval", "-o", "eval").code == 0
    assert {name: (made / name).read_bytes() for name in written(made)} == whole
    assert not (made / "old").exists()
