"""Predictions as tables for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.compiler.predict.assumptions import Assumption
from mixc.compiler.predict.axes import Axis
from mixc.compiler.predict.supply import Crawl, Repetition
from mixc.compiler.predict.sweep import Point, RunsOut
from mixc.compiler.problem import Decision
from mixc.compiler.review import words
from mixc.compiler.review.binding import taken
from mixc.compiler.review.canonical import Json, canonical, figure
from mixc.compiler.review.compare import reads_of
from mixc.compiler.review.effect import names_of

SHOWN = 6  # languages of a table
CRAWLS = 12


def sweep_text(axes: Sequence[Axis], points: Sequence[Point], events: Sequence[RunsOut]) -> str:
    """A row per point, the largest languages beside it; then what runs out between which points."""
    names = [axis.name for axis in axes]
    languages = _largest(points)
    header = (*names, "loss", "mean reads", "max reads", *languages)
    lines = [(*(point.values[name] for name in names), *_figures(point, languages)) for point in points]
    text = words.table(header, lines, left=())
    more = len(_languages(points)) - len(languages)
    if more > 0:
        text += f"shares of the largest languages; {words.count(more, 'more language')} with `--format json`\n"
    if events:
        lines = [(_between(axes[0], one), *_event(one)) for one in events]
        text += "\n" + words.table((f"{names[0]} between", "", "what", "languages"), lines, left=(0, 1, 2, 3))
    return text


def whatif_text(found: Sequence[Assumption], crawls: Sequence[Crawl], tried: Sequence[Repetition], off: float) -> str:
    """What the mixture rests on, what to crawl next, and what repetition buys."""
    less, more = f"{words.percent(off)} less", f"{words.percent(off)} more"
    header = ("assumption", f"moves, {less}", more, f"costs, {less}", more)
    lines = [(one.name, *_sides(one, off, "moved"), *_sides(one, off, "regret")) for one in found]
    text = words.table(header, lines)
    text += "moves: share of the budget in another place; costs: loss of this mixture over the one decided then\n"
    if "too often" in text:
        text += "too often: this mixture would read documents more often than it may\n"
    lines = [
        (one.language, words.tokens(one.supply), words.tokens(one.more), words.change(-one.gain), _each(one))
        for one in crawls[:CRAWLS]
    ]
    text += "\n" + words.table(("crawl more of", "supply", "10% more", "loss", "per 1B tokens"), lines)
    if len(crawls) > CRAWLS:
        text += f"{words.count(len(crawls) - CRAWLS, 'more language')} with `--format json`\n"
    base = tried[-1].decision
    lines = [_repetition(one, base) for one in tried]
    return text + "\n" + words.table(("at most", "loss", "over", "mean reads", "max reads"), lines)


def sweep_json(axes: Sequence[Axis], points: Sequence[Point], events: Sequence[RunsOut]) -> str:
    """The same as canonical JSON, with all languages."""
    return canonical({
        "schema": {"name": "mixc.sweep", "version": 1},
        "axes": [{"name": axis.name, "values": list(axis.values)} for axis in axes],
        "points": [_record(point) for point in points],
        "runs_out": [_ended(axes[0], one) for one in events],
    })  # fmt: skip


def whatif_json(
    decision: Decision, found: Sequence[Assumption], crawls: Sequence[Crawl], tried: Sequence[Repetition]
) -> str:
    """The same as canonical JSON, with all languages."""
    return canonical({
        "schema": {"name": "mixc.whatif", "version": 1},
        "loss": figure(decision.loss, 9),
        "assumptions": [
            {"name": one.name, "sides": [
                {"factor": side.factor, "moved": figure(side.moved), "regret": side.regret and figure(side.regret)}
                for side in one.sides
            ]}
            for one in found
        ],
        "crawl": [
            {"language": one.language, "supply": one.supply, "more": one.more, "gain": figure(one.gain),
             "per_billion": figure(one.per_billion)}
            for one in crawls
        ],
        "repetition": [{"passes": one.passes} | _mixture(one.decision) for one in tried],
    })  # fmt: skip


def _languages(points: Sequence[Point]) -> dict[str, float]:
    """The largest share of each language at any point."""
    found: dict[str, float] = {}
    for decision in (point.decision for point in points):
        for code, share in _shares(decision).items() if decision else ():
            found[code] = max(found.get(code, 0.0), share)
    return found


def _largest(points: Sequence[Point]) -> list[str]:
    found = _languages(points)
    return sorted(found, key=lambda code: (-found[code], code))[:SHOWN]


def _shares(decision: Decision) -> dict[str, float]:
    codes = names_of(decision.problem, "language")
    return {code: taken(decision, "language", code).tokens / decision.problem.tokens for code in codes}


def _figures(point: Point, languages: Sequence[str]) -> tuple[str, ...]:
    decision = point.decision
    if decision is None:
        return f"none [{_why(point)}]", "", "", *("" for _ in languages)
    mean, most = reads_of(decision)
    shares = _shares(decision)
    return words.loss(decision.loss), f"{mean:.2f}", f"{most:.2f}", *(words.share(shares.get(c, 0)) for c in languages)


def _why(point: Point) -> str:
    return next((one.code for one in point.found if one.severity == "error"), "no mixture")


def _between(axis: Axis, one: RunsOut) -> str:
    return f"{axis.values[one.after]} and {axis.values[one.after + 1]}"


def _event(one: RunsOut) -> tuple[str, str, str]:
    return one.event, bucket_of(one.source, one.low, one.high), words.listed(one.languages)


def bucket_of(source: str, low: float, high: float) -> str:
    """`best 5% of web`, `5% to 20% of web`; the source alone where it is not divided."""
    if (low, high) == (0.0, 1.0):
        return source
    return (
        f"{f'best {words.percent(high)}' if low == 0 else f'{words.percent(low)} to {words.percent(high)}'} of {source}"
    )


def _sides(one: Assumption, off: float, key: str) -> list[str]:
    by = {side.factor: getattr(side, key) for side in one.sides}
    shown = []
    for factor in (1 - off, 1 + off):
        if factor not in by:
            shown.append("no mixture")
        elif by[factor] is None:
            shown.append("too often")
        else:
            shown.append(words.share(by[factor]) if key == "moved" else _small(by[factor]))
    return shown


def _small(value: float) -> str:
    return "0" if abs(value) < 5e-7 else f"{value:.2g}"


def _each(one: Crawl) -> str:
    return words.change(-one.per_billion)


def _repetition(one: Repetition, base: Decision | None) -> tuple[str, ...]:
    name = "as the recipe" if one.passes is None else f"{one.passes:g} passes"
    if one.decision is None:
        return name, "none", "", "", ""
    mean, most = reads_of(one.decision)
    over = "" if base is None else words.change(one.decision.loss - base.loss)
    return name, words.loss(one.decision.loss), over, f"{mean:.2f}", f"{most:.2f}"


def _record(point: Point) -> dict[str, Json]:
    stated: dict[str, Json] = {"values": dict(point.values)}
    if point.decision is None:
        return stated | {"diagnostics": [f"{one.code} {one.message}" for one in point.found]}
    return stated | _mixture(point.decision)


def _mixture(decision: Decision | None) -> dict[str, Json]:
    if decision is None:
        return {"loss": None}
    mean, most = reads_of(decision)
    problem = decision.problem
    return {
        "params": problem.params,
        "tokens": problem.tokens,
        "loss": figure(decision.loss, 9),
        "mean_reads": figure(mean),
        "max_reads": figure(most),
        "shares": {code: figure(share, 9) for code, share in _shares(decision).items()},
        "losses": {one.code: figure(one.loss, 9) for one in decision.languages},
    }


def _ended(axis: Axis, one: RunsOut) -> dict[str, Json]:
    return {
        "after": axis.values[one.after],
        "before": axis.values[one.after + 1],
        "event": one.event,
        "source": one.source,
        "domain": one.domain,
        "ranks": [one.low, one.high],
        "languages": list(one.languages),
    }
