"""Bad documents and bad folders, met through the command line: what is said, in one line each, and the exit code."""

from __future__ import annotations

import fcntl
import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixc.compiler.cli.guard import guarded
from tests.examples import shown
from tests.integration.test_interruptions import unshare
from tests.selection.pool import (
    BUDGET,
    DOMAINS,
    HEAD,
    LANGUAGES,
    RATERS,
    compiled,
    documents,
    plain_pool,
    recipe,
    rows_of,
    scanned,
    selected,
    write_file,
)

MIDDLE = "crawl/001"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """(exit code, what went to stderr) of a command."""
    code = guarded([*arguments, "--workers", "1", "--diagnostics", "concise"])
    return code, capsys.readouterr().err


def example(capsys: pytest.CaptureFixture[str], code: str, about: str, *arguments: str) -> None:
    """The command once more, as a user sees it."""
    assert guarded([*arguments, "--workers", "1"]) == 1
    shown(
        code, capsys.readouterr().err, about=about, command=" ".join(("mixc", *arguments)), at=Path.cwd(), numbers=False
    )


def cut(path: Path, part: float) -> None:
    """Lose the end of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])


def flip(path: Path, part: float) -> None:
    """Change a few bytes in the middle of a file."""
    data = bytearray(path.read_bytes())
    at = int(part * len(data))
    for i in range(8):
        data[at + i] ^= 0xFF
    path.write_bytes(bytes(data))


def line(path: Path, number: int, text: bytes) -> None:
    """Put a text in place of a line of JSONL, numbered from 1."""
    lines = path.read_bytes().split(b"\n")
    lines[number - 1] = text
    path.write_bytes(b"\n".join(lines))


def changed(path: Path, column: str, values: object) -> None:
    """A column of the middle file made of other values; None leaves it out."""
    table = documents().slice(8000, 8000)
    place = table.column_names.index(column)
    table = table.remove_column(place) if values is None else table.set_column(place, column, pa.array(values))
    write_file(path, table)


def two_frames(path: Path) -> None:
    """A second frame that is cut off, after a first one that is whole."""
    more = pa.compress(b'{"id": "x"}\n' * 9000, "zstd", asbytes=True)
    path.write_bytes(path.read_bytes() + more[: len(more) - 5])


def repeated_id(path: Path) -> None:
    """The first document of the pool once more."""
    changed(path, "id", ["doc-0", *documents()["id"].to_pylist()[8001:16000]])


def null_id(path: Path) -> None:
    changed(path, "id", [None, *documents()["id"].to_pylist()[8001:16000]])


def bad_tokens(value: int) -> Callable[[Path], None]:
    return lambda path: changed(path, "n", [*[50] * 4321, value, *[50] * (8000 - 4322)])


BAD: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a Parquet file without its end": ("parquet", lambda p: cut(p, 0.9), f"{MIDDLE}.parquet: M505 "),
    "a Parquet file with a damaged row group": ("parquet", lambda p: flip(p, 0.5), f"{MIDDLE}.parquet: M506 "),
    "a file that only has the name of Parquet": ("parquet", lambda p: p.write_bytes(b"x"), f"{MIDDLE}.parquet: M505 "),
    "truncated gzip": ("jsonl.gz", lambda p: cut(p, 0.7), f"{MIDDLE}.jsonl.gz: M507 `{MIDDLE}.jsonl.gz` is truncated"),
    "damaged gzip": ("jsonl.gz", lambda p: flip(p, 0.5), f"{MIDDLE}.jsonl.gz: M507 "),
    "no gzip at all": ("jsonl.gz", lambda p: p.write_bytes(b"{}\n"), f"{MIDDLE}.jsonl.gz: M507 "),
    "truncated zstd": (
        "jsonl.zst",
        lambda p: cut(p, 0.7),
        f"{MIDDLE}.jsonl.zst: M507 `{MIDDLE}.jsonl.zst` is truncated",
    ),
    "a second frame of zstd cut off": ("jsonl.zst", two_frames, f"{MIDDLE}.jsonl.zst: M507 "),
    "a line that is no JSON": (
        "jsonl",
        lambda p: line(p, 4321, b'{"id": "a", "n": }'),
        f"{MIDDLE}.jsonl:4321: M508 line 4,321 of `{MIDDLE}.jsonl` is not JSON: expecting value, at character 18",
    ),
    "a line cut off": (
        "jsonl",
        lambda p: cut(p, 0.5),
        f"{MIDDLE}.jsonl:4012: M508 line 4,012 of `{MIDDLE}.jsonl` is not JSON: unterminated string",
    ),
    "a missing column": (
        "parquet",
        lambda p: changed(p, "edu", None),
        f"M510 `{MIDDLE}.parquet` has no column `edu` for rater `edu`",
    ),
    "scores that are text": ("parquet", lambda p: changed(p, "edu", ["good"] * 8000), f"{MIDDLE}.parquet: M511 "),
    "an id that is null": ("parquet", null_id, f"{MIDDLE}.parquet: M512 "),
    "no tokens": ("parquet", bad_tokens(0), f"{MIDDLE}.parquet: M513 "),
    "negative tokens": ("parquet", bad_tokens(-5), f"{MIDDLE}.parquet: M513 "),
}


@pytest.mark.parametrize("what", BAD)
def test_scanning_names_the_file_and_the_place(tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str) -> None:
    form, damage, sentence = BAD[what]
    path = plain_pool(tmp_path, form=form)
    damage(tmp_path / "crawl" / f"001.{form}")
    code, err = said(capsys, "scan", str(path))
    assert (code, err.count("\n")) == (1, 1), err
    assert err.removeprefix(f"{path}:13:1: ").startswith(sentence)  # of a rater, its place in the recipe

    # Once it is mended, only that file is read again; and nothing is left of the failure.
    plain_pool(tmp_path, form=form)
    assert said(capsys, "scan", str(path)) == (0, "")


def test_an_id_that_stands_twice_is_named_with_both_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = plain_pool(tmp_path)
    repeated_id(tmp_path / "crawl" / "001.parquet")
    code, err = said(capsys, "scan", str(path))
    assert code == 1
    assert "`doc-0`" in err
    for policy in ("per-file", "shared"):
        path.write_text(path.read_text().replace('path    = "crawl"', f'path    = "crawl"\n  ids = {policy}'))
        assert said(capsys, "scan", str(path)) == (0, "")
        path.write_text(path.read_text().replace(f"\n  ids = {policy}", ""))


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pristine")
    selected(compiled(plain_pool(folder)), folder / "out")
    return folder


@pytest.fixture
def folder(pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiled pool with a selection in `out`, in the folder that commands run in."""
    shutil.copytree(pristine, tmp_path / "pool")
    monkeypatch.chdir(tmp_path / "pool")
    return tmp_path / "pool"


RUN = ("run", "pool.manifest.json", "-o")


def new_file(folder: Path) -> None:
    write_file(folder / "crawl" / "new.parquet", documents(100, prefix="new"))


def edited(folder: Path) -> None:
    changed(folder / "crawl" / "001.parquet", "n", [77] * 8000)


def touched_and_edited(folder: Path) -> None:
    """The same size and the same time of change: what Parquet says of its content is what counts."""
    path = folder / "crawl" / "001.parquet"
    before, table = path.stat(), documents().slice(8000, 8000)
    write_file(path, table)
    assert path.stat().st_size == before.st_size
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(bytes(data))


CHANGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "edited": (edited, "001", "is not what was scanned"),
    "gone": (lambda folder: (folder / "crawl" / "002.parquet").unlink(), "002", "is gone"),
    "new": (new_file, "new", "was not scanned"),
    "one byte": (touched_and_edited, "001", "is not what was scanned"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_files_that_changed_since_the_scan_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    change, name, sentence = CHANGES[what]
    change(folder)
    file = f"crawl/{name}.parquet"
    line = f"{file}: M572 file `{file}` of source `crawl` {sentence}\n"
    assert said(capsys, *RUN, "out") == (1, line)
    assert said(capsys, *RUN, "other") == (1, line)
    assert not (folder / "other").exists()
    assert said(capsys, "verify", "pool.manifest.json", "out") == (1, line)
    if what == "edited":
        example(capsys, "M572", "A file of documents was written anew after `mixc compile`.", *RUN, "out")


def test_a_file_moved_to_another_name_is_two_changes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "crawl" / "001.parquet").rename(folder / "crawl" / "moved.parquet")
    code, err = said(capsys, *RUN, "out")
    assert (code, [one.partition(" M572")[0] for one in err.splitlines()]) == (
        1,
        ["crawl/moved.parquet:", "crawl/001.parquet:"],
    )


def test_a_touched_file_is_as_it_was(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.utime(folder / "crawl" / "001.parquet")
    assert said(capsys, *RUN, "out") == (0, "")


def test_the_folder_of_another_manifest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted((p, p.stat().st_mtime_ns) for p in (folder / "out").rglob("*") if p.suffix == ".parquet")
    recipe = folder / "pool.mix"
    recipe.write_text(recipe.read_text().replace("seed = 17", "seed = 18"))
    assert guarded(["compile", "pool.mix", "-o", "other.manifest.json"]) == 0
    capsys.readouterr()
    code, err = said(capsys, "run", "other.manifest.json", "-o", "out")
    about = "The seed of the recipe was changed after `out` was filled."
    example(capsys, "M571", about, "run", "other.manifest.json", "-o", "out")
    assert (code, err[:60]) == (1, "out: M571 `out` holds the selection of another manifest, " + err[57:60])
    assert sorted((p, p.stat().st_mtime_ns) for p in (folder / "out").rglob("*") if p.suffix == ".parquet") == before


def test_two_runs_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (folder / "out" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert said(capsys, *RUN, "out") == (1, "out: M574 another run is writing to `out`\n")
        example(capsys, "M574", "A run into `out` goes on in another terminal.", *RUN, "out")
    assert said(capsys, *RUN, "out") == (0, "")


def test_a_damaged_owner_is_no_owner(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("", "{", "[]", '{"manifest": null}'):
        (folder / "out" / "run.json").write_text(text)
        assert said(capsys, *RUN, "out") == (0, ""), text


def test_a_file_where_the_folder_should_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "file").write_text("")
    assert said(capsys, *RUN, "file") == (1, "file: M573 cannot write to `file`: not a directory\n")
    example(capsys, "M573", "`file` is a file.", *RUN, "file")
    assert said(capsys, *RUN, "file/below") == (1, "file/below: M573 cannot write to `file/below`: not a directory\n")


def run_onto(folder: Path, options: str, prepare: str, times: int = 1) -> list[str]:
    """Run onto a file system of its own: what was said and the exit code each time, and temporary files left."""
    (folder / "disk").mkdir()
    runs = f"""
        mount -t tmpfs -o {options} none disk || exit 99
        for time in {" ".join(map(str, range(times)))}; do
            {prepare}
            "$@" 2>&1 > /dev/null
            echo code $?
        done
        find disk -name '*.tmp'
    """
    command = [sys.executable, "-m", "mixc", *RUN, "disk/out", "--workers", "1", "--diagnostics", "concise"]
    ran = subprocess.run(
        [*unshare(), "sh", "-c", runs, "sh", *command], cwd=folder, capture_output=True, text=True, check=True
    )
    return ran.stdout.splitlines()


def test_a_read_only_disk(folder: Path) -> None:
    left = run_onto(folder, "size=1m", "mount -o remount,ro disk")
    assert left == ["disk/out: M573 cannot write to `disk/out`: read-only file system", "code 1"]


def test_a_full_disk_and_then_room(folder: Path) -> None:
    left = run_onto(folder, "size=64k", "test $time = 0 || mount -o remount,size=4m disk", times=2)
    where = folder / "disk" / "out"
    assert left == [f"{where}: M573 cannot write to `{where}`: no space left on device", "code 1", "code 0"]


def test_a_manifest_of_published_sizes_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = Path(__file__).parents[2] / "recipes" / "polyglot17.mix"
    assert guarded(["compile", str(recipe), "-o", str(tmp_path / "x.manifest.json")]) == 0
    capsys.readouterr()
    code, err = said(capsys, "run", str(tmp_path / "x.manifest.json"), "-o", str(tmp_path / "out"))
    assert (code, "M570" in err, (tmp_path / "out").exists()) == (1, True, False)
    monkeypatch.chdir(tmp_path)
    example(capsys, "M570", "All sources of the recipe are `supply = …`.", "run", "x.manifest.json", "-o", "out")


def compile_in(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = guarded(["compile", "pool.mix", *arguments, "--diagnostics", "concise"])
    out, err = capsys.readouterr()
    return code, out, "".join(line for line in err.splitlines(keepends=True) if "M555 warning" not in line)


def test_check_and_locked_hold_as_long_as_documents_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compile_in(capsys, "--check") == (0, "pool.manifest.json: up to date\n", "")
    assert compile_in(capsys, "--check", "--locked") == (0, "pool.manifest.json: up to date\n", "")
    shutil.rmtree(folder / ".mixc")
    assert compile_in(capsys, "--check", "--locked")[0] == 0

    # The same documents written by other means are other files, and say so.
    before = {name: (folder / name).read_bytes() for name in ("pool.manifest.json", "pool.lock", "pool.tables.parquet")}
    new_file(folder)
    code, _, err = compile_in(capsys, "--check")
    assert code == 2
    assert [one.partition(":")[0] for one in err.splitlines()] == list(before), err
    code, _, err = compile_in(capsys, "--locked")
    assert code == 1
    assert err.count("\n") == 1
    assert "crawl" in err
    assert {name: (folder / name).read_bytes() for name in before} == before

    (folder / "crawl" / "new.parquet").unlink()
    assert compile_in(capsys, "--check", "--locked")[0] == 0
    (folder / "pool.tables.parquet").unlink()
    code, _, err = compile_in(capsys, "--check")
    assert (code, err.partition(":")[0]) == (2, "pool.tables.parquet")
    assert compile_in(capsys)[0] == 0
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_files_by_another_writer_are_other_inputs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "crawl" / "001.parquet"
    pq.write_table(pq.read_table(path), path, row_group_size=700)
    assert compile_in(capsys, "--locked")[0] == 1


def test_gzip_that_calls_itself_plain_is_read_as_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = plain_pool(tmp_path, form="jsonl")
    file = tmp_path / "crawl" / "001.jsonl"
    file.write_bytes(gzip.compress(file.read_bytes()))
    assert said(capsys, "scan", str(path)) == (0, "")


def test_a_document_without_an_id_or_a_text_is_none(tmp_path: Path) -> None:
    table = documents(9000)
    texts = [
        None if i == 5 else "" if i == 6 else f"text {i} of {name}" for i, name in enumerate(table["id"].to_pylist())
    ]
    (tmp_path / "crawl").mkdir()
    write_file(tmp_path / "crawl" / "a.parquet", table.drop_columns(["id"]).append_column("text", pa.array(texts)))
    text = HEAD.replace('id: "id", ', "") + RATERS + DOMAINS + LANGUAGES + BUDGET
    path = recipe(tmp_path, text.replace("9M tokens", "4M tokens"))
    catalog, _ = scanned(path)
    assert catalog.empty == {"crawl": 2}
    job = compiled(path)
    selected(job, tmp_path / "out")
    assert {5, 6}.isdisjoint(rows_of(tmp_path / "out")["row"].to_pylist())
