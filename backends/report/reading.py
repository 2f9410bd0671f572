"""How the supply is read: by quality, and how often."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from mixc.backends.report.content import Plot, Section, Table
from mixc.compiler.review import words
from mixc.compiler.review.rows import MixtureRow, SupplyRow
from mixc.compiler.review.schema import Manifest

UNRATED = "unrated"
ENDS = 1e-9  # of a rank: where the best bucket begins and the last one ends
Interval = tuple[float, float]
Cells = list[tuple[SupplyRow, int, int]]  # supply, number of the bucket, tokens taken in all phases


def cells_of(manifest: Manifest) -> Cells:
    """Every bucket of the supply with what all phases take of it."""
    taken: dict[tuple[str, str, str], list[MixtureRow]] = defaultdict(list)
    for row in manifest.mixture:
        taken[row.source, row.language, row.domain].append(row)
    return [
        (supply, i, sum(row.tokens_by_bucket[i] for row in taken[supply.source, supply.language, supply.domain]))
        for supply in manifest.supply
        for i in range(len(supply.tokens))
    ]


def quality(manifest: Manifest) -> Section | None:
    """Mean epochs of each quality bucket of a rated domain: its sampling curve, with the edges of the buckets."""
    sums: dict[tuple[str, Interval], list[int]] = defaultdict(lambda: [0, 0])
    for supply, i, tokens in cells_of(manifest):
        if supply.rated:
            one = sums[supply.domain, (supply.low[i], supply.high[i])]
            one[0] += tokens
            one[1] += supply.tokens[i]
    rows: list[dict[str, Any]] = [
        {"domain": domain, "low": low, "high": high, "epochs": taken / there if there else 0.0, "tokens": taken}
        for (domain, (low, high)), (taken, there) in sorted(sums.items())
    ]
    if not rows:
        return None
    domains = list(dict.fromkeys(row["domain"] for row in rows))
    whole = manifest.totals.tokens or 1
    best = [row for row in rows if row["low"] <= ENDS]
    said = "; ".join(
        f"{row['domain']}: the best {words.percent(row['high'])} is read {row['epochs']:.2f} times" for row in best
    )
    plot = Plot("quality", "How often each quality is read", f"Mean epochs by quality. {said}.", rows, domains)
    table = Table(
        "Quality buckets of the rated domains",
        ("domain", "quality", "share", "tokens", "epochs"),
        [
            [
                row["domain"],
                interval(row["low"], row["high"]),
                words.share(row["tokens"] / whole),
                words.tokens(row["tokens"]),
                words.epochs(row["epochs"]),
            ]
            for row in rows
        ],
        (0, 1),
    )
    return Section("quality", "Quality", (), [plot], [table])


def repetition(manifest: Manifest) -> Section:
    """The most often that a document of a language and quality is read, over the sources."""
    most: dict[tuple[str, str], float] = {}
    intervals: dict[str, Interval] = {}
    for supply, i, tokens in cells_of(manifest):
        low, high = supply.low[i], supply.high[i]
        column = interval(low, high) if supply.rated else UNRATED
        intervals[column] = (low, high) if supply.rated else (2.0, 2.0)
        if supply.tokens[i]:
            key = supply.language, column
            most[key] = max(most.get(key, 0.0), tokens / supply.tokens[i])
    columns = sorted(intervals, key=lambda name: intervals[name])
    order = [row.code for row in sorted(manifest.languages, key=lambda row: (-row.share, row.code))]
    rows = [{"language": code, "quality": column, "epochs": value} for (code, column), value in sorted(most.items())]
    repeated = sorted({code for (code, _), value in most.items() if value > 1 + ENDS})
    said = (
        f"Something is read more than once in {words.count(len(repeated), 'language')}: {words.listed(repeated, 12)}."
        if repeated
        else "Nothing is read more than once on average."
    )
    plot = Plot(
        "repetition",
        "How often a language's text is read, by quality",
        f"{said} The most is {manifest.totals.max_epochs:.2f} epochs.",
        rows,
        order,
        columns,
    )
    table = Table(
        "Epochs by language and quality: the most of all sources",
        ("language", *columns),
        [[code, *(_epochs(most.get((code, column))) for column in columns)] for code in order],
        data=True,
    )
    return Section("repetition", "Repetition", [said], [plot], [table])


def interval(low: float, high: float) -> str:
    """A bucket in words: `best 5%`, `5-20%`, `80-100%`."""
    if low <= ENDS:
        return f"best {words.percent(high)}" if high < 1 - ENDS else "all"
    return f"{_bare(low)}-{words.percent(high)}"


def _bare(rank: float) -> str:
    return words.percent(rank).removesuffix("%")


def _epochs(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
