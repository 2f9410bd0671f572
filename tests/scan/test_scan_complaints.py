"""What is said of documents that a recipe cannot be compiled from: small files, a recipe, the diagnostic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixc.compiler.cli.compile import artefacts
from mixc.compiler.executor import Failure
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.review.tables import read_tables
from mixc.compiler.scan import scan as scanning
from mixc.compiler.scan.stages import failed
from mixc.dsl.diagnostics import Diagnostic
from tests.examples import shown

ROWS = 3000
HEAD = """recipe complaint
budget { model = 10M params, tokens = 1M tokens }
source web { path = "data/*.parquet", domain = news, epochs <= 4 }
"""


def columns(**changed: Any) -> dict[str, Any]:
    """Documents of one language with ids, tokens and a score; `None` leaves a column out."""
    plain = {
        "id": [f"d{i}" for i in range(ROWS)],
        "language": ["en"] * ROWS,
        "tokens": np.full(ROWS, 400),
        "edu": np.linspace(0, 5, ROWS, dtype=np.float32),
    }
    return {key: value for key, value in {**plain, **changed}.items() if value is not None}


def complaints(folder: Path, rest: str, data: Mapping[str, Any]) -> list[Diagnostic]:
    """What compiling says."""
    (folder / "data").mkdir(exist_ok=True)
    pq.write_table(pa.table(dict(data)), folder / "data" / "a.parquet")
    recipe = folder / "complaint.mix"
    recipe.write_text(HEAD + rest)
    _, found = run_passes(COMPILE, Artefacts(recipe))
    return found


RATED = 'rater edu { column = "edu", range = 0 .. 5 }\ndomain news { weights = { edu: 1.0 } }\n'
SCORES = np.linspace(0, 5, ROWS, dtype=np.float32)
CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "M551": ("", {"id": None}, "source `web` has neither an id nor a text"),
    "M552": ("", {"tokens": None}, "source `web` has no text and no column of token counts"),
    "M553": (
        RATED,
        {"edu": pa.array([1.0] * 1000 + [None] * 2000, pa.float32())},
        "rater `edu` has scores for 1,000 of 3,000 documents in `en`",
    ),
    "M554": (RATED, {"edu": SCORES * 2}, "1,500 of 3,000 scores of rater `edu` lie outside 0 .. 5"),
    "M555": (
        RATED,
        {"edu": np.floor(SCORES).astype(np.float32)},
        "one level of quality fills 399% of a bucket of `news` in `en`",
    ),
    "M422": ("domain sport { density = 1 }\n", {}, "domain `sport` has no supply"),
}


ABOUT = {
    "M551": "The documents have the columns `language`, `tokens` and `edu`.",
    "M552": "The documents have the columns `id`, `language` and `edu`.",
    "M553": "Two thousand of three thousand documents have no `edu`.",
    "M554": "The column `edu` goes from 0 to 10.",
    "M555": "The column `edu` holds whole numbers from 0 to 5.",
    "M422": "All documents are of the domain `news`.",
}


@pytest.mark.parametrize("code", CASES)
def test_a_diagnostic_says_what_is_wrong(code: str, tmp_path: Path) -> None:
    rest, changed, sentence = CASES[code]
    found = complaints(tmp_path, rest, columns(**changed))
    assert [(d.code, d.message) for d in found] == [(code, sentence)]
    assert found[0].helps
    files = [tmp_path / "complaint.mix"]
    shown(code, found, about=ABOUT[code], files=files, command="mixc compile complaint.mix", at=tmp_path)


def test_an_empty_source_is_no_source(tmp_path: Path) -> None:
    empty = {key: pa.array(value)[:0] for key, value in columns().items()}
    found = complaints(tmp_path, "", empty)
    assert [(d.code, d.message) for d in found] == [("M557", "source `web` holds no documents")]
    files = [tmp_path / "complaint.mix"]
    about = "The file in `data` has columns and no rows."
    shown("M557", found, about=about, files=files, command="mixc compile complaint.mix", at=tmp_path)


def test_much_is_for_scan_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "SMALL", 1000)
    (only,) = complaints(tmp_path, "", columns())
    assert only.code == "M550"
    assert only.message.startswith("1 file of documents, ")
    assert only.helps == ("run `mixc scan complaint.mix`",)
    about = "The folder `data` holds more than `compile` reads by itself."
    shown("M550", only, about=about, command="mixc compile complaint.mix", at=tmp_path, numbers=False)


def test_a_worker_that_fails_is_told_apart_from_data(tmp_path: Path) -> None:
    told = Diagnostic("M500", "some file is broken")
    found = failed({2: Failure(2, "killed by signal 9", None, 3), 0: Failure(0, "some file is broken", told, 0)})
    assert [(d.code, d.message) for d in found] == [
        ("M500", "some file is broken"),
        ("M558", "1 part of the documents could not be read: killed by signal 9"),
    ]
    about = "The system ran out of memory and killed a worker, four times at the same part of the documents."
    shown("M558", found, about=about, command="mixc scan complaint.mix")


def test_a_tokenizer_that_is_not_there(tmp_path: Path) -> None:
    rest = HEAD.replace("domain = news", 'domain = news, columns = { tokens: tokenizer("no/such/tokenizer.json") }')
    (tmp_path / "data").mkdir()
    pq.write_table(pa.table(columns(text=["some words"] * ROWS)), tmp_path / "data" / "a.parquet")
    (tmp_path / "r.mix").write_text(rest)
    _, found = run_passes(COMPILE, Artefacts(tmp_path / "r.mix"))
    assert [d.code for d in found] == ["M560"]
    shown("M560", found, files=[tmp_path / "r.mix"], command="mixc compile r.mix", at=tmp_path)


def test_a_tokenizer_counts(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers", reason="pip install 'mixc[tokenizers]'")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"some": 0, "words": 1, "[UNK]": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.save(str(tmp_path / "tokenizer.json"))
    head = HEAD.replace("domain = news", f'columns = {{ tokens: tokenizer("{tmp_path}/tokenizer.json") }}')
    (tmp_path / "data").mkdir()
    pq.write_table(pa.table(columns(text=["some words"] * ROWS)), tmp_path / "data" / "a.parquet")
    (tmp_path / "r.mix").write_text(head.replace("tokens = 1M", "tokens = 1M"))
    made, _ = run_passes(COMPILE, Artefacts(tmp_path / "r.mix"))
    assert made.catalog is not None
    assert sum(file.tokens for file in made.catalog.files) == ROWS * 3  # two words, and the end of the text


def test_the_package_of_tokenizers_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from mixc.compiler.scan import counting

    counting.tokenizer.cache_clear()
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(Exception, match="needs the package `tokenizers`") as caught:
        counting.tokenizer("gpt2")
    assert caught.value.diagnostic.code == "M559"  # type: ignore[attr-defined]
    about = 'The source has `columns = { tokens: tokenizer("gpt2") }`.'
    shown("M559", caught.value.diagnostic, about=about, command="mixc scan r.mix")  # type: ignore[attr-defined]


def test_tables_of_another_compilation_or_none(tmp_path: Path) -> None:
    assert not complaints(tmp_path, "", columns(tokens=np.full(ROWS, 4000)))
    made, _ = run_passes(COMPILE, Artefacts(tmp_path / "complaint.mix"))
    for path, data in artefacts(made, tmp_path / "complaint.manifest.json").items():
        path.write_bytes(data)
    tables = tmp_path / "complaint.tables.parquet"
    wanted = json.loads((tmp_path / "complaint.manifest.json").read_text())["selection"]["tables"]
    found, problems = read_tables(str(tables), wanted)
    assert found is not None
    assert not problems
    _, other = read_tables(str(tables), "0" * 64)
    command = "mixc run complaint.manifest.json -o selection"
    about = "The tables beside the manifest are those of an earlier `mixc compile`."
    shown("M475", other, about=about, command=command, at=tmp_path)
    tables.write_bytes(tables.read_bytes()[:-20])
    _, cut = read_tables(str(tables), wanted)
    shown("M474", cut, about="The last 20 bytes of the tables are missing.", command=command, at=tmp_path)
    assert [d.code for d in read_tables(str(tmp_path / "none.parquet"), wanted)[1]] == ["M474"]


def test_documents_without_a_language_are_a_mixture_all_the_same(tmp_path: Path) -> None:
    assert not complaints(tmp_path, "", columns(language=None, tokens=np.full(ROWS, 4000)))
    made, _ = run_passes(COMPILE, Artefacts(tmp_path / "complaint.mix"))
    assert made.problem is not None
    assert [language.code for language in made.problem.languages] == ["und"]


def test_a_column_that_is_named_and_absent_is_a_mistake_even_where_nothing_reads_it(tmp_path: Path) -> None:
    head = HEAD.replace("domain = news", 'domain = news, columns = { text: "bdoy" }')
    (tmp_path / "data").mkdir()
    pq.write_table(pa.table(columns(body=["some words"] * ROWS)), tmp_path / "data" / "a.parquet")
    (tmp_path / "r.mix").write_text(head)
    _, found = run_passes(COMPILE, Artefacts(tmp_path / "r.mix"))
    assert [(d.code, d.message) for d in found] == [("M510", "`data/a.parquet` has no column `bdoy` for the text")]
    assert "did you mean `body`?" in found[0].helps[0]


def test_a_first_file_without_lines_says_nothing_of_the_columns(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.jsonl").write_bytes(b"")
    head = HEAD.replace("*.parquet", "*.jsonl")
    (tmp_path / "r.mix").write_text(head)
    _, found = run_passes(COMPILE, Artefacts(tmp_path / "r.mix"))
    assert [d.code for d in found] == ["M557"]
    lines = (json.dumps({"id": f"d{i}", "language": "en", "tokens": 4000}) for i in range(ROWS))
    (tmp_path / "data" / "b.jsonl").write_text("\n".join(lines))
    made, found = run_passes(COMPILE, Artefacts(tmp_path / "r.mix"))
    assert not found
    assert made.catalog is not None
    assert [file.documents for file in made.catalog.files] == [0, ROWS]


DOMAINS = """recipe topics
budget { model = 10M params, tokens = 1M tokens }
source crawl { path = "data/crawl-*", epochs <= 9999 }
source books { path = "data/books-*", epochs <= 9999 }
rater edu { column = "edu" }
domain web { weights = { edu: 1.0 } }
"""


def topics(folder: Path, form: str, of_books: str = "novels", recipe: str = DOMAINS) -> list[Diagnostic]:
    """What compiling says of six files whose documents name their domain; those of books have no scores."""
    (folder / "data").mkdir()
    for name, domain in (("crawl", "web"), ("books", of_books)):
        for number in range(3):
            table = pa.table(columns(id=[f"{number}-{i}" for i in range(ROWS)], domain=[domain] * ROWS))
            table = table if name == "crawl" else table.drop_columns("edu")
            path = folder / "data" / f"{name}-{number}.{form}"
            if form == "parquet":
                pq.write_table(table, path)
            else:
                path.write_text("".join(f"{json.dumps(row)}\n" for row in table.to_pylist()))
    (folder / "r.mix").write_text(recipe)
    return run_passes(COMPILE, Artefacts(folder / "r.mix"))[1]


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_scores_may_be_absent_where_no_document_is_judged_by_them(tmp_path: Path, form: str) -> None:
    assert topics(tmp_path, form) == []
    made, _ = run_passes(COMPILE, Artefacts(tmp_path / "r.mix"))
    assert made.catalog is not None
    assert made.catalog.excluded == {}
    assert made.catalog.odd == {}
    held = {key[0]: int(group.documents.sum()) for key, group in made.catalog.groups.items()}
    assert held == {"crawl": 3 * ROWS, "books": 3 * ROWS}


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_scores_that_are_needed_are_missed_once_by_the_name_of_their_rater(tmp_path: Path, form: str) -> None:
    (only,) = topics(tmp_path, form, "web")
    assert (only.code, only.message) == (
        "M510",
        f"`data/books-0.{form}` and 2 more files of source `books` have no column `edu` for rater `edu`",
    )
    assert [label.span.text for label in only.labels] == ["rater edu", "source books"]
    assert only.notes[0] == "the rater judges 9,000 documents of domain `web` there"


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_a_rater_whose_column_is_misspelt_is_told_so_once(tmp_path: Path, form: str) -> None:
    stated = DOMAINS.replace('crawl-*"', 'crawl-*", domain = web').replace('"edu"', '"educ"')
    (only,) = topics(tmp_path, form, recipe=stated)
    more = " and 2 more files of source `crawl` have" if form == "jsonl" else " has"  # found in the first file's footer
    assert only.message == f"`data/crawl-0.{form}`{more} no column `educ` for rater `edu`"
    assert only.helps == ("did you mean `edu`?",)
