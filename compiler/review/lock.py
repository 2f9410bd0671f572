"""The lock: `NAME.lock` pins every input of a manifest, one block per file and source so that merges rarely conflict.

TOML with a fixed order: blocks by kind and name, keys as below, one blank line between blocks.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError

from mixc.compiler.review import errors
from mixc.compiler.review.provenance import PinnedFile, Provenance
from mixc.compiler.review.reading import CONFLICT, fetch, mistake_in
from mixc.compiler.review.rows import Count, Hash, Row, Rows
from mixc.dsl.diagnostics import Diagnostic, page

LOCK_VERSION = 1
HEADER = "# What the manifest beside this file was compiled from. `mixc compile` writes it; do not edit it.\n"


class FileBlock(Row):
    """A recipe, catalog, calibration or manifest that was read."""

    kind: str
    bytes: Count | None = None
    sha256: Hash


class SourceBlock(Row):
    """What a source held; `documents` is absent for published sizes, `count` (of files) where all are named."""

    planning: bool
    files: Rows[str]
    count: Count | None = None
    bytes: Count
    sha256: Hash
    tokens: Count
    documents: Count | None = None


class Lock(Row):
    """All inputs: `param` as given on the command line or by default, files by path from the recipe's folder."""

    version: int = LOCK_VERSION
    param: dict[str, str] = Field(default_factory=dict)
    file: dict[str, FileBlock] = Field(default_factory=dict)
    source: dict[str, SourceBlock] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drift:
    """One input that is not what the lock pins: `subject` as the lock names it, `change` in words."""

    subject: str
    change: str


@page("M461")
def lock_unreadable(name: str, found: str) -> Diagnostic:
    """a lock is not what mixc wrote

    The lock is cut off, edited by hand or not a lock at all.

    What to do: delete it and run `mixc compile`, which writes it anew; then review what changed.
    """
    return Diagnostic("M461", f"`{name}` is not a lock of mixc: {found}", subject=name, helps=(
        "delete it and run `mixc compile`, then review what changed",
    ))  # fmt: skip


@page("M462")
def inputs_differ(name: str, drifts: tuple[Drift, ...]) -> Diagnostic:
    """the inputs are not those that the lock pins

    With `--locked`, `mixc compile` accepts only the inputs that the lock names: recipe files, params, catalogs,
    calibrations and sources, by content hash. Something changed since the lock was written.

    What to do: if the change is meant, run `mixc compile` without `--locked` and commit manifest and lock; if not,
    restore the input.
    """
    count = f"{len(drifts)} inputs differ" if len(drifts) > 1 else "an input differs"
    return Diagnostic(
        "M462",
        f"{count} from what `{name}` pins: {', '.join(d.subject for d in drifts)}",
        subject=name,
        notes=tuple(f"{drift.subject}: {drift.change}" for drift in drifts),
        helps=("restore the input, or run `mixc compile` without `--locked` and commit the result",),
    )


def build_lock(provenance: Provenance) -> Lock:
    """The lock of a compilation."""
    return Lock(
        param=dict(provenance.params),
        file={f.name: FileBlock(kind=f.kind, bytes=f.size, sha256=f.sha256) for f in _own_files(provenance)},
        source={
            s.name: SourceBlock(
                planning=s.planning,
                files=s.files,
                count=None if s.files or s.planning else s.count,
                bytes=s.size,
                sha256=s.sha256,
                tokens=s.tokens,
                documents=s.documents,
            )
            for s in provenance.sources
        },
    )


def _own_files(provenance: Provenance) -> list[PinnedFile]:
    """Files that no source's block pins already."""
    of_sources = {name for source in provenance.sources for name in source.files}
    return [file for file in provenance.files if file.name not in of_sources]


def lock_text(lock: Lock) -> str:
    """The one text of a lock."""
    blocks = [HEADER + f"version = {lock.version}\n"]
    if lock.param:
        blocks.append(_block("param", dict(sorted(lock.param.items()))))
    for kind, entries in (("file", lock.file), ("source", lock.source)):
        blocks.extend(
            _block(f"{kind}.{_string(name)}", entries[name].model_dump(exclude_none=True)) for name in sorted(entries)
        )
    return "\n".join(blocks)


def read_lock(name: str) -> tuple[Lock | None, list[Diagnostic]]:
    """The lock at a path."""
    data, found = fetch(name)
    if data is None:
        return None, found
    marker = CONFLICT.search(data)
    if marker:
        return None, [errors.conflict_markers(name, data.count(b"\n", 0, marker.start()) + 1)]
    try:
        raw = tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        return None, [lock_unreadable(name, f"byte {error.start} is not UTF-8")]
    except (ValueError, RecursionError):
        return None, [lock_unreadable(name, "it is cut off or was edited by hand")]
    version = raw.get("version")
    if isinstance(version, int) and version > LOCK_VERSION:
        return None, [errors.newer_schema(name, version, LOCK_VERSION)]
    if version != LOCK_VERSION:
        return None, [lock_unreadable(name, "it states no version")]
    try:
        return Lock.model_validate(raw), []
    except ValidationError as error:
        return None, [lock_unreadable(name, mistake_in(error)[1])]


def drift(pinned: Lock, found: Lock) -> tuple[Drift, ...]:
    """What differs between a lock and the inputs found, by kind and name."""
    result = [
        *_compare("param", dict(pinned.param), dict(found.param)),
        *_compare("file", dict(pinned.file), dict(found.file)),
        *_compare("source", dict(pinned.source), dict(found.source)),
    ]
    return tuple(result)


def _compare(kind: str, pinned: dict[str, Any], found: dict[str, Any]) -> list[Drift]:
    drifts = []
    for name in sorted(pinned.keys() | found.keys()):
        subject = f"{kind} `{name}`"
        if name not in found:
            drifts.append(Drift(subject, "pinned, but no longer used"))
        elif name not in pinned:
            drifts.append(Drift(subject, "used, but not pinned"))
        elif pinned[name] != found[name]:
            drifts.append(Drift(subject, _difference(pinned[name], found[name])))
    return drifts


def _difference(old: str | Row, new: str | Row) -> str:
    if isinstance(old, str) or isinstance(new, str):
        return f"`{old}` is pinned, `{new}` is given"
    before, after = old.model_dump(), new.model_dump()
    changed = [key for key in before if before[key] != after[key]]
    shown = [f"{key} {_brief(before[key])} -> {_brief(after[key])}" for key in changed]
    return ", ".join(shown)


def _brief(value: object) -> str:
    match value:
        case int():
            return f"{value:,}"
        case str():
            return value[:12]
        case tuple() | list():
            return f"{len(value)} files"
        case _:
            return "none"


def _block(title: str, pairs: dict[str, Any]) -> str:
    return f"[{title}]\n" + "".join(f"{_key(key)} = {_value(value)}\n" for key, value in pairs.items())


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case tuple() | list():
            return "[" + ", ".join(_string(item) for item in value) + "]"
        case _:
            return _string(value)


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else _string(key)


def _string(text: str) -> str:
    """A TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
