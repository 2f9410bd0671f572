"""How documents become levels: what is read of every source, and how scores are merged into one quality.

A plan is made from a recipe once the columns of the data are known, is written into the manifest, and is all that
`mixc run` needs to read documents the same way again. It is plain data, and crosses processes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from mixc.compiler.documents.data import Wanted

GATE = "gate of targets"  # stands for it among raters
WHOLE = 1 << 16  # weights of a domain sum to this

Normaliser = Literal["rank", "zscore", "minmax"]


@dataclass(frozen=True, slots=True)
class Counting:
    """How tokens are counted: from a column, by a tokenizer, or as UTF-8 bytes times a rate per script."""

    way: Literal["column", "tokenizer", "bytes"]
    name: str = ""
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """How one source is read. `language` and `domain` are what all of it has, None where a column says.

    `paths` are as the recipe states them, seen from its folder, with `${…}` of the plan's params. `wanted` names the
    columns that are read; `text` is the column of the texts where there is one, read or not.
    """

    name: str
    paths: tuple[str, ...]
    wanted: Wanted
    counting: Counting
    language: str | None
    domain: str | None
    aliases: tuple[tuple[str, str], ...] = ()
    eos: bool = True
    ids: Literal["unique", "per-file", "shared"] = "unique"
    bad_lines: Literal["error", "skip"] = "error"
    format: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class RaterPlan:
    """A rater as scan uses it; `range` is for the `minmax` normaliser and for counting what lies outside.

    A model's scores stand in no `column`, but beside the documents under the key `scores`.
    """

    name: str
    column: str
    better: Literal["higher", "lower"]
    range: tuple[float, float] | None
    missing: Literal["exclude", "worst", "renormalise"]
    scope: Literal["language", "global"]
    scores: str | None = None


@dataclass(frozen=True, slots=True)
class ScorePlan:
    """How a model scores documents: the backend that does it, and every parameter; `key` names what comes of them."""

    name: str
    backend: str
    key: str
    parameters: tuple[tuple[str, str | int | tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class GateQuality:
    """A rater of a column that is added to a target's distance; scores outside `range` count as its ends."""

    rater: str
    column: str
    better: Literal["higher", "lower"]
    range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """Documents and tokens of one language of a source that a gate saw, and those that it let through.

    `unrated` counts documents that have no score of the gate's quality, and so cannot pass.
    """

    source: str
    language: str
    documents: int
    tokens: int
    kept_documents: int
    kept_tokens: int
    unrated: int = 0


@dataclass(frozen=True, slots=True)
class GatePlan:
    """Only documents near the `targets` are supply: the best `fraction` of tokens, of each language or of the pool.

    `weights` share the budget among targets; where two take the same document, `overlap` says whether others fill the
    room that is left. With `quality` documents are ranked by that and by their distance from one target.
    `pool` says over which documents it was decided, `key` what came of it, `passed` how much of them that is.
    """

    targets: tuple[str, ...]
    backend: str
    key: str
    fraction: float
    scope: Literal["language", "pool"]
    weights: tuple[float, ...]
    overlap: Literal["refill", "drop"]
    pool: str
    quality: GateQuality | None = None
    passed: tuple[Passed, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Holdout:
    """The share of documents that are kept out of training, and the seed that says which."""

    share: float
    seed: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All sources of documents, all raters that a domain weighs, and every rated domain's whole weights.

    `params` say where files lie, each with what it is where nothing else is given; None: it has to be given.
    """

    sources: tuple[SourcePlan, ...]
    raters: tuple[RaterPlan, ...]
    weights: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    normalize: Normaliser
    params: tuple[tuple[str, str | None], ...] = ()
    holdout: Holdout | None = None
    scores: tuple[ScorePlan, ...] = ()
    gate: GatePlan | None = None

    def source(self, name: str) -> SourcePlan:
        """The source of that name."""
        return next(source for source in self.sources if source.name == name)

    def weights_of(self, domain: str) -> tuple[tuple[str, int], ...]:
        """(rater, weight) of a domain; empty for one without raters."""
        return dict(self.weights).get(domain, ())

    def scored(self, source: SourcePlan) -> tuple[RaterPlan, ...]:
        """The raters of a source whose scores a model gives."""
        named = None if source.domain is None else {name for name, _ in self.weights_of(source.domain)}
        return tuple(r for r in self.raters if r.scores is not None and (named is None or r.name in named))

    def sealed(self, name: str) -> Wanted:
        """The columns of a source that its files are known by: those that are read, what models read, and a gate."""
        source = self.source(name)
        read = self.gate is not None or self.scored(source)
        return replace(self.judged(name), text=source.text) if read else source.wanted

    def judged(self, name: str) -> Wanted:
        """The columns of a source that are read, and the scores that a gate ranks by, if it does."""
        wanted = self.source(name).wanted
        quality = None if self.gate is None else self.gate.quality
        if quality is None or quality.rater in dict(wanted.scores):
            return wanted
        return replace(wanted, scores=tuple(sorted([*wanted.scores, (quality.rater, quality.column)])))


def reading_of(source: SourcePlan) -> str:
    """What of a source's plan decides what its files give: not where they lie, nor texts that are not read."""
    return json.dumps(asdict(replace(source, paths=(), text=None)), sort_keys=True)


def whole_weights(weights: Mapping[str, float]) -> tuple[tuple[str, int], ...]:
    """Weights as integers that sum to 65,536 by largest remainder, ties by name; raters of weight zero fall away."""
    positive = {name: weight for name, weight in weights.items() if weight > 0}
    total = sum(positive.values())
    exact = {name: weight / total * WHOLE for name, weight in positive.items()}
    floors = {name: int(value) for name, value in exact.items()}
    left = WHOLE - sum(floors.values())
    for name in sorted(exact, key=lambda name: (floors[name] - exact[name], name))[:left]:
        floors[name] += 1
    return tuple(sorted(floors.items()))
