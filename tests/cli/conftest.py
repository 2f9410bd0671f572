"""Running `mixc` as a user does: a process of its own, with its streams and its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli import forked
from tests.cli.ran import Ran

RECIPE = """\
# Three languages, small enough to read.
recipe toy

param size = 1.2B params

budget { model = size, tokens = 100B tokens, seed = 17 }

source crawl {
  supply = { de: 60B tokens, en: 900B tokens, no: 2B tokens }
  domain = web
  assume = rated
  epochs <= 4
}

language en { priority = 4.0 }
language de { priority = 1.5 }
language no { priority = 0.5 }

require share(en) >= 80%

minimize loss
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "toy.mix").write_text(RECIPE)
    return tmp_path


@pytest.fixture
def mixc(folder: Path) -> Callable[..., Ran]:
    """Run `mixc` with arguments in the folder of `toy.mix`."""

    def run(*arguments: str, **environment: str) -> Ran:
        if not environment:
            return forked.run(arguments, folder)
        result = subprocess.run(
            [sys.executable, "-m", "mixc", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )
        return Ran(result.returncode, result.stdout, result.stderr)

    return run
