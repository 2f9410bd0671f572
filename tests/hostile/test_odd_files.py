"""Pipes that nobody writes, devices that never end, folders and links where a file is expected: told, and no wait."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from mixc.backends.murating.pair_files import read_pairs, texts_path
from mixc.backends.nag.store import origin_of
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.documents.files import find_files
from mixc.compiler.pipeline import COMPILE, Artefacts, run_passes
from mixc.compiler.recipe import Source
from mixc.dsl import reading
from mixc.dsl.reading import file_bytes
from mixc.dsl.render import render
from tests.fuzz.running import deadline
from tests.fuzz.targets import TARGETS, Target

RECIPE = """\
recipe r
budget { model = 1B params, tokens = 10B tokens }
source s { SUPPLY, domain = web, epochs <= 4 }
LINE
"""
SIZES = "supply = { en: 20B tokens, de: 20B tokens }"
PLACES = {
    "a recipe": ("odd", SIZES, ""),
    "extended": ("r.mix", SIZES, 'import x = "odd"'),
    "a catalog": ("r.mix", 'supply = "odd"', ""),
    "documents": ("r.mix", 'path = "odd", format = jsonl, language = en', ""),
    "a calibration": ("r.mix", SIZES, 'law infolaw { calibration = "./odd" }'),
    "a baseline": ("r.mix", SIZES, 'require change("odd") <= 10%'),
}


def pipe(path: Path) -> None:
    os.mkfifo(path)


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # the name of a socket is short
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


ODD: tuple[Callable[[Path], None], ...] = (pipe, zeros, unix_socket, Path.mkdir)


@pytest.mark.parametrize("place", PLACES)
def test_no_command_waits_for_a_pipe_or_reads_a_device(place: str, tmp_path: Path) -> None:
    command, supply, line = PLACES[place]
    (tmp_path / "r.mix").write_text(RECIPE.replace("SUPPLY", supply).replace("LINE", line))
    for make in (pipe, zeros):
        make(tmp_path / "odd")
        with deadline():
            made, found = run_passes(COMPILE, Artefacts(tmp_path / command, allow_outside=True))
        said = render(found, "concise")
        assert made.manifest is None
        assert "named pipe" in said or "device" in said, said
        (tmp_path / "odd").unlink()


@pytest.mark.parametrize("make", ODD)
def test_a_file_that_is_none_is_refused(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "odd")
    with pytest.raises(OSError, match=r"pipe|device|socket|directory"):
        file_bytes(tmp_path / "odd")


def test_a_pipe_of_the_shell_is_read() -> None:
    """`<(command)` has a writer."""
    reader, writer = os.pipe()
    os.write(writer, b"text")
    os.close(writer)
    assert file_bytes(Path(f"/dev/fd/{reader}")) == b"text"
    os.close(reader)


def test_what_is_read_whole_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST", 10)
    (tmp_path / "large").write_bytes(b"x" * 11)
    with pytest.raises(OSError, match="larger"):
        file_bytes(tmp_path / "large")
    reader, writer = os.pipe()
    os.write(writer, b"x" * 11)
    os.close(writer)
    with pytest.raises(OSError, match="larger"):
        file_bytes(Path(f"/dev/fd/{reader}"))
    os.close(reader)


def test_documents_are_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "d.jsonl")
    files, found = find_files(Source("s", "web", paths=("*.jsonl",)), tmp_path)
    assert not files
    assert "named pipe" in found[0].message


@pytest.mark.parametrize(
    "target", [TARGETS[name] for name in ("features", "pairs", "counts", "results")], ids=lambda t: t.name
)
def test_other_readers_do_not_wait_either(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = target.make(tmp_path)
    monkeypatch.setattr(Path, "write_bytes", lambda path, _: path.exists() or os.mkfifo(path))
    with deadline():
        read(b"\x02")


@pytest.mark.parametrize("name", ["f.parquet", "f.arrow"])
def test_features_that_are_a_pipe(name: str, tmp_path: Path) -> None:
    """Arrow would open them, and no signal ends its wait: this pipe has a writer, so that a fault fails at once."""
    os.mkfifo(tmp_path / name)
    writer = os.open(tmp_path / name, os.O_RDWR)
    try:
        with deadline(), pytest.raises(Unreadable, match="named pipe"):
            origin_of(tmp_path / name)
    finally:
        os.close(writer)


def test_texts_of_good_pairs_that_are_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(next(iter(TARGETS["pairs"].seeds()))[1:])
    os.mkfifo(texts_path(path))
    with deadline(), pytest.raises(Unreadable, match="named pipe"):
        read_pairs(path)


def test_a_state_of_datasets_that_is_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "state.json")
    (tmp_path / "d.arrow").write_bytes(b"")
    _, found = find_files(Source("s", "web", paths=(str(tmp_path),)), tmp_path)
    assert "named pipe" in " ".join(one.message for one in found)


def test_a_loop_of_links(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError):
        file_bytes(tmp_path / "a")
    _, found = find_files(Source("s", "web", paths=("a",)), tmp_path)
    assert [one.severity for one in found] == ["error"]


def test_a_folder_that_holds_itself(tmp_path: Path) -> None:
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "again").symlink_to(tmp_path / "loop")
    _, found = find_files(Source("s", "web", paths=("loop",)), tmp_path)
    assert [one.severity for one in found] == ["error"]
