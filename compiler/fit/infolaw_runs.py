"""Runs for InfoLaw: what each read of which ranks of quality, of how many unique tokens, and its loss.

Wide tables have a row per run: `params`, `tokens`, `loss`, `share.0` … (or `tokens.0` …) per bucket, best first, and
either `pool` (unique tokens of the whole pool) or `supply.0` …; `edges.0` … or a text `edges` where a run has buckets
of its own. Long tables have a row per run and interval of ranks: `run`, `params`, `tokens`, `loss`, `low`, `high`,
`share` or `taken`, `supply` or `pool`, and if wanted `source`, `language`, `domain`. Evidence is kept as
intervals of ranks with their tokens, so it outlives a change of buckets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixc.compiler.documents.data import Unreadable
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
from mixc.compiler.fit.run_messages import broken_run, constant_loss, missing_columns
from mixc.compiler.fit.tables import RunTable
from mixc.compiler.review.canonical import Json

Floats = NDArray[np.float64]
PUBLISHED_EDGES = (0.05, 0.2, 0.4, 0.6, 0.8, 1.0)
BUCKET = re.compile(r"(share|w|tokens|taken|supply)[._]?(\d+)")


@dataclass(frozen=True, slots=True, order=True)
class RunCell:
    """What a run read of an interval [low, high) of a pool's quality ranks: `taken` tokens out of `supply` unique."""

    pool: tuple[str, str, str]  # source, language, domain
    low: float
    high: float
    taken: float
    supply: float


@dataclass(frozen=True, slots=True)
class InfoRun:
    """A run: its name, size, tokens in all, loss in nats per token, and what it read."""

    name: str
    params: float
    tokens: float
    loss: float
    cells: tuple[RunCell, ...]

    def key(self) -> Json:
        """What it says, without its name."""
        cells: list[Json] = [[*cell.pool, cell.low, cell.high, cell.taken, cell.supply] for cell in self.cells]
        return [self.params, self.tokens, self.loss, cells]

    @property
    def repetition(self) -> float:
        """The most passes over any interval."""
        return max((cell.taken / cell.supply for cell in self.cells if cell.supply > 0), default=0.0)


@dataclass(frozen=True, slots=True)
class InfoRuns:
    """Runs in an order of their own, whatever that of the table, and the hash of what they say."""

    name: str
    runs: tuple[InfoRun, ...]
    sha256: str


def infolaw_runs(table: RunTable) -> InfoRuns:
    """The runs of a table; raises `Unreadable` for what they cannot be."""
    long = table.has("low") or table.has("high")
    made = _long(table) if long else _wide(table)
    places = [place for place, _ in made]
    runs = [run for _, run in made]
    check_units(table, [run.params for run in runs], [run.tokens for run in runs])
    _check_supply(table, runs)
    losses = [run.loss for run in runs]
    check_losses(table, "loss", losses)
    check_sums(table, [(run.name, sum(cell.taken for cell in run.cells), run.tokens) for run in runs], "parts")
    check_doubles(table, places, [repr(run.key()) for run in runs])
    if len(losses) > 1 and len(set(losses)) == 1:
        raise Unreadable(constant_loss(table.name, "`loss`", losses[0], len(runs)))
    ordered = sorted(runs, key=lambda run: (run.params, run.tokens, run.loss, run.cells, run.name))
    return InfoRuns(table.name, tuple(ordered), evidence_hash([run.key() for run in runs]))


def content_name(params: float, tokens: float, loss: float) -> str:
    """What a run without a name is called: `252M, 18.1B tokens, loss 2.93120`."""
    return f"{params / 1e6:.4g}M, {tokens / 1e9:.4g}B tokens, loss {loss:.6g}"


def _check_supply(table: RunTable, runs: Sequence[InfoRun]) -> None:
    """M713 where pools are in another unit than what was read of them."""
    from mixc.compiler.fit.run_messages import unlikely_units

    most = max(run.repetition for run in runs)
    if most > 1e4:
        helps = ("is the pool in billions? then add `--unit supply=1e9`",)
        raise Unreadable(unlikely_units(table.name, "pool", f"a run would read it {most:,.0f} times", helps))


def _wide(table: RunTable) -> list[tuple[str, InfoRun]]:
    table.require(("params", "tokens", "loss"))
    parts = _bucket_columns(table)
    params, tokens = table.numbers("params", "params"), table.numbers("tokens", "tokens")
    losses, names = table.numbers("loss", "loss"), names_of(table)
    pools = None if "supply" in parts else table.numbers("pool", "supply")
    made = []
    for row, place in enumerate(table.places):
        name = names[row] or content_name(params[row], tokens[row], losses[row])
        edges = _edges(table, row, place, len(parts["taken"]))
        taken = [(optional_number(table, row, column) or 0.0) for column in parts["taken"][: len(edges)]]
        left = [c for c in parts["taken"][len(edges) :] if optional_number(table, row, c)]
        if left:
            raise Unreadable(broken_run(table.name, name, f"has {left[0]}, and {len(edges)} edges"))
        unit = table.reading.units
        scale = tokens[row] * unit.get("share", 1.0) if parts["shares"] else unit.get("tokens", 1.0)
        lows = (0.0, *edges[:-1])
        widths = [high - low for low, high in zip(lows, edges, strict=True)]
        if pools is None:
            given = [(optional_number(table, row, c) or 0.0) for c in parts["supply"][: len(edges)]]
            supplies = [value * unit.get("supply", 1.0) for value in given]
        else:
            supplies = [pools[row] * width for width in widths]
        cells = [
            RunCell(("", "", ""), low, high, value * scale, supply)
            for low, high, value, supply in zip(lows, edges, taken, supplies, strict=True)
        ]
        made.append((place, _run(table, place, name, params[row], tokens[row], losses[row], cells)))
    return made


def _bucket_columns(table: RunTable) -> dict[str, list[str]]:
    """Columns of buckets in order: `taken` (non-empty `shares` when these are shares of the run) and `supply`."""
    kinds: dict[str, dict[int, str]] = {}
    for column in table.columns:
        match = BUCKET.fullmatch(column)
        if match:
            kinds.setdefault({"w": "share", "tokens": "taken"}.get(match[1], match[1]), {})[int(match[2])] = column
    chosen = kinds.get("share") or kinds.get("taken")
    if not chosen:
        raise Unreadable(missing_columns(table.name, [("share.0", None)], table.columns))
    counts = {"taken": chosen} | ({"supply": kinds["supply"]} if "supply" in kinds else {})
    for kind, columns in counts.items():
        absent = [i for i in range(len(chosen)) if i not in columns]
        if absent:
            wanted = f"{'supply' if kind == 'supply' else 'share' if 'share' in kinds else 'tokens'}.{absent[0]}"
            raise Unreadable(missing_columns(table.name, [(wanted, None)], table.columns))
    if "supply" not in kinds:
        table.require(("pool",))
    ordered = {kind: [columns[i] for i in sorted(columns)] for kind, columns in counts.items()}
    return ordered | {"shares": ordered["taken"] if "share" in kinds else []}


def _edges(table: RunTable, row: int, place: str, buckets: int) -> tuple[float, ...]:
    """The run's own upper ranks, else the published ones for six buckets."""
    given = table.rows[row].get("edges")
    listed = [c for c in table.columns if re.fullmatch(r"edges[._]\d+", c) and table.rows[row].get(c) is not None]
    if given is not None or listed:
        words = re.split(r"[\s,;]+", str(given).strip("[]() ")) if given is not None else None
        try:
            values = [float(w) for w in words] if words is not None else [float(table.rows[row][c]) for c in listed]
        except (TypeError, ValueError):
            raise refuse(table, "edges", place, str(given), "it lists numbers, as in `0.05 0.2 1`") from None
        if len(values) > buckets:
            raise refuse(table, "edges", place, str(given), f"the table has {buckets} buckets")
        if values[-1] != 1:
            raise refuse(table, "edges", place, str(given), "edges rise, and end in 1")
        return tuple(values)
    if buckets != len(PUBLISHED_EDGES):
        rule = f"{buckets} buckets need their upper ranks, as in `0.1 0.5 1`"
        raise refuse(table, "edges", place, "", rule)
    return PUBLISHED_EDGES


def _long(table: RunTable) -> list[tuple[str, InfoRun]]:
    part = "share" if table.has("share") else "taken"
    supply = "supply" if table.has("supply") else "pool"
    table.require(("run", "params", "tokens", "loss", "low", "high", part, supply))
    params, tokens = table.numbers("params", "params"), table.numbers("tokens", "tokens")
    losses = table.numbers("loss", "loss")
    lows, highs = table.numbers("low", "rank", open_=False), table.numbers("high", "rank")
    taken = table.numbers(part, "share" if part == "share" else "tokens", open_=False)
    supplies = table.numbers(supply, "supply", open_=False)
    made = []
    for run, rows in groups(table).items():
        size, total = one_value(table, run, rows, "params", params), one_value(table, run, rows, "tokens", tokens)
        cells = []
        for row in rows:
            source, language, domain = (str(table.rows[row].get(key) or "") for key in ("source", "language", "domain"))
            width = highs[row] - lows[row] if supply == "pool" else 1.0
            read = taken[row] * (total if part == "share" else 1.0)
            cells.append(RunCell((source, language, domain), lows[row], highs[row], read, supplies[row] * width))
        loss = one_value(table, run, rows, "loss", losses)
        made.append((f"run `{run}`", _run(table, table.places[rows[0]], run, size, total, loss, cells)))
    return made


def _run(
    table: RunTable, place: str, name: str, params: float, tokens: float, loss: float, cells: Sequence[RunCell]
) -> InfoRun:
    """A run whose intervals are sound: inside [0, 1], apart from each other, read only where there is supply."""
    ordered = sorted(cells)
    for cell, after in zip(ordered, [*ordered[1:], None], strict=True):
        if not 0 <= cell.low < cell.high <= 1:
            why = f"has ranks {cell.low:g} to {cell.high:g}, where they rise within 0 and 1"
            raise Unreadable(broken_run(table.name, name, why))
        if after is not None and after.pool == cell.pool and after.low < cell.high - 1e-12:
            why = f"has ranks {cell.low:g} to {cell.high:g} and {after.low:g} to {after.high:g}, which overlap"
            raise Unreadable(broken_run(table.name, name, why))
        if cell.taken > 0 and not cell.supply > 0:
            raise refuse(table, "supply", place, f"{cell.supply:g}", "what is read from a bucket has a supply above 0")
    return InfoRun(name, params, tokens, loss, tuple(cell for cell in ordered if cell.taken > 0))
