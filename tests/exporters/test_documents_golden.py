"""What the four documentation exporters write, as files to read; MIXC_UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from mixc.compiler.review.schema import Manifest
from tests.exporters.documents_pool import EXPORTERS, plan, pool, read, renamed, versionless, written

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return pool(tmp_path_factory.mktemp("pool")).manifest


@pytest.mark.parametrize("target", EXPORTERS)
@pytest.mark.parametrize("recipe", ["polyglot17", "pool"])
def test_golden(target: str, recipe: str, documents: Manifest) -> None:
    folder = GOLDEN / target / recipe
    texts = {
        name: versionless(text) for name, text in written(target, documents if recipe == "pool" else plan()).items()
    }
    if os.environ.get("MIXC_UPDATE_GOLDEN"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, text in texts.items():
            (folder / name).write_text(text)
    assert {path.name: path.read_text() for path in sorted(folder.iterdir())} == texts


@pytest.mark.parametrize("target", EXPORTERS)
def test_the_same_manifest_gives_the_same_bytes_in_any_folder(
    target: str, documents: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    again = pool(elsewhere)
    assert again.manifest == documents
    texts = written(target, read(elsewhere / "pool.manifest.json"))
    assert texts == written(target, documents)
    assert not any(str(tmp_path) in text or str(Path.home()) in text for text in texts.values())


@pytest.mark.parametrize("target", EXPORTERS)
def test_strange_names_leave_the_files_readable(target: str, documents: Manifest) -> None:
    texts = written(target, renamed(documents))
    assert texts
    for name, text in texts.items():
        assert text.endswith("\n")
        assert "\u2028" not in text or name.endswith(".json")
        if name.endswith(".json"):
            json.loads(text)
