"""Catalogs: each bad one has its golden diagnostics, the shipped ones are whole."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.compiler.supply.catalog import Catalog, read_catalog
from mixc.compiler.supply.languages import LanguageCode
from mixc.dsl.diagnostics import Diagnostic
from tests.examples import shown

CASES = Path(__file__).parent.parent / "cases" / "catalogs"
SHIPPED = Path(__file__).parent.parent.parent / "recipes" / "catalogs"
BAD = sorted(path.stem for path in CASES.glob("*.csv"))


def told(found: list[Diagnostic]) -> str:
    """Diagnostics as plain text, every part of them."""
    lines = []
    for d in found:
        lines.append(f"{d.severity}[{d.code}]: {d.message}")
        lines += [f"  --> {label.span.place} {label.text}".rstrip() for label in d.labels]
        lines += [f"  in  {d.subject}"] if not d.labels else []
        lines += [f"  = note: {note}" for note in d.notes] + [f"  = help: {h}" for h in d.helps]
    return "".join(f"{line}\n" for line in lines)


def read(content: bytes, folder: Path, name: str = "sizes.csv") -> tuple[Catalog | None, list[Diagnostic]]:
    path = folder / name
    path.write_bytes(content)
    return read_catalog(path, name, None)


@pytest.mark.parametrize("case", BAD)
def test_bad_catalogs_are_explained(case: str) -> None:
    _, found = read_catalog(CASES / f"{case}.csv", f"{case}.csv", None)
    golden = CASES / f"{case}.txt"
    if os.environ.get("MIXC_UPDATE_GOLDEN"):
        golden.write_text(told(found), encoding="utf-8")
    assert told(found) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", [case for case in BAD if case != "no-sizes"])
def test_nothing_of_a_bad_catalog_is_used(case: str) -> None:
    catalog, _ = read_catalog(CASES / f"{case}.csv", f"{case}.csv", None)
    assert catalog is None


@pytest.mark.parametrize(
    ("content", "name", "code", "words"),
    [
        (b"language,bytes\nen,\xff\n", "a.csv", "M411", "byte 19 (line 2) is not UTF-8"),
        (b"language,bytes\nen,\0005\n", "a.csv", "M411", "line 2 holds a NUL character"),
        ("language,bytes\nen,5\n".encode("utf-16"), "a.csv", "M411", "not UTF-8"),
        (b"language,bytes\nen," + b"9" * 200_000 + b"\n", "a.csv", "M414", "field larger"),
        (b"PAR1 and nothing else", "a.csv", "M418", "not a complete Parquet file"),
        (b"", "a.parquet", "M418", "not a complete Parquet file"),
        (b"language,bytes\nen,5\n", "a.parquet", "M418", "not a complete Parquet file"),
    ],
)
def test_bytes_that_are_no_catalog(tmp_path: Path, content: bytes, name: str, code: str, words: str) -> None:
    catalog, found = read(content, tmp_path, name)
    assert catalog is None
    assert [d.code for d in found] == [code]
    assert words in found[0].message + "".join(found[0].notes)
    if words == "not UTF-8" or content == b"":
        about = "`a.csv` was saved as UTF-16." if name == "a.csv" else "`a.parquet` is empty."
        shown(code, found, about=about, command="mixc compile recipe.mix", at=tmp_path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.csv", "no such file"), (tmp_path, "is a directory")):
        catalog, found = read_catalog(path, "shown.csv", None)
        assert catalog is None
        assert found[0].code == "M410"
        assert f"`shown.csv` cannot be read: {reason}" in found[0].message


def test_what_spreadsheets_write_is_read(tmp_path: Path) -> None:
    header = "\ufeff# Source: us\r\n# tokenizer: ours\r\nLanguage, Script ,BYTES,note\r\n"
    catalog, found = read(f'{header}en,Latn,1.5e9,"a, b"\r\n\r\nde,,7,\r\n'.encode(), tmp_path)
    assert not found
    assert catalog is not None
    assert [(r.tag, r.bytes, r.line) for r in catalog.rows] == [("en_Latn", 1_500_000_000, 4), ("de", 7, 6)]
    assert dict(catalog.header) == {"source": "us", "tokenizer": "ours"}


def test_variants_of_one_script_add_up_and_unknown_codes_are_kept(tmp_path: Path) -> None:
    catalog, found = read(b"language,script,bytes\nzh,Hans,5\nzh,Hant,6\nen-simple,,7\n", tmp_path)
    assert not found
    assert catalog is not None
    hani = LanguageCode("zh", "Hani", main=True)
    assert [(r.language, r.bytes) for r in catalog.rows] == [(hani, 5), (hani, 6), (None, 7)]


def test_parquet_reads_like_csv(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "sizes.parquet"
    table = {
        "language": ["nob", "hin"],
        "script": [None, "Latn"],
        "tokens": [5, None],
        "bytes": [None, 2.5e9],
        "x": [1, 2],
    }
    pq.write_table(pa.table(table), path)
    catalog, found = read_catalog(path, "sizes.parquet", None)
    assert not found
    assert catalog is not None
    assert [(r.tag, r.tokens, r.bytes) for r in catalog.rows] == [("nob", 5, None), ("hin_Latn", None, 2_500_000_000)]
    whole = path.read_bytes()
    for end in (len(whole) - 1, len(whole) // 2, 10):
        broken, found = read(whole[:end], tmp_path, "cut.parquet")
        assert broken is None
        assert [d.code for d in found] == ["M418"]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"language": ["en"], "tokens": [-5]}, "M415"),
        ({"language": ["en"], "tokens": [float("nan")]}, "M415"),
        ({"language": ["en"], "tokens": [True]}, "M415"),
        ({"language": ["en"], "tokens": [[1, 2]]}, "M415"),
        ({"language": [1], "tokens": [5]}, "M417"),
        ({"language": ["en", "eng"], "tokens": [5, 6]}, "M416"),
        ({"language": ["en"], "n_tokens": [5]}, "M419"),
        ({"lang": ["en"], "tokens": [5]}, "M401"),
        ({"n": [1]}, "M401"),
    ],
)
def test_bad_parquet_values(tmp_path: Path, columns: dict[str, list[object]], code: str) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    catalog, found = read_catalog(tmp_path / "a.parquet", "a.parquet", None)
    assert catalog is None
    assert [d.code for d in found] == [code]


@given(st.binary(max_size=200) | st.text(alphabet='ab,"\n\r#1-e.', max_size=200).map(str.encode))
def test_no_bytes_make_reading_fail(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        catalog, found = read(content, Path(folder))
        other, found_in_other = read(b"language,bytes\n" + content, Path(folder))
    assert (catalog is None) == any(d.severity == "error" for d in found)
    assert (other is None) == any(d.severity == "error" for d in found_in_other)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.csv")), ids=lambda path: path.stem)
def test_shipped_catalogs_are_whole(path: Path) -> None:
    catalog, found = read_catalog(path, path.name, None)
    assert not found
    assert catalog is not None
    assert {"source", "units"} <= set(catalog.header)
    assert all(row.language is not None for row in catalog.rows)
    assert path.stat().st_size < 150_000


def test_mubench_languages_are_covered_or_reported_missing() -> None:
    from test_supply_languages import MUBENCH

    covered = set()
    for path in SHIPPED.glob("*.csv"):
        catalog, _ = read_catalog(path, path.name, None)
        assert catalog is not None
        held = {row.language.code for row in catalog.rows if row.language and row.language.main}
        missing = [code for code in MUBENCH if code not in held]
        if stated := catalog.header.get("mubench languages"):
            assert stated == ("all 61" if not missing else f"{61 - len(missing)} of 61; missing {' '.join(missing)}")
            covered |= held
    assert set(MUBENCH) <= covered
