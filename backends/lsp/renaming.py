"""Where a name stands in all recipes of the workspace that know it, and what it may be called instead."""

from __future__ import annotations

import re
from pathlib import Path

from mixc.backends.lsp.explaining import named_at
from mixc.backends.lsp.workspace import TooMany, Workspace
from mixc.compiler.front.kinds import RESERVED
from mixc.compiler.front.occurrences import Occurrence, Symbol
from mixc.dsl.driver import keywords
from mixc.dsl.table import load_table


class Refused(Exception):
    """Why a name cannot be changed, in a sentence."""


def everywhere(workspace: Workspace, symbol: Symbol) -> list[Occurrence]:
    """Every place where a name stands, each once, in the order of files and text. Raises Refused for too many files."""
    found: dict[tuple[str, int], Occurrence] = {}
    for root in _related(workspace, symbol):
        for one in workspace.names(root):
            if one.symbol == symbol:
                found.setdefault((one.path, one.span.offset), one)
    return [found[key] for key in sorted(found)]


def _related(workspace: Workspace, symbol: Symbol) -> list[Path]:
    try:
        return workspace.related(Path(symbol.home))
    except TooMany as error:
        raise Refused(f"{error}: open the folder of these recipes alone") from None


def renameable(workspace: Workspace, path: Path, offset: int) -> Occurrence:
    """The name at an offset, if it is one that people chose."""
    one = named_at(workspace, path, offset)
    if one is None:
        raise Refused("no name of the recipe stands here")
    if one.symbol.kind == "language":
        raise Refused(f"`{one.symbol.name}` is the code of a language, not a name that can be changed")
    return one


def renamed(workspace: Workspace, path: Path, offset: int, new: str) -> list[tuple[Occurrence, str]]:
    """Every place to change, with the text that comes there. Raises Refused where the name cannot be had."""
    one = renameable(workspace, path, offset)
    places = everywhere(workspace, one.symbol)
    bare = (
        re.fullmatch(load_table().patterns["NAME"], new) is not None
        and new.upper() not in keywords()
        and new not in ("true", "false")
    )
    if not bare and not all(place.quoted for place in places):
        raise Refused(f"`{new}` is no name: names are letters, digits, `_` and `-`, and no word of the language")
    if '"' in new or "\\" in new or "\n" in new or not new.strip():
        raise Refused("a name holds neither quotes nor backslashes")
    if new in RESERVED:
        raise Refused(f"`{new}` has a meaning of its own")
    for root in _related(workspace, one.symbol):
        for other in workspace.names(root):
            if other.symbol.name == new and other.symbol != one.symbol and other.role != "use":
                raise Refused(f"`{new}` is already a {other.symbol.kind}, in {Path(other.path).name}")
    return [(place, f'"{new}"' if place.quoted else new) for place in places]
