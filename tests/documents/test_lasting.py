"""What took long to make lies on the disk before it has its name, so that a loss of power leaves it whole or absent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from mixc.backends.models.steps import STEPS
from mixc.backends.murating import rating
from mixc.backends.murating.encoder import EncoderSpec
from mixc.backends.search.recipes import write_recipe
from mixc.compiler import whole
from mixc.compiler.documents.data import DataFile, Part
from mixc.compiler.documents.sidecars import write_sidecar
from mixc.compiler.scan.plan import ScorePlan
from mixc.compiler.scan.scored import remember
from mixc.compiler.scan.store import Store
from tests.selection.pool import plain_pool, scanned


class Disk:
    """What was brought to the disk, as it then was, and whether all that was moved to a place had been."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.brought: dict[Path, list[str]] = {}
        self.ready: dict[Path, bool] = {}
        sync, replace = whole.sync, Path.replace

        def watched_sync(path: Path) -> None:
            sync(path)
            self.brought[path] = state(path)

        def watched_move(path: Path, target: Path) -> Path:
            self.ready[target] = all(self.brought.get(one) == state(one) for one in (path, *path.rglob("*")))
            self.brought.pop(target.parent, None)
            return replace(path, target)

        monkeypatch.setattr(whole, "sync", watched_sync)
        for move in ("replace", "rename"):
            monkeypatch.setattr(Path, move, watched_move)

    def holds(self, path: Path) -> bool:
        """Whether what was moved there lay on the disk before, and its name does since."""
        return self.ready[path] and path.name in self.brought.get(path.parent, [])


def state(path: Path) -> list[str]:
    return sorted(one.name for one in path.iterdir()) if path.is_dir() else [path.read_bytes().hex()]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def nested(made: Path) -> None:
    (made / "sub").mkdir()
    for place in (made / "a", made / "sub" / "b"):
        place.write_text("new")


def test_a_folder_lasts_with_all_that_is_in_it(disk: Disk, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "rater"
    for _ in range(2):  # the second one stands instead of the first
        whole.write_folder(folder, nested)
        assert disk.holds(folder)
    assert disk.brought[tmp_path] == ["deep"]


def test_a_cache_does_not_wait_for_the_disk(disk: Disk, tmp_path: Path) -> None:
    whole.write_whole(tmp_path / "counts" / "x", lambda made: made.touch(), lasting=False)
    assert disk.brought == {}
    assert not disk.holds(tmp_path / "counts" / "x")


def test_scores_of_a_file_last(disk: Disk, tmp_path: Path) -> None:
    write_sidecar(tmp_path / "web.arrow", [pa.array([0.5, None], pa.float32())])
    assert disk.holds(tmp_path / "web.arrow")


def test_which_scores_there_are_lasts_as_they_do(disk: Disk, tmp_path: Path) -> None:
    store = Store(tmp_path)
    remember(store, tmp_path, [("state", ScorePlan("target", "nag", "key", ()))], None)
    store.save()
    assert disk.holds(tmp_path / ".mixc" / "scores" / "index.json")
    assert ".mixc" in disk.brought[tmp_path]
    assert "scores" in disk.brought[tmp_path / ".mixc"]


def test_scores_of_a_part_and_of_every_step_last(disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is not scored again where it lies there, so it must be what was scored."""

    def rate(_: rating.Reader, texts: Sequence[str | None]) -> pa.RecordBatch:
        rows = [{"score": 1.0, "tokens": 2, "chunks": [1.0]} for _ in texts]
        return pa.RecordBatch.from_pylist(rows, schema=rating.SCHEMA)

    monkeypatch.setattr(rating, "rate", rate)
    path, output = tmp_path / "web.jsonl", tmp_path / "scores" / "part.arrow"
    path.write_text('{"text": "one"}\n' * 300)
    part = Part(DataFile("web", path.name, str(path), "jsonl", path.stat().st_size, "1"), 0, 1)
    encoder = EncoderSpec("tiny", "", "package", "", 1, "mean", "", False, 16, None)
    rating.rate_part(rating.Reader("rater", "", "", encoder), rating.Task(part, "text", "error", str(output)))
    steps = [output.parent / STEPS / f"part.{number}.arrow" for number in range(2)]
    assert [disk.holds(step) for step in steps] == [True, True]
    assert disk.holds(output)


@pytest.mark.parametrize("part", [False, True])
def test_a_recipe_lasts_by_itself_or_with_its_folder(disk: Disk, tmp_path: Path, part: bool) -> None:
    """A design has thousands: they are brought to the disk once, as a folder."""
    write_recipe(tmp_path / "best.mix", "recipe best\n", check=False, part=part)
    assert disk.holds(tmp_path / "best.mix") == (not part)


def test_tables_that_scores_are_ranked_by_last(disk: Disk, tmp_path: Path) -> None:
    """They come out otherwise from more documents, and with them every rank."""
    scanned(plain_pool(tmp_path))
    assert [disk.holds(path) for path in (tmp_path / ".mixc" / "tables").iterdir()] == [True]
