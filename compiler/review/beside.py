"""The files of one compilation, side by side: manifest, lock and tables."""

from __future__ import annotations

from pathlib import Path

MANIFEST = ".manifest.json"
LOCK = ".lock"
TABLES = ".tables.parquet"


def lock_beside(manifest: Path) -> Path:
    """`x.lock` for `x.manifest.json`; the stem decides for other names."""
    name = manifest.name
    stem = name.removesuffix(MANIFEST) if name.endswith(MANIFEST) else manifest.stem
    return manifest.parent / (stem + LOCK)


def tables_beside(manifest: Path) -> Path:
    """`x.tables.parquet` for `x.manifest.json`."""
    return lock_beside(manifest).with_suffix(TABLES)
