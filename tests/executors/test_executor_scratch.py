"""Folders of clusters whose owner was killed go; those of live ones, and what is not ours, stay."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mixc.backends.executors import scratch
from mixc.backends.executors.scratch import PREFIX, new_scratch

OWNER = """
import sys
from pathlib import Path
from mixc.backends.executors import scratch
scratch.PLACE = Path(sys.argv[1])
mine = scratch.new_scratch()
(mine.path / "session").mkdir()
print(mine.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process with a folder."""
    monkeypatch.setattr(scratch, "PLACE", tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_a_folder_goes_with_its_owner(owner: tuple[subprocess.Popen[str], Path], tmp_path: Path) -> None:
    process, theirs = owner
    (tmp_path / f"{PREFIX}of-somebody").mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(theirs)
    mine = new_scratch()
    assert theirs.is_dir() and mine.path.is_dir() and mine.path != theirs
    process.kill()
    process.wait()
    other = new_scratch()
    assert not theirs.exists()
    assert mine.path.is_dir()
    mine.remove()
    other.remove()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{PREFIX}link", f"{PREFIX}of-somebody"]
