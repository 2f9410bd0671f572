"""What is fuzzed: readers of what others wrote. Bytes in; a value or diagnostics out, anything else is a finding.

A target is made once per process with a folder of its own, and called with every input. It raises what is no value and
no diagnostic. `seeds` are good inputs to begin with: files of this repository, and tables that mixc's writers make.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tests.fuzz.texts import TOKEN

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
ZERO_WIDTH = "\u200c\u200d"  # joiners, which some scripts want
LONGEST = 5000  # characters of a diagnostic

Reads = Callable[[bytes], None]
Kind = Literal["recipe", "json", "lines", "binary"]


@dataclass(frozen=True)
class Target:
    """A reader under test: how it is made in a folder, what it starts from, and how its inputs are mutated."""

    name: str
    make: Callable[[Path], Reads]
    seeds: Callable[[], Iterable[bytes]]
    kind: Kind

    def corpus(self) -> list[bytes]:
        """The inputs that the repository keeps, by name."""
        return [path.read_bytes() for path in sorted((CORPUS / self.name).glob("*"))]

    def words(self) -> list[bytes]:
        """Pieces of the seeds, for a dictionary."""
        found = {word for seed in self.seeds() if self.kind != "binary" for word in TOKEN.findall(seed)}
        return sorted(word for word in found if 1 < len(word) <= 32 and word.isascii() and not word.isspace())[:1500]


def say(found: Iterable[Any]) -> None:
    """Diagnostics can be printed, have a page, are no novels, and send no control character to a terminal."""
    from mixc.dsl.diagnostics import PAGES
    from mixc.dsl.render import render

    listed = list(found)
    if listed:
        render(listed, "full"), render(listed, "json")
        text = render(listed, "concise").replace("\n", "")
        assert text.replace(ZERO_WIDTH[0], "").replace(ZERO_WIDTH[1], "").isprintable(), f"control characters: {text!r}"
    for one in listed:
        assert one.code in PAGES, f"{one.code} has no page"
        assert len(one.message) < LONGEST, f"{one.code} says {len(one.message)} characters"


def refused(read: Callable[[], Any]) -> Any:
    """What a reader gives that raises `Unreadable`; None where it refuses."""
    from mixc.compiler.documents.data import Unreadable

    try:
        return read()
    except Unreadable as error:
        say([error.diagnostic])
        return None


def recipe(folder: Path) -> Reads:
    """Parser, formatter and the passes of `mixc check`; an accepted recipe is formatted to one that says the same."""
    from mixc.compiler.front.load import from_file, from_text
    from mixc.compiler.front.passes import load_recipe
    from mixc.dsl.formatter import format_source
    from mixc.dsl.reading import read_source

    path = folder / "fuzz.mix"

    def reader(asked: Path, shown: str) -> Any:
        if asked.suffix != ".mix":
            return from_file(folder / "absent.mix", shown)
        source, found = read_source(asked, shown)
        if source is None:
            return None, found
        written, mistakes = from_text(source)
        return written, [*found, *mistakes]

    def read(data: bytes) -> None:
        path.write_bytes(data)
        made, found = load_recipe(path, reader=reader)
        say(found)
        source, _ = read_source(path, "fuzz.mix")
        text, mistakes = format_source(source) if source is not None else (None, [])
        say(mistakes)
        if made is not None:
            assert text is not None, "a recipe that cannot be formatted"
            path.write_text(text, encoding="utf-8")
            again, _ = load_recipe(path, reader=reader)
            assert again is not None, "the formatted recipe is refused"

    return read


def catalog(folder: Path) -> Reads:
    """Published sizes as CSV or Parquet, with a column of languages or without."""
    from mixc.compiler.supply.catalog import read_catalog

    path = folder / "catalog.csv"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        for language in (None, "de"):
            _, found = read_catalog(path, "catalog.csv", None, language)
            say(found)

    return read


def manifest(_: Path) -> Reads:
    """A manifest, by force where its hash does not hold, and all that only looks at it."""
    from mixc.compiler.review.manifest import manifest_text
    from mixc.compiler.review.plan import plan_from_manifest
    from mixc.compiler.review.reading import parse_manifest
    from mixc.compiler.review.summary import summary
    from mixc.compiler.supply.reading import language_shares

    def read(data: bytes) -> None:
        made, found = parse_manifest("m.manifest.json", data, force=True)
        say(found)
        language_shares(data)
        if made is not None:
            text = manifest_text(made)
            again, _ = parse_manifest("m.manifest.json", text.encode(), force=True)
            assert again == made, "a manifest that is not read back"
            summary(made)
            plan_from_manifest(made)

    return read


def lock(folder: Path) -> Reads:
    """A lock; what is read is written as it reads back."""
    from mixc.compiler.review.lock import drift, lock_text, read_lock

    path = folder / "a.lock"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        made, found = read_lock(str(path))
        say(found)
        if made is not None:
            path.write_text(lock_text(made), encoding="utf-8")
            again, found = read_lock(str(path))
            say(found)
            assert again == made, "a lock that is not read back"
            drift(made, made)

    return read


def calibration(folder: Path) -> Reads:
    """Constants of both laws."""
    from mixc.compiler.laws.calibration import load_infolaw, load_transfer, to_info_law

    path = folder / "c.json"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        law, found = load_infolaw("c.json", folder, None)
        say(found)
        if law is not None:
            to_info_law(law[0])
        say(load_transfer("c.json", folder, None)[1])

    return read


def documents(folder: Path) -> Reads:
    """Documents as JSON lines (plain, gzip, zstd), Parquet and Arrow; the first byte says which."""
    from mixc.compiler.documents.data import DataFile, Wanted
    from mixc.compiler.documents.reading import columns_of, identity, parts, row_count
    from mixc.compiler.documents.reading import read as read_part

    formats = (("d.jsonl", "jsonl"), ("d.jsonl.gz", "jsonl"), ("d.jsonl.zst", "jsonl"), ("d.parquet", "parquet"),
               ("d.arrow", "arrow"))  # fmt: skip
    wanted = Wanted("id", "text", "meta.lang", "domain", "tokens", (("edu", "score"),))

    def read(data: bytes) -> None:
        name, form = formats[data[0] % len(formats)] if data else formats[0]
        path = folder / name
        path.write_bytes(data[1:])
        file = DataFile("s", name, str(path), form, len(data[1:]), "0")  # type: ignore[arg-type]

        def everything(bad: Any) -> None:
            columns_of(file), row_count(file), identity(file, wanted)
            for part in parts(file):
                for batch in read_part(part, wanted, rows=64, bad_lines=bad):
                    for array in (batch.id, batch.text, batch.language, batch.domain, *batch.scores.values()):
                        assert array is None or len(array.to_pylist()) == batch.rows

        for bad in ("error", "skip") if form == "jsonl" else ("error",):
            refused(partial(everything, bad))

    return read


def features(folder: Path) -> Reads:
    """Features of documents: mixc's Parquet and Arrow, and the authors' JSON lines; the first byte says which."""
    from mixc.backends.nag.features import Shape
    from mixc.backends.nag.jsonl import read_jsonl
    from mixc.backends.nag.store import origin_of, read_features

    def read(data: bytes) -> None:
        name = ("f.parquet", "f.arrow", "f.jsonl")[data[0] % 3] if data else "f.jsonl"
        path = folder / name
        path.write_bytes(data[1:])
        if name == "f.jsonl":
            refused(lambda: list(read_jsonl(path, "up", Shape(2, 2, 8))))
        else:
            refused(lambda: (origin_of(path), list(read_features(path))))

    return read


def pairs(folder: Path) -> Reads:
    """MuRating's pairs against good texts; where the first byte is odd, texts against good pairs."""
    from mixc.backends.murating.pair_files import read_pairs, texts_path

    path = folder / "p.jsonl"
    lines, texts = next(iter(pair_seeds()))[1:], next(seed for seed in pair_seeds() if seed[0] % 2)[1:]

    def read(data: bytes) -> None:
        odd = bool(data) and data[0] % 2 == 1
        path.write_bytes(lines if odd else data[1:])
        texts_path(path).write_bytes(data[1:] if odd else texts)
        refused(lambda: read_pairs(path))

    return read


def counts(folder: Path) -> Reads:
    """What `prepare.py` of an export counted."""
    from mixc.compiler.export import Settings, read_counts

    path = folder / "counts.json"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        say(read_counts(path, "megatron", Settings(sequence=4096))[1])

    return read


def runs(folder: Path) -> Reads:
    """Tables of training runs for `mixc fit`; the first byte says the format."""
    from mixc.compiler.fit.tables import ENDINGS, Reading, read_table

    def read(data: bytes) -> None:
        path = folder / f"runs{ENDINGS[data[0] % 3] if data else '.csv'}"
        path.write_bytes(data[1:])

        def everything() -> None:
            table = read_table(path, Reading())
            for column in table.columns:
                refused(partial(table.numbers, column, "tokens"))
                refused(partial(table.texts, column))

        refused(everything)

    return read


def results(folder: Path) -> Reads:
    """What an evaluation logged of every item."""
    from mixc.backends.mubench.samples import SampleFile, read_guard, read_samples
    from mixc.backends.mubench.tasks import DATASETS

    path = folder / "samples_a_2026-01-01T00-00-00.jsonl"
    file = SampleFile("a", "2026", path, path.name)
    dataset = DATASETS[sorted(DATASETS)[0]]

    def read(data: bytes) -> None:
        path.write_bytes(data)
        refused(lambda: read_samples(file, dataset))
        refused(lambda: read_guard(file))

    return read


def files(*patterns: str, most: int = 20_000) -> Callable[[], Iterator[bytes]]:
    """Files of the repository that are not too large to be mutated well."""

    def found() -> Iterator[bytes]:
        for pattern in patterns:
            for path in sorted(ROOT.glob(pattern)):
                if path.stat().st_size <= most:
                    yield path.read_bytes()

    return found


def document_seeds() -> Iterator[bytes]:
    """One small table in every format."""
    import gzip

    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {"id": f"d{i}", "text": "ein Text 漢", "meta": {"lang": "de"}, "domain": "web", "tokens": i + 1, "score": i / 2}
        for i in range(3)
    ]
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    yield b"\x00" + lines
    yield b"\x01" + gzip.compress(lines, mtime=0)
    yield b"\x02" + pa.compress(lines, codec="zstd", asbytes=True)
    table, sink = pa.Table.from_pylist(rows), io.BytesIO()
    pq.write_table(table, sink, row_group_size=2)
    yield b"\x03" + sink.getvalue()
    for opened in (pa.ipc.new_file, pa.ipc.new_stream):
        sink = io.BytesIO()
        with opened(sink, table.schema) as writer:
            writer.write_table(table)
        yield b"\x04" + sink.getvalue()


def feature_seeds() -> Iterator[bytes]:
    """Two documents of two layers with two neurons each."""
    import tempfile

    import numpy as np
    import pyarrow as pa

    from mixc.backends.nag.features import Batch, Origin, Shape
    from mixc.backends.nag.store import write_features

    origin = Origin("m", "0" * 8, "up", 16, Shape(2, 2, 8))
    neurons = np.array([[0, 1, 2, 3], [4, 5, 6, 7]], np.uint16)
    batch = Batch(pa.array(["a", "b"]), neurons, np.array([3, 4], np.int32), np.array([3, -1]))
    with tempfile.TemporaryDirectory() as name:
        for number, ending in enumerate(("parquet", "arrow")):
            path = Path(name) / f"f.{ending}"
            write_features(path, origin, [batch])
            yield bytes([number]) + path.read_bytes()
    feature = {"layer_topk_value_index": [0, 1, 2, 3]}
    yield b"\x02" + b"".join(json.dumps({"docid": i, "fwd_up_feature": feature}).encode() + b"\n" for i in ("a", 7))


def pair_seeds() -> Iterator[bytes]:
    """Two pairs of two texts, then the texts."""
    import tempfile

    from mixc.backends.murating.pair_files import texts_path, write_pairs
    from mixc.backends.murating.pairs import Pair

    made = [Pair("a", "en", "b", "de", "cross", 0.75, (1.0, None), ("a", "b")),
            Pair("b", "de", "a", "en", "mono", 0.5, (), ("b", "a"))]  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "p.jsonl"
        write_pairs(path, made, {"a": ("en", "a text"), "b": ("de", "ein Text")}, {"seed": 1})  # type: ignore[arg-type]
        yield b"\x00" + path.read_bytes()
        yield b"\x01" + texts_path(path).read_bytes()


def count_seeds() -> Iterator[bytes]:
    """Two places, prepared for a program."""
    places = {"corpus/web/en": {"documents": 1200, "tokens": 840000}, "corpus/web/de": {"documents": 0, "tokens": 0}}
    yield json.dumps({"places": places, "prepared": {"program": "megatron", "sequence": 4096}}).encode()


def run_seeds() -> Iterator[bytes]:
    """Two runs in every format."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"params": 1e9, "tokens": 2e10, "loss": {"en": 3.1, "de": 3.3}, "name": "r"}] * 2
    yield b"\x00params,tokens,loss.en\n1e9,2e10,3.1\n2e9,4e10,2.9\n"
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    yield b"\x01" + sink.getvalue()
    yield b"\x02" + b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def result_seeds() -> Iterator[bytes]:
    """Two items."""
    rows = [
        {"doc": {"_id": i, "choices": ["a", "bc", "d", "e"], "label": 1}, "target": "1", "acc": 0.0, "acc_norm": 0.0,
         "filtered_resps": [["-1.0", "True"], ["-3.0", "False"], ["-4.5", "False"], ["-9", "False"]]}
        for i in ("x", 3)
    ]  # fmt: skip
    yield b"".join(json.dumps(row).encode() + b"\n" for row in rows)


TARGETS = {
    one.name: one
    for one in (
        Target("recipe", recipe, files("tests/cases/fuzz/*.mix", "recipes/*.mix", most=4000), "recipe"),
        Target("catalog", catalog, files("tests/cases/catalogs/*.csv", "recipes/catalogs/*.csv", most=4000), "binary"),
        Target("manifest", manifest, files("tests/cases/review/toy.manifest.json"), "json"),
        Target("lock", lock, files("tests/cases/review/toy.lock"), "binary"),
        Target("calibration", calibration, files("tests/cases/calibrations/*.json", "*/laws/*/*.json"), "json"),
        Target("documents", documents, document_seeds, "lines"),
        Target("features", features, feature_seeds, "lines"),
        Target("pairs", pairs, pair_seeds, "lines"),
        Target("counts", counts, count_seeds, "json"),
        Target("runs", runs, run_seeds, "lines"),
        Target("results", results, result_seeds, "json"),
    )
}  # fmt: skip
