"""The manifest's schema: one strict, versioned model, from which the JSON Schema is generated.

The manifest states the problem in full (`supply`, `languages`, `sources`, `rules`, `law`, …) and what was decided
(`mixture`, `certificate`, outcomes beside each rule and language), so that a reader, `mixc diff` and `mixc explain`
need nothing else.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from mixc.compiler.review.plan_rows import AfterRow, EvaluationRow, SelectionRow, StageRow, TaskRow
from mixc.compiler.review.rows import (
    BaselineRow,
    BudgetRow,
    CertificateRow,
    Hash,
    InfoLawRow,
    InputRow,
    LanguageRow,
    LicenceRow,
    MixtureRow,
    PhaseRow,
    QualityRow,
    RecipeRow,
    Row,
    Rows,
    RuleRow,
    SchemaRow,
    SourceRow,
    StrategyRow,
    SupplyRow,
    TotalsRow,
    VersionsRow,
)

SCHEMA_NAME = "mixc.manifest"
SCHEMA_VERSION = 1


class Manifest(Row):
    """The whole file. `integrity` is the SHA-256 of the canonical text of everything else."""

    schema_: SchemaRow = Field(alias="schema", default=SchemaRow())
    recipe: RecipeRow
    params: dict[str, str]
    budget: BudgetRow
    after: AfterRow | None = None
    phases: Rows[PhaseRow]
    inputs: Rows[InputRow]
    versions: VersionsRow
    law: InfoLawRow
    quality: QualityRow
    strategy: StrategyRow
    sources: Rows[SourceRow]
    supply: Rows[SupplyRow]
    mixture: Rows[MixtureRow]
    languages: Rows[LanguageRow]
    rules: Rows[RuleRow]
    baselines: Rows[BaselineRow]
    certificate: CertificateRow
    licences: Rows[LicenceRow]
    totals: TotalsRow
    selection: SelectionRow
    evaluations: Rows[EvaluationRow]
    tasks: Rows[TaskRow]
    plan: Rows[StageRow]
    runnable: bool
    reason: str | None = None
    assumptions: Rows[str]
    notes: Rows[str]
    integrity: Hash | None = None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a manifest."""
    schema = Manifest.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema
