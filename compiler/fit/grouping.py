"""What both kinds of runs share: rows of a long table grouped into runs, plausible units, names, doubles."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from mixc.compiler.documents.data import Unreadable
from mixc.compiler.fit.run_messages import bad_sum, bad_values, broken_run, duplicated_runs, unlikely_units
from mixc.compiler.fit.tables import RunTable, as_number
from mixc.compiler.review.canonical import Json, canonical

Key = TypeVar("Key")
FEWEST_PARAMS, FEWEST_TOKENS = 1e5, 1e6
MOST_PARAMS, MOST_TOKENS = 1e14, 1e16
LARGEST_LOSS = 20.0  # nats per token: the entropy of a uniform guess over 5e8 tokens
SUM_TOLERANCE = 0.01


def groups(table: RunTable) -> dict[str, list[int]]:
    """Rows of a long table by their run, in the order in which runs appear."""
    found: dict[str, list[int]] = {}
    for row, run in enumerate(table.texts("run")):
        found.setdefault(run, []).append(row)
    return found


def one_value(table: RunTable, run: str, rows: Sequence[int], column: str, values: Sequence[float]) -> float:
    """What the rows of a run agree on; M716 where they do not."""
    first = values[rows[0]]
    for row in rows:
        if values[row] != first:
            raise Unreadable(broken_run(table.name, run, f"states `{column}` as {first:g} and as {values[row]:g}"))
    return first


def names_of(table: RunTable) -> list[str | None]:
    """The names of the runs of a wide table; None where it has none. M715 where one stands twice."""
    if not table.has("run"):
        return [None] * len(table.rows)
    names = table.texts("run")
    first: dict[str, str] = {}
    twice = []
    for name, place in zip(names, table.places, strict=True):
        if name in first:
            twice.append((f"run `{name}` of {first[name]}", f"run `{name}` at {place}"))
        first.setdefault(name, place)
    if twice:
        raise Unreadable(duplicated_runs(table.name, twice))
    return list(names)


def check_units(table: RunTable, params: Sequence[float], tokens: Sequence[float]) -> None:
    """M713 for sizes and budgets that nobody trains: written in millions or billions."""
    columns = (("params", params, FEWEST_PARAMS, MOST_PARAMS), ("tokens", tokens, FEWEST_TOKENS, MOST_TOKENS))
    for column, values, fewest, most in columns:
        if not values:
            continue
        low, high = min(values), max(values)
        if low >= fewest and high <= most:
            continue
        mixed = high >= fewest and low < fewest
        why = f"it runs from {low:g} to {high:g}"
        if mixed:
            why += ", so that some rows are in ones and some in thousands, millions or billions"
            raise Unreadable(unlikely_units(table.name, column, why, ("write all rows in one unit",)))
        asked = "are these billions? then add" if low < fewest else "is a unit too large? then change"
        raise Unreadable(unlikely_units(table.name, column, why, (f"{asked} `--unit {column}=1e9`",)))
    over = [k / n for n, k in zip(params, tokens, strict=False)]
    if over and not 1e-3 <= min(over) <= max(over) <= 1e7:
        why = f"runs read {min(over):.3g} to {max(over):.3g} tokens per parameter"
        helps = ("give both in ones: `--unit tokens=1e9` or `--unit params=1e9`",)
        raise Unreadable(unlikely_units(table.name, "tokens", why, helps))


def check_losses(table: RunTable, column: str, losses: Sequence[float]) -> None:
    """M713 for losses that are no cross-entropies in nats."""
    if losses and max(losses) > LARGEST_LOSS:
        why = f"it is {max(losses):g} at most, and a loss in nats per token is below {LARGEST_LOSS:g}"
        helps = ("give cross-entropies in nats per token, not perplexities; bits are read with `--unit loss=0.693147`",)
        raise Unreadable(unlikely_units(table.name, column, why, helps))


def check_sums(table: RunTable, sums: Sequence[tuple[str, float, float]], what: str) -> None:
    """M714 for runs whose parts do not add up: (run, sum, whole)."""
    wrong = [one for one in sums if abs(one[1] - one[2]) > SUM_TOLERANCE * one[2]]
    if wrong:
        listed = [(run, total) for run, total, _ in wrong]
        raise Unreadable(bad_sum(table.name, listed, what, wrong[0][2]))


def check_doubles(table: RunTable, places: Sequence[str], keys: Sequence[Key]) -> None:
    """M715 for runs that are the same in everything."""
    first: dict[Key, str] = {}
    twice = []
    for place, key in zip(places, keys, strict=True):
        if key in first:
            twice.append((first[key], place))
        first.setdefault(key, place)
    if twice:
        raise Unreadable(duplicated_runs(table.name, twice))


def refuse(table: RunTable, column: str, place: str, found: str, rule: str) -> Unreadable:
    """M712 for one cell."""
    return Unreadable(bad_values(table.name, column, [(place, found)], rule))


def optional_number(table: RunTable, row: int, column: str) -> float | None:
    """A cell that may be empty; M712 when it holds something else than a number of 0 or more."""
    value = table.rows[row].get(column)
    if value is None:
        return None
    number = as_number(value)
    if number is None or not 0 <= number < float("inf"):
        raise refuse(table, column, table.places[row], str(value), "it is a number of 0 or more")
    return number


def evidence_hash(keys: Sequence[Json]) -> str:
    """SHA-256 of what runs say, whatever their order."""
    text = "".join(sorted(canonical(key) for key in keys))
    return hashlib.sha256(text.encode()).hexdigest()
