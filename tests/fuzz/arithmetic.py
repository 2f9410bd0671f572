"""Manifests checked by their own integers: sums, supplies, limits and rules recomputed from tokens alone.

Nothing of mixc is used here: the formulas are those of the language's manual, written out a second time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

GRID = 1e-6
Json = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """Tokens of one bucket in one phase, with what the manifest's supply says about the bucket."""

    phase: str
    source: str
    language: str
    domain: str
    bucket: int
    tokens: int
    supply: int
    density: float
    quality: float
    high: float

    @property
    def place(self) -> tuple[str, str, str, int]:
        return self.source, self.language, self.domain, self.bucket


def cells_of(manifest: Json) -> list[Cell]:
    """Every cell of every phase."""
    supply = {(row["source"], row["language"], row["domain"]): row for row in manifest["supply"]}
    cells = []
    for row in manifest["mixture"]:
        pool = supply[row["source"], row["language"], row["domain"]]
        for bucket, tokens in enumerate(row["tokens_by_bucket"]):
            low, high = pool["low"][bucket], pool["high"][bucket]
            quality = 1 - (low + high) / 2 if pool["rated"] else 0.5
            here = (row["phase"], row["source"], row["language"], row["domain"], bucket)
            cells.append(Cell(*here, tokens, pool["tokens"][bucket], pool["density"][bucket], quality, high))
    return cells


def faults(manifest: Json) -> list[str]:
    """What does not add up; empty for a manifest that holds."""
    cells = cells_of(manifest)
    return [*_sums(manifest, cells), *_limits(manifest, cells), *_orders(manifest, cells), *_rules(manifest, cells)]


def _sums(manifest: Json, cells: list[Cell]) -> Iterator[str]:
    budget = manifest["budget"]["tokens"]
    if sum(phase["tokens"] for phase in manifest["phases"]) != budget:
        yield "the phases do not sum to the budget"
    for phase in manifest["phases"]:
        taken = sum(cell.tokens for cell in cells if cell.phase == phase["name"])
        if taken != phase["tokens"]:
            yield f"phase {phase['name']} holds {taken} tokens, not {phase['tokens']}"
    if any(cell.tokens < 0 for cell in cells):
        yield "negative tokens"
    for row in manifest["languages"]:
        taken = sum(cell.tokens for cell in cells if cell.language == row["code"])
        if taken != row["tokens"] or abs(taken / budget - row["share"]) > GRID:
            yield f"language {row['code']} has {taken} tokens, the manifest says {row['tokens']}, {row['share']}"


def _limits(manifest: Json, cells: list[Cell]) -> Iterator[str]:
    """Passes over every cell are bounded in whole tokens."""
    for source in manifest["sources"]:
        own = [cell for cell in cells if cell.source == source["name"]]
        bounds = [(None, source["limit"]["passes"])] if source.get("limit") else []
        bounds += [(bound["phase"], bound["passes"]) for bound in source["phase_limits"]]
        for phase, passes in bounds:
            yield from _over(own, {phase} if phase else None, passes, f"limit of {source['name']}")
        if source.get("phases") is not None:
            yield from _over(
                [c for c in own if c.phase not in source["phases"]], None, 0, f"phases of {source['name']}"
            )
    yield from _over([cell for cell in cells if not cell.supply], None, 0, "no supply")


def _over(cells: list[Cell], phases: set[str] | None, passes: float, what: str) -> Iterator[str]:
    taken: dict[tuple[str, str, str, int], int] = {}
    for cell in cells:
        if phases is None or cell.phase in phases:
            taken[cell.place] = taken.get(cell.place, 0) + cell.tokens
    supply = {cell.place: cell.supply for cell in cells}
    for place, tokens in taken.items():
        if tokens > Fraction(str(passes)) * supply[place]:
            yield f"{what}: {tokens} tokens of {place}, of which there are {supply[place]}, {passes} passes allowed"


def _orders(manifest: Json, cells: list[Cell]) -> Iterator[str]:
    """`order = epochs`: a better bucket is read at least as often, up to a grid unit or a token of each."""
    if manifest["quality"]["order"] != "epochs":
        return
    slack = max(GRID * manifest["budget"]["tokens"], len(manifest["phases"]))
    rated = {(row["source"], row["language"], row["domain"]) for row in manifest["supply"] if row["rated"]}
    taken: dict[tuple[str, str, str, int], int] = {}
    for cell in cells:
        taken[cell.place] = taken.get(cell.place, 0) + cell.tokens
    supply = {cell.place: cell.supply for cell in cells if cell.supply}
    for place in sorted(supply):
        after = (*place[:3], place[3] + 1)
        if place[:3] in rated and after in supply:
            gap = taken[after] / supply[after] - taken[place] / supply[place]
            if gap > 1.01 * slack * max(1 / supply[after], 1 / supply[place]):
                yield f"order: bucket {after} is read more often than a better one, by {gap:.3g} passes"


def _rules(manifest: Json, cells: list[Cell]) -> Iterator[str]:
    for rule in manifest["rules"]:
        if any(term.get("baseline") for term in rule["terms"]):
            continue
        if all(term["function"] == "passes" for term in rule["terms"]):
            for term in rule["terms"]:
                chosen = [c for c in selected(cells, term["of"], rule) if c.supply]
                yield from _over(chosen, None, rule["bound"] / term["coefficient"], rule["rule"])
            continue
        if any(term["function"] == "quality" for term in rule["terms"]) and _empty(cells, rule):
            continue
        value = sum(term["coefficient"] * evaluate(manifest, cells, term, rule) for term in rule["terms"])
        short = shortfall(rule["sense"], value, rule["bound"])
        allowed = sum(abs(term["coefficient"]) * unit(manifest, cells, term, rule) for term in rule["terms"])
        if rule.get("weight") is None and short > 1.01 * allowed + 1e-9 * abs(rule["bound"]):
            yield f"rule {rule['rule']} {rule['sense']}: {value:.9g}, short by {short:.3g}, allowed {allowed:.3g}"
        if abs(value - rule["value"]) > 1e-6 * max(abs(value), abs(rule["bound"]), 1e-3):
            yield f"rule {rule['rule']}: the manifest says {rule['value']}, its tokens say {value:.9g}"


def shortfall(sense: str, value: float, bound: float) -> float:
    """How far a value is from where a rule wants it."""
    return {"<=": value - bound, ">=": bound - value, "==": abs(value - bound)}[sense]


def selected(cells: list[Cell], of: Json, rule: Json) -> list[Cell]:
    """The cells that a selector names, inside the phase in which the rule stands."""
    return [
        cell
        for cell in cells
        if cell.source in of.get("sources", [cell.source])
        and cell.language in of.get("languages", [cell.language])
        and cell.domain in of.get("domains", [cell.domain])
        and cell.phase in of.get("phases", [cell.phase])
        and cell.phase == (rule.get("phase") or cell.phase)
        and (of.get("best") is None or cell.high <= of["best"] + 1e-9)
    ]


def _empty(cells: list[Cell], rule: Json) -> bool:
    return any(not any(c.tokens for c in selected(cells, term["of"], rule)) for term in rule["terms"])


def budget_of(manifest: Json, rule: Json) -> int:
    """The denominator of shares: the budget, or that of the phase in which the rule stands."""
    inside = [phase["tokens"] for phase in manifest["phases"] if phase["name"] == rule.get("phase")]
    return int(inside[0] if inside else manifest["budget"]["tokens"])


def evaluate(manifest: Json, cells: list[Cell], term: Json, rule: Json) -> float:
    """The value of one function of the tokens."""
    chosen = selected(cells, term["of"], rule)
    taken = sum(cell.tokens for cell in chosen)
    match term["function"]:
        case "share":
            return taken / budget_of(manifest, rule)
        case "tokens":
            return float(taken)
        case "epochs":
            return taken / _supply(chosen)
        case "quality":
            return sum(cell.tokens * cell.quality for cell in chosen) / taken
        case "info":
            return sum(information(manifest, chosen).values()) / _once(manifest)
        case "loss":
            return predicted(manifest, cells, term["of"])
        case "change":
            return _change(manifest, cells, term)
    raise AssertionError(term)


def unit(manifest: Json, cells: list[Cell], term: Json, rule: Json) -> float:
    """How far rounding may move a function: one grid unit of every phase, or a token of each of its cells."""
    chosen = selected(cells, term["of"], rule)
    tokens = max(GRID * budget_of(manifest, rule), len(cells))
    match term["function"]:
        case "share":
            return tokens / budget_of(manifest, rule)
        case "tokens":
            return tokens
        case "epochs":
            return tokens / _supply(chosen)
        case "quality":
            return tokens / sum(cell.tokens for cell in chosen)
        case "info":
            return tokens
        case "loss":
            return _loss_unit(manifest, cells, tokens)
        case "change":
            return (len(manifest["languages"]) + 1) * tokens / manifest["budget"]["tokens"]
    raise AssertionError(term)


def _supply(cells: list[Cell]) -> int:
    return sum({cell.place: cell.supply for cell in cells}.values())


def _cost(manifest: Json) -> float:
    law, budget = manifest["law"], manifest["budget"]
    return float((law["a"] * math.log(budget["params"]) + law["b"]) / math.log(budget["tokens"]))


def _once(manifest: Json) -> float:
    """What a token of the best bucket, read once, is worth."""
    return math.log(manifest["budget"]["tokens"]) * -math.expm1(-_cost(manifest))


def information(manifest: Json, cells: list[Cell]) -> dict[str, float]:
    """InfoLaw's information per language, in tokens times ln K; repetition adds up over phases."""
    taken: dict[tuple[str, str, str, int], int] = {}
    for cell in cells:
        taken[cell.place] = taken.get(cell.place, 0) + cell.tokens
    c, found = _cost(manifest), {}
    for cell in {cell.place: cell for cell in cells if cell.supply}.values():
        e = taken[cell.place] / cell.supply
        fill = -math.expm1(-c) * e if e <= 1 else -math.expm1(-c * e)
        worth = cell.supply * cell.density * math.log(manifest["budget"]["tokens"]) * fill
        found[cell.language] = found.get(cell.language, 0.0) + worth
    return found


def losses(manifest: Json, cells: list[Cell]) -> dict[str, float]:
    """Predicted loss per language, nats per token."""
    form, signal = manifest["law"]["form"], manifest["law"]["signal"]
    budget = manifest["budget"]["tokens"]
    shares = {
        row["code"]: sum(c.tokens for c in cells if c.language == row["code"]) / budget for row in manifest["languages"]
    }
    own = shares if signal == "tokens" else {k: v / 1e9 for k, v in information(manifest, cells).items()}
    found = {}
    for row in manifest["languages"]:
        transfer = {} if form == "isolated" else row["transfer"]
        cost = row["cost"] if form == "logc" else {}
        effective = own.get(row["code"], 0.0) + sum(worth * own.get(k, 0.0) for k, worth in transfer.items())
        effective *= math.exp(-sum(paid * shares.get(k, 0.0) for k, paid in cost.items()))
        found[row["code"]] = row["floor"] + row["scale"] * effective ** -row["exponent"] if effective > 0 else math.inf
    return found


def predicted(manifest: Json, cells: list[Cell], of: Json) -> float:
    """The loss of the languages named, weighted by priority; of all without names."""
    found = losses(manifest, cells)
    rows = [row for row in manifest["languages"] if row["code"] in of.get("languages", [row["code"]])]
    whole = sum(row["priority"] for row in rows)
    return sum(row["priority"] / whole * found[row["code"]] for row in rows if row["priority"] > 0 or len(rows) == 1)


def _loss_unit(manifest: Json, cells: list[Cell], tokens: float) -> float:
    """Nats for `tokens` more in the language where they matter most; its loss is steepest at little information."""
    own = information(manifest, cells)
    return max(
        (losses(manifest, cells)[row["code"]] - row["floor"]) * row["exponent"] * tokens * _once(manifest)
        / max(own.get(row["code"], 0.0), 1.0)
        for row in manifest["languages"]
    )  # fmt: skip


def _change(manifest: Json, cells: list[Cell], term: Json) -> float:
    before = next(row["shares"] for row in manifest["baselines"] if row["manifest"] == term["manifest"])
    budget = manifest["budget"]["tokens"]
    now = {
        row["code"]: sum(c.tokens for c in cells if c.language == row["code"]) / budget for row in manifest["languages"]
    }
    return 0.5 * sum(abs(now.get(code, 0.0) - before.get(code, 0.0)) for code in {*now, *before})
