"""What surrounds every command: crashes, Ctrl-C, a reader that went away, and the completeness of the manual."""

from __future__ import annotations

import errno
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mixc.compiler.cli.guard import guarded
from mixc.compiler.pages import all_pages
from tests.cli.ran import Ran
from tests.examples import shown
from tests.selection.pool import plain_pool

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


@pytest.mark.parametrize(("number", "code"), [(errno.EMFILE, 1), (errno.ENOSPC, 1), (errno.EISDIR, 70)])
def test_only_what_the_system_lacks_is_a_refusal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number), "here")

    monkeypatch.setattr("mixc.compiler.pipeline.run_passes", refuse)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    assert guarded(["check", "x.mix"]) == code
    said = capsys.readouterr().err
    assert ("this is a bug" in said) == (code == 70)
    assert os.strerror(number).lower() in said.lower()


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


def shell(folder: Path, command: str) -> Ran:
    """Run a line of a shell in which `mixc` is this one."""
    line = f'mixc() {{ {shlex.quote(sys.executable)} -m mixc "$@"; }}; {command}'
    result = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return Ran(result.returncode, result.stdout, result.stderr)


# Whoever may do everything gives that up; others have nothing to give.
AS_OTHERS = f"setpriv --bounding-set -all --inh-caps -all {sys.executable} -m mixc" if os.geteuid() == 0 else "mixc"
FULL = "mixc: cannot print: no space left on device\n"
CLOSED = "mixc: cannot print: standard output is closed\n"
REFUSED = (
    "error[M469]: the system refuses to go on: no space left on device\n"
    "  = help: run the command again once the system allows it: what was finished is kept\n"
)
GONE = "mixc: the current folder does not exist any more: change to another one\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("mixc check toy.mix > /dev/full", FULL),
        ("mixc compile toy.mix > /dev/full", FULL),
        ("mixc --help > /dev/full", REFUSED),
        ("mixc check toy.mix >&-", CLOSED),
        ("mixc compile toy.mix >&-", CLOSED),
        ("mkdir gone; cd gone; rmdir ../gone; mixc check toy.mix", GONE),
    ],
)
def test_what_the_system_refuses_is_no_bug(folder: Path, command: str, said: str) -> None:
    assert shell(folder, command) == Ran(1, "", said)
    if said == REFUSED:
        shown("M469", said, about=f"`{command}`: there is never room in that file.")


@pytest.mark.parametrize(
    ("command", "place", "why"),
    [
        ("touch .mixc; mixc scan pool.mix --workers 1", ".mixc/open", "not a directory"),
        ("ln -s loop .mixc; ln -s .mixc loop; mixc scan pool.mix --workers 1", ".mixc/", "too many levels"),
        (f"chmod 555 .; {AS_OTHERS} scan pool.mix --workers 1", ".mixc", "permission denied"),
        (
            f"mixc scan pool.mix --workers 1; chmod 0 .mixc/tables/*; {AS_OTHERS} scan pool.mix --workers 1",
            ".mixc/tables/",
            "permission denied",
        ),
    ],
)
def test_where_the_system_refuses_is_told(tmp_path: Path, command: str, place: str, why: str) -> None:
    """Of what scanning remembers, too: Arrow, which opens most of it, says the place in its words."""
    plain_pool(tmp_path)
    ran = shell(tmp_path, command)
    assert ran.code == 1
    assert re.search(rf"error\[M469\]: the system refuses to go on: {why}.*\n --> {tmp_path}/{place}", ran.err), ran.err


def test_without_standard_error_the_exit_code_tells(folder: Path) -> None:
    assert shell(folder, "mixc check toy.mix 2>&-") == Ran(0, "toy.mix: fine\n", "")
    assert shell(folder, "mixc check nowhere.mix 2>&-") == Ran(1, "", "")
    assert shell(folder, "mixc check nowhere.mix 2> /dev/full").code == 1


@pytest.mark.parametrize("command", ["check x.mix", "compile x.mix", "fmt .", "diff x.mix toy.mix", "compile fed.mix"])
def test_a_named_pipe_is_not_waited_for(folder: Path, command: str) -> None:
    os.mkfifo(folder / "x.mix")
    text = (folder / "toy.mix").read_text()
    fed = re.sub(r"supply = .*", 'supply = "x.mix"', text)
    (folder / "fed.mix").write_text(fed)
    ran = shell(folder, f"mixc {command}")
    assert ran.code == 1
    assert "it is a named pipe" in ran.err


def test_the_pipe_of_a_shell_is_read(folder: Path) -> None:
    ran = shell(folder, "mixc check <(cat toy.mix)")
    assert (ran.code, ran.err) == (0, "")


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
