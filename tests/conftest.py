"""Real models for all tests, made when the first test asks for one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mixc.compiler.cli import ONE_THREAD
from tests.models import minilm_folder, smollm_folder, smollm_gguf

for name in ONE_THREAD:  # as `mixc` itself runs, before numpy is loaded; tests already run one to a processor
    os.environ[name] = "1"


@pytest.fixture(scope="session")
def gguf() -> Path:
    """SmolLM2-135M, a real language model, as a GGUF file."""
    return smollm_gguf()


@pytest.fixture(scope="session")
def smollm(gguf: Path) -> Path:
    """SmolLM2-135M as a folder of safetensors."""
    return smollm_folder(gguf)


@pytest.fixture(scope="session")
def minilm() -> Path:
    """all-MiniLM-L6-v2, a real encoder of English, as a folder of safetensors."""
    return minilm_folder()
