"""An S3-compatible server on this machine, and pools of documents in it, each object with another version beside."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.cluster.proxy import BUCKET, Proxy
from tests.selection.pool import RECIPE, documents, unrated, with_texts

STARTING = 120.0  # seconds
PARTS = ("a/0.parquet", "a/1.parquet", "b/2.parquet")
S3_RECIPE = (
    RECIPE.replace('"crawl"', f'"s3://{BUCKET}/crawl/*/*.parquet"')
    .replace('"library"', f'"s3://{BUCKET}/library"')
    .replace("9M tokens", "2M tokens")
)
FILES = (*(f"crawl/{name}" for name in PARTS), "library/0.jsonl", "library/1.jsonl.gz")


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """Host and port of a server, a process of its own while it runs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        where = free.getsockname()
    command = [sys.executable, "-m", "moto.server", "-H", where[0], "-p", str(where[1])]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            until = time.monotonic() + STARTING
            while socket.socket().connect_ex(where):
                assert running.poll() is None and time.monotonic() < until, "the server does not start"
                time.sleep(0.1)
            yield where
        finally:
            running.kill()


def environment(address: str) -> dict[str, str]:
    """What leads clients to a server."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def objects(folder: Path, count: int = 1500) -> dict[str, bytes]:
    """A pool of documents with texts as objects by key; `KEY.other` is another version, as long where it can be."""
    found: dict[str, bytes] = {}
    crawl, library = with_texts(documents(count)), with_texts(unrated(200))
    step = count // len(PARTS)
    for i, name in enumerate(PARTS):
        part = crawl.slice(i * step, step)
        key = f"crawl/{name}"
        found[key] = _parquet(folder, part)
        found[f"{key}.other"] = _parquet(folder, _other(part))
    for i, key in enumerate(FILES[len(PARTS) :]):
        part = library.slice(100 * i, 100)
        for suffix, table in (("", part), (".other", _other(part))):
            lines = "".join(json.dumps(row) + "\n" for row in table.to_pylist()).encode()
            found[key + suffix] = gzip.compress(lines, 1, mtime=0) if key.endswith(".gz") else lines
    return found


def filled(where: tuple[str, int], bucket: str, data: dict[str, bytes]) -> Proxy:
    """A proxy to a new bucket that holds the objects."""
    proxy = Proxy(where, bucket)
    assert proxy.ask("PUT", f"/{BUCKET}").status == 200
    for key, content in data.items():
        proxy.put(key, content)
    return proxy


def _parquet(folder: Path, table: pa.Table) -> bytes:
    path = folder / "written.parquet"
    pq.write_table(table, path, row_group_size=250, compression="none", use_dictionary=False)
    return path.read_bytes()


def _other(table: pa.Table) -> pa.Table:
    """The same documents under other ids, as long as theirs."""
    ids = pc.call_function("utf8_reverse", [table["id"]])
    return table.set_column(table.schema.get_field_index("id"), "id", ids)
