"""The dataset card: front matter as `huggingface_hub` reads it, texts as `datasets` loads them, and odd words."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.exporters.dataset_card import _quoted  # the one place where YAML is written by hand
from mixc.backends.exporters.described import tag
from mixc.compiler.review.schema import Manifest
from tests.exporters.documents_pool import (
    SPACE,
    changed,
    licensed,
    needed,
    plan,
    pool,
    read,
    renamed,
    with_texts,
    written,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pool")
    with_texts(pool(made), made / "run")
    return made


@pytest.fixture(scope="module")
def documents(folder: Path) -> Manifest:
    return read(folder / "pool.manifest.json")


def front_matter(manifest: Manifest) -> dict[str, Any]:
    """What the hub's own package reads of the card."""
    hub = needed("huggingface_hub", "huggingface_hub")
    card = hub.DatasetCard(written("dataset-card", manifest)["README.md"])
    assert isinstance(card.data, hub.DatasetCardData)
    made: dict[str, Any] = card.data.to_dict()
    return made


def test_a_plan() -> None:
    made = front_matter(plan())
    assert made["license"] == ["cc-by-sa-3.0", "odc-by"]
    assert made["language"] == sorted(tag(row.code) for row in plan().languages if row.tokens)
    assert made["multilinguality"] == ["multilingual"]
    assert made["task_categories"] == ["text-generation"]
    assert "configs" not in made
    assert "There are no files: the supply comes from published sizes" in written("dataset-card", plan())["README.md"]


def test_licences_that_the_hub_knows_not_and_languages_by_their_code(documents: Manifest) -> None:
    made = front_matter(documents)
    assert made["license"] == ["cc-by-sa-4.0", "other", "unknown"]
    assert re.fullmatch("[a-z0-9.-]+", made["license_name"])
    assert made["language"] == ["en", "nb"]
    texts = written("dataset-card", documents)
    assert "`web`: Our own licence, see LICENSE.txt" in texts[made["license_link"]]
    assert "The recipe states no licence for `letters`." in texts["README.md"]


def test_a_recipe_without_any_licence(documents: Manifest) -> None:
    made = front_matter(licensed(documents, {}))
    assert made["license"] == ["unknown"]
    assert "license_name" not in made
    assert set(written("dataset-card", licensed(documents, {}))) == {"README.md"}


def test_a_language_in_another_script(documents: Manifest) -> None:
    def latin(data: dict[str, Any]) -> None:
        for row in (*data["supply"], *data["mixture"]):
            row["language"] = {"en": "hi_Latn"}.get(row["language"], row["language"])
        for row in data["languages"]:
            row["code"] = {"en": "hi_Latn"}.get(row["code"], row["code"])

    made = front_matter(changed(documents, latin))
    assert made["language"] == ["hi", "nb"]
    assert made["language_details"] == ["nb", "hi-Latn"]
    assert [tag(one) for one in ("zh", "tl", "zh_Hant", "und", "no such")] == ["zh", "fil", "zh", "und", "no such"]


def test_odd_names_stay_names(documents: Manifest) -> None:
    text = written("dataset-card", renamed(documents))["README.md"]
    made = front_matter(renamed(documents))
    assert made["pretty_name"] == "pool"
    body = text.split("---\n", 2)[2]
    assert body.splitlines()[3].startswith("\\# No: heading --- - \\*no\\* list")
    assert f"`{SPACE}`" in body
    assert "<b>" not in re.sub(r"(`+).*?\1(?!`)", "", body)
    widths = {line.replace("\\|", "").count("|") for line in re.findall(r"^\| `.*", body, re.MULTILINE)}
    assert widths <= {3, 4, 5, 6}


@given(st.text())
def test_yaml_reads_back_every_text(text: str) -> None:
    assert yaml.safe_load(f"key: {_quoted(text)}\n") == {"key": text}


def test_shares_in_the_card_are_those_of_the_manifest(documents: Manifest) -> None:
    text = written("dataset-card", documents)["README.md"]
    for row in documents.languages:
        assert f"| {tag(row.code)} |" in text
        assert f"| {100 * row.share:.2f}% |" in text
    for inputs in documents.inputs:
        assert inputs.sha256 in text


@pytest.mark.parametrize(("config", "phases"), [("default", {0, 1}), ("phase-first", {0}), ("phase-second", {1})])
def test_datasets_loads_the_texts(config: str, phases: set[int], folder: Path, documents: Manifest, tmp_path: Path,
                                  monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    import pyarrow.parquet as pq

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = needed("datasets", "datasets")
    shutil.copytree(folder / "run" / "texts", tmp_path / "card" / "texts")
    for name, text in written("dataset-card", documents).items():
        (tmp_path / "card" / name).write_text(text)
    loaded = datasets.load_dataset(str(tmp_path / "card"), config, split="train", cache_dir=str(tmp_path / "cache"))
    wanted = [documents.phases[p].name for p in phases]
    there = [
        id_
        for path in (tmp_path / "card" / "texts").rglob("*.parquet")
        if path.relative_to(tmp_path / "card" / "texts").parts[0] in wanted
        for id_ in pq.read_table(path)["id"].to_pylist()
    ]
    assert sorted(loaded["id"]) == sorted(there)
    assert there
