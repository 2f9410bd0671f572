"""Each command: exit codes, what goes to which stream, what is written."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer

from mixc.compiler.cli.app import app
from tests.cli.ran import Ran

Mixc = Callable[..., Ran]


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "toy.mix"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_check_is_quiet_about_what_is_fine(mixc: Mixc) -> None:
    assert mixc("check", "toy.mix") == Ran(0, "toy.mix: fine\n", "")


def test_check_reports_on_stderr(mixc: Mixc, folder: Path) -> None:
    edit(folder, "priority = 4.0", "prioritty = 4.0")
    ran = mixc("check", "toy.mix")
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean `priority`?" in ran.err
    assert mixc("check", "toy.mix", "--diagnostics", "concise").err.startswith("toy.mix:15:15: M")
    assert json.loads(mixc("check", "toy.mix", "--diagnostics", "json").err)[0]["severity"] == "error"
    assert mixc("check", "toy.mix", "--diagnostics", "github").err.startswith("::error ")


def test_what_is_no_recipe_is_called_by_its_name(mixc: Mixc, folder: Path) -> None:
    """One rule for whatever mixc itself reads or writes, however large."""
    assert mixc("compile", "toy.mix").code == 0
    (folder / "ours.json").write_text('{"schema": "mixc.calibration.transfer/1", "rest": []}')
    (folder / "plain.json").write_text("[1, 2]")
    (folder / "sizes.csv").write_text("# units: tokens\nlanguage,tokens\nen,900\n")
    manifest = (folder / "toy.manifest.json").read_text()
    (folder / "large.manifest.json").write_text(manifest.replace("{", '{"notes": "' + "x" * 1_100_000 + '",', 1))
    for name, what, help_ in (
        ("toy.manifest.json", "a manifest", "mixc explain toy.manifest.json"),
        ("large.manifest.json", "a manifest", "mixc explain large.manifest.json"),
        ("toy.lock", "a lock", "mixc compile RECIPE --locked"),
        ("ours.json", "a calibration", 'law transfer { calibration = "ours.json" }'),
        ("plain.json", "JSON", "name the recipe"),
        ("sizes.csv", "a table", 'supply = "sizes.csv"'),
    ):
        for command in (("compile",), ("check",), ("fmt", "--check")):
            ran = mixc(*command, name)
            assert (ran.code, ran.out) == (1, ""), name
            assert ran.err.startswith(f"error[M006]: `{name}` is {what}, not a recipe\n"), ran.err
            assert ran.err.count("error[") == 1
            assert help_ in ran.err


def test_compile_writes_manifest_and_lock(mixc: Mixc, folder: Path) -> None:
    ran = mixc("compile", "toy.mix")
    assert (ran.code, names(folder)) == (0, ["toy.lock", "toy.manifest.json", "toy.mix"])
    assert ran.out.splitlines()[0].split() == ["language", "share", "tokens", "epochs", "loss", "what", "binds", "it"]
    assert ran.out.endswith("wrote toy.manifest.json and toy.lock\n")
    assert str(folder) not in (folder / "toy.manifest.json").read_text() + (folder / "toy.lock").read_text()


def test_compile_elsewhere_gives_the_same_bytes(mixc: Mixc, folder: Path) -> None:
    mixc("compile", "toy.mix", PYTHONHASHSEED="1")
    (folder / "out").mkdir()
    ran = mixc("compile", str(folder / "toy.mix"), "-o", "out/b.manifest.json", PYTHONHASHSEED="2")
    assert ran.code == 0
    assert names(folder / "out") == ["b.lock", "b.manifest.json"]
    for one, other in (("toy.manifest.json", "out/b.manifest.json"), ("toy.lock", "out/b.lock")):
        assert (folder / one).read_bytes() == (folder / other).read_bytes()


def test_compile_as_json_prints_the_manifest(mixc: Mixc, folder: Path) -> None:
    out = mixc("compile", "toy.mix", "--format", "json").out
    assert out == (folder / "toy.manifest.json").read_text()
    jsonschema.Draft202012Validator(json.loads(mixc("schema").out)).validate(json.loads(out))


def test_params_reach_the_manifest(mixc: Mixc, folder: Path) -> None:
    assert mixc("compile", "toy.mix", "--param", "size=7B params").code == 0
    assert json.loads((folder / "toy.manifest.json").read_text())["budget"]["params"] == 7e9


def test_compile_check(mixc: Mixc, folder: Path) -> None:
    ran = mixc("compile", "toy.mix", "--check")
    assert (ran.code, names(folder)) == (2, ["toy.mix"])
    assert "it was never written" in ran.err
    mixc("compile", "toy.mix")
    assert mixc("compile", "toy.mix", "--check") == Ran(0, "toy.manifest.json: up to date\n", "")
    before = (folder / "toy.manifest.json").read_bytes()
    edit(folder, ">= 80%", ">= 85%")
    ran = mixc("compile", "toy.mix", "--check")
    assert ran.code == 2
    assert "`toy.manifest.json` is out of date: an input that decides the mixture changed" in ran.err
    assert (folder / "toy.manifest.json").read_bytes() == before


def test_compile_check_of_a_broken_manifest(mixc: Mixc, folder: Path) -> None:
    mixc("compile", "toy.mix")
    path = folder / "toy.manifest.json"
    path.write_text(path.read_text()[:-30])
    ran = mixc("compile", "toy.mix", "--check")
    assert ran.code == 2
    assert "it ends in the middle" in ran.err


def test_locked(mixc: Mixc, folder: Path) -> None:
    assert "M450" in mixc("compile", "toy.mix", "--locked").err
    mixc("compile", "toy.mix")
    assert mixc("compile", "toy.mix", "--locked").code == 0
    edit(folder, "no: 2B", "no: 3B")
    ran = mixc("compile", "toy.mix", "--locked")
    assert ran.code == 1
    assert "2 inputs differ from what `toy.lock` pins: file `toy.mix`, source `crawl`" in ran.err


@pytest.mark.parametrize("recipe", ["nowhere.mix", ".", "toy.mix/x.mix"])
def test_recipes_that_cannot_be_read(mixc: Mixc, folder: Path, recipe: str) -> None:
    for command in ("check", "compile", "compare", "fmt"):
        if command == "fmt" and recipe == ".":
            continue  # a folder is a good argument there: all its recipes
        ran = mixc(command, recipe)
        assert (ran.code, ran.out) == (1, "")
        assert "Traceback" not in ran.err
        assert ran.err.startswith("error[M")
    assert names(folder) == ["toy.mix"]


def test_an_impossible_recipe_writes_nothing(mixc: Mixc, folder: Path) -> None:
    edit(folder, "minimize loss", "require share(no) >= 60%\nminimize loss")
    ran = mixc("compile", "toy.mix")
    assert (ran.code, ran.out, names(folder)) == (1, "", ["toy.mix"])
    assert "error[M3" in ran.err


def test_an_output_that_cannot_be_written(mixc: Mixc, folder: Path) -> None:
    ran = mixc("compile", "toy.mix", "-o", "nowhere/x.manifest.json")
    assert (ran.code, ran.out, names(folder)) == (1, "", ["toy.mix"])
    assert "M458" in ran.err


def test_fmt(mixc: Mixc, folder: Path) -> None:
    assert mixc("fmt", "toy.mix").code == 0
    formatted = (folder / "toy.mix").read_text()
    assert mixc("fmt", "toy.mix", "--check") == Ran(0, "", "")
    edit(folder, "recipe toy", "recipe   toy")
    assert mixc("fmt", "toy.mix", "--check") == Ran(2, "would format toy.mix\n", "")
    assert mixc("fmt", "toy.mix") == Ran(0, "formatted toy.mix\n", "")
    assert (folder / "toy.mix").read_text() == formatted


def test_fmt_leaves_a_broken_recipe_alone(mixc: Mixc, folder: Path) -> None:
    (folder / "toy.mix").write_text("recipe toy\nsource {{{\n")
    assert mixc("fmt", "toy.mix").code == 1
    assert (folder / "toy.mix").read_text() == "recipe toy\nsource {{{\n"


def test_diff(mixc: Mixc, folder: Path) -> None:
    mixc("compile", "toy.mix")
    edit(folder, "priority = 0.5", "priority = 1.0")
    mixc("compile", "toy.mix", "-o", "b.manifest.json")
    ran = mixc("diff", "toy.manifest.json", "b.manifest.json")
    assert ran.code == 0
    assert "One input changed: priority of no (0.5 -> 1)" in ran.out
    assert mixc("diff", "toy.manifest.json", "b.manifest.json", "--exit-code").code == 2
    assert mixc("diff", "toy.manifest.json", "toy.manifest.json", "--exit-code").code == 0
    assert json.loads(mixc("diff", "toy.manifest.json", "b.manifest.json", "--format", "json").out)["causes"]
    assert (
        "| priority of `no` | 0.5 | 1 |"
        in mixc("diff", "toy.manifest.json", "b.manifest.json", "--format", "markdown").out
    )


def test_diff_with_both_sides_missing_reports_both(mixc: Mixc) -> None:
    ran = mixc("diff", "a.json", "b.json", "--diagnostics", "concise")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 2)


def test_diff_against_git(mixc: Mixc, folder: Path) -> None:
    mixc("compile", "toy.mix")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "one"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    ran = mixc("diff", "HEAD:toy.manifest.json", "toy.manifest.json", "--exit-code")
    assert (ran.code, ran.err) == (0, "")
    assert mixc("diff", "HEAD~3:toy.manifest.json", "toy.manifest.json").code == 1


def test_explain(mixc: Mixc, folder: Path) -> None:
    mixc("compile", "toy.mix")
    whole = mixc("explain", "toy.manifest.json")
    assert whole.code == 0
    assert "share(en) >= 80%" in whole.out
    assert whole == mixc("explain", "toy.manifest.json", COLUMNS="20")
    ran = mixc("explain", "toy.manifest.json", "--of", "no")
    assert (ran.code, ran.err) == (0, "")
    assert "One more point" in ran.out
    assert mixc("explain", "toy.manifest.json", "--of", "nope").code == 1


def test_explain_of_an_edited_manifest(mixc: Mixc, folder: Path) -> None:
    mixc("compile", "toy.mix")
    path = folder / "toy.manifest.json"
    path.write_text(path.read_text().replace('"seed": 17', '"seed": 18'))
    assert mixc("explain", "toy.manifest.json").code == 1
    ran = mixc("explain", "toy.manifest.json", "--force")
    assert ran.code == 0
    assert ran.err.startswith("warning[M456]")


def test_pages(mixc: Mixc) -> None:
    ran = mixc("explain", "m456")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("M456: a manifest was edited after it was compiled\n")
    ran = mixc("explain", "M999")
    assert (ran.code, ran.out) == (1, "")
    assert "`M999` is no file, no diagnostic and no word of the language" in ran.err


def test_compare(mixc: Mixc, folder: Path) -> None:
    ran = mixc("compare", "toy.mix", "--strategies", "direct,natural")
    assert (ran.code, names(folder)) == (0, ["toy.mix"])
    assert [line.split()[0] for line in ran.out.splitlines()[:3]] == ["strategy", "direct", "natural"]
    data = json.loads(mixc("compare", "toy.mix", "--strategies", "direct", "--format", "json").out)
    assert data["strategies"][0]["over_direct"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chekc", "toy.mix"], "No such command"),
        (["check"], "Missing argument"),
        (["check", "toy.mix", "--nope"], "No such option"),
        (["check", "toy.mix", "--diagnostics", "loud"], "--diagnostics"),
        (["compile", "toy.mix", "--param", "size"], "write `--param name=value`"),
        (["compile", "toy.mix", "--param", "size=1B", "--param", "size=2B"], "twice"),
        (["compare", "toy.mix", "--strategies", "unimx"], "did you mean `unimax`?"),
        (["compare", "toy.mix", "--strategies", " ,"], "choose from direct,"),
        (["compile", "toy.mix", "-o", "-"], "`--format json` prints the manifest"),
        (["run", "toy.manifest.json", "-o", "s3://bucket/out"], "`s3://…` is an address"),
        (["verify", "toy.manifest.json", "gs://bucket/out"], "`gs://…` is an address"),
        (["export", "toy.manifest.json", "--to", "streaming", "-o", "s3://bucket/out"], "`s3://…` is an address"),
        (["compile", "toy.mix", "-o", "s3://bucket/toy.manifest.json"], "`s3://…` is an address"),
        (["report", "toy.manifest.json", "-o", "s3://bucket/toy.html"], "`s3://…` is an address"),
        (["fit", "infolaw", "runs.csv", "-o", "s3://bucket/ours.json"], "`s3://…` is an address"),
        (["design", "quadmix", "toy.mix", "-o", "s3://bucket/experiments"], "`s3://…` is an address"),
    ],
)
def test_a_wrong_command_line_is_no_change_found(mixc: Mixc, arguments: list[str], words: str) -> None:
    ran = mixc(*arguments)
    assert (ran.code, ran.out) == (1, "")
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_no_command_writes_to_an_address() -> None:
    """A folder called `s3:` would be made here; commands that are to come are asked, too."""
    found = []
    for words, command in leaves(typer.main.get_command(app)):
        for one in command.params:
            if "--output" in one.opts or (words == ("verify",) and one.name == "folder"):
                found.append(words)
                with pytest.raises(typer.BadParameter, match="`s3://…` is an address"):
                    one.process_value(command.context_class(command), "s3://bucket/place")
    assert len(found) >= 14


def leaves(command: Any, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with its words."""
    inner = getattr(command, "commands", None)
    if not inner:
        yield above, command
    for name, below in (inner or {}).items():
        yield from leaves(below, *above, name)


def test_version_and_help(mixc: Mixc) -> None:
    assert mixc("--version") == Ran(0, "mixc 0.1.0\n", "")
    assert mixc("--help").code == mixc("compile", "-h").code == 0
    assert "Usage:" in mixc().out + mixc().err


@pytest.mark.parametrize(
    ("arguments", "banned"),
    [
        (["--help"], {"numpy", "scipy", "cvxpy", "clarabel", "pyarrow", "pydantic", "rich", "torch", "jsonschema"}),
        (["compile", "--help"], {"numpy", "scipy", "cvxpy", "pyarrow", "rich", "torch"}),
        # pydantic is typer's here: it converts arguments with it. The next test looks at mixc's own imports.
        (["check", "toy.mix"], {"numpy", "scipy", "cvxpy", "clarabel", "pyarrow", "rich", "torch", "jsonschema"}),
        (["compile", "toy.mix"], {"pyarrow", "rich", "torch", "jsonschema"}),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(folder: Path, arguments: list[str], banned: set[str]) -> None:
    code = (
        "import sys; from mixc.compiler.cli.guard import guarded; "
        f"guarded({arguments!r}); print('\\n' + ' '.join(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    loaded = set(result.stdout.splitlines()[-1].split())
    assert "typer" in loaded
    assert banned & loaded == set()


def test_checking_a_recipe_needs_no_numbers_and_no_models(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mixc.compiler.pipeline import *; "
        "made, _ = run_passes(CHECK, Artefacts(Path('toy.mix'))); assert made.recipe; print(' '.join(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert {"numpy", "pydantic", "scipy", "cvxpy", "pyarrow"} & set(result.stdout.split()) == set()


def test_explain_knows_the_words_of_the_language(mixc: Mixc) -> None:
    assert mixc("explain", "source").out.startswith("# source\n")
    assert mixc("explain", "m101").out.startswith("M101: ")
    ran = mixc("explain", "souce")
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean `source`?" in ran.err
    assert "`mixc explain kinds`" in mixc("explain", "zzz").err


def test_a_file_goes_before_a_word_of_the_language(mixc: Mixc, folder: Path) -> None:
    (folder / "source").write_text("{}")
    assert "M453" in mixc("explain", "source").err


def test_csv_catalogs_load_no_pyarrow_and_compiling_no_cvxpy(folder: Path) -> None:
    (folder / "sizes.csv").write_text("language,tokens\nde,60000000000\nen,900000000000\nno,2000000000\n")
    edit(folder, "{ de: 60B tokens, en: 900B tokens, no: 2B tokens }", '"sizes.csv"')
    code = (
        "import sys; from mixc.compiler.cli.guard import guarded; "
        "assert guarded(['compile', 'toy.mix']) == 0; print('\\n' + ' '.join(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert {"pyarrow", "cvxpy", "pandas", "torch"}.isdisjoint(out.splitlines()[-1].split())


def test_fmt_takes_folders(mixc: Mixc, folder: Path) -> None:
    (folder / "deep").mkdir()
    for name in ("deep/b.mix", "deep/a.mix"):
        (folder / name).write_text("recipe   x\n")
    ran = mixc("fmt", "--check", ".", "deep/a.mix")
    assert (ran.code, ran.out) == (2, "would format deep/a.mix\nwould format deep/b.mix\n")


def test_diff_of_a_renamed_source(mixc: Mixc, folder: Path) -> None:
    mixc("compile", "toy.mix")
    edit(folder, "source crawl", "source other")
    mixc("compile", "toy.mix", "-o", "b.manifest.json")
    ran = mixc("diff", "toy.manifest.json", "b.manifest.json")
    assert (ran.code, ran.err) == (0, "")
    assert "source crawl alone gives no mixture: no source has a token of any language [M441]" in ran.out


def test_the_proof_of_preferences_is_about_loss_and_price(mixc: Mixc, folder: Path) -> None:
    edit(folder, "minimize loss", "prefer share(no) >= 30% weight 0.05\nminimize loss")
    out = mixc("compile", "toy.mix").out
    proof = next(line for line in out.splitlines() if line.startswith("loss "))
    loss, priced, bound = map(
        float, re.match(r"loss ([\d.]+), with the price of shortfalls ([\d.]+); .* sum than ([\d.]+):", proof).groups()
    )
    assert loss < priced == pytest.approx(bound, abs=1e-4)
    (row,) = (line for line in out.splitlines() if line.startswith("no "))
    assert row.endswith("prefer share(no) >= 30%")
    assert proof.split(": gap")[0] in mixc("explain", "toy.manifest.json").out
