"""The whole way on real text, as a user goes it: scan, compile, run, verify; on one machine and on a Ray cluster.

The pool is what `make corpus` builds from package registries.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.corpus.present import corpus

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the recipe beside a corpus."""
    top = tmp_path_factory.mktemp("docs")
    shutil.copytree(corpus(), top / "build" / "corpus")
    (top / "recipes").mkdir()
    shutil.copy(ROOT / "recipes" / "docs.mix", top / "recipes")
    return top / "recipes"


def mixc(folder: Path, *arguments: str, code: int = 0) -> str:
    ran = subprocess.run([sys.executable, "-m", "mixc", *arguments], cwd=folder, capture_output=True, text=True)
    assert ran.returncode == code, ran.stderr
    assert "Traceback" not in ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def selected(recipes: Path) -> Path:
    """The recipe, scanned, compiled and run once."""
    assert "12 files, 7,029 documents" in mixc(recipes, "scan", "docs.mix", "--workers", "2")
    mixc(recipes, "compile", "docs.mix")
    mixc(recipes, "run", "docs.manifest.json", "-o", "out", "--workers", "2")
    return recipes


def digests(folder: Path, name: str) -> list[tuple[str, str, int, int]]:
    data = json.loads((folder / name / "run.json").read_text())
    return [(row["source"], row["digest"], row["copies"], row["tokens"]) for row in data["selection"]]


def test_a_second_scan_and_a_check_find_nothing_new(selected: Path) -> None:
    before = sorted((selected / ".mixc").rglob("*.parquet"))
    mixc(selected, "scan", "docs.mix")
    assert sorted((selected / ".mixc").rglob("*.parquet")) == before
    assert "up to date" in mixc(selected, "compile", "docs.mix", "--check")
    assert "up to date" in mixc(selected, "compile", "docs.mix", "--check", "--locked")


def test_the_selection_is_verified_document_by_document(selected: Path) -> None:
    said = mixc(selected, "verify", "docs.manifest.json", "out", "--recompute", "100%")
    assert "the selection is the one that the manifest says" in said


def test_one_process_gives_the_same_bytes(selected: Path) -> None:
    mixc(selected, "run", "docs.manifest.json", "-o", "alone", "--workers", "1")
    assert digests(selected, "alone") == digests(selected, "out")
    for path in sorted((selected / "out" / "selection").rglob("*")):
        if path.is_file():
            assert (selected / "alone" / path.relative_to(selected / "out")).read_bytes() == path.read_bytes()


def test_a_ray_cluster_gives_the_same_bytes(selected: Path) -> None:
    try:
        import ray  # noqa: F401
    except ImportError:
        if os.environ.get("CI"):
            pytest.fail("ray is not installed")
        pytest.skip("ray is not installed: pip install 'mixc[ray]'")
    mixc(selected, "run", "docs.manifest.json", "-o", "cluster", "--engine", "ray", "--workers", "2")
    assert digests(selected, "cluster") == digests(selected, "out")


def test_noise_is_read_less_than_the_guide(selected: Path) -> None:
    """The raters know nothing of `truth`; of the best two fifths of the manual, next to nothing is noise."""
    manifest = json.loads((selected / "docs.manifest.json").read_text())
    taken = {
        source: sum(row["tokens"] for row in manifest["mixture"] if row["source"] == source)
        / sum(row["supply"] for row in manifest["mixture"] if row["source"] == source)
        for source in ("guide", "scrape")
    }
    assert taken["scrape"] < 0.1 < taken["guide"]


def test_another_folder_and_an_edited_file_are_refused(selected: Path) -> None:
    other = selected / "other.mix"
    other.write_text((selected / "docs.mix").read_text().replace("seed   = 17", "seed   = 18"))
    mixc(selected, "compile", "other.mix")
    ran = subprocess.run(
        [sys.executable, "-m", "mixc", "run", "other.manifest.json", "-o", "out"],
        cwd=selected, capture_output=True, text=True,
    )  # fmt: skip
    assert (ran.returncode, "M571" in ran.stderr) == (1, True)
