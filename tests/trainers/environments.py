"""The trainers themselves, each with what it asks for, in environments of their own under `build/trainers`.

Made when a test first asks for one, by uv where there is one, else by pip; versions are pinned, and a change of them
makes a new environment. Trainers that get along share one. Where pip is told of folders with packages
(`PIP_FIND_LINKS`), such as torch built for the CPU, uv is told of them too.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.models import BUILD, absent, locked

TORCH = "torch==2.13.0"
ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    "torch": (
        TORCH,
        "megatron-core==0.16.1",
        "ai2-olmo-core==3.0.0",
        "litdata==0.2.76",
        "datatrove[processing,io]==0.10.1",
        "tokenizers>=0.21",
    ),
    "streaming": (TORCH, "mosaicml-streaming==0.13.0", "tokenizers>=0.21", "pyarrow>=18"),
    "dolma": ("dolma==1.2.1",),
    "levanter": ("marin-levanter==0.2.20.dev202606180959", "marin-haliax==0.2.20.dev202606180959", "gitpython>=3.1"),
}
NIGHTLY: dict[str, tuple[str, ...]] = {
    "energon": (TORCH, "megatron-energon==7.4.1", "pyarrow>=18"),
    "torchtitan": (TORCH, "torchtitan==0.3.0"),
    "data-juicer": (TORCH, "py-data-juicer==1.6.1", "aiohttp>=3", "ray>=2.40"),
    "axolotl": (TORCH, "axolotl==0.19.0"),
}
# Streaming imports torchvision for its datasets of pictures; the package's wheel does not go with torch for the CPU.
STUBS = {
    "streaming": {
        "torchvision/__init__.py": "",
        "torchvision/datasets.py": "class VisionDataset:\n    pass\n",
        "torchvision/transforms/__init__.py": "",
        "torchvision/transforms/functional.py": "to_tensor = None\n",
    }
}
PATIENCE = 1500.0  # seconds for one environment
HERE = Path(__file__).parent


def python(name: str) -> Path:
    """The interpreter of an environment; without it a loud skip, in CI a failure."""
    packages = {**ENVIRONMENTS, **NIGHTLY}[name]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stamp = hashlib.sha256(json.dumps([version, *packages]).encode()).hexdigest()[:12]
    folder = BUILD / "trainers" / f"{name}-{stamp}"
    interpreter = folder / "bin" / "python"
    with locked(f"trainers-{name}"):
        if not (folder / ".complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            for other in (BUILD / "trainers").glob(f"{name}-*"):
                shutil.rmtree(other, ignore_errors=True)
            try:
                _made(folder, packages)
                _stub(folder, STUBS.get(name, {}))
            except (subprocess.SubprocessError, OSError) as error:
                shutil.rmtree(folder, ignore_errors=True)
                told = getattr(error, "stderr", None) or str(error)
                absent(f"{name} is NOT TESTED: {', '.join(packages)} cannot be installed: {told[-500:]}")
            (folder / ".complete").touch()
    return interpreter


def _made(folder: Path, packages: tuple[str, ...]) -> None:
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


def _stub(folder: Path, files: dict[str, str]) -> None:
    """Put files in place of a package."""
    (packages,) = (folder / "lib").glob("python*/site-packages")
    for top in {name.partition("/")[0] for name in files}:
        shutil.rmtree(packages / top, ignore_errors=True)
    for name, text in files.items():
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text(text)


def ran(name: str, script: str, *arguments: str, cwd: Path) -> Any:
    """What a script of this folder prints as JSON on its last line, run by an environment's interpreter."""
    command = [str(python(name)), str(HERE / script), *arguments]
    quiet = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, timeout=PATIENCE, check=False, env={**os.environ, **quiet}
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return json.loads(done.stdout.strip().splitlines()[-1])
