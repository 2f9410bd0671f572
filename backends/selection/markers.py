"""Markers: one small JSON file per finished shard, the only thing that resuming and verifying trust."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mixc.backends.selection.outputs import write_text
from mixc.backends.selection.sums import Sums, add, from_rows, to_rows
from mixc.compiler.whole import kept_json

VERSION = 3
SUFFIX = ".done.json"


@dataclass(frozen=True, slots=True)
class Output:
    """A written file: bytes, XXH3-128 of them, rows."""

    size: int
    hash: str
    rows: int


@dataclass(frozen=True, slots=True)
class Marker:
    """What a finished shard vouches for.

    `manifest` is the integrity hash of the manifest, `identity` the content hash of the file that was read. `documents`
    and `tokens` were seen in it, beside `withheld` documents that are held out; `digests` are per phase, in
    hexadecimal. `cut` is the hash of the exact cuts, if any.
    """

    manifest: str
    name: str
    source: str
    file: str
    identity: str
    documents: int
    tokens: int
    output: Output
    digests: tuple[str, ...]
    sums: Sums
    cut: str = ""
    withheld: int = 0


class Markers:
    """Markers by name, without their sums, and the sums of all: one shard's are as large as a thousand markers."""

    def __init__(self) -> None:
        self.by_name: dict[str, Marker] = {}
        self.sums: Sums = {}

    def add(self, name: str, marker: Marker) -> None:
        """One more, by the name of its task."""
        add(self.sums, marker.sums)
        self.by_name[name] = replace(marker, sums={})


def marker_path(folder: Path, name: str) -> Path:
    """Where the marker of an output lies."""
    return folder / (name + SUFFIX)


def write_marker(folder: Path, marker: Marker) -> None:
    """Write a marker, whole or not at all, after its output."""
    write_text(marker_path(folder, marker.name), marker_text(marker))


def marker_text(marker: Marker) -> str:
    """The one text of a marker."""
    data: dict[str, Any] = {
        "version": VERSION,
        "manifest": marker.manifest,
        "name": marker.name,
        "source": marker.source,
        "file": marker.file,
        "identity": marker.identity,
        "documents": marker.documents,
        "tokens": marker.tokens,
        "output": {"size": marker.output.size, "hash": marker.output.hash, "rows": marker.output.rows},
        "digests": list(marker.digests),
        "sums": to_rows(marker.sums),
        "cut": marker.cut,
        "withheld": marker.withheld,
    }
    return json.dumps(data, sort_keys=True) + "\n"


def read_marker(folder: Path, name: str) -> Marker | None:
    """The marker of an output; None where there is none, or none that can be read."""
    try:
        data = kept_json(marker_path(folder, name))
        if data.pop("version") != VERSION:
            return None
        data["output"] = Output(**data["output"])
        data["digests"], data["sums"] = tuple(data["digests"]), from_rows(data["sums"])
        return Marker(**data)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
