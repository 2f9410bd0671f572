"""A manifest of the repository and its report, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixc.backends.report.compose import Sections
from mixc.backends.report.content import Report
from mixc.compiler.review.reading import read_manifest
from mixc.compiler.review.schema import Manifest
from mixc.compiler.solve.decide import decide, loss_of

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    """Seventeen languages, two sources, one of them rated."""
    read, found = read_manifest(str(RECIPES / "polyglot17.manifest.json"))
    assert read is not None, found
    return read


@pytest.fixture(scope="session")
def before() -> Manifest:
    """An earlier manifest with more languages."""
    read, found = read_manifest(str(RECIPES / "polyglot61.manifest.json"))
    assert read is not None, found
    return read


@pytest.fixture(scope="session")
def report(manifest: Manifest, before: Manifest) -> Report:
    """The whole report, against the earlier manifest."""
    return Sections(manifest, before, None, decide, loss_of).report()
