"""The real model, loaded once per process, and a small one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixc.backends.nag.model import Model, load_model
from tests.nag.tiny import saved


@pytest.fixture(scope="session")
def model(smollm: Path) -> Model:
    """The model, ready to run on one thread: other tests run beside these."""
    import torch

    torch.set_num_threads(1)
    return load_model(str(smollm))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, smollm: Path) -> Path:
    """A small Llama with random weights."""
    return saved("Llama", tmp_path_factory.mktemp("model") / "model", smollm)
