"""Pages that show commands: blocks of files to write and of commands with what they print, run in order in one folder.

A page holds
- ```` ```{code-block} LANGUAGE ```` with `:caption: FILE`: the file, as the reader saves it;
- ```` ```console ````: `$ COMMAND` lines and what they print. `$ $EDITOR FILE  # OLD -> NEW` is an edit by hand.
- ```` ```sh ````: commands that succeed; what they print does not matter. What the tests do not run says so in the
  first line of its block, with the reason: `# not run by the tests: it installs packages`. `make` is looked up.

With `MIXC_UPDATE_GOLDEN=1` what commands print is written into the page.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.cli import forked

BLOCK = re.compile(r"^```(?P<head>\{code-block\} \S+|\S+)\n(?P<body>.*?)^```$", re.S | re.M)
CAPTION = re.compile(r":caption: (\S+)\n(?::\w+:.*\n)*\n?")
EDIT = re.compile(r"\$EDITOR (\S+)  # (.*) -> (.*)")
PLAIN = re.compile(r"mixc (?!scan|run|verify|score|lsp)[^|&;<>$]*?")  # of what starts no processes of its own
PIPED = re.compile(rf"({PLAIN.pattern}) \| (head|tail) -(?:n )?(\d+)")
PROGRESS = re.compile(r"^[a-z ]+: \d+%.*\n", re.M)  # told only of what takes long
UNRUN = re.compile(r"# not run by the tests: (.+)\n")
MAKE = re.compile(r"(make [a-z-]+( [A-Z]+=\S+)*\s*(#.*)?\n)+")
CONTINUED = re.compile(r" *\\\n\s*")
TINY = re.compile(r"\d(\.\d+)?e-\d+")  # proofs and residuals, whose digits differ between machines
PERSON = {f"GIT_{role}_{what}": "mixc@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
Runner = Callable[[str, Path, tuple[int, ...]], str]  # command, folder, exit codes that are fine


@dataclass(frozen=True)
class Replayed:
    """A page whose commands ran: its text, the same with what they print now, and how many there were."""

    text: str
    now: str
    commands: int

    @property
    def same(self) -> bool:
        """Whether the page shows what its commands print."""
        return TINY.sub("tiny", self.now) == TINY.sub("tiny", self.text)


def run(command: str, folder: Path, codes: tuple[int, ...] = (0, 1, 2)) -> str:
    """What a command prints, diagnostics included; what only needs `mixc` runs in a copy of this process."""
    if PLAIN.fullmatch(command):
        done = forked.run(tuple(shlex.split(command)[1:]), folder, together=True)
        assert done.code in codes, f"{command}\n{done.out}"
        return done.out
    if piped := PIPED.fullmatch(command):
        done = forked.run(tuple(shlex.split(piped[1])[1:]), folder)
        assert done.code in (0, 1, 2), done.err
        lines = done.out.splitlines(keepends=True)
        count = int(piped[3])
        return done.err + "".join(lines[:count] if piped[2] == "head" else lines[-count:])
    return in_shell(command, folder, codes)


def in_shell(command: str, folder: Path, codes: tuple[int, ...] = (0, 1, 2)) -> str:
    """What a command prints in a shell of its own, diagnostics included."""
    if edit := EDIT.fullmatch(command):
        return edited(folder / edit[1], edit[2], edit[3])
    if command.startswith("cd "):
        return ""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    ran = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**os.environ, **PERSON, "PATH": programs},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode in codes, f"{command}\n{ran.stdout}"
    return PROGRESS.sub("", ran.stdout)


def edited(path: Path, old: str, new: str) -> str:
    """An edit by hand: every `old` becomes `new`, and there is one."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} does not hold {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return ""


def replay(page: Path, folder: Path, runner: Runner = run) -> Replayed:
    """Write the files and run the commands of a page in a folder, in order."""
    count = 0

    def shown(block: re.Match[str]) -> str:
        nonlocal count
        if block["head"].startswith("{code-block}"):
            if caption := CAPTION.match(block["body"]):
                saved(folder / caption[1], block["body"][caption.end() :])
            return block.group()
        if block["head"] == "sh":
            for command in run_lines(block["body"]):
                runner(command, folder, (0,))
                count += 1
        if block["head"] != "console":
            return block.group()
        commands = [line for line in block["body"].splitlines() if line.startswith("$ ")]
        count += len(commands)
        printed = "".join(f"{command}\n{runner(command[2:], folder, (0, 1, 2))}" for command in commands)
        return f"```console\n{printed}```"

    text = page.read_text(encoding="utf-8")
    return Replayed(text, BLOCK.sub(shown, text), count)


def run_lines(body: str) -> list[str]:
    """The commands of a block of `sh` that the tests run, without comments."""
    if UNRUN.match(body) or MAKE.fullmatch(body):
        return []
    lines = [re.sub(r"\s+#.*", "", line) for line in CONTINUED.sub(" ", body).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def saved(path: Path, text: str) -> None:
    """A file as a reader saves it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def compared(page: Path, folder: Path, runner: Runner = run) -> Replayed:
    """Replay a page; it shows what its commands print, or is made to."""
    replayed = replay(page, folder, runner)
    if os.environ.get("MIXC_UPDATE_GOLDEN"):
        page.write_text(replayed.now, encoding="utf-8")
    elif not replayed.same:
        assert TINY.sub("tiny", replayed.now) == TINY.sub("tiny", replayed.text)
    return replayed
