"""What the numbers of trainers mean, and how a mixture's tokens become them: the one place where that is done.

"Weight" means eight things in eight trainers. All are ratios of three counts of a place: tokens that a phase takes,
tokens that lie there, and documents that lie there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from mixc.backends.exporters import messages
from mixc.backends.exporters.leaves import Leaf, Stage
from mixc.dsl.diagnostics import Diagnostic

LEAST = 1e-12  # a share below this is lost in trainers that compute with single precision or print few digits

TOKEN_SHARE = "share of tokens"
SEQUENCE_SHARE = "share of sequences"
SAMPLE_SHARE = "share of samples"
PASSES = "passes over a source"
COPIES = "copies of a document"


def token_shares(stage: Stage) -> tuple[tuple[float, ...] | None, list[Diagnostic]]:
    """The share of tokens of every leaf; the sum is 1 in float64."""
    return _checked(stage, [leaf.tokens for leaf in stage.leaves])


def samples(leaf: Leaf) -> float:
    """Documents (rows, samples) that a phase reads of a place: its passes times what lies there."""
    assert leaf.documents is not None
    return leaf.documents * leaf.tokens / leaf.available


def less_than_a_sample(left: Sequence[Leaf]) -> list[Diagnostic]:
    """What is said of places that give a phase no sample and are left out; nothing where there are none."""
    if not left:
        return []
    length = max(leaf.available // max(1, leaf.documents or 1) for leaf in left)
    return [messages.too_little([leaf.path for leaf in left], sum(leaf.tokens for leaf in left), length)]


def sample_shares(stage: Stage) -> tuple[tuple[float, ...] | None, list[Diagnostic]]:
    """The share of documents of every leaf, from its tokens per document; the sum is 1 in float64."""
    unknown = [leaf.path for leaf in stage.leaves if not leaf.documents]
    if unknown:
        return None, [messages.samples_unknown(unknown)]
    return _checked(stage, [samples(leaf) for leaf in stage.leaves])


def closed(amounts: Sequence[float]) -> tuple[float, ...]:
    """Amounts over their sum, so that the sum is 1 exactly however it is summed to float64; the largest gives way.

    Trainers add shares up from the left, or as numpy does, and refuse a sum that is off by 1e-7 or less.
    """
    total = math.fsum(amounts)
    shares = [amount / total for amount in amounts]
    largest = max(range(len(shares)), key=lambda i: (shares[i], -i))
    shares[largest] = float(1 - sum(Fraction(share) for i, share in enumerate(shares) if i != largest))
    return tuple(shares)


def decimal(value: float) -> str:
    """A number as text that reads back to the same float64, without an exponent."""
    return format(Decimal(repr(value)), "f")


def rounded_up(value: float, digits: int = 6) -> float:
    """The next decimal of so many places that is not less: a limit that must never fall short."""
    scale = 10.0**digits
    return math.ceil(value * scale - 1e-9) / scale


def _checked(stage: Stage, amounts: Sequence[float]) -> tuple[tuple[float, ...] | None, list[Diagnostic]]:
    if not amounts:
        return None, [messages.empty_phase(stage.name)]
    shares = closed(amounts)
    for leaf, share in zip(stage.leaves, shares, strict=True):
        if share < LEAST:
            return None, [messages.weight_too_small(leaf.path, share)]
    return shares, []


def up(numerator: int, denominator: int) -> float:
    """The least float64 not below a ratio, so that what is multiplied by it and cut off is never one too few."""
    value = numerator / denominator
    return value if Fraction(value) >= Fraction(numerator, denominator) else math.nextafter(value, math.inf)
