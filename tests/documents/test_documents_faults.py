"""A store that breaks: what is read is the same, or it is said which cannot be. Whole commands: `make cluster`."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from documents_builder import batches, rows_of, source

from mixc.compiler.documents import objects as patience
from mixc.compiler.documents.reading import DataFile, Unreadable, Wanted, find_files, identity
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.render import render
from tests.cluster.proxy import ALWAYS, Fault, Proxy
from tests.cluster.server import FILES, environment, filled, objects, server
from tests.examples import shown

pytest.importorskip("moto.server")
fsspec, s3fs = pytest.importorskip("fsspec"), pytest.importorskip("s3fs")
IDS = Wanted(id="id", tokens="n")
PATHS = ("s3://pool/crawl/*/*.parquet", "s3://pool/library")
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, dict[str, bytes], Rows]]:
    """A proxy to a server, the objects in it, and what is read of them."""
    data = objects(tmp_path_factory.mktemp("objects"), 600)
    before = dict(os.environ)
    with server() as where:
        proxy = filled(where, "objects", data)
        with proxy.serving() as address:
            os.environ.update(environment(address))
            s3fs.S3FileSystem.clear_instance_cache()
            yield proxy, data, seen()[0]
    os.environ.clear()
    os.environ.update(before)
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE", 2.0)
    monkeypatch.setattr(patience, "WAITS", (0.01, 0.5))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def listed() -> tuple[list[DataFile], list[Diagnostic]]:
    found = [find_files(source(path), Path()) for path in PATHS]
    return [file for files, _ in found for file in files], [one for _, problems in found for one in problems]


def seen() -> tuple[Rows, list[Diagnostic]]:
    """Every row of every file with the identity of its file, or why there are none."""
    files, problems = listed()
    try:
        return [
            (file.name, identity(file, IDS), rows_of(batches(file, IDS, target_bytes=1 << 14))) for file in files
        ], problems
    except Unreadable as error:
        return [], [*problems, error.diagnostic]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("latency", "any", times=2),
        Fault("slow down", "any", times=4),
        Fault("slow down", "read", after=2, times=4),
        Fault("internal error", "any", after=3, times=3),
        Fault("reset", "any", times=3),
        Fault("reset inside", after=1, times=3),
        Fault("cut, length right", times=3),
        Fault("cut, length wrong", after=1, times=3),
        Fault("empty", times=3),
        Fault("empty", after=1, times=2, inside="jsonl"),
        Fault("wrong ETag", times=2),
        Fault("other version", times=2),
        Fault("other version", after=3, times=2),
        Fault("torn list", "list", times=2),
        Fault("short list", "list", times=2),
        Fault("endless list", "list", after=1, times=2),
    ],
    ids=lambda fault: f"{fault.name} of {fault.of} after {fault.after}{fault.inside}",
)
def test_what_passes_is_not_seen(store: tuple[Proxy, dict[str, bytes], Rows], fault: Fault) -> None:
    proxy, _, expected = store
    proxy.faults[:] = [fault]
    assert seen() == (expected, [])
    assert fault.struck


def test_what_is_compressed_is_read_in_few_requests(store: tuple[Proxy, dict[str, bytes], Rows]) -> None:
    proxy, _, _ = store
    line = json.dumps({"id": "a", "n": 1, "noise": random.Random(1).randbytes(1 << 19).hex()})
    proxy.put("packed/1.jsonl.gz", gzip.compress(line.encode()))
    (file,), _ = find_files(source("s3://pool/packed"), Path())
    del proxy.requests[:]
    assert len(rows_of(batches(file, IDS))) == 1
    assert sum(method == "GET" for method, _ in proxy.requests) <= 3


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (Fault("slow down", "read", times=ALWAYS), "M503", "Please reduce your request rate."),
        (Fault("slow down", "list", times=ALWAYS, inside="crawl%2Fb"), "M503", "Please reduce your request rate."),
        (Fault("denied", "list", times=ALWAYS, inside="crawl%2Fb"), "M503", "Access Denied"),
        (Fault("expired", "read", after=2, times=ALWAYS), "M503", "The provided token has expired."),
        (Fault("cut, length wrong", after=2, times=ALWAYS), "M503", "bytes came of"),
        (Fault("empty", times=ALWAYS, inside="jsonl"), "M503", "0 bytes came of"),
        (Fault("other version", times=ALWAYS), "M503", "an answer is of the version"),
        (Fault("wrong ETag", "look", after=2, times=ALWAYS), "M517", "was overwritten while it was read"),
        (Fault("short list", "list", times=ALWAYS), "M503", "a list of"),
        (Fault("endless list", "list", times=ALWAYS), "M503", "a list ends before its end"),
        (Fault("vanished", "read", after=1), "M502", "it is not there (any more)"),
        *((Fault("overwritten", after=after), "M517", "was overwritten while it was read") for after in (0, 1, 2, 3)),
        (Fault("overwritten", after=1, inside="jsonl"), "M517", "was overwritten while it was read"),
    ],
    ids=lambda one: f"{one.name} of {one.of} after {one.after}{one.inside}" if isinstance(one, Fault) else "",
)
def test_what_lasts_is_told(store: tuple[Proxy, dict[str, bytes], Rows], fault: Fault, code: str, words: str) -> None:
    proxy, data, expected = store
    proxy.faults[:] = [fault]
    _, found = seen()
    proxy.faults.clear()
    report = render(found, "full")
    assert {one.code for one in found} == {code}, report
    assert "s3://pool/" in report and words in report
    if fault.name == "wrong ETag":
        shown("M517", found, about="An object of the bucket was replaced while `mixc scan` read it.", numbers=False)
    for key in FILES:
        proxy.put(key, data[key])
    assert seen() == (expected, [])


def test_a_store_that_never_answers_is_asked_by_one_that_waits(
    store: tuple[Proxy, dict[str, bytes], Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's own attempts (one here) are not multiplied: s3fs would make five of each."""
    proxy, _, _ = store
    monkeypatch.setattr(patience, "PATIENCE", 0.0)
    monkeypatch.setitem(fsspec.config.conf, "s3", {"config_kwargs": {"read_timeout": 0.5}})
    s3fs.S3FileSystem.clear_instance_cache()
    files, _ = listed()
    proxy.faults[:] = [fault := Fault("silence", "read", times=ALWAYS)]
    with pytest.raises(Unreadable, match="cannot be reached"):
        list(batches(files[0], IDS))
    proxy.faults.clear()
    s3fs.S3FileSystem.clear_instance_cache()
    assert fault.struck == 1
