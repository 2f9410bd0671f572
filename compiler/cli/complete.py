"""What a shell offers while a command is typed: recipes, manifests, params, exporters, codes.

typer speaks with the shells (`mixc --show-completion`) and knows commands and options. Here every argument of the
commands is given what belongs there, by what its help calls it; where nothing is offered, shells offer files. Nothing
is written, and a failure offers nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

MANIFEST, RECIPE = ".manifest.json", ".mix"
DEPTH, MOST = 3, 200  # folders below the one that is typed, and files, that are offered
LOOKED_AT = 2000  # entries of folders: completing must not wait for a large tree
PAGE = re.compile(rb'^@page\("(M\d{3})"\)', re.MULTILINE)
PARAM = re.compile(r"^[ \t]*(?:override[ \t]+)?param[ \t]+([\w-]+)[ \t]*=[ \t]*([^\n#]*)", re.MULTILINE)
EXTENDS = re.compile(r'^[ \t]*recipe[ \t]+\S+[ \t]+extends[ \t]+"([^"\\]+)"', re.MULTILINE)
VALUE = re.compile(r"[\w.%-]+")
LARGEST = 1_000_000
CHAIN = 8  # recipes that extend each other


@dataclass(frozen=True, slots=True)
class Offer:
    """One word that fits, in the form that typer's shells read."""

    value: str
    help: str | None = None
    type: str = "plain"


Source = Callable[[Any, str], Iterable[str]]


def answer() -> int:
    """Tell the shell what fits at the cursor; always 0."""
    with contextlib.suppress(Exception, SystemExit, KeyboardInterrupt), _quiet():
        from typer.main import get_command

        from mixc.compiler.cli.app import app

        command = get_command(app)
        for one in _commands(command):
            for param in one.params:
                source = _source(param)
                if source is not None:
                    param.shell_complete = _completer(source)
        command(args=[], standalone_mode=False, prog_name="mixc")
    return 0


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drop what would be said on stderr, in the middle of a line that somebody types."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
        yield
    sys.stdout.flush()


def _commands(command: Any) -> Iterator[Any]:
    yield command
    for one in getattr(command, "commands", {}).values():
        yield from _commands(one)


def _completer(source: Source) -> Callable[[Any, str], list[Offer]]:
    def complete(context: Any, typed: str) -> list[Offer]:
        return [Offer(word) for word in source(context, typed)]

    return complete


def _source(param: Any) -> Source | None:
    """What is offered for an argument or option, by its name and by what its help calls it; None leaves it to typer."""
    called = str(param.metavar or "")
    if "--param" in param.opts:
        return params
    if "--to" in param.opts:
        return lambda _, typed: _registered("export-", typed)
    if "--engine" in param.opts:
        return lambda _, typed: _registered("executor-", typed)
    if "CODE" in called.split("|"):
        return explained
    if called.startswith("RECIPE"):
        return lambda _, typed: files(typed, RECIPE)
    if called.startswith("MANIFEST") or called in ("OLD", "NEW", "A", "B"):
        return lambda _, typed: files(typed, MANIFEST)
    return None


def files(typed: str, ending: str) -> list[str]:
    """Files whose path begins with what is typed and ends so, also in folders below; sorted, the nearest first."""
    folder, _, start = typed.rpartition("/")
    top = Path(f"{folder}/" if typed.startswith("/") else folder or ".").expanduser()
    before = f"{folder}/" if "/" in typed else ""
    found: list[tuple[int, str]] = []
    left = LOOKED_AT
    waiting = [(top, before, 0)]
    while waiting and left > 0 and len(found) < MOST:
        place, prefix, depth = waiting.pop(0)
        with contextlib.suppress(OSError), os.scandir(place) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                left -= 1
                if left <= 0:
                    break
                if not depth and not entry.name.startswith(start):
                    continue
                if entry.name.startswith((".", "__")) and not (start.startswith(".") and not depth):
                    continue
                if entry.is_dir():
                    if depth < DEPTH:
                        waiting.append((Path(entry.path), f"{prefix}{entry.name}/", depth + 1))
                elif entry.name.endswith(ending):
                    found.append((depth, f"{prefix}{entry.name}"))
    return [path for _, path in sorted(found)][:MOST]


def params(context: Any, typed: str) -> list[str]:
    """`NAME=` of every param of the recipe that stands in the line, and beside it the value it has there."""
    given = next((str(one) for key, one in context.params.items() if key == "recipe" and one), None)
    words = given or next((one for one in context.args if str(one).endswith(RECIPE)), None)
    if words is None:
        return []
    found: list[str] = []
    for name, value in _params_of(Path(words)).items():
        plain = VALUE.match(value)
        found += [f"{name}=", *([f"{name}={plain[0]}"] if plain else [])]
    return [one for one in found if one.startswith(typed)]


def _params_of(path: Path) -> dict[str, str]:
    """Params and their values, of a recipe and of those that it extends; a broken recipe has those that can be told."""
    found: dict[str, str] = {}
    for _ in range(CHAIN):
        if not path.is_file() or path.stat().st_size > LARGEST:
            break
        text = path.read_text(encoding="utf-8", errors="replace")
        for match in PARAM.finditer(text):
            found.setdefault(match[1], match[2].strip())
        parent = EXTENDS.search(text)
        if parent is None:
            break
        path = path.parent / parent[1]
    return found


def _registered(prefix: str, typed: str) -> list[str]:
    from mixc.compiler.registry import names

    found = (name.removeprefix(prefix) for name in names() if name.startswith(prefix))
    return sorted(name for name in found if name.startswith(typed))


def explained(_: Any, typed: str) -> list[str]:
    """Codes once an `M` is typed, words of the language, and manifests."""
    if re.fullmatch(r"[Mm]\d{0,3}", typed):
        return [code for code in sorted(_codes()) if code.startswith(typed.upper())]
    from mixc.compiler.reference import topics

    return [*(word for word in topics() if word.startswith(typed)), *files(typed, MANIFEST)]


def _codes() -> set[str]:
    """Every code that a source claims: importing all of them takes seconds, reading them does not."""
    found: set[str] = set()
    for package in ("mixc.dsl", "mixc.compiler", "mixc.backends"):
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations if spec else None) or ():
            for path in Path(folder).rglob("*.py"):
                found |= {code.decode() for code in PAGE.findall(path.read_bytes())}
    return found
