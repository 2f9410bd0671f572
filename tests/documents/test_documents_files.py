"""Which files a source has."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from documents_builder import source

from mixc.compiler.documents.files import find_files, format_of
from mixc.dsl.render import render
from tests.examples import shown


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def names(folder: Path, *paths: str, format: str | None = None) -> list[str]:
    files, found = find_files(source(*paths, format=format), folder)
    assert found == []
    return [file.name for file in files]


def said(folder: Path, *paths: str) -> str:
    files, found = find_files(source(*paths), folder)
    assert files == ()
    return render(found, "full")


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.parquet", "parquet"),
        ("a.PQ", "parquet"),
        ("a.jsonl", "jsonl"),
        ("c4.00000-of-01024.json.gz", "jsonl"),
        ("a.ndjson.zst", "jsonl"),
        ("a.arrow", "arrow"),
        ("a.parquet.gz", None),
        ("a.txt", None),
        ("a.gz", None),
        ("parquet", None),
    ],
)
def test_a_name_says_its_format(name: str, format: str | None) -> None:
    assert format_of(name) == format


def test_patterns_folders_and_lists_name_each_file_once(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.jsonl", "b/1.parquet", "b/deep/3.jsonl.gz", "b/README.md", "b/_SUCCESS", "b/.cache/4.jsonl")
    assert names(tmp_path, "b") == ["b/1.parquet", "b/2.jsonl", "b/deep/3.jsonl.gz"]
    assert names(tmp_path, "b/*.jsonl", "b/2.jsonl", "b/deep") == ["b/2.jsonl", "b/deep/3.jsonl.gz"]
    assert names(tmp_path, "b/**/*.jsonl*") == ["b/2.jsonl", "b/deep/3.jsonl.gz"]
    assert names(tmp_path, str(tmp_path / "b" / "*.parquet")) == ["b/1.parquet"]
    assert names(tmp_path / "b" / "deep", "../*.parquet") == ["../1.parquet"]
    assert names(tmp_path, (tmp_path / "b/2.jsonl").as_uri()) == ["b/2.jsonl"]


def test_a_folder_or_file_may_look_like_a_pattern(tmp_path: Path) -> None:
    touch(tmp_path, "[en]/a[1].jsonl")
    assert names(tmp_path / "[en]", "a[1].jsonl") == ["a[1].jsonl"]
    assert names(tmp_path / "[en]", "*.jsonl") == ["a[1].jsonl"]


def test_format_is_said_where_the_name_does_not(tmp_path: Path) -> None:
    touch(tmp_path, "dump.txt")
    files, _ = find_files(source("dump.txt", format="jsonl"), tmp_path)
    assert [file.format for file in files] == ["jsonl"]


def test_the_stamp_follows_the_file(tmp_path: Path) -> None:
    touch(tmp_path, "a.jsonl")
    (before,), _ = find_files(source("a.jsonl"), tmp_path)
    os.utime(tmp_path / "a.jsonl", ns=(1, 1))
    (after,), _ = find_files(source("a.jsonl"), tmp_path)
    assert before.stamp != after.stamp and before.path == after.path == str(tmp_path / "a.jsonl")


def test_a_saved_dataset_is_what_its_state_names(tmp_path: Path) -> None:
    touch(tmp_path, "d/train/data-0.arrow", "d/train/cache-1.arrow", "d/train/dataset_info.json", "d/other.jsonl")
    (tmp_path / "d/train/state.json").write_text(json.dumps({"_data_files": [{"filename": "data-0.arrow"}]}))
    assert names(tmp_path, "d") == ["d/other.jsonl", "d/train/data-0.arrow"]
    assert names(tmp_path, "d/*") == ["d/other.jsonl", "d/train/data-0.arrow"]
    (tmp_path / "d/train/data-0.arrow").unlink()
    assert said(tmp_path, "d") == (
        f"error[M502]: `{(tmp_path / 'd/train/data-0.arrow').as_posix()}` cannot be read: `state.json` of the dataset"
        " names it, but it is not there\n"
        f" --> {(tmp_path / 'd/train/data-0.arrow').as_posix()}\n"
    )


def test_nothing_matches(tmp_path: Path) -> None:
    assert said(tmp_path, "crawl/*.parquet") == (
        "error[M500]: no file of documents matches `crawl/*.parquet`\n"
        " --> crawl/*.parquet\n"
        "  = help: relative paths are seen from the folder of the recipe\n"
    )
    about = 'The source of the recipe has `path = "crawl/*.parquet"`, and there is no folder `crawl`.'
    shown("M500", said(tmp_path, "crawl/*.parquet"), about=about, command="mixc scan recipe.mix")
    touch(tmp_path, "notes/a.md", "notes/b.md")
    assert "  = note: 2 other files found there, none of a known ending\n" in said(tmp_path, "notes")


def test_an_unknown_format(tmp_path: Path) -> None:
    touch(tmp_path, "dump.txt")
    about = 'The source of the recipe has `path = "*.txt"`.'
    shown("M501", said(tmp_path, "*.txt"), about=about, command="mixc scan recipe.mix")
    assert said(tmp_path, "*.txt") == (
        "error[M501]: the name of `dump.txt` does not say its format\n"
        " --> dump.txt\n"
        "  = note: known endings: .parquet, .jsonl, .jsonl.gz, .jsonl.zst, .arrow\n"
        "  = help: add `format = jsonl` or `format = parquet` to the source, or make the pattern narrower\n"
    )
