"""What users ask of pairs and of training, with the defaults, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from mixc.backends.murating.train_messages import bad_setting
from mixc.compiler.documents.data import Unreadable

HeadShape: TypeAlias = Literal["linear", "mlp"]

CONFIDENCE = 0.5  # QuRating's; of four votes it drops two against two
LAMBDA = 0.125  # as if 75,000 parallel pairs stood among 300,000 others with target 1/2
CHUNK = 512


@dataclass(frozen=True, slots=True)
class PairSettings:
    """Files, raters, and which pairs are made: at most `pairs` of each kind with |2p - 1| >= `confidence`.

    `language` is a column, or the code of all documents; None for a column `language` or `lang`.
    """

    documents: tuple[str, ...]
    raters: str
    parallel: tuple[str, ...] = ()
    pairs: int = 20_000
    confidence: float = CONFIDENCE
    seed: int = 0
    language: str | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How a rater is trained.

    `weight` is the lambda of parallel pairs, `decay` mu of the penalty mu |w|^2 (None: chosen on documents set apart),
    `held_out` is the share of documents to report on; as many choose the penalty, or when to stop. `tokens`: how many
    first tokens of a text are read, all where None; `hidden`: the width of an MLP. `prefix` stands before every text;
    None: what the encoder's own files ask for.
    """

    encoder: str
    head: HeadShape = "linear"
    fine_tune: bool = False
    weight: float = LAMBDA
    decay: float | None = None
    confidence: float = CONFIDENCE
    epochs: int | None = None
    seed: int = 0
    held_out: float = 0.1
    tokens: int | None = None
    hidden: int = 256
    prefix: str | None = None


def check_pair_settings(settings: PairSettings) -> None:
    """Raise `Unreadable` for a number outside its range."""
    _within("--confidence", settings.confidence, 0, 1)
    _within("--pairs", settings.pairs, 1, 100_000_000)


def check_train_settings(settings: TrainSettings) -> None:
    """Raise `Unreadable` for a number outside its range."""
    _within("--lambda", settings.weight, 0, 1000)
    _within("--confidence", settings.confidence, 0, 1)
    _within("--held-out", settings.held_out, 0.01, 0.8)
    _within("--decay", 0.0 if settings.decay is None else settings.decay, 0, 1e6)
    _within("--epochs", 1 if settings.epochs is None else settings.epochs, 1, 10_000)
    _within("--tokens", CHUNK if settings.tokens is None else settings.tokens, 1, 1 << 20)


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise Unreadable(bad_setting(name, value, least, most))
