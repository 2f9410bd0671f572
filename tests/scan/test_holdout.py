"""`evaluate { holdout = … }`: documents told by a hash alone are no supply, never drawn, and counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash

from mixc.backends.selection.backend import Form, perform
from mixc.backends.selection.markers import Output, read_marker, write_marker
from mixc.backends.selection.outputs import content_hash
from mixc.compiler.cli.guard import guarded
from mixc.compiler.executor import run_on
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.progress import Quiet
from mixc.compiler.review.plan import plan_from_manifest
from mixc.compiler.scan.plan import Holdout
from mixc.dsl.diagnostics import has_errors
from tests.selection.pool import (
    BOOKS,
    BUDGET,
    PHASES,
    RECIPE,
    SEED,
    compiled,
    digests,
    documents,
    plain_pool,
    recipe,
    rows_of,
    scanned,
    selected,
    told,
    unrated,
    verified,
    with_texts,
    write,
)

SHARE = 0.05
HELD = RECIPE + "evaluate { holdout = 5% }\n"


def is_held(name: str, source: str = "crawl", seed: int = SEED, share: float = SHARE, inside: str = "") -> bool:
    """By the definition, in plain Python."""
    key = f"{seed}:split:{source}:{inside}{name}"
    return xxhash.xxh64_intdigest(key.encode(), 42) >> 4 < round(share * 2**60)


def without(table: pa.Table, source: str) -> pa.Table:
    return table.filter(pa.array([not is_held(name, source) for name in table["id"].to_pylist()]))


@pytest.fixture(scope="module")
def held() -> dict[str, set[str]]:
    named = {"crawl": documents()["id"].to_pylist(), "library": unrated()["id"].to_pylist()}
    return {source: {name for name in names if is_held(name, source)} for source, names in named.items()}


def test_about_the_share_is_held_out_of_every_source(held: dict[str, set[str]]) -> None:
    assert len(held["crawl"]) == pytest.approx(0.05 * 24_000, abs=4 * (24_000 * 0.05 * 0.95) ** 0.5)
    assert len(held["library"]) == pytest.approx(0.05 * 4_000, abs=4 * (4_000 * 0.05 * 0.95) ** 0.5)


def test_what_is_held_out_might_as_well_not_be_there(tmp_path: Path, held: dict[str, set[str]]) -> None:
    """Catalog, mixture and selection are those of documents from which the others were removed."""
    whole = plain_pool(tmp_path / "whole", HELD)
    bare = recipe(tmp_path / "bare", RECIPE)
    write(tmp_path / "bare" / "crawl", without(documents(), "crawl"), shards=2)
    write(tmp_path / "bare" / "library", without(unrated(), "library"), shards=1)
    catalog, _ = scanned(whole)
    less, _ = scanned(bare)
    assert catalog.hash == less.hash
    assert catalog.withheld == {source: len(names) for source, names in held.items()}
    assert less.withheld == {"crawl": 0, "library": 0}
    jobs = [compiled(path) for path in (whole, bare)]
    outcomes = [selected(job, tmp_path / f"out{i}") for i, job in enumerate(jobs)]
    assert jobs[0].manifest.mixture == jobs[1].manifest.mixture
    assert digests(jobs[0], outcomes[0]) == digests(jobs[1], outcomes[1])


def test_nothing_held_out_is_selected_in_any_phase(tmp_path: Path, held: dict[str, set[str]]) -> None:
    """Also where documents are taken several times, and under another budget."""
    path = plain_pool(tmp_path, HELD.replace("9M tokens", "24M tokens"))
    job = compiled(path)
    outcome = selected(job, tmp_path / "out", workers=2)
    rows = rows_of(tmp_path / "out").to_pylist()
    assert {row["phase"] for row in rows} == {"a", "b"}
    taken = {source: {row["id"] for row in rows if row["source"] == source} for source in held}
    for source, names in held.items():
        assert not taken[source] & names
        assert len(taken[source]) > 5 * len(names)
    report, found = verified(job, tmp_path / "out")
    assert not found
    assert report is not None
    assert report.withheld == outcome.withheld == sum(map(len, held.values()))
    assert report.documents + report.withheld == 28_000


def test_the_manifest_states_it_and_is_all_that_run_needs(tmp_path: Path) -> None:
    job = compiled(plain_pool(tmp_path, HELD + "evaluate early { holdout = 1% }\n"))
    (stage,) = (row for row in json.loads(job.path.read_text())["plan"] if row["stage"] == "withhold")
    assert stage == {"backend": "documents", "stage": "withhold", "parameters": {"share": SHARE}}  # the largest
    assert plan_from_manifest(job.manifest).holdout == Holdout(SHARE, SEED)
    plain = compiled(plain_pool(tmp_path / "plain"))
    assert not any(row.stage == "withhold" for row in plain.manifest.plan)


def test_smaller_shares_are_within_larger_ones(tmp_path: Path) -> None:
    counts = []
    for i, share in enumerate(("0.1%", "1%", "5%")):
        catalog, _ = scanned(plain_pool(tmp_path / str(i), HELD.replace("5%", share)))
        expected = {n for n in documents()["id"].to_pylist() if is_held(n, share=float(share[:-1]) / 100)}
        assert catalog.withheld["crawl"] == len(expected)
        counts.append(expected)
    assert counts[0] < counts[1] < counts[2]


def kept_profiles(folder: Path) -> int:
    return len(list((folder / ".mixc" / "profiles").glob("*.parquet")))


def test_seed_and_share_are_part_of_what_a_catalog_depends_on(tmp_path: Path) -> None:
    """Without a hold-out, the seed is not."""
    path = plain_pool(tmp_path)
    scanned(path)
    once = kept_profiles(tmp_path)
    path.write_text(RECIPE.replace("seed = 17", "seed = 18"))
    scanned(path)
    assert kept_profiles(tmp_path) == once
    seen = []
    for text in (HELD, HELD.replace("5%", "6%"), HELD.replace("seed = 17", "seed = 18"), HELD + PHASES[:0]):
        path.write_text(text)
        seen.append(scanned(path)[0].hash)
        assert kept_profiles(tmp_path) == once * (len(set(seen)) + 1)
    assert seen[3] == seen[0]
    assert len(set(seen)) == 3


@pytest.mark.parametrize("form", ["parquet", "jsonl.gz"])
def test_documents_without_ids_are_told_by_their_texts(tmp_path: Path, form: str) -> None:
    table = with_texts(documents(6000)).drop_columns(["id", "n"])
    texts = table["text"].to_pylist()
    texts[:3] = [None, "", texts[5]]  # no documents, and one that stands twice
    table = table.set_column(table.schema.get_field_index("text"), "text", pa.array(texts, pa.string()))
    text = HELD.replace(BOOKS, "").replace('id: "id"', 'text: "text"').replace(', tokens: "n"', "")
    path = recipe(tmp_path, text.replace("9M tokens", "1M tokens"))
    write(tmp_path / "crawl", table, form=form)
    catalog, _ = scanned(path)
    expected = [t for t in texts if t and is_held(xxhash.xxh3_128_hexdigest(t.encode()))]
    assert catalog.withheld == {"crawl": len(expected)}
    job = compiled(path)
    selected(job, tmp_path / "out")
    chosen = set(rows_of(tmp_path / "out")["id"].to_pylist())
    assert chosen
    assert not chosen & {xxhash.xxh3_128_hexdigest(t.encode()) for t in expected}
    report, found = verified(job, tmp_path / "out")
    assert not found, report and report.faults


def test_ids_of_files_are_told_apart_by_file(tmp_path: Path) -> None:
    text = HELD.replace("epochs  <= 4\n}", "epochs  <= 4\n  ids = per-file\n}", 1)
    path = recipe(tmp_path, text)
    for name in ("one", "two"):
        write(tmp_path / "crawl", documents(), shards=1, names=[name])
    write(tmp_path / "library", unrated(), shards=1)
    catalog, _ = scanned(path)
    names = documents()["id"].to_pylist()
    sets = [{n for n in names if is_held(n, inside=f"crawl/{file}.parquet:")} for file in ("one", "two")]
    assert catalog.withheld["crawl"] == sum(map(len, sets))
    assert sets[0] != sets[1]
    job = compiled(path)
    selected(job, tmp_path / "out")
    report, found = verified(job, tmp_path / "out")
    assert not found, report and report.faults


def test_exact_cuts_and_texts_leave_them_out_too(tmp_path: Path, held: dict[str, set[str]]) -> None:
    job = compiled(plain_pool(tmp_path, HELD, texts=True))
    done, found = run_on(
        "local", 1, lambda executor: perform(job, tmp_path / "out", executor, Quiet(), exact=True, form=Form(False))
    )
    assert not has_errors(found), told(found)
    assert done is not None
    texts = [pq.read_table(path, columns=["id"]) for path in sorted((tmp_path / "out" / "texts").rglob("*.parquet"))]
    written = {name for table in texts for name in table["id"].to_pylist()}
    assert len(written) > 5000
    assert not written & (held["crawl"] | held["library"])
    report, problems = verified(job, tmp_path / "out")
    assert not problems
    assert report is not None


def test_a_held_out_document_in_a_selection_is_found(tmp_path: Path, held: dict[str, set[str]]) -> None:
    """Even by itself, with an honest marker and without drawing again."""
    job = compiled(plain_pool(tmp_path, HELD))
    selected(job, tmp_path / "out")
    path = sorted((tmp_path / "out" / "selection" / "crawl").glob("*.parquet"))[0]
    table = pq.read_table(path)
    ids = [min(held["crawl"]), *table["id"].to_pylist()[1:]]
    pq.write_table(table.set_column(0, "id", pa.array(ids, pa.string())), path)
    name = path.relative_to(tmp_path / "out").as_posix()
    marker = read_marker(tmp_path / "out", name)
    assert marker is not None
    output = Output(path.stat().st_size, content_hash(path), table.num_rows)
    write_marker(tmp_path / "out", replace(marker, output=output))
    report, found = verified(job, tmp_path / "out", share=0)
    assert report is not None
    assert report.faults == (f"{name} holds 1 documents that are held out",)
    assert told(found) == [f"M580: the selection in `{tmp_path}/out` does not agree with its manifest in 1 place"]


def test_all_held_out_is_nothing_left(tmp_path: Path) -> None:
    path = plain_pool(tmp_path, HELD.replace("5%", "100%"))
    found = run_passes(COMPILE, Artefacts(path))[1]
    assert [d.code for d in found] == ["M557", "M557"]
    assert [d.notes for d in found] == [("24,000 documents are held out",), ("4,000 documents are held out",)]


def test_a_plan_without_documents_may_state_it(tmp_path: Path) -> None:
    text = "recipe pool\nsource web { supply = { en: 1T tokens }, epochs <= 4 }\nevaluate { holdout = 5% }\n" + BUDGET
    made, found = run_passes(COMPILE, Artefacts(recipe(tmp_path, text)))
    assert not [d for d in found if d.severity == "error"]
    assert made.manifest is not None
    assert made.manifest.evaluations[0].holdout == SHARE


def test_commands_say_how_many(tmp_path: Path, held: dict[str, set[str]], capsys: pytest.CaptureFixture[str]) -> None:
    path = plain_pool(tmp_path, HELD)
    manifest, out = str(tmp_path / "pool.manifest.json"), str(tmp_path / "out")
    assert guarded(["scan", str(path), "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert f"{len(held['crawl']):,} documents of crawl held out, for 5%\n" in said
    assert guarded(["compile", str(path)]) == 0
    count = len(held["crawl"]) + len(held["library"])
    capsys.readouterr()
    assert guarded(["run", manifest, "-o", out, "--workers", "1"]) == 0
    assert f"{count:,} documents held out" in capsys.readouterr().out
    assert guarded(["verify", manifest, out, "--workers", "1"]) == 0
    assert f"{28_000 - count:,} documents, {count:,} documents held out, " in capsys.readouterr().out
    assert guarded(["verify", manifest, out, "--workers", "1", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["withheld"] == count


def test_documents_are_held_out_of_either_pass_by_itself(tmp_path: Path) -> None:
    """With other weights pass 1 is known, and pass 2 reads the documents again."""
    other = HELD.replace("edu: 0.35, fine: 0.65", "edu: 0.5, fine: 0.5")
    path = plain_pool(tmp_path / "twice", HELD)
    scanned(path)
    path.write_text(other)
    again, _ = scanned(path)
    fresh, _ = scanned(plain_pool(tmp_path / "once", other))
    assert again.hash == fresh.hash
    assert again.withheld == fresh.withheld
