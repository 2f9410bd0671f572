"""The corpus for tests that need it: as `make corpus` built it, or built now; a loud skip where it cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.corpus.build import build
from tests.corpus.packages import Unavailable

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "build" / "corpus"


def corpus() -> Path:
    """The folder of the corpus. In CI a missing one fails the test, elsewhere it is skipped."""
    if not CORPUS.is_dir():
        try:
            build(CORPUS, ROOT / "build" / "packages")
        except Unavailable as error:
            if os.environ.get("CI"):
                pytest.fail(f"the corpus cannot be built: {error}")
            pytest.skip(f"the corpus cannot be built: {error}")
    return CORPUS
