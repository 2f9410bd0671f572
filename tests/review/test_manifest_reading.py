"""Everything that can be wrong with a manifest file: one diagnostic each, never a traceback."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from review_builder import small_manifest

from mixc.compiler.review import reading
from mixc.compiler.review.canonical import canonical, number
from mixc.compiler.review.manifest import manifest_text
from mixc.compiler.review.reading import parse_manifest, read_manifest
from tests.examples import shown

GOOD = manifest_text(small_manifest())


def edit(**changes: object) -> str:
    data = json.loads(GOOD)
    for path, value in changes.items():
        target, (*steps, last) = data, path.split("__")
        for step in steps:
            target = target[int(step) if step.isdigit() else step]
        target[int(last) if last.isdigit() else last] = value
    return json.dumps(data)


def dropped(key: str) -> str:
    data = json.loads(GOOD)
    del data[key]
    return json.dumps(data)


BAD = {
    "empty": ("", "M451", "it is empty"),
    "blank": (" \n\n", "M451", "it is empty"),
    "cut in the middle": (GOOD[: len(GOOD) // 2], "M451", "it ends in the middle"),
    "cut before the end": (GOOD.rstrip()[:-1], "M451", "it ends in the middle"),
    "prose": ("recipe toy\n", "M451", "it is not JSON from here on"),
    "a list": ("[]", "M451", "holds no JSON object"),
    "a number of many digits": ("1" * 5000, "M451", "thousands of digits"),
    "nested": ("[" * 200_000, "M451", "nested deeper"),
    "half a character": (json.dumps({"schema": "\ud800"}), "M451", "half a character"),
    "conflict": (GOOD.replace("\n", "\n<<<<<<< HEAD\n", 1), "M452", "conflict markers"),
    "another tool's JSON": ('{"schema": "x"}', "M453", "no name"),
    "another schema": (edit(schema__name="dbt"), "M453", "`dbt`"),
    "newer": (edit(schema__version=2), "M454", "version 2"),
    "unknown key": (edit(extra=1), "M455", "`extra` is not a key"),
    "unknown key inside": (edit(languages__0__colour="red"), "M455", "`languages[0].colour`"),
    "missing key": (dropped("budget"), "M455", "`budget` is missing"),
    "text for a number": (edit(budget__tokens="many"), "M455", '`budget.tokens` holds "many"'),
    "negative tokens": (edit(budget__tokens=-3), "M455", "`budget.tokens` holds -3"),
    "huge integer": (edit(budget__tokens=10**30), "M455", "`budget.tokens`"),
    "infinite": (GOOD.replace('"params": 1200000000.0', '"params": 1e999'), "M455", "`budget.params`"),
    "NaN": (GOOD.replace('"params": 1200000000.0', '"params": NaN'), "M455", "`NaN`"),
    "key twice": (GOOD.replace('"runnable": false', '"runnable": false, "runnable": true'), "M455", "twice"),
    "another strategy": (edit(strategy__name="magic"), "M455", "`strategy.name` must be"),
    "lists of unequal length": (edit(supply__0__low=[0.0]), "M455", "differ in length"),
    "supply of no language": (edit(supply__0__language="xx"), "M455", "not listed"),
    "a row twice": (edit(languages__0__code="en"), "M455", "listed twice"),
    "mixture of nothing": (edit(mixture__0__language="xx"), "M455", "not listed"),
    "edited": (edit(languages__0__priority=9.0), "M456", "changed after it was compiled"),
    "edited share": (edit(mixture__0__share=0.2), "M456", "changed after it was compiled"),
}


ABOUT = {
    "conflict": "A merge left `<<<<<<< HEAD` in the manifest.",
    "another schema": "The file is a manifest of another tool.",
    "newer": 'The manifest says `"version": 2` of its schema.',
    "negative tokens": 'The budget of the manifest says `"tokens": -3`.',
    "edited": "Somebody set the priority of a language to 9 in the manifest.",
}


@pytest.mark.parametrize("case", BAD)
def test_one_diagnostic_for_one_mistake(case: str) -> None:
    text, code, words = BAD[case]
    manifest, found = parse_manifest("x.manifest.json", text.encode())
    assert manifest is None
    assert [d.code for d in found] == [code]
    assert words in found[0].message
    assert "x.manifest.json" in found[0].place
    if case in ABOUT:
        shown(code, found, about=ABOUT[case], command="mixc explain x.manifest.json")


def test_reformatting_is_no_edit() -> None:
    manifest, found = parse_manifest("x", json.dumps(json.loads(GOOD), indent=8).encode())
    assert manifest == small_manifest()
    assert not found


def test_force_reads_an_edit_with_a_warning() -> None:
    manifest, found = parse_manifest("x", edit(languages__0__priority=9.0).encode(), force=True)
    assert manifest is not None
    assert [(d.code, d.severity) for d in found] == [("M456", "warning")]


def test_bytes_that_are_not_utf8() -> None:
    _, found = parse_manifest("x", b'{"a": "\xff"}')
    assert "byte 7 is not UTF-8" in found[0].message


@pytest.mark.parametrize("name", ["nowhere.json", ".", "a\0b", "x" * 5000])
def test_files_that_cannot_be_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    manifest, found = read_manifest(name)
    assert manifest is None
    assert [d.code for d in found] == ["M450"]


def test_a_file_larger_than_any_manifest_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 100)
    path = tmp_path / "big.json"
    path.write_text(GOOD)
    shown(
        "M457",
        read_manifest(str(path))[1],
        about="A file of data; the limit, 256 MiB, was lowered.",
        command="mixc explain big.json",
        at=tmp_path,
    )


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.json").write_text(GOOD)
    commit = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"]
    for command in (["init", "-q"], ["add", "m.json"], commit):
        subprocess.run(["git", *command], check=True, cwd=tmp_path)
    return tmp_path


def test_a_manifest_out_of_git(repository: Path) -> None:
    assert read_manifest("HEAD:m.json") == (small_manifest(), [])


@pytest.mark.parametrize("revision", ["HEAD~9:m.json", "HEAD:other.json", "--output=x:y", "HEAD:", "no-such:m.json"])
def test_what_git_does_not_have(repository: Path, revision: str) -> None:
    manifest, found = read_manifest(revision)
    assert manifest is None
    assert found[0].code in ("M467", "M450")
    if revision == "HEAD:other.json":
        shown("M467", found, command="mixc explain HEAD:other.json")
    assert sorted(p.name for p in repository.iterdir()) == [".git", "m.json"]


def test_outside_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert [d.code for d in read_manifest("HEAD:m.json")[1]] == ["M467"]


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in read_manifest("HEAD:m.json")[1][0].message


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1 + 0.2, "0.30000000000000004"), (1e-6, "0.000001"), (3e21, "3e+21"), (-0.0, "0.0"), (4.0, "4.0"), (7, "7")],
)
def test_one_text_for_one_number(value: float, text: str) -> None:
    assert number(value) == text
    assert json.loads(text) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_that_json_does_not_have(value: float) -> None:
    with pytest.raises(ValueError, match="no place"):
        canonical({"a": value})
