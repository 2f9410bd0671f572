"""The pool that tests of exact budgets and of texts run; compiled once a module."""

from __future__ import annotations

import pytest
from texts_pool import compiled, documents, recipe, write

from mixc.backends.selection.run import Run


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two files of documents of three domains, as a manifest to run."""
    folder = tmp_path_factory.mktemp("pool")
    write(folder, documents(), [3000, 5500], 500)
    return compiled(folder, recipe())
