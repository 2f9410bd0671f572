"""Tables of proxy runs: read, checked, and laid out as points of a space with their losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mixc.backends.quadmix.sampler import LambdaLaw
from mixc.backends.search import messages
from mixc.backends.search.space import Floats, MixtureSpace, ThetaSpace
from mixc.compiler.documents.data import Unreadable
from mixc.dsl.diagnostics import Diagnostic

LEAST_RUNS = 20
SUM = 0.02  # how far the shares or weights of a row may be from the sum 1: published tables are rounded
LOSS, RUN, LAW, SUPPLY = "loss", "run", "law", "supply:"
KNOWN = (RUN, "recipe", LAW, "seed", "model", "tokens")
LOG_MEDIAN = 150.0  # the median of lambda is 500 where it is 1000 U, and 32 where it is 10^(3 U)


@dataclass(frozen=True, slots=True)
class Rated:
    """What of a recipe has sampling parameters: its rated domains and all raters that they weigh, in its order."""

    name: str
    domains: tuple[str, ...]
    raters: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Runs that can be learned from: points [n, d] of a space, their loss [n], and the losses it is the mean of."""

    space: ThetaSpace | MixtureSpace
    u: Floats
    losses: Floats
    names: tuple[str, ...]
    parts: tuple[Floats, ...]
    weights: tuple[float, ...]
    supplied: bool  # whether the tokens of domains are known


def read_runs(
    path: Path, rated: Rated, losses: dict[str, float], law: LambdaLaw | None, cap: float | None
) -> tuple[Runs, list[Diagnostic]]:
    """The runs of a table; raises Unreadable where they cannot be learned from.

    `losses` are columns with weights, `cap` the largest share of a mixture's domain.
    """
    name = str(path)
    table = read_table(path)
    wanted = losses or {LOSS: 1.0}
    for column in wanted:
        if column not in table.column_names:
            raise Unreadable(messages.no_such_loss(name, column, table.column_names))
    table, found = _done(name, table, tuple(wanted))
    theta = any(c.startswith(("alpha", "lambda")) for c in table.column_names)
    space: ThetaSpace | MixtureSpace
    if theta:
        if not rated.domains:
            raise Unreadable(messages.nothing_rated(rated.name))
        space, u, used = _theta(name, table, rated, law)
    else:
        space, u, used = _mixtures(name, table, tuple(wanted), rated, cap)
    _check_names(name, table, u)
    parts = tuple(_numbers(name, table, column) for column in wanted)
    keep, more = _distinct(name, u, np.stack(parts, axis=1))
    weights = np.array(list(wanted.values())) / sum(wanted.values())
    runs = Runs(
        *(space, u[keep], np.stack(parts, axis=1)[keep] @ weights, tuple(wanted)),
        *(tuple(part[keep] for part in parts), tuple(weights.tolist()), f"{SUPPLY}{space.domains[0]}" in used),
    )
    left = [c for c in table.column_names if c not in used and c not in wanted and c not in KNOWN]
    found += more + ([messages.unused_columns(name, left)] if left else [])
    return runs, found + _enough(name, runs, tuple(wanted))


def read_table(path: Path) -> pa.Table:
    """A table by the ending of its name."""
    try:
        match path.suffix:
            case ".parquet":
                return pq.read_table(path)
            case ".csv":
                return pa_csv.read_csv(path)
            case ".jsonl":
                return pa_json.read_json(path)
            case _:
                why = "its name ends in none of .parquet, .csv and .jsonl"
    except OSError as error:
        why = (error.strerror or "it is no such file").lower()
    except pa.ArrowInvalid as error:
        why = str(error).splitlines()[0]
    raise Unreadable(messages.unreadable_runs(str(path), why))


def _done(name: str, table: pa.Table, losses: Sequence[str]) -> tuple[pa.Table, list[Diagnostic]]:
    """Without the runs whose loss is empty; losses that are there are finite."""
    empty = np.zeros(table.num_rows, dtype=bool)
    for column in losses:
        empty |= np.asarray(table[column].is_null(nan_is_null=False))
    found = [messages.not_run_yet(name, int(empty.sum()), len(empty))] if empty.any() else []
    for column in losses:
        _numbers(name, table.filter(pa.array(~empty)), column)
    if (~empty).sum() < LEAST_RUNS:
        raise Unreadable(messages.too_few_runs(name, int((~empty).sum()), LEAST_RUNS))
    return table.filter(pa.array(~empty)), found


def _numbers(name: str, table: pa.Table, column: str) -> Floats:
    """A column of finite numbers."""
    held = table[column]
    plain = pa.types.is_floating(held.type) or pa.types.is_integer(held.type) or pa.types.is_decimal(held.type)
    values = np.asarray(held.cast(pa.float64()), dtype=np.float64) if plain else np.full(table.num_rows, np.nan)
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise Unreadable(messages.not_finite(name, column, wrong.tolist()))
    return values


def _theta(name: str, table: pa.Table, rated: Rated, law: LambdaLaw | None) -> tuple[ThetaSpace, Floats, set[str]]:
    """Points of sampling parameters, whose columns are called by names or numbered."""
    space = ThetaSpace(rated.domains, rated.raters, "linear", (1.0,) * len(rated.domains))
    columns = list(space.names)
    if not set(columns) & set(table.column_names):
        columns = [numbered for m in range(len(rated.domains)) for numbered in _numbered(m, len(rated.raters))]
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise Unreadable(messages.missing_columns(name, missing, len(columns), rated.name))
    flat = np.stack([_numbers(name, table, column) for column in columns], axis=1)
    theta = flat.reshape(len(flat), len(rated.domains), -1)
    _check_theta(name, columns, theta)
    alpha = theta[..., :-4]
    theta = np.concatenate([alpha / alpha.sum(axis=2, keepdims=True), theta[..., -4:]], axis=2)
    supplies = [f"{SUPPLY}{domain}" for domain in rated.domains]
    known = all(column in table.column_names for column in supplies)
    tokens = tuple(float(_numbers(name, table, column).max()) for column in supplies) if known else space.tokens
    space = replace(space, law=_law(table, theta, law), tokens=tokens)
    u = space.units(theta)
    lower, upper = space.limits
    space = replace(space, low=_wider(lower, u.min(axis=0), -1), high=_wider(upper, u.max(axis=0), 1))
    return space, u, {*columns, *(supplies if known else ())}


def _wider(limit: Floats, seen: Floats, side: int) -> tuple[float, ...]:
    """Limits that hold what was seen too."""
    return tuple((side * np.maximum(side * limit, side * seen)).tolist())


def _numbered(domain: int, raters: int) -> list[str]:
    return [f"alpha_{domain}_{n}" for n in range(raters)] + [
        f"{parameter}_{domain}" for parameter in ("lambda", "omega", "eta", "epsilon")
    ]


def _law(table: pa.Table, theta: Floats, said: LambdaLaw | None) -> LambdaLaw:
    """How lambda was drawn: as said, as the table says, or as its median tells."""
    if said is not None:
        return said
    if LAW in table.column_names and (words := set(table[LAW].to_pylist())) <= {"linear", "log"}:
        return "linear" if "linear" in words else "log"
    return "log" if float(np.median(theta[..., -4])) < LOG_MEDIAN else "linear"


def _check_theta(name: str, columns: list[str], theta: Floats) -> None:
    width = theta.shape[2]
    alpha = theta[..., :-4]
    for m in range(theta.shape[1]):
        first = columns[int(m * width)]
        bad = np.flatnonzero((alpha[:, m] < 0).any(axis=1) | (np.abs(alpha[:, m].sum(axis=1) - 1) > SUM))
        if len(bad):
            what = "a weight, 0 or more, that with its domain's others sums to 1"
            raise Unreadable(messages.out_of_range(name, first, bad.tolist(), what))
        for i, most in enumerate((np.inf, 1.0, np.inf, np.inf), start=width - 4):
            bad = np.flatnonzero((theta[:, m, i] < 0) | (theta[:, m, i] > most))
            if len(bad):
                what = "0 or more" if most > 1 else "within 0 and 1"
                raise Unreadable(messages.out_of_range(name, columns[int(m * width + i)], bad.tolist(), what))


def _mixtures(
    name: str, table: pa.Table, losses: Sequence[str], rated: Rated, cap: float | None
) -> tuple[MixtureSpace, Floats, set[str]]:
    """Points of mixtures: all columns of numbers that are no loss, or those that begin with `share:`."""
    marked = [column for column in table.column_names if column.startswith("share:")]
    numbers = [
        field.name for field in table.schema if pa.types.is_floating(field.type) and field.name not in (*losses, *KNOWN)
    ]
    columns = marked or numbers
    if len(columns) < 2:
        names = ThetaSpace(rated.domains, rated.raters, "linear", ()).names
        raise Unreadable(messages.missing_columns(name, names, len(names), rated.name))
    shares = np.stack([_numbers(name, table, column) for column in columns], axis=1)
    bad = np.flatnonzero((shares < 0).any(axis=1) | (np.abs(shares.sum(axis=1) - 1) > SUM))
    if len(bad):
        what = "a share, 0 or more, that with the row's others sums to 1"
        raise Unreadable(messages.out_of_range(name, columns[0], bad.tolist(), what))
    shares = shares / shares.sum(axis=1, keepdims=True)
    domains = tuple(column.removeprefix("share:") for column in columns)
    most = np.full(len(domains), 1.0 if cap is None else cap)
    space = MixtureSpace(domains, tuple(shares.mean(axis=0).tolist()), tuple(most.tolist()))
    return space, shares, set(columns)


def _check_names(name: str, table: pa.Table, u: Floats) -> None:
    """A run's name stands for one set of parameters."""
    if RUN not in table.column_names:
        return
    first: dict[str, int] = {}
    for row, run in enumerate(str(value) for value in table[RUN].to_pylist()):
        if run in first and not np.array_equal(u[row], u[first[run]]):
            raise Unreadable(messages.same_run(name, run, [first[run], row]))
        first.setdefault(run, row)


def _distinct(name: str, u: Floats, losses: Floats) -> tuple[NDArray[np.int64], list[Diagnostic]]:
    """Rows that repeat no earlier one."""
    _, first = np.unique(np.concatenate([u, losses], axis=1), axis=0, return_index=True)
    keep = np.sort(first).astype(np.int64)
    again = np.setdiff1d(np.arange(len(u)), keep)
    return keep, [messages.duplicated_runs(name, len(again), again.tolist())] if len(again) else []


def _enough(name: str, runs: Runs, losses: Sequence[str]) -> list[Diagnostic]:
    """Refuses what cannot be learned from; warns where it is little."""
    if len(runs.losses) < LEAST_RUNS:
        raise Unreadable(messages.too_few_runs(name, len(runs.losses), LEAST_RUNS))
    for column, values in zip(losses, runs.parts, strict=True):
        if np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())):
            raise Unreadable(messages.constant_loss(name, column))
    free = runs.u.shape[1] - len(runs.space.groups)
    return [messages.fewer_than_parameters(name, len(runs.losses), free)] if len(runs.losses) < free else []
