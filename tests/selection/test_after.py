"""`compile --after`: a mixture goes on where another stopped, document by document, or says why it cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from mixc.backends.selection.backend import Run, run
from mixc.compiler.cli.compile import artefacts
from mixc.compiler.executor import run_on
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.progress import Quiet
from mixc.compiler.review.reading import read_manifest
from mixc.dsl.diagnostics import Diagnostic, has_errors
from tests.examples import shown
from tests.selection.pool import (
    BOOKS,
    DOMAINS,
    HEAD,
    LANGUAGES,
    RATERS,
    SEED,
    compiled,
    documents,
    open_run,
    plain_pool,
    rows_of,
    selected,
    told,
    unrated,
    verified,
    write,
)
from tests.selection.pool import RECIPE as POOL

ONE = """recipe {name}
source library {{
  path = "library", domain = books, language = en, columns = {{ id: "id", tokens: "n" }}, epochs <= {most}
}}
languages [en] {{ priority = 1.0 }}
budget {{ model = 1M params, tokens = {tokens} tokens, seed = {seed} }}
"""
COUNT = 20_000
MANY = HEAD + BOOKS + RATERS + DOMAINS + LANGUAGES
BUDGET = f"budget {{ model = 1M params, tokens = 6M tokens, seed = {SEED} }}\n"
CURVED = MANY.replace(
    "domain news   { weights = { edu: 1.0 } }",
    "domain news { weights = { edu: 1.0 }, sampling = { lambda: 12, omega: 60%, eta: 1.0, epsilon: 0.01 } }",
)
WARM = MANY.replace(
    "domain news   { weights = { edu: 1.0 } }",
    "domain news { weights = { edu: 1.0 }, sampling = { temperature: 2.0 } }",
)


def one_cell(folder: Path, name: str, part: float, *, seed: int = 5, most: int = 4) -> Path:
    """A recipe that takes this part of one cell."""
    table = unrated(COUNT)
    if not (folder / "library").exists():
        write(folder / "library", table)
    supply = sum(table["n"].to_pylist()) + COUNT
    path = folder / f"{name}.mix"
    path.write_text(ONE.format(name=name, tokens=int(supply * part), seed=seed, most=most))
    return path


def going_on(path: Path, after: Path) -> tuple[Run | None, list[Diagnostic]]:
    """A recipe compiled after a manifest, ready to run."""
    made, found = run_passes(COMPILE, Artefacts(path, after=after))
    if has_errors(found):
        return None, found
    manifest = path.with_suffix(".manifest.json")
    for name, data in artefacts(made, manifest).items():
        name.write_bytes(data)
    return open_run(manifest), found


def first(path: Path) -> tuple[Run, Path]:
    """A recipe compiled on its own, and where its manifest is."""
    made, found = run_passes(COMPILE, Artefacts(path))
    assert not has_errors(found), told(found)
    manifest = path.with_suffix(".manifest.json")
    for name, data in artefacts(made, manifest).items():
        name.write_bytes(data)
    return open_run(manifest), manifest


def copies(job: Run, output: Path) -> Mapping[tuple[str, str], int]:
    """Copies by source and id."""
    selected(job, output)
    rows = rows_of(output)
    found: Counter[tuple[str, str]] = Counter()
    for source, name, count in zip(*(rows[column].to_pylist() for column in ("source", "id", "copies")), strict=True):
        found[source, name] += count
    return found


def test_two_mixtures_take_what_two_phases_of_one_would(tmp_path: Path) -> None:
    before, manifest = first(one_cell(tmp_path, "early", 0.6))
    after, found = going_on(one_cell(tmp_path, "late", 0.9), manifest)
    assert after is not None, told(found)
    earlier, later = copies(before, tmp_path / "a"), copies(after, tmp_path / "b")
    both = Counter(earlier) + Counter(later)
    assert set(earlier.values()) == set(later.values()) == {1}
    assert len(both) == COUNT
    assert set(both.values()) == {1, 2}
    report, problems = verified(after, tmp_path / "b")
    assert report is not None, told(problems)
    assert problems == []


def test_a_third_goes_on_after_both(tmp_path: Path) -> None:
    _, manifest = first(one_cell(tmp_path, "early", 0.25))
    _, found = going_on(one_cell(tmp_path, "late", 0.25), manifest)
    job, found = going_on(one_cell(tmp_path, "last", 0.5), tmp_path / "late.manifest.json")
    assert job is not None, told(found)
    assert job.manifest.after is not None
    assert job.manifest.after.manifest == "late.manifest.json"
    supply = job.manifest.supply[0]
    assert supply.taken is not None
    assert sum(supply.taken) == job.manifest.after.tokens
    runs = [open_run(tmp_path / f"{name}.manifest.json") for name in ("early", "late", "last")]
    every = [copies(run, tmp_path / f"out{i}") for i, run in enumerate(runs)]
    assert not every[0].keys() & every[1].keys()
    assert not (every[0].keys() | every[1].keys()) & every[2].keys()
    assert len(every[0].keys() | every[1].keys() | every[2].keys()) >= COUNT - 1


@pytest.mark.parametrize("text", [MANY, CURVED, WARM], ids=["buckets", "curve", "temperature"])
def test_documents_of_one_level_never_differ_by_more_than_one_copy(tmp_path: Path, text: str) -> None:
    path = plain_pool(tmp_path, text + BUDGET)
    compiled(path)
    before = open_run(tmp_path / "pool.manifest.json")
    late = tmp_path / "late.mix"
    late.write_text(text.replace("recipe pool", "recipe late") + BUDGET)
    after, found = going_on(late, tmp_path / "pool.manifest.json")
    assert after is not None, told(found)
    earlier, later = copies(before, tmp_path / "a"), copies(after, tmp_path / "b")
    both = Counter(earlier) + Counter(later)
    table = documents()
    by_level: dict[tuple[object, ...], set[int]] = {}
    columns = [table[name].to_pylist() for name in ("id", "lang", "domain", "edu", "fine")]
    for name, language, domain, edu, fine in zip(*columns, strict=True):
        level = (edu,) if domain == "news" else (edu, fine)
        by_level.setdefault((domain, language, *level), set()).add(both["crawl", name])
    apart = [key for key, found in by_level.items() if max(found) - min(found) > 1]
    across = 2 * len(after.manifest.quality.edges)  # levels that lie across an edge, in two languages
    if text is MANY:
        assert len([key for key in apart if key[0] == "forums"]) <= across
    else:
        assert [key for key in apart if key[0] == "news"] == []
    report, problems = verified(after, tmp_path / "b")
    assert report is not None, told(problems)
    assert problems == []


def test_what_was_read_counts_towards_limits_and_information(tmp_path: Path) -> None:
    _, manifest = first(one_cell(tmp_path, "early", 1.5, most=2))
    job, found = going_on(one_cell(tmp_path, "late", 0.5, most=2), manifest)
    assert job is not None, told(found)
    alone, _ = first(one_cell(tmp_path, "alone", 0.5, most=2))
    assert job.manifest.totals.information is not None
    assert alone.manifest.totals.information is not None
    assert job.manifest.totals.information > alone.manifest.totals.information
    assert (job.manifest.totals.loss or 0) < (alone.manifest.totals.loss or 0)
    none, found = going_on(one_cell(tmp_path, "much", 0.6, most=2), manifest)
    assert none is None
    assert [one.code for one in found if has_errors([one])] == ["M303"]


def test_what_was_learnt_of_a_source_that_is_gone_counts(tmp_path: Path) -> None:
    path = plain_pool(tmp_path, MANY + BUDGET)
    compiled(path)
    late = tmp_path / "late.mix"
    text = (HEAD + RATERS + DOMAINS + LANGUAGES + BUDGET).replace("recipe pool", "recipe late")
    late.write_text(text)
    job, found = going_on(late, tmp_path / "pool.manifest.json")
    assert job is not None, told(found)
    assert any(row.past for row in job.manifest.languages)


def test_the_manifest_is_read_back_and_compared(tmp_path: Path) -> None:
    _, manifest = first(one_cell(tmp_path, "early", 0.6))
    going_on(one_cell(tmp_path, "late", 0.9), manifest)
    read, found = read_manifest(str(tmp_path / "late.manifest.json"))
    assert read is not None, told(found)
    assert [(row.kind, row.name) for row in read.inputs if row.kind == "after"] == [("after", "early.manifest.json")]


AFTER = "mixc compile late.mix --after early.manifest.json"


def codes(found: list[Diagnostic]) -> list[str]:
    """The codes of errors."""
    return [one.code for one in found if has_errors([one])]


def test_another_seed_is_refused(tmp_path: Path) -> None:
    _, manifest = first(one_cell(tmp_path, "early", 0.6))
    none, found = going_on(one_cell(tmp_path, "late", 0.3, seed=6), manifest)
    assert none is None
    assert codes(found) == ["M447"]
    about = "The recipe of `early` has `seed = 5`, that of `late` has `seed = 6`."
    shown("M447", found, about=about, command=AFTER, at=tmp_path)
    assert "seed = 5" in found[-1].helps[0]


def test_other_documents_are_refused(tmp_path: Path) -> None:
    _, manifest = first(one_cell(tmp_path, "early", 0.6))
    later = unrated(100, seed=9)
    later = later.set_column(0, "id", [[f"later-{i}" for i in range(100)]])
    write(tmp_path / "library", later, names=("later",), shards=1)
    none, found = going_on(one_cell(tmp_path, "late", 0.3), manifest)
    assert none is None
    assert codes(found) == ["M448"]
    assert "holds other documents" in found[-1].message
    about = "A file of documents came after `early` was compiled."
    shown("M448", found, about=about, command=AFTER, at=tmp_path)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (MANY + "require share(best(10%)) >= 10%\n", "has other buckets"),
        (CURVED.replace("lambda: 12", "lambda: 3"), "is sampled otherwise"),
        (MANY + "evaluate { suite = mubench, holdout = 5% }\n", "has other documents held out"),
        (CURVED.replace("edu: 0.35, fine: 0.65", "edu: 0.5, fine: 0.5"), "otherwise"),
    ],
)
def test_other_pools_are_refused(tmp_path: Path, text: str, what: str) -> None:
    path = plain_pool(tmp_path, (CURVED if "sampling" in text else MANY) + BUDGET)
    compiled(path)
    late = tmp_path / "late.mix"
    late.write_text(text.replace("recipe pool", "recipe late") + BUDGET)
    none, found = going_on(late, tmp_path / "pool.manifest.json")
    assert none is None
    assert set(codes(found)) == {"M448"}
    assert any(what in one.message for one in found)


def test_a_manifest_without_its_tables_is_refused(tmp_path: Path) -> None:
    _, manifest = first(one_cell(tmp_path, "early", 0.6))
    manifest.with_name("early.tables.parquet").unlink()
    none, found = going_on(one_cell(tmp_path, "late", 0.3), manifest)
    assert none is None
    assert codes(found) == ["M474"]


def test_no_manifest_is_refused(tmp_path: Path) -> None:
    none, found = going_on(one_cell(tmp_path, "late", 0.3), tmp_path / "never.manifest.json")
    assert none is None
    assert codes(found) == ["M450"]


def test_an_exact_run_does_not_go_on_after_a_drawn_one(tmp_path: Path) -> None:
    _, manifest = first(one_cell(tmp_path, "early", 0.6))
    job, _ = going_on(one_cell(tmp_path, "late", 0.3), manifest)
    assert job is not None
    outcome, found = run_on("local", 1, lambda executor: run(job, tmp_path / "out", executor, Quiet(), exact=True))
    assert outcome is None
    assert codes(found) == ["M569"]
    about = "`late` was compiled with `--after early.manifest.json`."
    shown("M569", found, about=about, command="mixc run late.manifest.json -o out --exact", at=tmp_path)
    assert not (tmp_path / "out").exists()


def test_used_up_sources_are_told_and_crash_nothing(tmp_path: Path) -> None:
    _, manifest = first(one_cell(tmp_path, "early", 0.6, most=1))
    _, found = going_on(one_cell(tmp_path, "late", 0.4, most=1), manifest)
    none, found = going_on(one_cell(tmp_path, "last", 0.5, most=1), tmp_path / "late.manifest.json")
    assert none is None
    assert codes(found) == ["M303"]


def test_a_source_that_one_mixture_leaves_out_is_remembered(tmp_path: Path) -> None:
    path = plain_pool(tmp_path, MANY + BUDGET)
    compiled(path)
    middle, last = tmp_path / "middle.mix", tmp_path / "last.mix"
    middle.write_text((HEAD + RATERS + DOMAINS + LANGUAGES + BUDGET).replace("recipe pool", "recipe middle"))
    job, found = going_on(middle, tmp_path / "pool.manifest.json")
    assert job is not None, told(found)
    last.write_text((MANY + BUDGET).replace("recipe pool", "recipe last"))
    job, found = going_on(last, tmp_path / "middle.manifest.json")
    assert job is not None, told(found)
    pools = {(row.source, row.language): row for row in job.manifest.supply if row.source == "library"}
    first_taken = [
        row
        for row in open_run(tmp_path / "pool.manifest.json").manifest.mixture
        if row.source == "library" and row.tokens
    ]
    assert first_taken
    for row in first_taken:
        assert pools[row.source, row.language].taken == row.tokens_by_bucket


@pytest.mark.parametrize("change", ["other column", "other ids"])
def test_documents_that_are_known_otherwise_are_refused(tmp_path: Path, change: str) -> None:
    table = unrated(COUNT)
    table = table.append_column("uuid", [[f"u-{i}" for i in range(COUNT)]])
    write(tmp_path / "library", table)
    _, manifest = first(one_cell(tmp_path, "early", 0.6))
    late = one_cell(tmp_path, "late", 0.3)
    if change == "other column":
        late.write_text(late.read_text().replace('id: "id"', 'id: "uuid"'))
    else:
        write(tmp_path / "library", table.set_column(0, "id", [[f"new-{i}" for i in range(COUNT)]]))
    none, found = going_on(late, manifest)
    assert none is None
    assert codes(found) == ["M448"]


@pytest.mark.parametrize(
    ("sampling", "rule"),
    [
        ("temperature: 0.3", "require share(news) >= 90%\n"),
        ("lambda: 12, omega: 0.0001%, eta: 1.0, epsilon: 0", ""),
    ],
)
def test_what_sampling_leaves_too_little_of_is_told(tmp_path: Path, sampling: str, rule: str) -> None:
    text = POOL.replace("{ weights = { edu: 1.0 } }", f"{{ weights = {{ edu: 1.0 }}, sampling = {{ {sampling} }} }}")
    path = plain_pool(tmp_path, text.replace("9M tokens", "40M tokens") + rule)
    _, found = run_passes(COMPILE, Artefacts(path))
    assert {one.code for one in found if has_errors([one])} <= {"M301", "M303"}
    assert has_errors(found)
