"""What a calibration says of the fit behind it: ranges, evidence, intervals, errors, what is not identified."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Code = Annotated[str, Field(min_length=1)]


class Record(BaseModel):
    """A part of a calibration file; unknown keys are refused, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class FittedRange(Record):
    """Where the runs of a fit lie: model sizes in parameters, overtraining and repetition at most."""

    params: tuple[Positive, Positive] | None = None
    tokens: tuple[Positive, Positive] | None = None
    overtraining: Positive | None = None
    repetition: Positive | None = None


class Validation(Record):
    """The largest run that the fit was extrapolated to, and its relative errors there."""

    params: Positive
    tokens: Positive
    mean_error: NonNegative
    largest_error: NonNegative


class LeftOutErrors(Record):
    """How a fit without the runs of one size or budget predicts them: relative errors of the loss."""

    params: Positive | None = None
    tokens: Positive | None = None
    runs: int
    mean_error: NonNegative
    largest_error: NonNegative


class FitErrors(Record):
    """Errors on the runs of a fit, relative to the loss; `deviation` is the standard deviation of residuals."""

    deviation: NonNegative
    mean: NonNegative
    largest: NonNegative
    left_out: tuple[LeftOutErrors, ...] = ()


class RunEvidence(Record):
    """What a fit rests on: how many runs, the SHA-256 of what they say in any order, those far off the law."""

    runs: Annotated[int, Field(ge=1)]
    sha256: str
    outliers: tuple[str, ...] = ()


Interval = tuple[Finite | None, Finite | None]
"""A 90 % interval; null at an end that the runs leave open."""


class HeldOut(Record):
    """How runs that were held out are predicted, with transfer and without: R2 about each language's mean, and nats."""

    what: Literal["largest budget", "unseen mixtures"]
    runs: int
    r2: Finite
    mae: NonNegative
    r2_isolated: Finite
    mae_isolated: NonNegative


class TransferErrors(Record):
    """Errors of losses in nats: the standard deviation of one, and of runs held out."""

    deviation: NonNegative
    held_out: tuple[HeldOut, ...] = ()


class TransferIntervals(Record):
    """90 % intervals of what a transfer calibration states."""

    transfer: dict[Code, dict[Code, Interval]] = {}
    cost: dict[Code, dict[Code, Interval]] = {}
    languages: dict[Code, dict[Literal["floor", "scale", "exponent"], Interval]] = {}
    shared: dict[str, Interval] = {}


class LooseTerms(Record):
    """Terms that the runs do not identify, by the language that receives or pays."""

    transfer: dict[Code, tuple[Code, ...]] = {}
    cost: dict[Code, tuple[Code, ...]] = {}
