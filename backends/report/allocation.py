"""What the mixture gives to whom: shares of languages, what more of each would buy, and who learns from whom."""

from __future__ import annotations

from collections.abc import Mapping

from mixc.backends.report.content import Plot, Section, Table
from mixc.compiler.review import words
from mixc.compiler.review.schema import Manifest
from mixc.compiler.review.summary import ASSUMED, REASONS

Shares = Mapping[str, float]


def supply_by_language(manifest: Manifest) -> dict[str, int]:
    """Unique tokens of every language."""
    found: dict[str, int] = {row.code: 0 for row in manifest.languages}
    for row in manifest.supply:
        found[row.language] += sum(row.tokens)
    return found


def languages(manifest: Manifest, before: Manifest | None) -> Section:
    """Shares against supply, and against those of an earlier manifest."""
    supply = supply_by_language(manifest)
    whole = sum(supply.values()) or 1
    previous = {row.code: row.share for row in before.languages} if before else {}
    listed = sorted(manifest.languages, key=lambda row: (-row.share, row.code))
    series: list[tuple[str, Shares]] = [
        ("mixture", {row.code: row.share for row in listed}),
        ("supply", {row.code: supply[row.code] / whole for row in listed}),
    ]
    if before:
        series.append(("previous", {row.code: previous.get(row.code, 0.0) for row in listed}))
    header = ["language", "share", "tokens", "supply", "epochs", "loss", "what binds it"]
    lines = [
        [
            row.code,
            words.share(row.share),
            words.tokens(row.tokens),
            words.tokens(supply[row.code]),
            words.epochs(row.epochs),
            words.loss(row.loss) + ("*" if row.assumed else ""),
            row.binds,
        ]
        for row in listed
    ]
    if before:
        header.insert(2, "points moved")
        for line, row in zip(lines, listed, strict=True):
            line.insert(2, words.points(row.share - previous[row.code]) if row.code in previous else "new")
    sentences = []
    if any(row.assumed for row in listed):
        sentences.append(f"{ASSUMED}.")
    sentences += [f"{word}: {why}." for word, why in REASONS.items() if any(row.binds == word for row in listed)]
    if before and (gone := sorted(set(previous) - {row.code for row in listed})):
        sentences.append(f"No longer in the mixture: {', '.join(gone)}.")
    first = listed[0]
    plot = Plot(
        "languages",
        "Shares of the languages, and of their supply",
        f"The mixture gives {first.code} {words.share(first.share)} of the tokens, the largest share of "
        f"{words.count(len(listed), 'language')}; {words.share(supply[first.code] / whole)} of the supply is in it.",
        [{"language": code, "what": what, "share": value} for what, values in series for code, value in values.items()],
        [row.code for row in listed],
        [what for what, _ in series],
    )
    table = Table("Languages, by share of the mixture", header, lines, (0, len(header) - 1))
    return Section("languages", "Languages", sentences, [plot], [table])


def benefit(manifest: Manifest) -> Section | None:
    """How much the weighted loss falls for one more percent of what a language learns."""
    known = [(row.code, row.benefit) for row in manifest.languages if row.benefit is not None]
    if not known:
        return None
    listed = sorted(known, key=lambda one: (-one[1], one[0]))
    plot = Plot(
        "benefit",
        "Fall of the loss for 1 % more information",
        f"One more percent of information helps most in {listed[0][0]} ({listed[0][1]:.2g} nats per token) and least "
        f"in {listed[-1][0]} ({listed[-1][1]:.2g}).",
        [{"language": code, "benefit": value} for code, value in listed],
        [code for code, _ in listed],
    )
    table = Table(
        "Fall of the weighted loss for one more percent of a language's information, nats per token",
        ("language", "benefit"),
        [[code, f"{value:.3g}"] for code, value in listed],
        data=True,
    )
    return Section("benefit", "What more would buy", (), [plot], [table])


def transfer(manifest: Manifest) -> Section | None:
    """The matrix T: what a language learns from a token of another."""
    given = {(row.code, other): value for row in manifest.languages for other, value in row.transfer.items() if value}
    if not given:
        return None
    strongest = sorted(given, key=lambda pair: (-given[pair], pair))[:3]
    said = ", ".join(f"{learns} from {source} ({given[learns, source]:.2f})" for learns, source in strongest)
    plot = Plot(
        "transfer",
        "What a language learns from another",
        f"{words.count(len(given), 'pair')} of languages help each other; most of all {said}.",
        [{"learns": learns, "from": source, "transfer": value} for (learns, source), value in given.items()],
        sorted({learns for learns, _ in given}),
        sorted({source for _, source in given}),
    )
    best = []
    for row in manifest.languages:
        helpers = sorted(((v, k) for k, v in row.transfer.items() if v), key=lambda one: (-one[0], one[1]))
        if helpers:
            best.append([row.code, ", ".join(f"{code} {value:.2f}" for value, code in helpers[:5])])
    table = Table("The five that help each language most", ("language", "learns from"), best, (0, 1), data=True)
    return Section("transfer", "Transfer between languages", (), [plot], [table])
