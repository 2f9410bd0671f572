"""The rows of a manifest: strict pydantic models of one line each.

Shares are fractions of a phase's budget on a grid of 1e-6, tokens are integers, losses are nats per token, information
is in 1e9 tokens of the best bucket read once. Lists per bucket run from best to worst.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from mixc.compiler.recipe import Function, Order, Sense, StrategyName

T = TypeVar("T")
Rows = Annotated[tuple[T, ...], Field(strict=False)]
Count: TypeAlias = Annotated[int, Field(ge=0, le=2**63 - 1)]
Real: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Hash: TypeAlias = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Row(BaseModel):
    """One entry of the manifest: no unknown keys, no silent conversions, never changed once made."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SchemaRow(Row):
    """Which schema this file follows."""

    name: Literal["mixc.manifest"] = "mixc.manifest"
    version: Literal[1] = 1


class RecipeRow(Row):
    """The recipe's name and the comment above its first line."""

    name: str
    description: str = ""


class BudgetRow(Row):
    """Model parameters, training tokens and FLOPs; `place` is where the recipe says so."""

    params: Real
    tokens: Count
    flops: Real
    place: str | None = None


class PhaseRow(Row):
    """A phase and its tokens; phases are listed in the order they run."""

    name: str
    tokens: Count
    place: str | None = None


class InputRow(Row):
    """A file that was read, by its path from the recipe's folder, and the SHA-256 of its bytes."""

    kind: str
    name: str
    sha256: Hash


class InfoLawRow(Row):
    """Constants of InfoLaw and the transfer law's form and signal, exactly as used."""

    name: str
    theta: Real
    a: Real
    b: Real
    alpha: Real
    beta: Real
    edges: Rows[Real]
    form: Literal["isolated", "linear", "logc"]
    signal: Literal["info", "tokens"]


class QualityRow(Row):
    """Upper ranks of the quality buckets of rated pools (0 = best), and the order they must keep."""

    edges: Rows[Real]
    order: Order


class StrategyRow(Row):
    """How the mixture was decided."""

    name: StrategyName
    temperature: Real | None = None
    epochs: Real | None = None
    distance: Real | None = None


class LimitRow(Row):
    """`epochs <= passes` on every cell, and where it is written."""

    passes: Real
    place: str = ""


class PhaseLimitRow(LimitRow):
    """A limit inside one phase."""

    phase: str


class SourceRow(Row):
    """A source: its limits, the phases that may use it (absent: all), its licence."""

    name: str
    limit: LimitRow | None = None
    phase_limits: Rows[PhaseLimitRow] = ()
    phases: Rows[str] | None = None
    licence: str | None = None
    place: str | None = None


class SupplyRow(Row):
    """Unique tokens of one (source, language, domain) per bucket [low, high) of quality ranks, and their density.

    Under a sampling curve `copies` are its means over the buckets, which ties them, and `peak` its value at the best.
    `once` is of a pool sampled by a temperature: no document is read twice. `taken` tokens were read of each bucket by
    earlier mixtures, repetitions counted.
    """

    source: str
    language: str
    domain: str
    rated: bool
    low: Rows[Real]
    high: Rows[Real]
    tokens: Rows[Count]
    density: Rows[Real]
    copies: Rows[Real] | None = None
    peak: Real | None = None
    once: bool | None = None
    taken: Rows[Count] | None = None


class MixtureRow(Row):
    """What one phase takes of one (source, language, domain): in all, and by bucket.

    `binds_by_bucket` says why no more is taken: "" (the price is met), "kink" (the end of the first pass), "limit",
    "zero", or a rule's text. `epochs` are tokens of this phase over supply.
    """

    phase: str
    source: str
    language: str
    domain: str
    supply: Count
    tokens: Count
    share: Fraction
    epochs: Real
    supply_by_bucket: Rows[Count]
    tokens_by_bucket: Rows[Count]
    share_by_bucket: Rows[Fraction]
    epochs_by_bucket: Rows[Real]
    binds_by_bucket: Rows[str]


class LanguageRow(Row):
    """A language: what the recipe says of it, and what it gets.

    loss = floor + scale * effective^-exponent; `assumed` when that law is InfoLaw's own for want of a fitted one.
    `effective` is information after transfer and cost, `effective_share` its part of the information of the mixture.
    `benefit` is the fall of the weighted loss for one more percent of its information. `past` is what earlier mixtures
    taught from supply that this one does not have.
    """

    code: str
    priority: Real
    transfer: dict[str, Real]
    cost: dict[str, Real]
    floor: Real
    scale: Real
    exponent: Real
    assumed: bool
    past: Real | None = None
    share: Real
    tokens: Count
    epochs: Real | None = None
    effective: Real | None = None
    effective_share: Real | None = None
    loss: Real | None = None
    benefit: Real | None = None
    binds: str
    place: str | None = None


class SelectorRow(Row):
    """Which cells a term speaks of; absent means all of that kind."""

    sources: Rows[str] | None = None
    languages: Rows[str] | None = None
    domains: Rows[str] | None = None
    phases: Rows[str] | None = None
    best: Real | None = None
    each: Literal["source", "language", "domain", "phase"] | None = None


class TermRow(Row):
    """coefficient * function(of), or with `baseline` the value which that strategy reaches."""

    coefficient: Real
    function: Function
    of: SelectorRow
    baseline: StrategyName | None = None
    manifest: str | None = None


class RuleRow(Row):
    """A rule in words (`rule`) and as a sum of terms, with its value, slack and prices after rounding.

    `tighten` is the rise of the loss per point of share (per 1 % of the bound elsewhere) when the bound is made a
    little stricter, `loosen` the fall when it is relaxed. `shortfall` is by how much a `prefer` falls short.
    """

    rule: str
    terms: Rows[TermRow]
    sense: Sense
    bound: Real
    weight: Real | None = None
    phase: str | None = None
    members: Rows[str] | None = None
    place: str = ""
    value: Real | None = None
    slack: Real | None = None
    active: bool
    tighten: Real | None = None
    loosen: Real | None = None
    shortfall: Real | None = None


class BaselineRow(Row):
    """Language shares of a manifest that a `change(…)` rule compares with."""

    manifest: str
    shares: dict[str, Real]


class CertificateRow(Row):
    """What was proved: no mixture under these rules has a loss below `bound`; gap = (loss - bound) / loss."""

    loss: Real
    bound: Real
    gap: Real
    tie_break: Real
    residual: Real


class LicenceRow(Row):
    """Tokens of the mixture under one licence; `licence` is absent where the recipe states none."""

    licence: str | None = None
    sources: Rows[str]
    tokens: Count
    share: Real


class TotalsRow(Row):
    """Sums over the mixture. `unique` counts every token once however often it is repeated."""

    tokens: Count
    unique: Count
    supply: Count
    mean_epochs: Real
    max_epochs: Real
    information: Real | None = None
    loss: Real | None = None


class VersionsRow(Row):
    """Versions of what the figures depend on beside the inputs."""

    law: str
    numerics: int
