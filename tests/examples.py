"""Examples of diagnostics, recorded where a test meets them: what was there, and what mixc says of it.

`shown("M710", said, …)` in a test compares the diagnostic with `tests/cases/shown/M710.txt`, a transcript that the
page of the code shows. MIXC_UPDATE_GOLDEN=1 writes it; read what it wrote. A code has one example.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.render import render

SHOWN: Final = Path(__file__).parent / "cases" / "shown"
TALLEST, WIDEST = 8, 150  # lines and columns of a file in an example; recipes are shown whole
# What is not the same twice, as it is written instead.
UNSTEADY: Final = ((re.compile(r"(127\.0\.0\.1|localhost):\d+"), r"\1:6379"),)
# What others say, and say otherwise in their next version: shown, and not compared.
QUOTED: Final = re.compile(r"( says: | reason: ).*$", re.M)
LONG: Final = re.compile(r"(\d\.\d{4})\d{3,}")  # digits of a number that a reader passes over
NUMBER: Final = re.compile(r"\b[0-9a-f]{12,}\b|\d+(?:[.,]\d+)*(?:e[+-]?\d+)?")


def shown(
    code: str,
    said: str | Diagnostic | Iterable[Diagnostic],
    *,
    about: str = "",
    files: Iterable[Path] = (),
    command: str = "",
    at: Path | None = None,
    numbers: bool = True,
) -> None:
    """Compare the first diagnostic of `code` in `said`, what was printed or is to be, with the code's example.

    A reader must see what was wrong: a sentence `about` it, `files` that are texts, the `command` that met it; one of
    them at least. Names are shown below the folder `at`. `numbers=False` where digits or hashes depend on the machine.
    """
    assert about or files or command, "an example says what was there"
    listed = [said] if isinstance(said, Diagnostic) else said
    printed = listed if isinstance(listed, str) else render(listed, "full")
    parts = [f"# {about}\n"] * bool(about)
    parts += [f"$ cat {_below(path, at)}\n{_cropped(path)}" for path in files]
    parts += [f"$ {command}\n"] * bool(command)
    text = _steady("".join((*parts, _first(code, printed))), at)
    path = SHOWN / f"{code}.txt"
    recorded = path.read_text(encoding="utf-8") if path.is_file() else ""
    if os.environ.get("MIXC_UPDATE_GOLDEN") and _words(recorded, numbers) != _words(text, numbers):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    assert recorded, f"{code} has no example: run with MIXC_UPDATE_GOLDEN=1 and read {path.name}"
    assert _words(text, numbers) == _words(recorded, numbers)


def _first(code: str, printed: str) -> str:
    """The first diagnostic of a code among those that were printed, without what follows it."""
    found = re.search(rf"^(?:error|warning)\[{code}\].*\n(?:(?: |\d+ \||…|\.\.\.).*\n)*", printed, re.M)
    assert found is not None, f"{code} is not in:\n{printed}"
    return found.group()


def _cropped(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    count = len(lines) if path.suffix == ".mix" else TALLEST
    short = [LONG.sub(r"\1…", line) for line in lines[:count]]
    kept = [line if len(line) <= WIDEST else f"{line[: WIDEST - 2]} …" for line in short]
    more = [f"… ({len(lines)} lines in all)"] * (len(lines) > count)
    return "".join(f"{line}\n" for line in (*kept, *more))


def _below(path: Path, at: Path | None) -> str:
    return path.relative_to(at).as_posix() if at is not None and path.is_relative_to(at) else path.name


def _steady(text: str, at: Path | None) -> str:
    if at is not None:
        text = text.replace(f"{at}/", "").replace(str(at), ".")
    for pattern, instead in UNSTEADY:
        text = pattern.sub(instead, text)
    return text


def _words(text: str, numbers: bool) -> str:
    """What is compared of an example."""
    text = QUOTED.sub(r"\1", text)
    return text if numbers else NUMBER.sub("0", text)
