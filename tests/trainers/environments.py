"""The trainers themselves, each with what it asks for, in environments of their own under `build/trainers`.

Versions are pinned. Trainers that get along share one.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.environments import PATIENCE, interpreter

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
HERE = Path(__file__).parent


def python(name: str) -> Path:
    """The interpreter of an environment; without it a loud skip, in CI a failure."""
    return interpreter("trainers", name, {**ENVIRONMENTS, **NIGHTLY}[name], STUBS.get(name))


def ran(name: str, script: str, *arguments: str, cwd: Path) -> Any:
    """What a script of this folder prints as JSON on its last line, run by an environment's interpreter."""
    command = [str(python(name)), str(HERE / script), *arguments]
    quiet = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, timeout=PATIENCE, check=False, env={**os.environ, **quiet}
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return json.loads(done.stdout.strip().splitlines()[-1])
