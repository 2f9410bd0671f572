"""What was found out about the data: the type between the supply stage and the problem.

Everything that a manifest has to say about its inputs is here: files and hashes, the unit read, the rate used and
whether it was assumed, what was found and not used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from mixc.compiler.problem import InfoLaw, Pool

if TYPE_CHECKING:
    from mixc.compiler.laws.calibration import TransferCalibration
    from mixc.compiler.supply.documents import Documents

Unit: TypeAlias = Literal["tokens", "bytes", "words"]
Reason: TypeAlias = Literal["not declared", "other script", "other language", "unknown code", "no language", "no words"]
Baseline: TypeAlias = tuple[str, tuple[tuple[str, float], ...]]


@dataclass(frozen=True, slots=True)
class SupplyFile:
    """A file that was read, named relative to the recipe's folder; `size` in bytes, `sha256` of its bytes."""

    kind: Literal["catalog", "calibration", "manifest"]
    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """How sizes of one unit and script became tokens: `rate` tokens per unit, over `languages` (canonical, sorted)."""

    unit: Literal["bytes", "words"]
    script: str
    rate: float
    assumed: bool
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SupplyInput:
    """One source of the mixture.

    `tokens` are unique tokens in the languages of the mixture, after overlap; `documents` where published for all of
    them. `tokenizer` is what published tokens were counted with, where the catalog says so. `density` is that of its
    one bucket, or the factor on its rated buckets. `overlap` holds the fractions that were taken off. A source of
    documents has `count` files of `size` bytes in all, too many to list.
    """

    source: str
    files: tuple[SupplyFile, ...]
    sha256: str
    tokens: int
    documents: int | None
    units: tuple[Unit, ...]
    conversions: tuple[Conversion, ...]
    tokenizer: str | None
    origin: str | None
    overlap: tuple[tuple[str, float], ...]
    rated: bool
    density: float
    density_assumed: bool
    license: str | None
    size: int | None = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Unused:
    """Tokens that a source holds and the mixture does not use, under the code they are tagged with."""

    source: str
    tag: str
    tokens: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Supply:
    """Pools sorted by (source, language, domain), and where they come from.

    `edges` are the upper ranks of the buckets of rated pools. `assumptions` are sentences for the manifest.
    `baselines` are the language shares of the manifests that `change(…)` names. `documents` is what was scanned, None
    for a recipe that plans from published sizes.
    """

    pools: tuple[Pool, ...]
    languages: tuple[str, ...]
    edges: tuple[float, ...]
    law: InfoLaw
    inputs: tuple[SupplyInput, ...]
    unused: tuple[Unused, ...] = ()
    files: tuple[SupplyFile, ...] = ()
    assumptions: tuple[str, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    transfer: TransferCalibration | None = field(default=None)
    documents: Documents | None = field(default=None)
