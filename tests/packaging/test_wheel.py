"""The wheel, installed alone elsewhere, compiles a recipe; the source distribution holds recipes and tests."""

from __future__ import annotations

import importlib.util
import shutil
import site
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = (".lark", ".json", ".typed")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and a source distribution, built from a copy so that nothing stays in the checkout."""
    installed = importlib.util.find_spec("setuptools") and metadata.version("setuptools")
    recent = bool(installed) and int(str(installed).split(".")[0]) >= 77
    copy = tmp_path_factory.mktemp("source") / "mixc"
    ignored = shutil.ignore_patterns(
        ".git", ".venv", "build", ".*_cache", ".hypothesis", "*.egg-info", "__pycache__", "node_modules"
    )
    shutil.copytree(ROOT, copy, symlinks=True, ignore=ignored)
    if not (copy / "README.md").exists():
        (copy / "README.md").write_text("mixc\n")
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", *["--no-isolation"] * recent, "--outdir", str(out), str(copy)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if (
        ran.returncode != 0
        and not recent
        and "No matching distribution found for setuptools" in ran.stdout + ran.stderr
    ):
        pytest.skip("NOT TESTED: neither a recent setuptools nor a network to fetch one from")
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    return out


def test_the_wheel_holds_every_module_and_data_file(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    for top in ("dsl", "compiler", "backends"):
        for path in (ROOT / top).rglob("*"):
            if (path.suffix == ".py" or path.suffix in DATA) and "editors" not in path.relative_to(ROOT).parts:
                name = path.relative_to(ROOT).as_posix()
                assert f"mixc/{name.removeprefix('compiler/facade/')}" in held, name
    unwanted = ("tests/", "recipes/", "mixc/compiler/facade", "mixc/dsl/editors")
    assert not [name for name in held if name.startswith(unwanted)]


def test_the_source_distribution_holds_recipes_and_tests(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        held = {name.split("/", 1)[1] for name in opened.getnames() if "/" in name}
    wanted = [
        "recipes/hello.mix",
        "recipes/catalogs/fineweb2.csv",
        "recipes/shared/math-sources.mix",
        "Makefile",
        "LICENSE",
    ]
    wanted += ["tests/packaging/test_wheel.py", "tests/cases/fuzz/rules.mix", "dsl/mix.lark"]
    wanted += ["dsl/editors/vscode/package.json", "dsl/editors/vscode/syntaxes/mix.tmLanguage.json"]
    assert [name for name in wanted if name not in held] == []


def test_the_wheel_alone_compiles_a_recipe_elsewhere(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    zipfile.ZipFile(wheel).extractall(packages)
    # Dependencies come from here; a plain line in a .pth file adds a folder without reading the .pth files inside it.
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")

    def run(*arguments: str) -> str:
        command = [str(python), "-P", *arguments]
        ran = subprocess.run(command, cwd=tmp_path / "recipes", capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    where = run("-c", "import mixc.compiler.solve.decide as m, mixc.dsl.parser as p; print(m.__file__, p.__file__)")
    assert all(path.startswith(str(packages)) for path in where.split())
    assert "wrote hello.manifest.json and hello.lock" in run("-m", "mixc", "compile", "hello.mix")
    assert "up to date" in run("-m", "mixc", "compile", "hello.mix", "--check")
