"""Command lines that are read and not run, and the options that there are."""

from __future__ import annotations

import shlex
from functools import cache
from typing import Any

import typer

from mixc.compiler.cli.app import app


def parsed(line: str) -> None:
    """Find the command that `mixc …` names and read its arguments; a wrong one raises."""
    words = shlex.split(line, comments=True)[1:]
    command = _root()
    context = command.context_class(command, info_name="mixc")
    while inner := getattr(command, "commands", None):
        name = words.pop(0)
        assert name in inner, line
        command = inner[name]
        context = command.context_class(command, info_name=name, parent=context)
    command.parse_args(context, words)


def options() -> frozenset[str]:
    """The long options of all commands."""

    def below(command: Any) -> set[str]:
        own = {name for one in command.params for name in (*one.opts, *one.secondary_opts) if name.startswith("--")}
        return own.union(*(below(inner) for inner in getattr(command, "commands", {}).values()))

    return frozenset(below(_root()))


@cache
def _root() -> Any:
    return typer.main.get_command(app)
