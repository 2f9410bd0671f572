"""The file of pairs, JSON lines, and beside it the texts that it names, Parquet with what the pairs were made of.

A line: {id_a, lang_a, id_b, lang_b, kind, p, votes, src_pair}; `votes` in the order of the raters, null where one has
no score, none of parallel pairs; `src_pair` the ids of the two rated documents behind the texts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mixc.backends.murating.messages import bad_pair, no_texts_of_pairs
from mixc.backends.murating.pairs import KINDS, Pair
from mixc.compiler.documents.bounds import bounded
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.documents.storage import told
from mixc.compiler.plain_json import loads
from mixc.compiler.review.canonical import Json
from mixc.compiler.whole import write_whole
from mixc.dsl.reading import file_bytes

KEY = b"mixc.murating"
VERSION = 1
SCHEMA = [
    pa.field("id", pa.string(), False),
    pa.field("language", pa.string(), False),
    pa.field("text", pa.large_string()),
]


@dataclass(frozen=True, slots=True, eq=False)
class PairTable:
    """n pairs of m texts: places of texts `a`, `b` [n], targets `p` [n], places of kinds in `KINDS` [n].

    `ids`, `languages`, `texts` [m]; `sources` [m] is the rated document behind each text, as a number.
    `about` is what the pairs were made of, `digests` the SHA-256 of both files.
    """

    a: NDArray[np.intp]
    b: NDArray[np.intp]
    p: NDArray[np.float64]
    kind: NDArray[np.intp]
    ids: list[str]
    languages: NDArray[np.object_]
    texts: list[str]
    sources: NDArray[np.intp]
    source_ids: list[str]
    about: Mapping[str, Any]
    digests: tuple[str, str]

    def languages_of(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> list[tuple[str, str]]:
        """(language, language) of some pairs, in the order of the pairs."""
        first, second = self.languages[self.a[rows]], self.languages[self.b[rows]]
        return list(zip(first.tolist(), second.tolist(), strict=True))


def texts_path(pairs: Path) -> Path:
    """Where the texts of a file of pairs lie."""
    return pairs.with_name(f"{pairs.stem}.texts.parquet")


def write_pairs(
    path: Path, pairs: Sequence[Pair], texts: Mapping[str, tuple[str, str]], about: Mapping[str, Json]
) -> None:
    """Write both files, the texts (language, text) by id first; each whole or not at all."""
    ids = sorted(texts)
    schema = pa.schema(SCHEMA, metadata={KEY: json.dumps({"version": VERSION, **about}, sort_keys=True).encode()})
    columns = [ids, [texts[id][0] for id in ids], [texts[id][1] for id in ids]]
    table = pa.table(columns, schema=schema)
    write_whole(texts_path(path), lambda temporary: pq.write_table(table, temporary, compression="zstd"), alone=True)

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(line_of(pair) for pair in pairs)

    write_whole(path, write, alone=True)


def line_of(pair: Pair) -> str:
    """The line of a pair; whole votes without a point."""
    votes = [int(vote) if vote in (0.0, 1.0) else vote for vote in pair.votes]
    data = {
        "id_a": pair.id_a,
        "lang_a": pair.lang_a,
        "id_b": pair.id_b,
        "lang_b": pair.lang_b,
        "kind": pair.kind,
        "p": pair.p,
        "votes": votes,
        "src_pair": list(pair.src_pair),
    }
    return json.dumps(data, ensure_ascii=False) + "\n"


def read_pairs(path: Path) -> PairTable:
    """Both files, checked: every line a pair, every text there. Raises `Unreadable`."""
    with told(path.name, remote=False):
        data = file_bytes(path)
    held, about, digest = _read_texts(texts_path(path))
    places = {id: i for i, id in enumerate(held[0])}
    a, b, p, kinds = [], [], [], []
    numbers: dict[str, int] = {}
    sources = np.full(len(places), -1, dtype=np.intp)
    for number, pair in _lines(path.name, data):
        for id, language, source in (
            (pair.id_a, pair.lang_a, pair.src_pair[0]),
            (pair.id_b, pair.lang_b, pair.src_pair[1]),
        ):
            place = places.get(id)
            if place is None:
                raise Unreadable(no_texts_of_pairs(texts_path(path).name, f"`{id}` has none"))
            if held[1][place] != language:
                raise Unreadable(bad_pair(path.name, number, f"`{id}` is in {held[1][place]}, not {language}"))
            known = numbers.setdefault(source, len(numbers))
            if sources[place] not in (-1, known):
                raise Unreadable(bad_pair(path.name, number, f"`{id}` has another document behind it than before"))
            sources[place] = known
        a.append(places[pair.id_a])
        b.append(places[pair.id_b])
        p.append(pair.p)
        kinds.append(KINDS.index(pair.kind))
    return PairTable(
        np.array(a, dtype=np.intp),
        np.array(b, dtype=np.intp),
        np.array(p, dtype=np.float64),
        np.array(kinds, dtype=np.intp),
        held[0],
        np.array(held[1], dtype=object),
        held[2],
        sources,
        list(numbers),
        about,
        (hashlib.sha256(data).hexdigest(), digest),
    )


def _read_texts(path: Path) -> tuple[tuple[list[str], list[str], list[str]], dict[str, Any], str]:
    try:
        data = file_bytes(path)
        with bounded():
            table = pq.read_table(pa.BufferReader(data))
        about = loads((table.schema.metadata or {})[KEY])
        ids, languages = table["id"].to_pylist(), table["language"].to_pylist()
        texts = [text or "" for text in table["text"].to_pylist()]
    except FileNotFoundError:
        raise Unreadable(no_texts_of_pairs(path.name, "there is no such file")) from None
    except KeyError as error:
        raise Unreadable(no_texts_of_pairs(path.name, f"it has no {error}")) from None
    except (OSError, ValueError, MemoryError, pa.ArrowException) as error:
        raise Unreadable(no_texts_of_pairs(path.name, str(error))) from None
    if about.get("version") != VERSION:
        raise Unreadable(no_texts_of_pairs(path.name, f"it is of version {about.get('version')}, not {VERSION}"))
    return (ids, languages, texts), about, hashlib.sha256(data).hexdigest()


def _lines(name: str, data: bytes) -> Iterator[tuple[int, Pair]]:
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            try:
                yield number, _pair(loads(line))
            except (ValueError, KeyError, TypeError) as error:
                why = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
                raise Unreadable(bad_pair(name, number, why)) from None


def _pair(data: Any) -> Pair:
    """A pair from what a line says; ValueError, KeyError or TypeError where it is none."""
    if not isinstance(data, dict):
        raise TypeError("it is no JSON object")
    names = [data[key] for key in ("id_a", "lang_a", "id_b", "lang_b")]
    source = data.get("src_pair", [data["id_a"], data["id_b"]])
    if not all(isinstance(one, str) for one in (*names, *source)) or len(source) != 2:
        raise TypeError("ids and languages are strings, `src_pair` two of them")
    if data["kind"] not in KINDS:
        raise ValueError(f"its kind is {data['kind']!r}, not mono, cross or parallel")
    p = data["p"]
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1:
        raise ValueError(f"its `p` is {p!r}, not from 0 to 1")
    if names[0] == names[2]:
        raise ValueError("it pairs a text with itself")
    votes = tuple(data.get("votes") or ())
    return Pair(names[0], names[1], names[2], names[3], data["kind"], float(p), votes, (source[0], source[1]))
