"""Rows of a manifest that say what is done with it: selection, evaluation, and the stages of the plan."""

from __future__ import annotations

from typing import Any

from mixc.compiler.review.rows import Count, Fraction, Hash, Real, Row, Rows, SupplyRow


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


class TaskRow(Row):
    """A task of a suite in all `languages` at once: `{language}` in `task` and `config` stands for each.

    Where `languages` are left out they are all that the evaluation covers, and its pivot.
    `options` are the fewest and most choices of an item, `items` the fewest and most items; what is not known is left
    out. `weight` is its part in what is said of a language; guards have none.
    """

    suite: str
    dataset: str
    task: str
    languages: Rows[str] | None = None
    metric: str
    family: str
    weight: Fraction
    options: Rows[Count]
    items: Rows[Count] | None = None
    path: str | None = None
    config: str | None = None
    revision: str | None = None


class DecontaminationRow(Row):
    """What may not be trained on: texts that share `ngram` words in a row with what is named."""

    ngram: Count
    against: Rows[str]


class EvaluationRow(Row):
    """An `evaluate` block, and the plan that follows from it: in which languages the trained model is judged, and how.

    Its tasks are rows of their own. `holdout` is the share of documents kept out of training. Languages without tasks
    are `uncovered`; `pivot` is the language that others are compared with.
    """

    suite: str
    panel: str
    harness: str
    holdout: Real | None = None
    formula: str
    pivot: str
    covered: Rows[str]
    uncovered: Rows[str]
    include_path: str
    log_samples: bool
    decontamination: DecontaminationRow
    notes: Rows[str]


class StageRow(Row):
    """One stage of the plan: which backend does what, with every parameter."""

    backend: str
    stage: str
    parameters: dict[str, Any]
