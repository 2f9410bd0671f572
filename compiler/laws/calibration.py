"""Calibration files: the constants of a law, where they come from, their units, what is assumed.

A calibration is JSON, shipped under `calibrations/` or written by `mixc fit`; a recipe names it by shipped name, or by
a path relative to the recipe. Files are checked by the models below, whose JSON Schema `calibration_schema` returns.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path, PurePath
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator

from mixc.compiler.laws import messages
from mixc.compiler.laws.fitted import (
    Code,
    Finite,
    FitErrors,
    FittedRange,
    Interval,
    LooseTerms,
    NonNegative,
    Positive,
    Record,
    RunEvidence,
    TransferErrors,
    TransferIntervals,
    Validation,
)
from mixc.compiler.plain_json import loads
from mixc.compiler.problem import InfoLaw
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.reading import file_bytes
from mixc.dsl.text import Span
from mixc.dsl.wording import plain

LONGEST = 200  # characters of a complaint that a file decides
Matrix = dict[Code, dict[Code, NonNegative]]


class InfoLawParameters(Record):
    """theta, a, b, alpha, beta of `mixc.compiler.laws.infolaw`."""

    theta: NonNegative
    a: NonNegative
    b: Finite
    alpha: Positive
    beta: Positive


class InfoLawCalibration(Record):
    """A fit of InfoLaw. `edges` are the upper ranks of its quality buckets, best first, the last 1.

    `intervals` are those of the parameters by name; `not_identified` says per parameter what the runs do not bound.
    """

    schema_: Literal["mixc.calibration.infolaw/1"] = Field(alias="schema")
    name: str
    source: str
    parameters: InfoLawParameters
    edges: tuple[Positive, ...] = Field(min_length=1)
    units: dict[str, str] = Field(default_factory=dict)
    fitted: FittedRange = FittedRange()
    validated: Validation | None = None
    evidence: RunEvidence | None = None
    intervals: dict[Literal["theta", "a", "b", "alpha", "beta"], Interval] = Field(default_factory=dict)
    errors: FitErrors | None = None
    not_identified: dict[str, str] = Field(default_factory=dict)
    assumed: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _edges_rise_to_one(self) -> InfoLawCalibration:
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)) or self.edges[-1] != 1:
            raise ValueError("edges must rise, and end in 1")
        return self


class LossParameters(Record):
    """loss = floor + scale * eff^-exponent of one language, nats per token."""

    floor: NonNegative
    scale: Positive
    exponent: Positive


class TransferCalibration(Record):
    """A fit of the transfer law at `tokens` (D0): T ~ (D/D0)^-transfer_exponent, V ~ (D/D0)^cost_exponent.

    `transfer[i][j]` is what one unit of j is worth to i, `cost[i][j]` what the share of j costs i. With signal tokens,
    what a language gets also grows as (D/D0)^budget_exponent (N/params)^size_exponent.
    `common` are the values that terms of a kind are drawn to.
    """

    schema_: Literal["mixc.calibration.transfer/1"] = Field(alias="schema")
    name: str
    source: str
    form: Literal["isolated", "linear", "logc"]
    signal: Literal["info", "tokens"] = "info"
    tokens: Positive
    transfer_exponent: Finite = 0.0
    cost_exponent: Finite = 0.0
    transfer: Matrix = Field(default_factory=dict)
    cost: Matrix = Field(default_factory=dict)
    params: Positive | None = None
    budget_exponent: Finite = 0.0
    size_exponent: Finite = 0.0
    languages: dict[Code, LossParameters] = Field(default_factory=dict)
    common: dict[str, NonNegative] = Field(default_factory=dict)
    units: dict[str, str] = Field(default_factory=dict)
    fitted: FittedRange = FittedRange()
    evidence: RunEvidence | None = None
    intervals: TransferIntervals = TransferIntervals()
    errors: TransferErrors | None = None
    not_identified: LooseTerms = LooseTerms()
    assumed: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _no_self_transfer(self) -> TransferCalibration:
        for matrix, word in ((self.transfer, "transfer"), (self.cost, "cost")):
            for code, row in matrix.items():
                if code in row:
                    raise ValueError(f"{word} of {code} to itself is not a term of the law")
        return self


AnyCalibration = TypeVar("AnyCalibration", InfoLawCalibration, TransferCalibration)


@dataclass(frozen=True, slots=True)
class CalibrationFile:
    """What was read: the name that a recipe gives, the size in bytes and the SHA-256 of the file."""

    name: str
    size: int
    sha256: str


def shipped() -> tuple[str, ...]:
    """Names of the calibrations that come with mixc, sorted."""
    folder = files("mixc.compiler.laws").joinpath("calibrations")
    return tuple(sorted(entry.name[: -len(".json")] for entry in folder.iterdir() if entry.name.endswith(".json")))


def load_infolaw(
    name: str, folder: Path, span: Span | None
) -> tuple[tuple[InfoLawCalibration, CalibrationFile] | None, list[Diagnostic]]:
    """The InfoLaw calibration that a recipe in `folder` calls `name`."""
    return _load(InfoLawCalibration, name, folder, span)


def load_transfer(
    name: str, folder: Path, span: Span | None
) -> tuple[tuple[TransferCalibration, CalibrationFile] | None, list[Diagnostic]]:
    """The transfer calibration that a recipe in `folder` calls `name`."""
    return _load(TransferCalibration, name, folder, span)


def to_info_law(calibration: InfoLawCalibration) -> InfoLaw:
    """The constants that a `Problem` carries."""
    p = calibration.parameters
    return InfoLaw(calibration.name, p.theta, p.a, p.b, p.alpha, p.beta, calibration.edges)


def calibration_schema(kind: Literal["infolaw", "transfer"]) -> dict[str, Any]:
    """The JSON Schema of a calibration file."""
    model: type[BaseModel] = InfoLawCalibration if kind == "infolaw" else TransferCalibration
    schema: dict[str, Any] = model.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


def _load(
    model: type[AnyCalibration], name: str, folder: Path, span: Span | None
) -> tuple[tuple[AnyCalibration, CalibrationFile] | None, list[Diagnostic]]:
    content, found = _content(name, folder, span)
    if content is None:
        return None, found
    try:
        data = loads(content.decode("utf-8-sig"))
    except ValueError as error:
        return None, [messages.not_json(_said(name, folder), span, str(error))]
    wanted = model.model_fields["schema_"].annotation.__args__[0]  # type: ignore[union-attr]
    stated = data.get("schema") if isinstance(data, Mapping) else None
    if stated != wanted:
        kind = stated if isinstance(stated, str) else None
        return None, [messages.other_kind(_said(name, folder), span, kind, wanted)]
    try:
        calibration = model.model_validate(data)
    except ValidationError as error:
        sentences = [_sentence(one) for one in error.errors(include_url=False)]
        return None, [messages.unfit(_said(name, folder), span, sentences)]
    return (calibration, CalibrationFile(name, len(content), hashlib.sha256(content).hexdigest())), []


def _content(name: str, folder: Path, span: Span | None) -> tuple[bytes | None, list[Diagnostic]]:
    """The bytes of a shipped calibration, or of a file; a bare word that is neither is a misspelt name."""
    if name in shipped():
        return files("mixc.compiler.laws").joinpath("calibrations", f"{name}.json").read_bytes(), []
    path = folder / name
    try:
        return file_bytes(path), []
    except (OSError, ValueError) as error:
        if not name.endswith(".json") and "/" not in name:
            close = get_close_matches(name, shipped(), n=1, cutoff=2 / 3)
            return None, [messages.unknown(name, span, shipped(), close[0] if close else None)]
        reason = error.strerror if isinstance(error, OSError) else None
        return None, [messages.unreadable(_said(name, folder), span, reason or "cannot be opened")]


def _said(name: str, folder: Path) -> str:
    """A path as the recipe sees it: what is checked carries whole ones, for a recipe may extend one elsewhere."""
    return PurePath(os.path.relpath(name, folder)).as_posix() if Path(name).is_absolute() else name


def _sentence(error: Any) -> str:
    """One complaint of the validator in our words: the path in the file, what is there, what is allowed."""
    where = plain(".".join(str(part) for part in error["loc"]), LONGEST)
    allowed = {
        "missing": "is missing",
        "extra_forbidden": "is not a key here",
        "greater_than": "must be greater than 0",
        "greater_than_equal": "must be 0 or more",
        "finite_number": "must be finite",
        "float_parsing": "must be a number",
        "float_type": "must be a number",
        "string_type": "must be text",
        "too_short": "must not be empty",
        "literal_error": f"must be {error.get('ctx', {}).get('expected', 'another word')}",
        "value_error": error["msg"].removeprefix("Value error, "),
    }.get(error["type"], "has the wrong shape")
    found = error.get("input")
    shown = f" (found {plain(json.dumps(found), LONGEST)})" if isinstance(found, str | int | float) else ""
    return f"`{where}` {allowed}{shown}" if where else allowed
