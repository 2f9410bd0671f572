"""A problem as a program: names become indices, tokens become fractions of the budget, rules become rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from mixc.compiler.problem import Problem
from mixc.compiler.recipe import Rule
from mixc.compiler.solve.program import Cells, Change, LanguageLaws, Program, Rules
from mixc.compiler.solve.rows import BaselineValue, Frame, Row, is_passes, resolved_bound, row_of
from mixc.compiler.solve.structure import ORDER, best_passes, order_rows, ties

PREFERENCE = 3e-6  # mu of solver.md 2; at 1e-4 unlimited repetition moves shares by 3e-3


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """A program and the way back: `places[c]` = (pool, bucket) of cell c, `rows[k]` = program row of problem rule k.

    `rows[k]` is None for `passes(...)`, which became cell limits; rules that say the same share a row, and
    `implied[k]` is the index of the tighter one. `limits[c]` is the text of a `passes` rule that bounds cell c, or "".
    `bounds[k]` is rule k's bound with baselines resolved; `multiplied[k]` marks `quality` against a constant.
    """

    problem: Problem
    program: Program
    frame: Frame
    places: tuple[tuple[int, int], ...]
    rows: tuple[int | None, ...]
    implied: tuple[int | None, ...]
    limits: tuple[str, ...]
    bounds: tuple[float, ...]
    multiplied: tuple[bool, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """A rule's row on its way into the program."""

    name: str
    row: Row
    equality: bool
    weight: float


def lower(problem: Problem, baseline: BaselineValue, *, objective: bool = True) -> Lowered:
    """The program of a problem.

    `baseline` gives the value of terms like `natural.loss(de)`; without `objective` there are rules and no loss.
    """
    frame, places = _frame(problem)
    cells, limits = _limited(problem, frame, baseline)
    frame = replace(frame, cells=cells)
    lines = tuple(None if is_passes(rule) else row_of(rule, frame, baseline) for rule in problem.rules)
    rows, implied, rules = _rules(problem, lines, frame, objective)
    program = Program(
        cells,
        _laws(problem, objective),
        frame.phase_shares,
        rules,
        _curvature(problem),
        PREFERENCE,
        ties=ties(problem, cells),
    )
    bounds = tuple(resolved_bound(rule, baseline) for rule in problem.rules)
    multiplied = tuple(row is not None and row.multiplied for row in lines)
    return Lowered(problem, program, frame, places, rows, implied, limits, bounds, multiplied)


def _curvature(problem: Problem) -> float:
    """c = lam / ln K; zero when the signal is tokens."""
    if problem.signal == "tokens":
        return 0.0
    return (problem.law.a * math.log(problem.params) + problem.law.b) / math.log(problem.horizon)


def _frame(problem: Problem) -> tuple[Frame, tuple[tuple[int, int], ...]]:
    budget = float(problem.tokens)
    codes = tuple(language.code for language in problem.languages)
    entries = sorted(
        ((pool.language, pool.source, pool.domain, j), i, bucket, pool.rated)
        for i, pool in enumerate(problem.pools)
        for j, bucket in enumerate(pool.buckets)
        if bucket.tokens > 0 and (not pool.copies or pool.copies[j] > 0)
    )
    keys = tuple(entry[0] for entry in entries)
    density = np.array([entry[2].density for entry in entries])
    info = problem.signal == "info"
    growth = math.log(problem.horizon)
    gain = density * growth * budget / 1e9 if info else np.ones(len(keys))
    phases = problem.phases
    cells = Cells(
        keys=keys,
        language=np.array([codes.index(key[0]) for key in keys], dtype=np.int64),
        supply=np.array([entry[2].tokens / budget for entry in entries]),
        gain=gain,
        limit=np.full(len(keys), np.inf),
        phase_limit=np.full((len(keys), len(phases)), np.inf),
        start=np.array([entry[2].taken / entry[2].tokens for entry in entries]),
    )
    curvature = _curvature(problem)
    unit = 1e9 / (growth * -math.expm1(-curvature)) if info else budget
    priority = np.array([language.priority for language in problem.languages])
    frame = Frame(
        cells=cells,
        tokens=budget,
        phases=tuple(phase.name for phase in phases),
        phase_shares=np.array([phase.tokens / budget for phase in phases]),
        languages=codes,
        weights=priority / priority.sum() if priority.sum() > 0 else priority,
        quality=np.array([1 - 0.5 * (e[2].low + e[2].high) if e[3] else 0.5 for e in entries]),
        rank_high=np.array([e[2].high if e[3] else 1.0 for e in entries]),
        rated=np.array([e[3] for e in entries], dtype=bool),
        info_unit=unit,
        baselines={name: dict(shares) for name, shares in problem.baselines},
    )
    return frame, tuple((entry[1], entry[0][3]) for entry in entries)


def _limited(problem: Problem, frame: Frame, baseline: BaselineValue) -> tuple[Cells, tuple[str, ...]]:
    """The cells with the passes that sources and `passes(...)` rules allow, and the name of the tightest of them."""
    cells = frame.cells
    limit, phase_limit = cells.limit.copy(), cells.phase_limit.copy()
    names = ["" for _ in cells.keys]

    def tighten(where: int, passes: float, name: str) -> None:
        left = max(passes - cells.start[where], 0.0)
        if left < limit[where]:
            limit[where], names[where] = left, name

    sources = {source.name: source for source in problem.sources}
    peaks = best_passes(problem)
    once = {(pool.source, pool.language, pool.domain) for pool in problem.pools if pool.once}
    for c, (language, name, domain, bucket) in enumerate(cells.keys):
        source = sources[name]
        part = peaks.get((name, language, domain, bucket), 1.0)  # under a curve the limit is on the best document
        if (name, language, domain) in once:
            tighten(c, 1.0, f"sampling of {domain}")
        if source.limit is not None:
            tighten(c, source.limit.passes * part, "")
        for p, phase in enumerate(frame.phases):
            if source.phases is not None and phase not in source.phases:
                phase_limit[c, p] = 0.0
        for phase, inside in source.phase_limits:
            p = frame.phases.index(phase)
            phase_limit[c, p] = min(phase_limit[c, p], inside.passes * part)
    for rule in problem.rules:
        if is_passes(rule):
            term = next(term for term in rule.terms if term.baseline is None)
            bound = resolved_bound(rule, baseline) / term.coefficient
            chosen = frame.phases_of(term.of, rule.phase)
            for at in np.flatnonzero(frame.cells_of(term.of)):
                c = int(at)
                language, name, domain, bucket = cells.keys[c]
                part = peaks.get((name, language, domain, bucket), 1.0)
                if chosen.all():
                    tighten(c, bound * part, rule.text)
                else:
                    phase_limit[c, chosen] = np.minimum(phase_limit[c, chosen], bound * part)
    return replace(cells, limit=limit, phase_limit=phase_limit), tuple(names)


def _laws(problem: Problem, objective: bool) -> LanguageLaws:
    codes = [language.code for language in problem.languages]
    index = {code: i for i, code in enumerate(codes)}
    count = len(codes)
    transfer, cost = np.zeros((count, count)), np.zeros((count, count))
    for i, language in enumerate(problem.languages):
        if problem.form == "isolated":
            continue
        for other, value in language.transfer:
            if other in index:
                transfer[i, index[other]] = value
        if problem.form == "logc":
            for other, value in language.cost:
                if other in index:
                    cost[i, index[other]] = value
    unit = 1.0 if problem.signal == "info" else 1.0 / problem.tokens
    priority = np.array([language.priority for language in problem.languages], dtype=float)
    weight = priority / priority.sum() if priority.sum() > 0 else priority
    return LanguageLaws(
        weight=weight if objective else np.zeros(count),
        floor=np.array([language.floor for language in problem.languages]),
        scale=np.array([language.scale for language in problem.languages]),
        exponent=np.array([language.exponent for language in problem.languages]),
        transfer=transfer,
        cost=cost,
        past=np.array([language.past for language in problem.languages]) * unit,
    )


def _rules(
    problem: Problem, lines: tuple[Row | None, ...], frame: Frame, ordered: bool
) -> tuple[tuple[int | None, ...], tuple[int | None, ...], Rules]:
    gathered: list[Gathered] = []
    index: dict[bytes, tuple[int, int]] = {}
    rows: list[int | None] = []
    implied: list[int | None] = [None] * len(problem.rules)
    for k, (rule, row) in enumerate(zip(problem.rules, lines, strict=True)):
        if row is None:
            rows.append(None)
            continue
        weight = math.inf if rule.weight is None else rule.weight / _weight_unit(rule, frame)
        identity = _identity(row, rule)
        if identity in index and rule.weight is None:
            at, first = index[identity]
            if row.bound > gathered[at].row.bound:
                gathered[at], implied[first] = Gathered(rule.text, row, rule.sense == "==", weight), k
                index[identity] = (at, k)
            else:
                implied[k] = first
            rows.append(at)
            continue
        if rule.weight is None:
            index[identity] = (len(gathered), k)
        rows.append(len(gathered))
        gathered.append(Gathered(rule.text, row, rule.sense == "==", weight))
    order = order_rows(problem if ordered else replace(problem, order="free"), frame)
    return tuple(rows), tuple(implied), _stack(gathered, order, ORDER + problem.order, frame)


def _weight_unit(rule: Rule, frame: Frame) -> float:
    """Shortfall is priced as a fraction of the budget for tokens, in the function's own unit elsewhere."""
    return frame.tokens if rule.terms[0].function == "tokens" else 1.0


def _identity(row: Row, rule: Rule) -> bytes:
    change = b"" if row.change is None else str(row.change[0]).encode() + row.change[1].tobytes()
    sense = b"=" if rule.sense == "==" else b">"
    return sense + row.affine.tobytes() + row.info.tobytes() + row.loss.tobytes() + change


def _stack(gathered: list[Gathered], order: sparse.csr_array, name: str, frame: Frame) -> Rules:
    n, phases, count = len(frame.cells), len(frame.phases), len(frame.languages)
    extra = len(order.indptr) - 1
    scales = np.array([_scale(g.row) for g in gathered])
    affine: list[sparse.csr_array] = [sparse.csr_array((0, n * phases))]
    affine += [sparse.csr_array(g.row.affine.reshape(1, -1) / s) for g, s in zip(gathered, scales, strict=True)]
    info = [sparse.csr_array((0, n))]
    info += [sparse.csr_array(g.row.info.reshape(1, -1) / s) for g, s in zip(gathered, scales, strict=True)]
    loss = [g.row.loss / s for g, s in zip(gathered, scales, strict=True)]
    moved = [(k, g.row.change) for k, g in enumerate(gathered)]
    changes = tuple(Change(k, change[0] / scales[k], change[1]) for k, change in moved if change is not None)
    none = np.zeros(extra)
    return Rules(
        names=tuple(g.name for g in gathered) + (name,) * extra,
        affine=sparse.csr_array(sparse.vstack([*affine, order])),
        info=sparse.csr_array(sparse.vstack([*info, sparse.csr_array((extra, n))])),
        loss=np.concatenate([np.array(loss).reshape(-1, count), np.zeros((extra, count))]),
        bound=np.concatenate([np.array([g.row.bound for g in gathered]) / scales, none]),
        equality=np.concatenate([np.array([g.equality for g in gathered], dtype=bool), none > 0]),
        weight=np.concatenate([np.array([g.weight for g in gathered]) * scales, none + math.inf]),
        scale=np.concatenate([scales, none + 1.0]),
        changes=changes,
    )


def _scale(row: Row) -> float:
    """What a row is divided by, so that its largest coefficient is of the order of one share."""
    size = float(np.abs(row.affine).max(initial=0.0))
    if size > 0:
        return size
    return float(np.abs(row.info).max(initial=0.0)) or 1.0
