"""Normaliser tables as a table on disk, and back; workers load them once."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import numpy as np
import pyarrow as pa

from mixc.compiler.scan.normalise import Table, Tables
from mixc.compiler.scan.plan import Normaliser
from mixc.compiler.scan.store import read_numbers

SCHEMA = pa.schema(
    [
        ("rater", pa.string()),
        ("language", pa.string()),
        ("levels", pa.list_(pa.int64())),
        ("steps", pa.list_(pa.int64())),
        ("documents", pa.list_(pa.int64())),
    ]
)
NORMALISER = b"mixc.normaliser"


def tables_to(tables: Tables) -> pa.Table:
    """Rows by rater and language."""
    rows = sorted(tables.tables.items())
    columns: dict[str, list[Any]] = {
        "rater": [rater for (rater, _), _ in rows],
        "language": [language for (_, language), _ in rows],
        "levels": [table.levels for _, table in rows],
        "steps": [table.steps for _, table in rows],
        "documents": [table.documents for _, table in rows],
    }
    return pa.table(columns, schema=SCHEMA.with_metadata({NORMALISER: tables.normaliser.encode()}))


def tables_from(table: pa.Table) -> Tables:
    """The tables that `tables_to` wrote."""
    normaliser = cast("Normaliser", table.schema.metadata[NORMALISER].decode())
    tables = {}
    for i in range(table.num_rows):
        key = (table["rater"][i].as_py(), table["language"][i].as_py())
        tables[key] = Table(
            *(table[name][i].values.to_numpy().astype(np.int64) for name in ("levels", "steps", "documents"))
        )
    return Tables(normaliser, tables)


@cache
def load_tables(path: str) -> Tables:
    """Tables from a file."""
    return tables_from(read_numbers(path))
