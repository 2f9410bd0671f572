"""Other versions of Python and of the packages that compute, each in an environment of its own below `build`."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.determinism.corpus import ROOT
from tests.determinism.surroundings import Surrounding

BUILD = ROOT / "build" / "determinism"
# By name: the Python, and what uv is asked for besides mixc itself.
ENVIRONMENTS = {
    "lowest": ("3.11", ["--resolution", "lowest-direct"]),
    "between": ("3.11", ["numpy==2.2.*", "scipy==1.15.*", "pyarrow==20.*", "cvxpy==1.7.*"]),
    "newest-3.12": ("3.12", []),
    "newest-3.13": ("3.13", []),
    "newest-3.14": ("3.14", []),
}
SAYS = "\n".join(
    [
        "import sys, numpy, scipy, pyarrow",
        "print(sys.version.split()[0], numpy.__version__, scipy.__version__, pyarrow.__version__)",
    ]
)


def environments() -> Iterator[Surrounding]:
    """One surrounding for each; without uv, or where it finds no such Python, it says so."""
    for name, (version, more) in ENVIRONMENTS.items():
        python, why = environment(name, version, more)
        if why:
            yield Surrounding(name, missing=why)
            continue
        said = subprocess.run([str(python), "-c", SAYS], capture_output=True, text=True, check=True).stdout.split()
        versions = "Python {}, numpy {}, scipy {}, pyarrow {}".format(*said)
        yield Surrounding(f"{name}: {versions}", python=python)


def environment(name: str, version: str, more: list[str]) -> tuple[Path, str]:
    """(its Python, why it could not be made)."""
    uv = shutil.which("uv")
    python = BUILD / name / "bin" / "python"
    if uv is None:
        return python, "uv is not installed"
    if not (BUILD / name / "made").exists():
        shutil.rmtree(BUILD / name, ignore_errors=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(python), "-e", str(ROOT), *more]
        for command in ([uv, "venv", "--quiet", "--python", version, str(BUILD / name)], install):
            ran = subprocess.run(command, capture_output=True, text=True)
            if ran.returncode:
                return python, f"`{' '.join(command[1:3])}` for Python {version}: {ran.stderr.strip().splitlines()[-1]}"
        (BUILD / name / "made").touch()
    return python, ""
