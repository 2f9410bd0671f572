"""Scanning: the same catalog however documents lie, nothing read twice, tables frozen until they are fitted anew."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mixc.backends.executors.local import LocalExecutor
from mixc.compiler.documents.data import Part
from mixc.compiler.executor import run_on
from mixc.compiler.scan import store
from mixc.compiler.scan.catalog import Catalog
from mixc.compiler.scan.scan import scan
from mixc.compiler.scan.store import read_numbers
from mixc.dsl.diagnostics import Diagnostic
from tests.examples import shown
from tests.selection.pool import RECIPE, documents, loaded, plain_pool, recipe, scanned, told, write, write_file

DIFFERENT = {"edu: 0.35, fine: 0.65": "edu: 0.5, fine: 0.5"}


class Counting:
    """One process that remembers which files each stage read; stages are told apart by their order."""

    name = "counting"

    def __init__(self) -> None:
        self.read: list[list[str]] = []
        self._inner = LocalExecutor(1)

    def map(self, work: Callable[[Any], Any], tasks: Sequence[Any], done: Callable[[int, Any], None]) -> None:
        self.read.append(sorted({task.file.name for task in tasks if isinstance(task, Part)}))
        self._inner.map(work, tasks, done)

    def close(self) -> None:
        self._inner.close()


def watched(path: Path, refit: bool = False) -> tuple[list[list[str]], Catalog, list[Diagnostic]]:
    """(files read by each stage that read any, catalog, diagnostics)."""
    counting = Counting()
    catalog, found = scan(loaded(path), counting, refit=refit)
    assert catalog is not None, told(found)
    return counting.read, catalog, found


def alike(one: Catalog, other: Catalog) -> None:
    """Asserts that two catalogs hold the same, whatever their files are called."""
    assert one.hash == other.hash
    assert one.tables.hash == other.tables.hash
    assert (one.bits, one.excluded, one.odd) == (other.bits, other.excluded, other.odd)
    assert sum(file.tokens for file in one.files) == sum(file.tokens for file in other.files)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return scanned(plain_pool(tmp_path_factory.mktemp("base")))[0]


@pytest.mark.parametrize(
    "form",
    [
        {"shards": 1, "group": 24_000},
        {"shards": 7, "group": 999},
        {"names": ["z", "a", "m"]},
        {"form": "jsonl"},
        {"form": "jsonl.gz", "shards": 5},
        {"form": "jsonl.zst", "shards": 2},
    ],
    ids=str,
)
def test_the_catalog_does_not_depend_on_how_documents_lie(tmp_path: Path, base: Catalog, form: dict[str, Any]) -> None:
    alike(scanned(plain_pool(tmp_path, **form))[0], base)


def test_nor_on_their_order_or_the_number_of_processes(tmp_path: Path, base: Catalog) -> None:
    table = documents()
    shuffled = table.take(pa.array(np.random.default_rng(5).permutation(table.num_rows)))
    path = plain_pool(tmp_path)
    write(tmp_path / "crawl", shuffled, shards=3)
    alike(scanned(path, workers=2)[0], base)


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    path = plain_pool(tmp_path)
    first, catalog, _ = watched(path)
    files = [f"crawl/00{i}.parquet" for i in range(3)]
    assert len(first) == 3  # scores, ids, levels
    assert all(set(files) <= set(names) for names in first)
    again, same, _ = watched(path)
    assert again == []
    alike(same, catalog)


def test_a_new_file_is_read_alone(tmp_path: Path) -> None:
    path = plain_pool(tmp_path)
    _, before, _ = watched(path)
    write_file(tmp_path / "crawl" / "new.parquet", documents(3000, seed=8, prefix="new-"))
    read, after, found = watched(path)
    assert read == [["crawl/new.parquet"]] * 3
    assert after.tables.hash == before.tables.hash
    assert sum(file.documents for file in after.files) == sum(file.documents for file in before.files) + 3000
    assert "M556" not in [one.code for one in found]

    # The counts of the whole are those of the old files and of the new one under the old tables.
    (tmp_path / "crawl" / "new.parquet").unlink()
    read, gone, _ = watched(path)
    assert read == []
    alike(gone, before)


def test_an_edited_file_is_read_again(tmp_path: Path) -> None:
    path = plain_pool(tmp_path)
    watched(path)
    edited = documents().slice(0, 8000)
    write_file(tmp_path / "crawl" / "000.parquet", edited.set_column(3, "n", pa.array(np.full(8000, 77))))
    read, catalog, _ = watched(path)
    assert read == [["crawl/000.parquet"]] * 3
    assert sum(file.tokens for file in catalog.files if file.name == "crawl/000.parquet") == 8000 * 78


def test_a_touched_file_is_hashed_and_not_read(tmp_path: Path) -> None:
    path = plain_pool(tmp_path)
    _, before, _ = watched(path)
    file = tmp_path / "crawl" / "000.parquet"
    file.write_bytes(file.read_bytes())
    file.rename(tmp_path / "crawl" / "renamed.parquet")
    read, after, _ = watched(path)
    assert read == []
    alike(after, before)


def test_other_weights_need_only_the_second_pass_and_another_budget_none(tmp_path: Path) -> None:
    path = plain_pool(tmp_path)
    watched(path)
    path.write_text(RECIPE.replace("tokens = 9M", "tokens = 5M"))
    assert watched(path)[0] == []
    text = RECIPE
    for old, new in DIFFERENT.items():
        text = text.replace(old, new)
    path.write_text(text)
    (names,) = watched(path)[0]
    assert "crawl/000.parquet" in names
    path.write_text(RECIPE)
    assert watched(path)[0] == []  # what the first weights gave is still known


def test_the_cache_may_be_lost_or_damaged(tmp_path: Path) -> None:
    path = plain_pool(tmp_path)
    before = scanned(path)[0]
    kept = sorted(p for p in (tmp_path / ".mixc").rglob("*") if p.is_file() and p.suffix in (".parquet", ".json"))
    assert len(kept) > 8
    for number, damaged in enumerate(path for path in kept if path.parent.name != "tables"):
        damaged.write_bytes(damaged.read_bytes()[: number % 3 * 20])
    alike(scanned(path)[0], before)
    (tmp_path / ".mixc" / "files.json").write_text("[1]")
    alike(scanned(path)[0], before)


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-20], lambda data: bytes(len(data))])
def test_tables_that_are_damaged_are_not_fitted_anew_unasked(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path, _, catalog = drifting(tmp_path, shift=2)
    (tables,) = (tmp_path / ".mixc" / "tables").iterdir()
    whole = tables.read_bytes()
    tables.write_bytes(damage(whole))
    about = "A disk lost a part of `.mixc/tables` since documents were scanned for the first time."
    refused, found = run_on("local", 1, lambda executor: scan(loaded(path), executor))
    assert refused is None
    shown("M561", found, about=about, command="mixc scan pool.mix", at=tmp_path, numbers=False)
    assert tables.read_bytes() == damage(whole)
    tables.write_bytes(whole)
    alike(scanned(path)[0], catalog)
    tables.write_bytes(damage(whole))
    assert scanned(path, refit=True)[0].tables.hash != catalog.tables.hash


@pytest.mark.parametrize("kind", ["tables", "profiles", "counts", "ids"])
def test_what_the_system_would_not_let_be_read_is_not_made_again(tmp_path: Path, kind: str) -> None:
    """Tables fitted anew would be others by now; of the rest it is not known what it says."""
    path, _, catalog = drifting(tmp_path, shift=2)
    kept = sorted((tmp_path / ".mixc" / kind).iterdir())

    def refuse(where: Any) -> pa.Table:
        if Path(where) in kept:
            raise OSError(errno.EMFILE, "too many open files", str(where))
        return read_numbers(where)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "read_numbers", refuse)
        with pytest.raises(OSError, match="too many open files"):
            scanned(path)
    assert sorted((tmp_path / ".mixc" / kind).iterdir()) == kept
    alike(scanned(path)[0], catalog)


def drifting(folder: Path, shift: int, text: str = RECIPE) -> tuple[Path, list[Diagnostic], Catalog]:
    """A pool to which documents whose `edu` is higher by `shift` have come: what was then said of it."""
    path = plain_pool(folder, text)
    scanned(path)
    more = documents(6000, seed=9, prefix="more-")
    edu = np.minimum(more["edu"].to_numpy() + shift, 5).astype(np.float32)
    write_file(folder / "crawl" / "more.parquet", more.set_column(4, "edu", pa.array(edu)))
    catalog, found = scanned(path)
    return path, found, catalog


def test_drift_is_reported_and_refitting_ends_it(tmp_path: Path) -> None:
    path, drifted, catalog = drifting(tmp_path, shift=2)
    about = "In documents that came later `edu` is higher by 2."
    shown("M556", drifted, about=about, command="mixc scan pool.mix", at=tmp_path, numbers=False)
    said = told(drifted)
    assert [line.partition(":")[0] for line in said] == ["M556", "M556"]
    assert said[0].startswith("M556: scores of rater `edu` in `de` have drifted: stability index ")
    read, fitted, found = watched(path, refit=True)
    assert len(read) == 1  # only levels are counted again
    assert told(found) == []
    assert fitted.tables.hash != catalog.tables.hash
    read, again, found = watched(path)
    assert (read, told(found)) == ([], [])
    alike(again, fitted)


def test_integer_scores_that_stay_as_they_were_do_not_drift(tmp_path: Path) -> None:
    assert drifting(tmp_path, shift=0)[1] == []


def test_a_few_documents_say_nothing_about_drift(tmp_path: Path) -> None:
    path = plain_pool(tmp_path)
    scanned(path)
    write_file(tmp_path / "crawl" / "few.parquet", documents(400, seed=9, prefix="few-"))
    assert told(scanned(path)[1]) == []


def test_drift_of_a_rater_of_global_scope(tmp_path: Path) -> None:
    text = RECIPE.replace('column = "edu", range = 0 .. 5', 'column = "edu", range = 0 .. 5, scope = global')
    assert [one.code for one in drifting(tmp_path, 2, text)[1]] == ["M556"]


def test_a_language_that_comes_later_gets_tables_of_its_own(tmp_path: Path) -> None:
    path = plain_pool(tmp_path, RECIPE.replace("[en, de]", "[en, de, fr]"))
    before = scanned(path)[0]
    more = documents(6000, seed=9, prefix="more-")
    write_file(tmp_path / "crawl" / "more.parquet", more.set_column(1, "lang", pa.array(["fr"] * 6000)))
    read, catalog, found = watched(path)
    assert read == [["crawl/more.parquet"]] * 3
    assert told(found) == []
    assert catalog.excluded == {}
    assert sum(int(g.documents.sum()) for (_, code, _), g in catalog.groups.items() if code == "fr") == 6000
    for key, table in before.tables.tables.items():  # those of the others stay as they were
        assert (catalog.tables.tables[key].steps == table.steps).all()


def test_missing_scores_are_counted_and_left_out_unless_the_rater_says_otherwise(tmp_path: Path) -> None:
    table = documents()
    edu = table["edu"].to_numpy().copy()
    odd = np.arange(0, len(edu), 10)
    edu[odd[::2]] = np.nan
    values = pa.array(edu, mask=np.isin(np.arange(len(edu)), odd[1::2]))
    changed = table.set_column(4, "edu", values)
    found = {}
    for policy in ("exclude", "worst", "renormalise"):
        folder = tmp_path / policy
        write(folder / "crawl", changed)
        text = RECIPE.replace("range = 0 .. 5", f"range = 0 .. 5, missing = {policy}")
        path = recipe(folder, text[: text.index("source library")] + text[text.index("rater edu") :])
        found[policy] = scanned(path)[0]
    whole = {policy: sum(int(g.documents.sum()) for g in catalog.groups.values()) for policy, catalog in found.items()}
    assert sum(found["exclude"].excluded.values()) == len(odd)
    assert whole["exclude"] == len(edu) - len(odd)
    assert whole["worst"] == len(edu)
    assert sum(one.missing + one.nan for (r, _), one in found["exclude"].odd.items() if r == "edu") == len(odd)
    assert sum(one.nan for one in found["exclude"].odd.values()) == len(odd) // 2
    # `news` has no other rater, so nothing is left to go by; `forums` goes by `fine` alone.
    news = pa.compute.equal(table["domain"], "news").to_numpy()
    assert sum(found["renormalise"].excluded.values()) == int(news[odd].sum())
