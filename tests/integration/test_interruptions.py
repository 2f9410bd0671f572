"""Ctrl-C, a request to terminate, a full disk and a read-only one, met by a real `python -m mixc`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from mixc.compiler.cli.guard import guarded
from mixc.compiler.review.output import write_together
from tests.models import absent
from tests.mounting import may_mount

ROOT = Path(__file__).parents[2]
MIXC = (sys.executable, "-m", "mixc")
WRITTEN = ["x.lock", "x.manifest.json"]
SIGNALS = {signal.SIGINT: (130, "mixc: interrupted\n"), signal.SIGTERM: (143, "mixc: terminated\n")}
MOMENTS = (0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97)
PATIENCE = 120.0


@dataclass(frozen=True)
class Ended:
    code: int  # as a shell reports it: 128 + n where signal n killed the process
    out: str
    err: str
    seconds: float  # from the moment that mixc handles signals


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def handles(pid: int, number: int) -> bool:
    """Whether the process has a handler of its own for the signal, as only mixc installs one for SIGTERM."""
    caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return caught is not None and bool(int(caught.group(1), 16) >> (number - 1) & 1)


def compile_polyglot61(folder: Path, number: int | None, after: float, disposition: object = signal.SIG_DFL) -> Ended:
    """Compile into the folder; send the signal so many seconds after mixc began to handle signals."""
    process = subprocess.Popen(
        [*MIXC, "compile", "recipes/polyglot61.mix", "-o", str(folder / "x.manifest.json")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # The background of a script ignores Ctrl-C, and whatever it starts inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, disposition),  # type: ignore[arg-type]
    )
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and not handles(process.pid, signal.SIGTERM) and time.monotonic() < deadline:
        time.sleep(0.002)
    start = time.monotonic()
    if number is not None:
        time.sleep(after)
        process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    code = process.returncode
    return Ended(code if code >= 0 else 128 - code, out, err, time.monotonic() - start)


@pytest.fixture(scope="module")
def duration(tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds that an undisturbed compile takes here and now."""
    if not Path("/proc/self/status").exists():
        pytest.skip("NOT TESTED: without /proc nothing says when mixc begins to handle signals")
    ended = compile_polyglot61(tmp_path_factory.mktemp("undisturbed"), None, 0.0)
    assert (ended.code, ended.err) == (0, "")
    return ended.seconds


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_at_any_moment(tmp_path: Path, duration: float, number: signal.Signals, moment: float) -> None:
    ended = compile_polyglot61(tmp_path, number, moment * duration)
    code, line = SIGNALS[number]
    if names(tmp_path) == WRITTEN:  # too late to prevent anything
        assert ended.code in (0, code)
        assert ended.err in ("", line)
    else:
        assert (ended.code, ended.out, ended.err, names(tmp_path)) == (code, "", line, [])


def test_a_signal_ignored_from_the_start_stays_ignored(tmp_path: Path, duration: float) -> None:
    ended = compile_polyglot61(tmp_path, signal.SIGINT, 0.2 * duration, signal.SIG_IGN)
    assert (ended.code, ended.err, names(tmp_path)) == (0, "", WRITTEN)


@pytest.mark.parametrize("number", SIGNALS)
def test_extension_modules_that_turn_a_signal_into_another_error(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(*_: object) -> NoReturn:
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt as error:
            raise SystemError("initialization failed") from error
        raise AssertionError("the signal was not heeded")

    before = signal.getsignal(number)
    monkeypatch.setattr("mixc.compiler.pipeline.run_passes", load)
    code, line = SIGNALS[number]
    assert guarded(["check", "toy.mix"]) == code
    assert capsys.readouterr() == ("", line)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_where_python_drops_what_is_raised(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Finalised:
        def __del__(self) -> None:
            signal.raise_signal(number)

    def load(*_: object) -> NoReturn:
        Finalised()
        time.sleep(PATIENCE)
        raise AssertionError("the signal was dropped")

    hook = sys.unraisablehook
    monkeypatch.setattr("mixc.compiler.pipeline.run_passes", load)
    code, line = SIGNALS[number]
    assert guarded(["check", "toy.mix"]) == code
    assert capsys.readouterr() == ("", line)
    assert sys.unraisablehook is hook


def test_no_signal_comes_between_files_that_belong_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def interrupted(path: Path, target: Path) -> Path:
        os.kill(os.getpid(), signal.SIGINT)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            write_together({tmp_path / name: b"new" for name in WRITTEN})
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert names(tmp_path) == WRITTEN


def unshare() -> Sequence[str]:
    """The command that runs another where it may mount; skips the test where none works, and fails it in CI."""
    command = may_mount()
    if not command:
        absent("NOT TESTED: this user may not mount, so neither a full disk nor a read-only one was tried")
    return command


def compile_onto(folder: Path, options: str, prepare: str) -> tuple[str, list[str]]:
    """Compile polyglot17 onto a file system of its own; what went to stderr, and the files left there."""
    (folder / "disk").mkdir()
    script = f"""
        mount -t tmpfs -o {options} none disk && {prepare} || exit 99
        "$@"
        echo code $?
        grep -H . disk/* || true
        ls -A disk
    """
    recipe = str(ROOT / "recipes" / "polyglot17.mix")
    ran = subprocess.run(
        [*unshare(), "sh", "-c", script, "sh", *MIXC, "compile", recipe, "-o", "disk/x.manifest.json"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    code, *left = ran.stdout.splitlines()
    assert code == "code 1"
    return ran.stderr, left


@pytest.mark.parametrize("size", ["4k", "16k", "exactly the manifest"])
def test_a_full_disk(tmp_path: Path, size: str) -> None:
    if not size.endswith("k"):  # then there is room for the manifest, and none for the lock
        size = str((ROOT / "recipes" / "polyglot17.manifest.json").stat().st_size)
    name = "x.lock" if size.isdigit() else "x.manifest.json"
    said, left = compile_onto(tmp_path, f"size={size}", "true")
    assert said.startswith(f"error[M459]: no room to write `disk/{name}`: it needs ")
    assert "help: make room, or write elsewhere with `-o PATH`; nothing was changed" in said
    assert left == []


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    said, left = compile_onto(tmp_path, "size=16k", "echo old > disk/x.manifest.json")
    assert said.startswith("error[M459]")
    assert left == ["disk/x.manifest.json:old", "x.manifest.json"]


def test_a_read_only_folder(tmp_path: Path) -> None:
    said, left = compile_onto(tmp_path, "size=1m", "echo old > disk/x.lock && mount -o remount,ro disk")
    assert said.startswith("error[M458]: cannot write `disk/x.manifest.json`: read-only file system\n")
    assert "help: write elsewhere with `-o PATH`; nothing was changed" in said
    assert left == ["disk/x.lock:old", "x.lock"]
