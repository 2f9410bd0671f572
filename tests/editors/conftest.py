"""Node and the packages that the extension's `package.json` pins, installed once into `build/editors`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
EXTENSION = ROOT / "dsl" / "editors" / "vscode"
KEPT = ROOT / "build" / "editors"
PATIENCE = 300  # seconds

Node = Callable[..., Any]


@pytest.fixture(scope="session")
def node() -> Node:
    """Runs a script of this folder with arguments; JSON goes in and comes out."""
    packages = _installed()

    def run(script: str, *arguments: str | Path, given: Any) -> Any:
        command = ["node", str(HERE / script), *map(str, arguments)]
        environment = {**os.environ, "NODE_PATH": str(packages)}
        ran = subprocess.run(
            command, input=json.dumps(given), env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return run


def _installed() -> Path:
    """The folder `node_modules` with the pinned packages; it appears whole or not at all."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            _missing(f"`{tool}` is not on this machine")
    pins = (EXTENSION / "package.json").read_bytes()
    kept = KEPT / hashlib.sha256(pins).hexdigest()[:16]
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".install-", dir=KEPT) as work:
            made = Path(work) / "made"
            made.mkdir()
            (made / "package.json").write_bytes(pins)
            command = ["npm", "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"]
            ran = subprocess.run(command, cwd=made, capture_output=True, text=True, timeout=PATIENCE)
            if ran.returncode:
                _missing(f"`npm install` failed: {ran.stderr[-500:]}")
            if not kept.exists():  # another process may have been faster
                made.rename(kept)
    return kept / "node_modules"


def _missing(why: str) -> None:
    """Skip, loudly; fail where changes are judged."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"the editor's parts were not tested: {why}")
    pytest.skip(f"NOT TESTED, the editor's parts: {why}")
