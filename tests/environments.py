"""Programs that tests need and that must not be beside mixc, each in an environment of its own below `build`.

Made when a test first asks for one, by uv where there is one, else by pip; a change of what it holds makes a new one.
Where pip is told of folders with packages (`PIP_FIND_LINKS`), such as torch built for the CPU, uv is told of them too.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.models import BUILD, absent, locked

PATIENCE = 1500.0  # seconds for one environment


def interpreter(kind: str, name: str, packages: Sequence[str], stubs: Mapping[str, str] | None = None) -> Path:
    """The interpreter of an environment `build/KIND/NAME-…`; without it a loud skip, in CI a failure.

    `stubs` are files, by their paths among its packages, that take the place of a package.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stamp = hashlib.sha256(json.dumps([version, *packages]).encode()).hexdigest()[:12]
    folder = BUILD / kind / f"{name}-{stamp}"
    with locked(f"{kind}-{name}"):
        if not (folder / ".complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            for other in (BUILD / kind).glob(f"{name}-*"):
                shutil.rmtree(other, ignore_errors=True)
            try:
                _made(folder, packages)
                _stub(folder, stubs or {})
            except (subprocess.SubprocessError, OSError) as error:
                shutil.rmtree(folder, ignore_errors=True)
                told = getattr(error, "stderr", None) or str(error)
                absent(f"{name} is NOT TESTED: {', '.join(packages)} cannot be installed: {told[-500:]}")
            (folder / ".complete").touch()
    return folder / "bin" / "python"


def _made(folder: Path, packages: Sequence[str]) -> None:
    uv = shutil.which("uv")
    if uv:
        commands = [
            [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *packages],
        ]
    else:
        install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        commands = [[sys.executable, "-m", "venv", str(folder)], [*install, *packages]]
    links = {"UV_FIND_LINKS": os.environ["PIP_FIND_LINKS"]} if "PIP_FIND_LINKS" in os.environ else {}
    for command in commands:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=PATIENCE, env={**links, **os.environ}
        )


def _stub(folder: Path, files: Mapping[str, str]) -> None:
    (packages,) = (folder / "lib").glob("python*/site-packages")
    for top in {name.partition("/")[0] for name in files}:
        shutil.rmtree(packages / top, ignore_errors=True)
    for name, text in files.items():
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text(text)
