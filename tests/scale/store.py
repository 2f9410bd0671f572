"""An object store on loopback whose objects are made when they are asked for: `python -m tests.scale.store`.

It speaks as much of S3 as s3fs needs: a list, a head, ranges of an object. An object is a function of its name
(`SEED/DOCUMENTS/CHUNK/part-….parquet`), so that 10^8 documents need no disk; `HELD` of them are in memory, or 6.
It prints where it listens, and at every line it is given what it served since the last.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import sys
import threading
from collections import OrderedDict
from concurrent.futures import Future, ProcessPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow.parquet as pq

from tests.bench.reference_selection import piece

BUCKET = "made"
HELD, MAKERS = int(os.environ.get("HELD", "6")), 2  # objects, processes
ROOM, SPARE = 18, 1 << 19  # bytes that an object has for a document, and besides
NAME = re.compile(r"(\d+)/(\d+)/(\d+)/part-(\d{6})\.parquet")
TIME = "2026-01-01T00:00:00.000Z"


def prefix_of(documents: int, seed: int, chunk: int) -> str:
    """What the names of all objects of a pool begin with."""
    return f"{seed}/{documents}/{chunk}/"


def names(prefix: str) -> list[str]:
    """The objects of a pool."""
    _, documents, chunk = map(int, prefix.strip("/").split("/"))
    return [f"{prefix}part-{number:06}.parquet" for number in range(-(-documents // chunk))]


def size_of(name: str) -> int:
    """Bytes of an object, known before it is made: there is a gap before the footer, which no reader reads."""
    return ROOM * _rows(name)[2] + SPARE


def _rows(name: str) -> tuple[int, int, int, int]:
    """The number of a piece, its first document, how many it has, and the seed."""
    found = NAME.fullmatch(name)
    assert found is not None, name
    seed, documents, chunk, number = map(int, found.groups())
    first = number * chunk
    return number, first, min(chunk, documents - first), seed


class Objects:
    """Objects, made by processes of their own: those asked for last, and those that will be asked for next."""

    def __init__(self) -> None:
        self._makers = ProcessPoolExecutor(MAKERS, get_context("spawn"))  # a fork would copy locks that threads hold
        self._held: OrderedDict[str, Future[bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def content(self, name: str) -> bytes:
        """The bytes of an object."""
        with self._lock:
            mine = [self._future(one) for one in (name, *following(name))]
        return mine[0].result()

    def _future(self, name: str) -> Future[bytes]:
        if name not in self._held:
            self._held[name] = self._makers.submit(made, name)
        self._held.move_to_end(name)
        while len(self._held) > HELD:
            self._held.popitem(last=False)
        return self._held[name]


def following(name: str) -> list[str]:
    """The next objects of the pool, as many as there are makers."""
    prefix, _, _ = name.rpartition("part-")
    every = names(prefix)
    place = every.index(name) + 1
    return every[place : place + MAKERS]


def made(name: str) -> bytes:
    """An object."""
    buffer = io.BytesIO()
    pq.write_table(piece(*_rows(name)), buffer, compression="zstd")
    whole = buffer.getvalue()
    footer = int.from_bytes(whole[-8:-4], "little") + 8
    gap = size_of(name) - len(whole)
    assert gap >= 0, f"{name} has {len(whole):,} bytes"
    return whole[:-footer] + bytes(gap) + whole[-footer:]


class Store(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    served: ClassVar[dict[str, int]] = {}
    objects: ClassVar[Objects]
    counting = threading.Lock()

    def do_HEAD(self) -> None:
        """What an object is."""
        self._count("head", 0)
        self._answer(200, b"", size_of(self._name()))

    def do_GET(self) -> None:
        """A range of an object, or the list of a pool."""
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            body = listing(query.get("prefix", [""])[0])
            self._count("list", len(body))
            self._answer(200, body, len(body), "application/xml")
            return
        whole = self.objects.content(self._name())
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self._count("get", len(whole))
            self._answer(200, whole, len(whole))
            return
        first, last = int(asked[1]), min(int(asked[2] or len(whole) - 1), len(whole) - 1)
        piece_of = memoryview(whole)[first : last + 1]
        self._count("get", len(piece_of))
        self._answer(206, piece_of, len(piece_of), span=f"bytes {first}-{last}/{len(whole)}")

    def _name(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix(f"/{BUCKET}/")

    def _count(self, kind: str, size: int) -> None:
        with self.counting:
            self.served[kind] = self.served.get(kind, 0) + 1
            self.served["bytes"] = self.served.get("bytes", 0) + size

    def _answer(self, status: int, body: bytes | memoryview, size: int, kind: str = "", span: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(size))
        self.send_header("Content-Type", kind or "application/octet-stream")
        if not kind:
            self.send_header("ETag", f'"{hashlib.md5(self._name().encode()).hexdigest()}"')
            self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        if span:
            self.send_header("Content-Range", span)
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # a client that read enough
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def listing(prefix: str) -> bytes:
    """The objects of a pool, as S3 lists them."""
    rows = (
        f"<Contents><Key>{name}</Key><Size>{size_of(name)}</Size><LastModified>{TIME}</LastModified>"
        f"<ETag>&quot;{hashlib.md5(name.encode()).hexdigest()}&quot;</ETag></Contents>"
        for name in names(prefix)
    )
    head = f"<Name>{BUCKET}</Name><Prefix>{prefix}</Prefix><IsTruncated>false</IsTruncated>"
    return f"<ListBucketResult>{head}{''.join(rows)}</ListBucketResult>".encode()


class Served(ThreadingHTTPServer):
    """The server; connections end with it."""

    daemon_threads = True


def main() -> None:
    """Serve until standard input ends; a line on it writes down what was served since the line before."""
    Store.objects = Objects()
    server = Served(("127.0.0.1", 0), Store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    for _ in sys.stdin:
        with Store.counting:
            print(json.dumps(Store.served), flush=True)
            Store.served.clear()


if __name__ == "__main__":
    main()
