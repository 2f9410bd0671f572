"""Every command with its arguments and options, as the application declares them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from mixc.compiler.cli.app import app
from pages.markdown import escaped, fenced


def commands() -> str:
    """The whole page."""
    root = typer.main.get_command(app)
    context = root.context_class(root, info_name="mixc")
    epilog = escaped(root.epilog or "")
    parts = ["# Commands", "`mixc COMMAND --help` prints the same.", epilog]
    for command, inner in _leaves(root, context):
        parts += [f"## `{inner.command_path}`", escaped(command.help or "")]
        parts.append(fenced(" ".join((inner.command_path, *command.collect_usage_pieces(inner))), "text"))
        parts += [_option(*record) for record in _records(command, inner)]
    return "\n\n".join(parts) + "\n"


# Typer carries a Click of its own, so commands and contexts have no type that can be named here.
def _leaves(command: Any, context: Any) -> Iterator[tuple[Any, Any]]:
    """Commands that do something, in the order of the help."""
    inner = getattr(command, "commands", None)
    if not inner:
        yield command, context
        return
    for name, below in inner.items():
        yield from _leaves(below, below.context_class(below, info_name=name, parent=context))


def _records(command: Any, context: Any) -> Iterator[tuple[str, str]]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in record[0]:
            yield record


def _option(name: str, text: str) -> str:
    """An entry of a definition list."""
    body = escaped(" ".join(text.split())) or "(nothing to say)"
    return f"`{' '.join(name.split())}`\n: {body}"
