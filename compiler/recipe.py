"""The checked recipe: every name resolved, every number in base units, no data looked at yet.

Base units: parameters, tokens, FLOPs, fractions of one (30% is 0.3), nats per token. The front makes it, the supply and
problem stages read it. Values that diagnostics point at later carry their `span`, which takes no part in comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from mixc.dsl.text import Span

Function: TypeAlias = Literal["share", "tokens", "epochs", "passes", "quality", "info", "loss", "change"]
Sense: TypeAlias = Literal["<=", ">=", "=="]
StrategyName: TypeAlias = Literal["direct", "two_step", "unimax", "temperature", "natural", "uniform"]
Order: TypeAlias = Literal["free", "epochs", "shares"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in base units, as the recipe wrote it, and where."""

    value: float
    text: str
    span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class Selector:
    """Which cells a function speaks of: the intersection of the kinds named; `None` means all of that kind.

    `best` keeps the top fraction of quality of every (language, domain). `each` names the kind whose members the rule
    is repeated over; the problem stage replaces it by one member per rule.
    """

    sources: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    domains: tuple[str, ...] | None = None
    phases: tuple[str, ...] | None = None
    best: float | None = None
    each: Literal["source", "language", "domain", "phase"] | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """`coefficient * function(of)`; with `baseline`, the value that strategy reaches under the same rules (a constant).

    `loss` of a selector without languages is the recipe's weighted loss. `manifest` is the file of `change(...)`.
    """

    coefficient: float
    function: Function
    of: Selector
    baseline: StrategyName | None = None
    manifest: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """`sum of terms  sense  bound`, hard, or with `weight` a priced slack (`prefer`).

    `text` is the rule in the one formatting (its identity in diffs); a `within` becomes two rules of one text, told
    apart by `sense`. `phase` is the phase whose block the rule stands in: shares are then of that phase's budget.
    Units of `bound`: fraction for share and quality, tokens for tokens and info, passes for epochs and passes, nats
    per token for loss, fraction for change.
    """

    text: str
    terms: tuple[Term, ...]
    sense: Sense
    bound: float
    weight: float | None = None
    phase: str | None = None
    members: tuple[str, ...] | None = None  # of `each(...)`; None with each = every one that is in the mixture
    span: Span | None = field(compare=False, default=None)
    place: str = field(compare=False, default="")


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound on a property of the budget: `ratio >= 20 tokens/param`."""

    key: Literal["ratio", "model", "tokens", "compute"]
    sense: Sense
    figure: Figure


@dataclass(frozen=True, slots=True)
class Budget:
    """The three sizes that are fixed, the bounds on those that are not, and the seed.

    C = flops_per_param_token * N * K. When only compute is given, `params` and `tokens` are None and the size is
    searched for within `bounds`.
    """

    params: float | None
    tokens: int | None
    flops: float | None
    bounds: tuple[Bound, ...] = ()
    flops_per_param_token: float = 6.0
    seed: int = 0
    tokenizer: str | None = None
    span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class Limit:
    """`epochs <= passes` on every cell of a source, over all phases or inside one."""

    passes: float
    span: Span | None = field(compare=False, default=None)
    place: str = field(compare=False, default="")


@dataclass(frozen=True, slots=True)
class SupplyEntry:
    """One language of an inline `supply = { en: 15T tokens }`; `unit` is tokens, bytes or words."""

    language: str
    amount: float
    unit: Literal["tokens", "bytes", "words"]
    span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class Source:
    """Where tokens come from: documents (`paths`) or published sizes (`supply_file` or `supply`).

    `paths` are seen from the recipe's folder and keep `${…}` of the recipe's `path_params`; so does `supply_name`, how
    `supply_file` is shown where it needs that. `phases` is None for a source of the whole recipe, else the phases that
    declare it. `phase_limits` are added to `limit`, never a replacement.
    """

    name: str
    domain: str
    paths: tuple[str, ...] = ()
    supply_file: str | None = None  # absolute path; shown relative to the recipe
    supply_name: str | None = None
    supply: tuple[SupplyEntry, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    language: str | None = None
    aliases: tuple[tuple[str, str], ...] = ()
    limit: Limit | None = None
    phases: tuple[str, ...] | None = None
    phase_limits: tuple[tuple[str, Limit], ...] = ()
    density: float | None = None
    rated: bool = False  # `assume = rated`
    origin: str | None = None
    overlap: tuple[tuple[str, float], ...] = ()
    tokens_per_byte: float | None = None
    tokens_per_word: float | None = None
    eos: bool = True
    ids: Literal["unique", "per-file", "shared"] = "unique"
    bad_lines: Literal["error", "skip"] = "error"
    license: str | None = None
    format: str | None = None
    description: str = ""
    span: Span | None = field(compare=False, default=None)
    supply_span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class LanguageLaw:
    """L = floor + scale * eff^-exponent, nats per token, as written in a recipe; None where it says nothing."""

    floor: float | None = None
    scale: float | None = None
    exponent: float | None = None


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the mixture, under its canonical code (`no`, `zh`, `ceb`)."""

    code: str
    priority: float = 1.0
    transfer: tuple[tuple[str, float], ...] = ()
    cost: tuple[tuple[str, float], ...] = ()
    law: LanguageLaw | None = None
    description: str = ""
    span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class Group:
    """A union of names of one kind."""

    name: str
    kind: Literal["source", "language", "domain", "phase"]
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sampling:
    """QuaDMix's curve (lambda, omega, eta, epsilon) or QuRating's temperature.

    `stated_omega` is what the recipe says where `omega` was scaled to the budget.
    """

    lam: float | None = None
    omega: float | None = None
    eta: float | None = None
    epsilon: float | None = None
    temperature: float | None = None
    stated_omega: float | None = None


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain: raters with their weights, a sampling curve, a density."""

    name: str
    weights: tuple[tuple[str, float], ...] = ()
    sampling: Sampling | None = None
    density: float | None = None
    description: str = ""
    span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class Rater:
    """A quality score of documents: a column, or a model."""

    name: str
    column: str | None = None
    better: Literal["higher", "lower"] = "higher"
    range: tuple[float, float] | None = None
    missing: Literal["exclude", "worst", "renormalise"] = "exclude"
    scope: Literal["language", "global"] = "language"
    kind: str | None = None
    model: str | None = None
    text: str | None = None
    span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class Target:
    """A set of texts that documents are ranked by (NAG)."""

    name: str
    path: str
    model: str | None = None
    layers: tuple[int, ...] | None = None
    top_k: int | None = None
    tokens: int | None = None
    projection: Literal["up", "gate", "down", "q", "k", "v", "o"] = "up"
    fraction: float | None = None
    scope: Literal["language", "pool"] = "language"
    weight: float = 1.0
    overlap: Literal["refill", "drop"] = "refill"
    quality: str | None = None
    span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class Quality:
    """How quality is cut into buckets. `edges` are upper ranks, 0 = best, the last is 1; None = the calibration's.

    `scale = omega`: the omegas of all sampling curves times one factor, so that the curves give the budget as they are.
    """

    edges: tuple[float, ...] | None = None
    normalize: Literal["rank", "zscore", "minmax"] = "rank"
    order: Order = "free"
    order_span: Span | None = field(compare=False, default=None)
    scale: Literal["copies", "omega"] = "copies"
    scale_span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class Laws:
    """Which calibrations to use. `transfer` is None, a shipped name or a file; `family` is `family(0.1)`."""

    infolaw: str = "infolaw-2605.02364"
    transfer: str | None = None
    family: float | None = None
    form: Literal["isolated", "linear", "logc"] = "logc"
    signal: Literal["info", "tokens"] = "info"
    span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class Strategy:
    """How the mixture is decided. `temperature` is tau of q ~ p^(1/tau); `epochs` is UniMax's cap."""

    name: StrategyName = "direct"
    temperature: float | None = None
    epochs: float | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """A stage of training with its own budget in tokens; phases are listed in the order they run.

    `tokens` is None until the budget is known (size search): then `fraction` of it applies.
    """

    name: str
    fraction: float
    span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What `evaluate` asks for."""

    suite: str = "mubench"
    panel: str | None = None
    harness: str | None = None
    holdout: float | None = None
    span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that the recipe was read from, relative to the recipe's folder, with the SHA-256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PathParam:
    """A param that does no more than say where files lie: its value here, and the recipe's own.

    `default` may use other such params; None for an absolute path, which no other machine need have.
    """

    name: str
    value: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything a recipe says, resolved. `all_languages` holds the defaults of `languages all { … }`.

    `params` are those given to compile it, apart from `path_params`; `declared` are the names of all that it has.
    `languages` is empty and `all_languages` None when the recipe declares none: then every language found, priority 1.
    """

    name: str
    path: str  # of the recipe file, absolute
    description: str
    files: tuple[InputFile, ...]
    params: tuple[tuple[str, str], ...]
    budget: Budget
    sources: tuple[Source, ...]
    languages: tuple[Language, ...] = ()
    all_languages: Language | None = None
    groups: tuple[Group, ...] = ()
    domains: tuple[Domain, ...] = ()
    raters: tuple[Rater, ...] = ()
    targets: tuple[Target, ...] = ()
    quality: Quality = Quality()
    laws: Laws = Laws()
    strategy: Strategy = Strategy()
    phases: tuple[Phase, ...] = ()
    rules: tuple[Rule, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    path_params: tuple[PathParam, ...] = ()
    declared: tuple[str, ...] = field(compare=False, default=())

    @property
    def places(self) -> dict[str, str]:
        """The values of `path_params` by name."""
        return {param.name: param.value for param in self.path_params}
