"""Trainers that are loaded at night, not with every change: `make test-trainers-nightly` sets MIXC_NIGHTLY."""

from __future__ import annotations

import os

import pytest

nightly = pytest.mark.skipif(
    os.environ.get("MIXC_NIGHTLY") != "1",
    reason="loads a trainer of several GB: `make test-trainers-nightly` runs it (MIXC_NIGHTLY=1)",
)
