"""The real model, loaded once per process."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixc.backends.nag.model import Model, load_model


@pytest.fixture(scope="session")
def model(smollm: Path) -> Model:
    """The model, ready to run on one thread: other tests run beside these."""
    import torch

    torch.set_num_threads(1)
    return load_model(str(smollm))
