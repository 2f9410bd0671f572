"""Completion in shells: by the protocol that their scripts speak with `mixc`, and by the keys of a real shell."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb"}
M = "toy.manifest.json"
BASE = 'recipe base\nparam root = "data"\nparam share-of-en = 30%\n'


@pytest.fixture
def place(folder: Path) -> Path:
    """The folder of `toy.mix` with more that can be named."""
    (folder / "deep").mkdir()
    (folder / "deep" / "child.mix").write_text('recipe child extends "../base.mix"\nparam cooldown = 10%\n{{{ broken')
    (folder / "base.mix").write_text(BASE)
    (folder / "toy.manifest.json").write_text("{}")
    (folder / "notes.txt").write_text("")
    return folder


def asked(place: Path, line: str, shell: str = "bash") -> list[str]:
    """What `mixc` offers for a line typed so far, as the script of a shell asks it."""
    words = line.split(" ")
    question = {
        "_MIXC_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    before = sorted(place.rglob("*"))
    ran = subprocess.run(
        [BIN / "mixc"], cwd=place, env=ENVIRONMENT | question, capture_output=True, text=True, check=False, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert sorted(place.rglob("*")) == before
    return ran.stdout.split("\n")[:-1] if ran.stdout.strip() else []


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("mixc com", ["compile", "compare"]),
        ("mixc ne", ["new"]),
        ("mixc compile --loc", ["--locked"]),
        ("mixc check ", ["base.mix", "toy.mix", "deep/child.mix"]),
        ("mixc check d", ["deep/child.mix"]),
        ("mixc check deep/", ["deep/child.mix"]),
        ("mixc run ", ["toy.manifest.json"]),
        ("mixc diff toy.manifest.json ", ["toy.manifest.json"]),
        ("mixc export toy.manifest.json --to dat", ["data-juicer", "dataset-card", "datasets", "datatrove"]),
        ("mixc run toy.manifest.json --engine ", ["local", "ray"]),
        ("mixc check toy.mix --diagnostics c", ["concise"]),
        ("mixc explain M84", [f"M84{digit}" for digit in range(8)]),
        ("mixc explain to", ["tokenizer", "tokens", "tokens_per_byte", "tokens_per_word", "top_k", M]),
        ("mixc compile toy.mix --param ", ["size=", "size=1.2B"]),
        ("mixc compile deep/child.mix --param c", ["cooldown=", "cooldown=10%"]),
        ("mixc compile deep/child.mix --param s", ["share-of-en=", "share-of-en=30%"]),
        ("mixc compile base.mix --param ro", ["root="]),
        ("mixc compile --param ", []),
        ("mixc compile none.mix --param ", []),
        ("mixc check none/", []),
        ('mixc check "unclosed', []),
    ],
)  # fmt: skip
def test_what_is_offered(place: Path, line: str, offered: list[str]) -> None:
    assert asked(place, line) == offered


def test_other_shells_are_offered_the_same(place: Path) -> None:
    assert asked(place, "mixc check toy", "fish") == ["toy.mix"]
    assert asked(place, "mixc check toy", "zsh") == ["_arguments '*: :((\"toy.mix\"))'"]
    assert asked(place, "mixc check none/", "zsh") == ["_files"]


def test_what_cannot_be_read_offers_nothing(place: Path) -> None:
    os.mkfifo(place / "pipe.mix")
    (place / "big.mix").write_bytes(b"param x = 1\n" * 100_000)
    (place / "raw.mix").write_bytes(b"\xff\xfe\x00param x = 1\n")
    for name in ("pipe", "big", "raw"):
        assert asked(place, f"mixc compile {name}.mix --param ") == []


def test_nothing_is_loaded_for_it_in_a_usual_run(place: Path) -> None:
    code = "import sys; from mixc.compiler.cli.guard import guarded; guarded(['check', 'toy.mix']); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=True)
    assert "mixc.compiler.cli.check" in ran.stdout
    assert "mixc.compiler.cli.complete" not in ran.stdout


def test_a_shell_types_the_rest(place: Path) -> None:
    """Bash itself, with the script that `mixc` gives it; Tab stands at the end of what is typed."""
    bash = _shell("bash")
    script = place.parent / "complete.sh"
    script.write_text(_script(place, "bash"))
    typed = {
        "mixc chec\t": "mixc check ",
        "mixc check de\t": "mixc check deep/child.mix ",
        "mixc compile toy.mix --param s\t": "mixc compile toy.mix --param size=",
        "mixc export toy\t": "mixc export toy.manifest.json ",
        "mixc run toy.manifest.json -o no\t": "mixc run toy.manifest.json -o notes.txt ",
    }
    for keys, line in typed.items():
        shown = _keys([bash, "--norc", "--noprofile", "-i"], place, f"source '{script}'", keys)
        assert line in shown, shown


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_type_the_rest(place: Path, shell: str) -> None:
    path = _shell(shell)
    script = place.parent / f"complete.{shell}"
    script.write_text(_script(place, shell))
    start = f"source '{script}'" if shell == "fish" else f"autoload -Uz compinit; compinit -u -D; source '{script}'"
    options = ["-f", "-i"] if shell == "zsh" else ["--no-config", "-i"]
    assert "mixc check deep/child.mix" in _keys([path, *options], place, start, "mixc check de\t")


def _shell(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        assert os.environ.get("CI") != "true", f"{name} is not installed"
        pytest.skip(f"{name} is not installed: its completion was tested by the protocol alone")
    return path


def _script(place: Path, shell: str) -> str:
    environment = ENVIRONMENT | {"_MIXC_COMPLETE": f"source_{shell}"}
    ran = subprocess.run([BIN / "mixc"], cwd=place, env=environment, capture_output=True, text=True, check=True)
    assert "_MIXC_COMPLETE=complete_" in ran.stdout
    return ran.stdout


def _keys(command: list[str], place: Path, start: str, keys: str) -> str:
    """What a shell shows after a first command and then some keys, the last of which is Tab."""
    pid, end = pty.fork()
    if pid == 0:
        os.chdir(place)
        os.execve(command[0], command, ENVIRONMENT | {"PS1": "$ "})
    try:
        os.write(end, f"{start}; echo rea''dy\n".encode())
        _read(end, "ready\r\n", 30)
        os.write(end, keys.encode())
        return _read(end, "\0", 6)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(end)


def _read(end: int, words: str, patience: float) -> str:
    """What is shown until these words, or until nothing was shown for as long as completing may take."""
    seen, deadline = "", time.monotonic() + patience
    while words not in seen and time.monotonic() < deadline:
        if select.select([end], [], [], 0.2)[0]:
            seen += os.read(end, 4096).decode(errors="replace")
    return seen.replace("\a", "")
