"""Croissant: what the description says, and what the package `mlcroissant` reads of it."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mixc.compiler.review.schema import Manifest
from tests.exporters.documents_pool import PLAN, licensed, needed, plan, pool, read, renamed, with_texts, written


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pool, and a run of it with texts in `run`."""
    made = tmp_path_factory.mktemp("pool")
    with_texts(pool(made), made / "run")
    return made


@pytest.fixture(scope="module")
def documents(folder: Path) -> Manifest:
    return read(folder / "pool.manifest.json")


def description(manifest: Manifest) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(written("croissant", manifest)["croissant.json"])
    return made


def test_a_plan_names_its_inputs_and_its_shares(tmp_path: Path) -> None:
    made = description(plan())
    assert made["conformsTo"][0] == "http://mlcommons.org/croissant/1.1"
    assert made["license"] == ["https://spdx.org/licenses/CC-BY-SA-3.0", "https://spdx.org/licenses/ODC-By-1.0"]
    files = {one["@id"]: one for one in made["distribution"]}
    assert set(files) == {
        "polyglot17.manifest.json", "polyglot17.mix", "catalogs/fineweb2.csv", "catalogs/wikipedia-2020.csv",
    }  # fmt: skip
    assert {one["sha256"] for one in files.values()} > {row.sha256 for row in plan().inputs if row.kind == "catalog"}
    assert [one["@id"] for one in made["recordSet"]] == ["language_shares", "source_shares"]
    shares = {row["language_shares/code"]: row["language_shares/tokens"] for row in made["recordSet"][0]["data"]}
    assert shares == {row.code: row.tokens for row in plan().languages}


def test_files_are_named_by_the_hash_of_their_bytes() -> None:
    import hashlib

    files = {one["@id"]: one["sha256"] for one in description(plan())["distribution"]}
    for name, sha256 in files.items():
        assert hashlib.sha256((PLAN.parent / name).read_bytes()).hexdigest() == sha256, name


def test_texts_and_what_is_not_stated(documents: Manifest) -> None:
    made = description(documents)
    assert {one["@id"]: one.get("includes") for one in made["distribution"]}["texts"] == "texts/**/*.parquet"
    assert made["license"] == ["https://spdx.org/licenses/CC-BY-SA-4.0", "Our own licence, see LICENSE.txt"]
    assert made["inLanguage"] == ["nb", "en"]
    assert "the licence of the source letters is not stated" in made["rai:dataLimitations"]
    assert "url" not in made
    assert "`datePublished`" in written("croissant", documents)["README.md"]


def test_a_recipe_without_any_licence(documents: Manifest) -> None:
    silent = licensed(documents, {})
    assert "license" not in description(silent)
    assert "the recipe states none" in written("croissant", silent)["README.md"]


def test_every_reference_has_its_element(documents: Manifest) -> None:
    made = description(renamed(documents))
    ids = [one["@id"] for one in (*made["distribution"], *made["recordSet"])]
    ids += [one["@id"] for records in made["recordSet"] for one in records["field"]]
    assert max(Counter(ids).values()) == 1
    for records in made["recordSet"]:
        for field in records["field"]:
            assert field.get("source", {"fileSet": {"@id": ids[0]}})["fileSet"]["@id"] in ids
        assert "key" not in records or records["key"]["@id"] in ids


@pytest.mark.parametrize("which", ["plan", "pool", "renamed", "silent"])
def test_mlcroissant_accepts_it(which: str, documents: Manifest, tmp_path: Path) -> None:
    mlcroissant = needed("mlcroissant", "mlcroissant")
    manifest = {
        "plan": plan(), "pool": documents, "renamed": renamed(documents), "silent": licensed(documents, {}),
    }[which]  # fmt: skip
    path = tmp_path / "croissant.json"
    path.write_text(written("croissant", manifest)["croissant.json"])
    dataset = mlcroissant.Dataset(path)
    issues = dataset.metadata.ctx.issues
    assert not issues.errors
    told = {"citeAs", "datePublished", "version", *(["license"] if which == "silent" else [])}
    assert {one.split('"')[1].rpartition("/")[2] for one in map(str, issues.warnings)} == told
    rows = list(dataset.records("source_shares"))
    assert sum(row["source_shares/tokens"] for row in rows) == manifest.budget.tokens
    assert dataset.metadata.name == manifest.recipe.name


def test_mlcroissant_reads_the_texts(folder: Path, documents: Manifest, tmp_path: Path) -> None:
    mlcroissant = needed("mlcroissant", "mlcroissant")
    shutil.copytree(folder / "run" / "texts", tmp_path / "texts")
    (tmp_path / "croissant.json").write_text(written("croissant", documents)["croissant.json"])
    read_by_it = Counter(
        (row["documents/source"].decode(), row["documents/language"].decode(), row["documents/id"].decode(),
         int(row["documents/copies"]), int(row["documents/tokens"]), row["documents/text"].decode())
        for row in mlcroissant.Dataset(tmp_path / "croissant.json").records("documents")
    )  # fmt: skip
    there: Counter[Any] = Counter()
    for path in sorted((tmp_path / "texts").rglob("*.parquet")):
        source, language = path.relative_to(tmp_path / "texts").parts[1:3]
        for row in pq.read_table(path).to_pylist():
            there[source, language, row["id"], row["copies"], row["tokens"], row["text"]] += 1
    assert read_by_it == there
    assert there
