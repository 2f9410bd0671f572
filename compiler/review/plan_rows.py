"""Rows of a manifest that say what is done with it: selection, evaluation, and the stages of the plan."""

from __future__ import annotations

from typing import Any, Literal

from mixc.compiler.review.rows import Count, Hash, Real, Row, Rows, SupplyRow


class SelectionRow(Row):
    """What the selection of documents depends on beside the mixture.

    Levels of quality have `bits` bits; `tables` is the content hash of `NAME.tables.parquet`. Both are absent for a
    manifest that selects nothing.
    """

    seed: Count
    bits: Count | None = None
    tables: Hash | None = None


class AfterRow(Row):
    """The mixture that this one continues: its manifest, and all `tokens` that it and those before it took.

    `supply` are pools that they took of and this mixture does not have: one that comes after it may.
    """

    manifest: str
    tokens: Count
    supply: Rows[SupplyRow] | None = None


class EvaluationRow(Row):
    """An `evaluate` block as the recipe states it; of it, what is held out is a stage of the plan, and no more yet."""

    suite: str
    panel: str | None = None
    harness: str | None = None
    holdout: Real | None = None
    planned: Literal[False] = False


class StageRow(Row):
    """One stage of the plan: which backend does what, with every parameter."""

    backend: str
    stage: str
    parameters: dict[str, Any]
