"""What texts a run wrote, cell by cell: exporters for trainers ask for it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mixc.backends.selection.backend import Form, Run, texts_of
from mixc.compiler.export import CellTexts
from mixc.dsl.render import render
from tests.examples import shown
from tests.selection import texts_pool
from tests.selection.texts_pool import compiled, documents, performed, rows_of

EXPORT = "mixc export pool.manifest.json --to streaming --run out -o streaming"


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("pool")
    texts_pool.write(folder, documents(), [3000], 1000)
    return compiled(folder, texts_pool.recipe())


def written(job: Run, output: Path, **form: bool) -> tuple[CellTexts, ...]:
    done, found = performed(job, output, form=Form(**form))
    assert done is not None, found
    texts, found = texts_of(output, job.manifest)
    assert texts is not None, found
    return texts


@pytest.mark.parametrize("repeat", [False, True])
def test_texts_are_those_in_the_folders(job: Run, tmp_path: Path, repeat: bool) -> None:
    texts = written(job, tmp_path / "out", repeat=repeat)
    assert {Path(one.folder).relative_to(tmp_path / "out").as_posix() for one in texts} == {
        path.parent.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("texts/**/*.parquet")
    }
    for one in texts:
        rows = [row for path in sorted(Path(one.folder).glob("*.parquet")) for row in rows_of(path.parent, path.name)]
        times = [1 if repeat else row["copies"] for row in rows]
        assert (one.rows, one.documents, one.repeat) == (len(rows), sum(times), repeat)
        assert one.tokens == sum(row["tokens"] * count for row, count in zip(rows, times, strict=True))


def test_a_run_without_texts(job: Run, tmp_path: Path) -> None:
    done, _ = performed(job, tmp_path / "out")
    assert done is not None
    texts, found = texts_of(tmp_path / "out", job.manifest)
    assert texts is None
    assert [one.code for one in found] == ["M584"]
    about = "`out` was filled by `mixc run` without `--materialize`."
    shown("M584", found, about=about, command=EXPORT, at=tmp_path)
    assert found[0].helps == ("run the manifest into it again with `--materialize`",)


def test_a_run_of_another_manifest_and_a_folder_of_none(job: Run, tmp_path: Path) -> None:
    written(job, tmp_path / "out")
    other = job.manifest.model_copy(update={"integrity": "0" * 64})
    assert [one.code for one in texts_of(tmp_path / "out", other)[1]] == ["M571"]
    _, found = texts_of(tmp_path, job.manifest)
    about = "Nothing was run into the folder `other`."
    command = EXPORT.replace("--run out", "--run other")
    shown("M581", render(found, "full").replace(str(tmp_path), "other"), about=about, command=command)


def test_texts_that_are_not_as_they_were_written(job: Run, tmp_path: Path) -> None:
    texts = written(job, tmp_path / "out")
    first = min(Path(texts[0].folder).glob("*.parquet"))
    first.write_bytes(first.read_bytes()[:-1])
    _, found = texts_of(tmp_path / "out", job.manifest)
    assert [one.code for one in found] == ["M585"]
    shown("M585", found, about="A file of texts lost its last byte.", command=EXPORT, at=tmp_path, numbers=False)
    first.unlink()
    assert "is not there" in texts_of(tmp_path / "out", job.manifest)[1][0].notes[0]
    marker = first.with_name(first.name + ".done.json")
    marker.write_text(marker.read_text().replace('"tokens": ', '"tokens": -'))
    assert "is not what a run writes" in texts_of(tmp_path / "out", job.manifest)[1][0].notes[0]
    marker.unlink()
    assert "files are finished" in texts_of(tmp_path / "out", job.manifest)[1][0].notes[0]


@pytest.mark.parametrize("name", ["run.json", ".done.json"])
def test_a_marker_that_the_system_does_not_let_be_read(
    job: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It was taken for none, and an export wrote a mixture without these texts."""
    written(job, tmp_path / "out")
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name.endswith(name):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    texts, found = texts_of(tmp_path / "out", job.manifest)
    assert texts is None
    assert [one.code for one in found] == ["M585"]
    assert found[0].notes[0].endswith(f"{name} cannot be read: too many open files")
