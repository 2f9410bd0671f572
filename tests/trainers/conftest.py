"""A run on real text, whose texts trainers are fed with: recipes/docs.mix on the corpus that packages carry."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.present import corpus

ROOT = Path(__file__).parents[2]
MIXC = Path(sys.executable).parent / "mixc"


@dataclass(frozen=True, slots=True)
class Pool:
    """A folder with `docs.manifest.json` and its run with texts, `selection`, where commands are started."""

    folder: Path

    def mixc(self, *arguments: str, code: int = 0) -> str:
        """What a command prints, errors first."""
        done = subprocess.run([str(MIXC), *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stderr + done.stdout

    def export(self, to: str, *options: str) -> Path:
        """The folder of an export."""
        self.mixc("export", "docs.manifest.json", "--to", to, "-o", f"for-{to}", *options)
        return self.folder / f"for-{to}"

    @property
    def realised(self) -> dict[str, Any]:
        """What the run says that it selected."""
        made: dict[str, Any] = json.loads((self.folder / "selection" / "run.json").read_text())
        return made


@pytest.fixture(scope="session")
def selection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to copy: recipe, manifest, tables, and a run with texts."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copy(ROOT / "recipes" / "docs.mix", folder)
    pool = Pool(folder)
    root = ("--param", f"root={os.path.relpath(corpus(), folder)}")
    pool.mixc("compile", "docs.mix", *root)
    pool.mixc("run", "docs.manifest.json", "-o", "selection", "--materialize", *root)
    return folder


@pytest.fixture
def pool(selection: Path, tmp_path: Path) -> Pool:
    """The run in a folder of the test's own."""
    shutil.copytree(selection, tmp_path, dirs_exist_ok=True)
    return Pool(tmp_path)
