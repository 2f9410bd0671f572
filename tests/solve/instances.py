"""Random programs with a known feasible point, and the oracle instance; shared by the tests of the solver.

A program is built backwards from a witness: tokens first, then supplies and limits that allow them, then rules that the
witness meets with room to spare. So every instance is feasible, however many rules it has.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from mixc.compiler.solve.program import Cells, Change, Floats, LanguageLaws, Program, Rules, Ties
from tests.reference_data import shared_file

DENSITY = np.exp(-0.922 * np.arange(6))
BUCKETS = np.array([0.05, 0.15, 0.2, 0.2, 0.2, 0.2])


@dataclass(frozen=True, slots=True)
class Instance:
    """A program and a point [n, P] that meets all of its hard rules strictly (equalities exactly)."""

    program: Program
    witness: Floats


@dataclass(slots=True)
class RuleRows:
    """Rules in normal form under construction: `at_least(name, affine [n, P], …)` adds one row."""

    n: int
    phases: int
    languages: int
    names: list[str] = field(default_factory=list)
    affine: list[Floats] = field(default_factory=list)
    info: list[Floats] = field(default_factory=list)
    loss: list[Floats] = field(default_factory=list)
    bound: list[float] = field(default_factory=list)
    equality: list[bool] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def add(
        self,
        name: str,
        bound: float,
        *,
        affine: Floats | None = None,
        info: Floats | None = None,
        loss: Floats | None = None,
        equality: bool = False,
        weight: float = np.inf,
        base: Floats | None = None,
    ) -> None:
        """affine.x + info.information - loss.losses - 1/2 |r - base| >= bound."""
        if base is not None:
            self.changes.append(Change(len(self.names), 1.0, base))
        self.names.append(name)
        self.affine.append(np.zeros((self.n, self.phases)) if affine is None else affine)
        self.info.append(np.zeros(self.n) if info is None else info)
        self.loss.append(np.zeros(self.languages) if loss is None else loss)
        self.bound.append(bound)
        self.equality.append(equality)
        self.weight.append(weight)

    def build(self) -> Rules:
        """The rules as arrays."""
        count = len(self.names)
        affine = np.array(self.affine).reshape(count, self.n * self.phases)
        return Rules(
            tuple(self.names),
            sparse.csr_array(affine),
            sparse.csr_array(np.array(self.info).reshape(count, self.n)),
            np.array(self.loss).reshape(count, self.languages),
            np.array(self.bound),
            np.array(self.equality, dtype=bool),
            np.array(self.weight),
            np.ones(count),
            tuple(self.changes),
        )


def random_instance(
    seed: int,
    *,
    languages: tuple[int, int] = (3, 8),
    sources: tuple[int, int] = (1, 2),
    phases: tuple[int, int] = (1, 3),
    buckets: tuple[int, int] = (1, 4),
    rules: tuple[int, int] = (0, 6),
    kinds: tuple[str, ...] = ("affine", "equality", "order", "info", "loss", "change", "prefer"),
    tokens_signal: float = 0.2,
    target: bool = False,
    tied: float = 0.0,
    begun: float = 0.0,
) -> Instance:
    """A feasible random instance; every range is drawn from inclusively, `kinds` says which rules may appear.

    With `target` the objective is relative entropy from it, and losses weigh nothing. `tied` is how often the buckets
    of a language and source are tied by a curve, `begun` how often a cell was read before.
    `tokens_signal` is how often the signal is tokens (curvature 0) instead of InfoLaw information.
    """
    rng = np.random.default_rng(seed)
    count = int(rng.integers(languages[0], languages[1] + 1))
    blend = int(rng.integers(sources[0], sources[1] + 1))
    steps = int(rng.integers(phases[0], phases[1] + 1))
    depth = int(rng.integers(buckets[0], buckets[1] + 1))
    budget = rng.dirichlet(np.full(steps, 5.0))
    apart = np.random.default_rng([seed, 1])
    cells, witness, ties = _random_cells(rng, count, blend, depth, budget, tied, apart)
    if begun:
        cells = replace(cells, start=np.where(apart.random(len(cells)) < begun, apart.uniform(0, 2.5, len(cells)), 0.0))
    curvature = 0.0 if rng.random() < tokens_signal else float(rng.uniform(0.08, 0.16))
    if curvature == 0.0:
        cells = replace(cells, gain=np.ones(len(cells)))
    laws = _random_laws(rng, count, curvature)
    if begun:
        learnt = np.bincount(cells.language, cells.gain * cells.supply, count)
        laws = replace(laws, past=np.where(apart.random(count) < begun, learnt * apart.uniform(0, 0.5, count), 0.0))
    plain = RuleRows(len(cells), steps, count).build()
    program = Program(cells, laws, budget, plain, curvature, ties=ties)
    wanted = int(rng.integers(rules[0], rules[1] + 1)) if kinds else 0
    rows = RuleRows(len(cells), steps, count)
    for k in range(wanted):
        _add_rule(rng, rows, str(rng.choice(kinds)), program, witness, k)
    aim = None
    if target:
        weights = cells.supply[:, None] * budget * rng.uniform(0.5, 2.0, size=(len(cells), 1))
        aim = np.where(cells.phase_limit > 0, weights, 0.0)
        aim = aim / aim.sum(axis=0) * budget
        program = replace(program, laws=replace(laws, weight=np.zeros(count)))
    return Instance(replace_rules(program, rows.build(), target=aim), witness)


def replace_rules(program: Program, rules: Rules, *, target: Floats | None = None) -> Program:
    """The same program under other rules; with a target, nearness to it is the whole objective."""
    if target is not None:
        program = replace(program, laws=replace(program.laws, weight=np.zeros(len(program.laws))))
    return replace(program, rules=rules, target=target)


def subset(rules: Rules, keep: list[int]) -> Rules:
    """Only the rules `keep`, in that order."""
    changes = tuple(Change(keep.index(c.rule), c.coefficient, c.base) for c in rules.changes if c.rule in keep)
    return Rules(
        tuple(rules.names[k] for k in keep),
        sparse.csr_array(rules.affine[keep]),
        sparse.csr_array(rules.info[keep]),
        rules.loss[keep],
        rules.bound[keep],
        rules.equality[keep],
        rules.weight[keep],
        rules.scale[keep],
        changes,
    )


def _random_cells(
    rng: np.random.Generator,
    count: int,
    blend: int,
    depth: int,
    budget: Floats,
    tied: float,
    apart: np.random.Generator,
) -> tuple[Cells, Floats, Ties | None]:
    size = rng.lognormal(0.0, 1.5, size=count)
    keys, weights, densities = [], [], []
    for i in range(count):
        for s in range(blend):
            if blend > 1 and s > 0 and rng.random() < 0.3:
                continue
            for d in range(depth):
                keys.append((f"l{i}", f"s{s}", "web", d))
                weights.append(size[i] * BUCKETS[d] * rng.uniform(0.5, 2.0))
                densities.append(DENSITY[d])
    n, steps = len(keys), len(budget)
    witness = np.array(weights)[:, None] * rng.uniform(0.5, 2.0, size=(n, steps))
    absent = (rng.random((n, steps)) < 0.1) & (steps > 1)
    absent[absent.all(axis=1)] = False
    absent[0] = False
    ties = _random_ties(apart, keys, tied) if tied else None
    if ties is not None:
        for group in range(int(ties.column.max()) + 1):
            absent[ties.column == group] = absent[np.flatnonzero(ties.column == group)[0]]
            of = ties.column == group
            witness[of] = ties.part[of, None] * witness[of].sum(axis=0)
    witness[absent] = 0.0
    witness *= budget / witness.sum(axis=0)
    limit = rng.choice([0.5, 1.0, 2.0, 4.0, np.inf], p=[0.05, 0.15, 0.2, 0.5, 0.1], size=n)
    passes = np.minimum(limit, 5.0) * rng.uniform(0.03, 0.9, size=n)
    supply = witness.sum(axis=1) / passes
    phase_limit = np.full((n, steps), np.inf)
    tight = (rng.random((n, steps)) < 0.15) & (steps > 1)
    phase_limit[tight] = (witness / supply[:, None] * rng.uniform(1.1, 3.0, size=(n, steps)))[tight]
    phase_limit[absent] = 0.0
    language = np.array([int(key[0][1:]) for key in keys])
    gain = np.array(densities) * 26.7 * 417.0
    return Cells(tuple(keys), language, supply, gain, limit, phase_limit), witness, ties


def _random_ties(rng: np.random.Generator, keys: list[tuple[str, str, str, int]], tied: float) -> Ties:
    """Some (language, source) with all of their buckets in fixed proportion, the others' buckets free."""
    groups = sorted({key[:3] for key in keys})
    curved = {group for group in groups if rng.random() < tied}
    names = [key[:3] if key[:3] in curved else key for key in keys]
    numbers = {name: k for k, name in enumerate(dict.fromkeys(names))}
    column = np.array([numbers[name] for name in names])
    weight = rng.uniform(0.05, 1.0, size=len(keys))
    return Ties(column, weight / np.bincount(column, weight)[column])


def _random_laws(rng: np.random.Generator, count: int, curvature: float) -> LanguageLaws:
    priority = rng.choice([0.5, 1.0, 1.0, 2.0, 4.0], size=count)
    exponent = np.full(count, 0.0441) if curvature else rng.uniform(0.05, 0.4, size=count)
    off = ~np.eye(count, dtype=bool)
    mask = rng.choice([0.0, 0.2, 0.6])
    transfer = np.where(off & (rng.random((count, count)) < mask), rng.uniform(0, 0.4, (count, count)), 0.0)
    mask = rng.choice([0.0, 0.2])
    cost = np.where(off & (rng.random((count, count)) < mask), rng.uniform(0, 0.3, (count, count)), 0.0)
    floor = rng.uniform(0.0, 1.0, size=count) if rng.random() < 0.5 else np.zeros(count)
    return LanguageLaws(priority / priority.sum(), floor, rng.uniform(3.0, 4.5, size=count), exponent, transfer, cost)


def _add_rule(rng: np.random.Generator, rows: RuleRows, kind: str, program: Program, witness: Floats, k: int) -> None:
    n, steps = program.shape
    cells, count = program.cells, len(program.laws)
    room = rng.choice([0.02, 0.1, 0.4])
    if kind in ("affine", "equality", "prefer"):
        chosen = _random_selection(rng, program)
        value = float((chosen * witness).sum())
        sign = 1.0 if rng.random() < 0.6 else -1.0
        if kind == "equality":
            rows.add(f"equality{k}", value, affine=chosen, equality=True)
        elif kind == "prefer":
            weight = float(rng.choice([0.01, 0.05, 0.3]))
            rows.add(f"prefer{k}", sign * value * (1 + sign * room), affine=sign * chosen, weight=weight)
        else:
            rows.add(f"affine{k}", sign * value * (1 - sign * room), affine=sign * chosen)
    elif kind == "order":
        affine = np.zeros((n, steps))
        better, worse = rng.choice(n, size=2, replace=n < 2)
        passes = witness.sum(axis=1) / cells.supply
        if passes[better] < passes[worse]:
            better, worse = worse, better
        affine[better] += 1.0
        affine[worse] -= cells.supply[better] / cells.supply[worse]
        rows.add(f"order{k}", 0.0, affine=affine)
    elif kind == "info":
        info = (cells.language == rng.integers(count)) * rng.choice([1.0, 0.5])
        value = float(info @ program.information(witness))
        rows.add(f"info{k}", 1.0 - 0.3 * room, info=info / value)
    elif kind == "loss":
        which = int(rng.integers(count))
        loss = np.zeros(count)
        loss[which] = 1.0
        rows.add(f"loss{k}", -float(program.losses(witness)[which]) * (1 + 0.03 * room), loss=loss)
    elif kind == "change":
        share = program.signals(witness)[1]
        base = share * rng.uniform(0.6, 1.6, size=count)
        base /= base.sum()
        rows.add(f"change{k}", -(0.5 * float(np.abs(share - base).sum()) * (1 + room) + 0.002), base=base)


def _random_selection(rng: np.random.Generator, program: Program) -> Floats:
    """0/1 for the cells of a random language, source or bucket, in all phases or in one [n, P]."""
    steps = len(program.phases)
    kind = rng.integers(3)
    field_of = {0: 0, 1: 1, 2: 3}[int(kind)]
    values = sorted({key[field_of] for key in program.cells.keys}, key=str)
    value = values[int(rng.integers(len(values)))]
    chosen = np.array([key[field_of] == value for key in program.cells.keys], dtype=float)
    weight = np.zeros(steps) if rng.random() < 0.4 else np.ones(steps)
    weight[int(rng.integers(steps))] = 1.0
    return chosen[:, None] * weight


def joint61() -> Instance:
    """The oracle: 61 languages, 2 sources, 6 buckets, 2 phases, T and V, three rules; witness = its optimum."""
    data = json.loads(shared_file("oracle/solver/joint61.json").read_text())
    names, records = data["languages"], data["cells"]
    count, n, steps = len(names), len(records), len(data["phases"])
    transfer, cost = np.zeros((count, count)), np.zeros((count, count))
    for i, j, value in data["transfer"]:
        transfer[i, j] = value
    for i, j, value in data["cost"]:
        cost[i, j] = value

    def column(key: str) -> Floats:
        return np.array([record[key] for record in records], dtype=float)

    language, source = column("language").astype(np.int64), column("source")
    keys = tuple((names[r["language"]], str(r["source"]), "", i) for i, r in enumerate(records))
    gain = column("density") * data["lnK"] * data["K"] / 1e9
    cells = Cells(keys, language, column("supply"), gain, column("limit"), np.full((n, steps), np.inf))
    same = np.full(count, data["alpha"]), np.full(count, data["beta"])
    laws = LanguageLaws(np.array(data["priority_normalised"]), np.zeros(count), *same, transfer, cost)
    rows = RuleRows(n, steps, count)
    english = np.repeat((language == names.index("en"))[:, None], steps, axis=1).astype(float)
    rows.add("share(en)", data["rules"]["share_en_at_least"], affine=english)
    second = np.zeros((n, steps))
    second[source == 1, 1] = 1.0
    rows.add("share(anneal, source1)", data["rules"]["share_source1_phase1_at_least"], affine=second)
    german = np.zeros(count)
    german[names.index("de")] = 1.0
    rows.add("loss(de)", -data["rules"]["loss_de_at_most"], loss=german)
    program = Program(cells, laws, np.array(data["phases"]), rows.build(), data["c"], data["mu"])
    return Instance(program, np.array([record["shares"] for record in records]))


def feasible_points(program: Program, start: Floats, count: int, seed: int, *, within: float = 1e-10) -> list[Floats]:
    """Points of the feasible set by hit-and-run from a feasible one; equalities and absent cells are kept exactly."""
    from mixc.compiler.solve.conic import violation

    rng = np.random.default_rng(seed)
    n, steps = program.shape
    held = np.flatnonzero((program.cells.phase_limit == 0).ravel())
    fixed = [np.kron(np.ones((1, n)), np.eye(steps)), program.rules.affine.toarray()[program.rules.equality]]
    fixed.append(np.eye(n * steps)[held])
    rows = np.vstack(fixed)
    away = np.eye(n * steps) - np.linalg.pinv(rows) @ rows
    points, x = [], start
    scale = np.maximum(start, start.max() * 1e-3)
    for _ in range(count):
        direction = (away @ (away @ (rng.normal(size=n * steps) * scale.ravel()))).reshape(n, steps)
        size = 4.0
        while size > 1e-9 and violation(program, x + size * direction) > within:
            size *= 0.5
        if size > 1e-9:
            x = x + rng.uniform(0.3, 1.0) * size * direction
        points.append(x)
    return points
