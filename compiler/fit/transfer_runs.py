"""Runs for the transfer law: tokens of each language in a run, and the loss of each on its own validation text.

Wide tables have a row per run: `params`, `tokens`, `share.en` … (or `tokens.en` …) and `loss.en` …; a share that is
empty is 0, a loss that is empty was not measured. Long tables have a row per run and language (or per run, language,
source, domain and bucket, whose tokens are summed): `run`, `params`, `tokens`, `language`, `share` or `taken`, `loss`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mixc.compiler.documents.data import Unreadable
from mixc.compiler.fit.fit_messages import unknown_language
from mixc.compiler.fit.grouping import (
    check_doubles,
    check_losses,
    check_sums,
    check_units,
    evidence_hash,
    groups,
    names_of,
    one_value,
    optional_number,
    refuse,
)
from mixc.compiler.fit.infolaw_runs import content_name
from mixc.compiler.fit.run_messages import bad_values, broken_run, constant_loss, missing_columns
from mixc.compiler.fit.tables import RunTable, as_number
from mixc.compiler.review.canonical import Json
from mixc.compiler.supply.languages import known_codes, resolve
from mixc.dsl.suggest import suggest

PART = re.compile(r"(share|tokens|taken|loss)\.(.+)")


@dataclass(frozen=True, slots=True)
class TransferRun:
    """A run: tokens by language (canonical codes) out of all, and losses of the languages that were evaluated."""

    name: str
    params: float
    tokens: float
    taken: tuple[tuple[str, float], ...]
    losses: tuple[tuple[str, float], ...]

    def key(self) -> Json:
        """What it says, without its name."""
        return [self.params, self.tokens, [list(one) for one in self.taken], [list(one) for one in self.losses]]


@dataclass(frozen=True, slots=True)
class TransferRuns:
    """Runs in an order of their own, the languages that have losses (sorted), and the hash of what runs say."""

    name: str
    runs: tuple[TransferRun, ...]
    languages: tuple[str, ...]
    sha256: str


def transfer_runs(table: RunTable) -> TransferRuns:
    """The runs of a table; raises `Unreadable` for what they cannot be."""
    made = _long(table) if table.has("language") else _wide(table)
    runs = [run for _, run in made]
    check_units(table, [run.params for run in runs], [run.tokens for run in runs])
    for code in sorted({code for run in runs for code, _ in run.losses}):
        values = [loss for run in runs for one, loss in run.losses if one == code]
        check_losses(table, f"loss.{code}", values)
        if len(values) > 1 and len(set(values)) == 1:
            raise Unreadable(constant_loss(table.name, f"the loss of `{code}`", values[0], len(values)))
    check_sums(table, [(run.name, sum(t for _, t in run.taken), run.tokens) for run in runs], "languages")
    check_doubles(table, [place for place, _ in made], [repr(run.key()) for run in runs])
    ordered = sorted(runs, key=lambda run: (run.params, run.tokens, run.taken, run.losses, run.name))
    languages = sorted({code for run in runs for code, _ in run.losses})
    return TransferRuns(table.name, tuple(ordered), tuple(languages), evidence_hash([run.key() for run in runs]))


def canonical_codes(table: RunTable, codes: Sequence[str]) -> dict[str, str]:
    """The canonical tag of each code as written; M724 for an unknown one, and for two spellings of one."""
    found: dict[str, str] = {}
    for code in dict.fromkeys(codes):
        known = resolve(code)
        if known is None or known.tag in found.values():
            twin = next((one for one, tag in found.items() if known is not None and tag == known.tag), None)
            raise Unreadable(unknown_language(table.name, code, suggest(code, known_codes()), twin))
        found[code] = known.tag
    return found


def _run(
    table: RunTable, place: str, name: str | None, params: float, tokens: float,
    taken: Mapping[str, float], losses: Mapping[str, float],
) -> tuple[str, TransferRun]:  # fmt: skip
    if not losses:
        raise Unreadable(bad_values(table.name, "loss", [(place, "")], "a run has the loss of one language or more"))
    mean = math.fsum(losses.values()) / len(losses)
    read = tuple(sorted((code, value) for code, value in taken.items() if value > 0))
    shown = name or content_name(params, tokens, mean)
    return place, TransferRun(shown, params, tokens, read, tuple(sorted(losses.items())))


def _wide(table: RunTable) -> list[tuple[str, TransferRun]]:
    table.require(("params", "tokens"))
    parts: dict[str, dict[str, str]] = {}
    for column in table.columns:
        match = PART.fullmatch(column)
        if match:
            parts.setdefault("taken" if match[1] == "tokens" else match[1], {})[match[2]] = column
    kind = "share" if "share" in parts else "taken"
    absent = [wanted for wanted, there in ((f"{kind if kind == 'share' else 'tokens'}.en", kind in parts),
                                           ("loss.en", "loss" in parts)) if not there]  # fmt: skip
    if absent:
        raise Unreadable(missing_columns(table.name, [(column, None) for column in absent], table.columns))
    for written in ({**parts[kind]}, {**parts["loss"]}):
        canonical_codes(table, list(written))
    params, tokens, names = table.numbers("params", "params"), table.numbers("tokens", "tokens"), names_of(table)
    unit = table.reading.units
    made = []
    for row, place in enumerate(table.places):
        scale = tokens[row] * unit.get("share", 1.0) if kind == "share" else unit.get("tokens", 1.0)
        read = {_tag(c): (optional_number(table, row, column) or 0.0) * scale for c, column in parts[kind].items()}
        losses = {_tag(c): _loss(table, row, column) for c, column in parts["loss"].items()}
        known = {code: loss * unit.get("loss", 1.0) for code, loss in losses.items() if loss is not None}
        made.append(_run(table, place, names[row], params[row], tokens[row], read, known))
    return made


def _tag(code: str) -> str:
    known = resolve(code)
    return known.tag if known else code


def _loss(table: RunTable, row: int, column: str) -> float | None:
    """A loss that may be missing, but not NaN: an empty cell was not measured, NaN is a run that failed."""
    value = table.rows[row].get(column)
    if value is None:
        return None
    number = as_number(value)
    if number is None or not math.isfinite(number) or number <= 0:
        raise refuse(table, column, table.places[row], str(value), "it is a number above 0, or empty")
    return number


def _long(table: RunTable) -> list[tuple[str, TransferRun]]:
    part = "share" if table.has("share") else "taken"
    table.require(("run", "params", "tokens", "language", part, "loss"))
    params, tokens = table.numbers("params", "params"), table.numbers("tokens", "tokens")
    amounts = table.numbers(part, "share" if part == "share" else "tokens", open_=False)
    tags = canonical_codes(table, table.texts("language"))
    made = []
    for run, rows in groups(table).items():
        size, total = one_value(table, run, rows, "params", params), one_value(table, run, rows, "tokens", tokens)
        read: dict[str, float] = {}
        losses: dict[str, float] = {}
        seen = set()
        for row in rows:
            cell = table.rows[row]
            code = tags[str(cell["language"])]
            content = (code, *(cell.get(key) for key in ("source", "domain", "bucket", "low", "high")))
            if content in seen:
                raise Unreadable(broken_run(table.name, f"run `{run}`", f"states the same part of `{code}` twice"))
            seen.add(content)
            read[code] = read.get(code, 0.0) + amounts[row] * (total if part == "share" else 1.0)
            loss = _loss(table, row, "loss")
            if loss is not None:
                value = loss * table.reading.units.get("loss", 1.0)
                if losses.setdefault(code, value) != value:
                    raise Unreadable(broken_run(table.name, f"run `{run}`", f"states two losses of `{code}`"))
        made.append(_run(table, f"run `{run}`", run, size, total, read, losses))
    return made
