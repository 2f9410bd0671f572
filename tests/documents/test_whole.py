"""Files and folders that appear whole or not at all, and what killed processes leave beside them."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mixc.compiler.review.output import write_atomically, write_new
from mixc.compiler.whole import ASIDE, beside, is_temporary, kept_json, tidy, write_folder, write_whole

HOLDER = """
import sys
from pathlib import Path
from mixc.compiler.whole import beside, held
place = beside(Path(sys.argv[1]))
with held(place, folder=sys.argv[2] == "folder"):
    print(place.name, flush=True)
    sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def one(path: Path) -> None:
    path.write_text("new")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_dead_process_left_goes_and_what_a_live_one_makes_stays(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.manifest.json"
    dead, other = beside(path), beside(tmp_path / "y.manifest.json")
    for place in (dead, other):
        place.write_text("half") if kind == "file" else place.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as live:
        assert live.stdout is not None
        made = live.stdout.readline().strip()
        assert write_atomically(path, b"whole") == []
        assert names(tmp_path) == sorted([made, other.name, path.name])
        live.kill()
    tidy([path])
    assert names(tmp_path) == sorted([other.name, path.name])


def test_all_ways_of_writing_tidy_up(tmp_path: Path) -> None:
    path = tmp_path / "x"
    beside(path).write_text("half")
    assert write_new(path, b"first") == (True, [])
    assert names(tmp_path) == ["x"]
    beside(path).write_text("half")
    write_whole(path, one, alone=True)
    assert (names(tmp_path), path.read_text()) == (["x"], "new")
    assert not is_temporary("x.tmp") and is_temporary(beside(path).name)


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "rater"
    write_folder(folder, lambda made: one(made / "a"))
    write_folder(folder, lambda made: one(made / "b"))
    assert names(folder) == ["b"]
    with pytest.raises(RuntimeError):
        write_folder(folder, broken)
    assert (names(folder), names(folder.parent)) == (["b"], ["rater"])


def broken(made: Path) -> None:
    (made / "half").touch()
    raise RuntimeError


def test_a_folder_set_aside_by_a_dead_process_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "rater"
    write_folder(folder, lambda made: one(made / "a"))
    folder.replace(beside(folder).with_suffix(ASIDE))  # killed between the two moves
    with pytest.raises(RuntimeError):
        write_folder(folder, broken)
    assert (names(folder), names(tmp_path)) == (["a"], ["rater"])


def test_what_is_kept_is_read_is_absent_or_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system would not let be read was taken for absent, and its work was done again or left out."""
    path = tmp_path / "kept.json"
    assert kept_json(path) is None
    assert kept_json(tmp_path) is None
    path.write_bytes(b'{"a": 1')
    assert kept_json(path) is None
    path.write_bytes(b'{"a": 1}')
    assert kept_json(path) == {"a": 1}

    def refuse(_: Path) -> bytes:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        kept_json(path)
