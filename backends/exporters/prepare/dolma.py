"""Writes the texts of a run as dolma's documents: `python prepare.py`, from the folder of the run.

Reads `places.json` beside it. A place gets `documents/NNNNN.jsonl.gz`, every document once, and with the same names
`attributes/mixc/NNNNN.jsonl.gz`, how often each is to be read, as the attribute `copies`. Needs pyarrow.
"""

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BATCH = 256


def rows(file: Path) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file: `id`, `text`, and `copies` where rows stand for several."""
    import pyarrow.parquet as pq

    source = pq.ParquetFile(file)
    columns = [name for name in ("id", "text", "copies") if name in source.schema_arrow.names]
    for batch in source.iter_batches(batch_size=BATCH, columns=columns):
        yield from batch.to_pylist()


def write(file: Path, path: str, source: str) -> int:
    """One file of documents and one of attributes; how many documents are to be read, copies counted."""
    beside = Path(path.replace("/documents/", "/attributes/mixc/"))  # as dolma finds it
    count = 0
    for one in (Path(path), beside):
        one.parent.mkdir(parents=True, exist_ok=True)
    with (
        gzip.GzipFile(path, "wb", mtime=0) as documents,
        gzip.GzipFile(beside, "wb", mtime=0) as attributes,
    ):
        for row in rows(file):
            copies = row.get("copies", 1)
            document = {"id": row["id"], "text": row["text"] or "", "source": source}
            told = {"id": row["id"], "attributes": {"copies": float(copies)}}
            documents.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")
            attributes.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")
            count += copies
    return count


def main() -> None:
    """Write all places."""
    for place in json.loads((HERE / "places.json").read_text(encoding="utf-8"))["places"]:
        files = [file for folder in place["folders"] for file in sorted(Path(folder).glob("*.parquet"))]
        if not files:
            sys.exit(f"no texts in {', '.join(place['folders'])}: start from the folder where the run was written")
        counts = [
            write(file, f"{place['path']}/documents/{number:05d}.jsonl.gz", place["source"])
            for number, file in enumerate(files)
        ]
        print(f"{place['path']}: {sum(counts):,} documents", flush=True)


if __name__ == "__main__":
    main()
