"""What surrounds every command: crashes, Ctrl-C, a reader that went away, and the completeness of the manual."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran

from mixc.compiler.cli.guard import guarded
from mixc.compiler.pages import all_pages

Mixc = Callable[..., Ran]
ROOT = Path(__file__).parents[2]


def crash(*_: object, **__: object) -> None:
    raise LookupError("boom")


def test_a_crash_says_that_it_is_a_bug(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mixc.compiler.pipeline.run_passes", crash)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    assert guarded(["check", str(folder / "toy.mix")]) == 70
    said = capsys.readouterr()
    assert said.out == ""
    assert "this is a bug in mixc, not in your input: boom" in said.err
    assert "Traceback" not in said.err
    (written,) = folder.glob("mixc-bug-*.txt")
    assert "LookupError: boom" in written.read_text()


def test_debug_shows_the_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mixc.compiler.pipeline.run_passes", crash)
    assert guarded(["check", "x.mix", "--debug"]) == 70
    assert "LookupError: boom" in capsys.readouterr().err


def test_ctrl_c_leaves_nothing_behind(folder: Path) -> None:
    code = (
        "import os, sys, time\n"
        "def wait(_):\n"
        "    print('writing', flush=True); time.sleep(60)\n"
        "os.fsync = wait\n"
        "from mixc.compiler.cli import main\n"
        "sys.argv = ['mixc', 'compile', 'toy.mix']; main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "interrupted" in err
    assert "Traceback" not in err
    assert [path.name for path in folder.iterdir()] == ["toy.mix"]


def test_a_reader_that_went_away_is_no_error_message(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mixc", "schema"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 141


def test_every_code_in_the_source_has_a_page() -> None:
    found = {
        code
        for folder in ("dsl", "compiler")
        for path in (ROOT / folder).rglob("*.py")
        for code in re.findall(r'^@page\("(M\d+)"\)', path.read_text(), re.MULTILINE)
    }
    pages = all_pages()
    assert found <= pages.keys()
    for code in sorted(found):
        assert re.fullmatch(r"M\d{3}", code)
        assert pages[code].title
        assert pages[code].text, f"{code} has a title and nothing more"
