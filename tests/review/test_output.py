"""Artefacts appear whole or not at all, and leave nothing behind."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mixc.compiler.review.output import write_atomically, write_together
from tests.examples import shown


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_new_files_and_replaced_ones(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"old")
    one.chmod(0o640)
    assert write_together({one: b"new", two: b"2"}) == []
    assert (one.read_bytes(), two.read_bytes(), names(tmp_path)) == (b"new", b"2", ["one", "two"])
    assert one.stat().st_mode & 0o777 == 0o640


def test_equal_bytes_are_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(b"same")
    before = path.stat().st_ino
    assert write_atomically(path, b"same") == []
    assert path.stat().st_ino == before


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    assert write_atomically(tmp_path / "link", b"new") == []
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("place", "words"),
    [("file/below", "not a directory"), ("nowhere/x", "no such file"), ("folder", "it is a folder"), ("a\0b", "name")],
)
def test_places_that_cannot_be_written(tmp_path: Path, place: str, words: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    found = write_atomically(tmp_path / place, b"data")
    assert [d.code for d in found] == ["M458"]
    assert words in found[0].message
    assert names(tmp_path) == ["file", "folder"]


def test_a_read_only_file_system() -> None:
    assert [d.code for d in write_atomically(Path("/proc/mixc.manifest.json"), b"data")] == ["M458"]


@pytest.mark.parametrize(
    ("where", "number", "code"),
    [("fsync", errno.ENOSPC, "M459"), ("fsync", errno.EDQUOT, "M459"), ("fsync", errno.EIO, "M458")],
)
def test_a_failing_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, number: int, code: str
) -> None:
    (tmp_path / "one").write_bytes(b"old")

    def fail(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, where, fail)
    found = write_together({tmp_path / "one": b"new", tmp_path / "two": b"2"})
    assert [d.code for d in found] == [code]
    assert names(tmp_path) == ["one"]
    if number == errno.ENOSPC:
        shown(code, found, about="The disk is full.", command="mixc compile recipe.mix", at=tmp_path)
    assert (tmp_path / "one").read_bytes() == b"old"


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "one", b"new")
    assert names(tmp_path) == ["one"]
    assert (tmp_path / "one").read_bytes() == b"old"


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(tmp_path)], capture_output=True, check=False
    )
    if mount.returncode != 0:
        pytest.skip("mounting a small file system is not permitted here; the simulated full disk above is tested")
    try:
        found = write_together({tmp_path / "one": b"1", tmp_path / "two": b"2" * 200_000})
        assert [d.code for d in found] == ["M459"]
        assert "200,000 bytes" in found[0].message
        assert names(tmp_path) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_system_that_refuses_between_two_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def once(path: Path, target: Path) -> Path:
        if target.name == "two":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", once)
    (found,) = write_together({tmp_path / "one": b"1", tmp_path / "two": b"2"})
    assert found.code == "M468"
    assert found.message.endswith("two`: input/output error")
    assert found.notes == ("1 file that belongs with it is replaced already",)
    about = "The disk fails while the files of a manifest are put in their places."
    shown("M468", found, about=about, command="mixc compile recipe.mix", at=tmp_path)
    assert names(tmp_path) == ["one"]
