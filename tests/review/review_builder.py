"""Hand-made problems, a toy that decides them, and hypothesis strategies for both.

The toy shares each phase out by priority, caps cells at their limits and grants rules of the form `share(x) >= b`; it
is no optimum, but it reacts to every input, which is all that the review needs.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import strategies as st

from mixc.compiler.problem import (
    Bucket,
    CellChoice,
    Certificate,
    Decision,
    InfoLaw,
    LanguageOutcome,
    Pool,
    Problem,
    ProblemLanguage,
    ProblemPhase,
    ProblemSource,
    RuleOutcome,
)
from mixc.compiler.recipe import Limit, Rule, Selector, Strategy, Term
from mixc.compiler.review.manifest import build_manifest
from mixc.compiler.review.plan_rows import DecontaminationRow, EvaluationRow, TaskRow
from mixc.compiler.review.provenance import PinnedFile, PinnedSource, Provenance
from mixc.dsl.diagnostics import Diagnostic

LAW = InfoLaw("infolaw-2605.02364", 0.922, 0.14, 0.018, 3.7373, 0.0441, (0.05, 0.2, 0.4, 0.6, 0.8, 1.0))
GRID = 1_000_000
EVALUATION = EvaluationRow(
    suite="mubench",
    panel="early",
    harness="lm-eval==0.4.13",
    holdout=0.001,
    formula="mubench-1",
    pivot="en",
    covered=("en", "no"),
    uncovered=("qu",),
    include_path="tasks",
    log_samples=True,
    decontamination=DecontaminationRow(ngram=13, against=("the items",)),
    notes=(),
)
TASK = TaskRow(
    suite="mubench",
    dataset="toys",
    task="toys_{language}_mubench",
    metric="acc",
    family="toys",
    weight=1.0,
    options=(2, 4),
    config="Toys_{language}",
)


def language(code: str, priority: float = 1.0, **given: object) -> ProblemLanguage:
    base = ProblemLanguage(code, priority, (), (), 0.0, 3.7373, 0.0441, True)
    return replace(base, **given)  # type: ignore[arg-type]


def pool(source: str, code: str, tokens: int, domain: str = "web", *, rated: bool = True) -> Pool:
    if not rated:
        return Pool(source, code, domain, False, (Bucket(0.0, 1.0, tokens, 1.0),))
    best = tokens // 5
    return Pool(source, code, domain, True, (Bucket(0.0, 0.2, best, 0.5464), Bucket(0.2, 1.0, tokens - best, 0.0712)))


def share(code: str, bound: float, sense: str = ">=", weight: float | None = None, line: int = 30) -> Rule:
    verb, tail = ("prefer", f" weight {weight:g}") if weight is not None else ("require", "")
    text = f"{verb} share({code}) {sense} {bound * 100:g}%{tail}"
    term = Term(1.0, "share", Selector(languages=(code,)))
    return Rule(text, (term,), sense, bound, weight, place=f"toy.mix:{line}:1")  # type: ignore[arg-type]


def small_problem() -> Problem:
    """Three languages, two sources, one phase, two rules."""
    return Problem(
        params=1.2e9,
        tokens=100_000_000_000,
        flops=6 * 1.2e9 * 100e9,
        phases=(ProblemPhase("main", 100_000_000_000),),
        languages=(language("de", 1.5), language("en", 4.0), language("no", 0.5, transfer=(("de", 0.05),))),
        sources=(
            ProblemSource("web", Limit(4.0, place="toy.mix:9:3")),
            ProblemSource("wiki", Limit(6.0, place="toy.mix:14:3")),
        ),
        pools=(
            pool("web", "de", 60_000_000_000),
            pool("web", "en", 900_000_000_000),
            pool("web", "no", 2_000_000_000),
            pool("wiki", "de", 2_500_000_000, "encyclopedia", rated=False),
            pool("wiki", "en", 5_000_000_000, "encyclopedia", rated=False),
        ),
        rules=(share("en", 0.3), share("no", 0.05, weight=0.05, line=31)),
        order="free",
        strategy=Strategy(),
        law=LAW,
        edges=(0.2, 1.0),
    )


def toy_decide(problem: Problem) -> tuple[Decision | None, list[Diagnostic]]:
    """Shares by priority under the caps, after granting what `share(language) >= b` rules ask for."""
    floors = {
        term.of.languages[0]: rule.bound
        for rule in problem.rules
        for term in rule.terms[:1]
        if rule.sense == ">=" and rule.weight is None and term.function == "share" and term.of.languages
    }
    if sum(floors.values()) > 1:
        return None, [Diagnostic("M301", "these requirements cannot hold together")]
    room = _room(problem)
    wanted = {lang.code: lang.priority for lang in problem.languages}
    total = sum(wanted.values()) or 1.0
    held = {code: bound for code, bound in floors.items() if bound >= wanted[code] / total}
    rest = sum(priority for code, priority in wanted.items() if code not in held) or 1.0
    shares = {c: held.get(c, wanted[c] / rest * (1 - sum(held.values()))) for c in wanted}
    taken = {code: min(round(shares[code] * problem.tokens), room.get(code, 0)) for code in shares}
    for code in sorted(taken, key=lambda c: (c in held, taken[c] - room.get(c, 0))):
        taken[code] += max(0, min(problem.tokens - sum(taken.values()), room.get(code, 0) - taken[code]))
    return _decision(problem, taken), []


def _limit(problem: Problem, source: str) -> float:
    limit = next(s.limit for s in problem.sources if s.name == source)
    return limit.passes if limit else 100.0


def _room(problem: Problem) -> dict[str, int]:
    room: dict[str, int] = {}
    for p in problem.pools:
        room[p.language] = room.get(p.language, 0) + int(p.tokens * _limit(problem, p.source))
    return room


def _decision(problem: Problem, taken: dict[str, int]) -> Decision:
    left, cells = dict(taken), []
    for p in problem.pools:
        choices = []
        for bucket in p.buckets:
            cap = int(bucket.tokens * _limit(problem, p.source))
            amount = min(left[p.language], cap)
            left[p.language] -= amount
            binds = "zero" if amount == 0 else "limit" if amount == cap else ""
            choices.append(_cell(problem, bucket, amount, binds))
        cells.append(tuple(choices))
    weights = sum(lang.priority for lang in problem.languages) or 1.0
    outcomes, loss = [], 0.0
    for lang in problem.languages:
        effective = max(taken[lang.code] / 1e9, 1e-6)
        own = lang.floor + lang.scale * effective**-lang.exponent
        loss += lang.priority / weights * own
        benefit = lang.priority / weights * lang.exponent * (own - lang.floor) / 100
        outcomes.append(LanguageOutcome(lang.code, taken[lang.code] / problem.tokens, effective, own, benefit))
    rules = tuple(_rule(problem, rule, taken) for rule in problem.rules)
    proof = Certificate(loss, loss * (1 - 3e-8), 3e-8, 1e-9, 1e-12)
    return Decision(problem, tuple(cells), tuple(outcomes), rules, proof, loss, sum(taken.values()) / 1e9)


def _cell(problem: Problem, bucket: Bucket, amount: int, binds: str) -> CellChoice:
    tokens = [amount * phase.tokens // problem.tokens for phase in problem.phases]
    grid = tuple(t * GRID // phase.tokens for t, phase in zip(tokens, problem.phases, strict=True))
    return CellChoice(grid, tuple(tokens), sum(tokens) / bucket.tokens if bucket.tokens else 0.0, binds)


def _rule(problem: Problem, rule: Rule, taken: dict[str, int]) -> RuleOutcome:
    codes = [code for term in rule.terms for code in (term.of.languages or tuple(taken))]
    value = sum(taken.get(code, 0) for code in dict.fromkeys(codes)) / problem.tokens
    slack = value - rule.bound if rule.sense == ">=" else rule.bound - value
    active = abs(slack) < 1e-4
    price = 0.00125 if active else 0.0
    short = max(-slack, 0.0) if rule.weight is not None else 0.0
    return RuleOutcome(rule, value, rule.bound, slack, active, price, price, short)


def provenance() -> Provenance:
    return Provenance(
        name="toy",
        description="Three languages, to be read by people.",
        params=(("size", "1.2B params"),),
        files=(PinnedFile("recipe", "toy.mix", "ab" * 32, 812), PinnedFile("catalog", "wiki.csv", "cd" * 32, 4096)),
        sources=(
            PinnedSource("web", True, (), 0, "11" * 32, 962_000_000_000),
            PinnedSource("wiki", True, ("wiki.csv",), 4096, "cd" * 32, 7_500_000_000),
        ),
        licences=(("web", "ODC-By-1.0"), ("wiki", None)),
        evaluations=(EVALUATION,),
        tasks=(TASK,),
        assumptions=("`wiki`: 0.25 tokens per byte of Latin text (default)",),
        places=(("budget", "toy.mix:4"), ("language en", "toy.mix:20"), ("language no", "toy.mix:22")),
        seed=17,
        reason="the supply comes from published sizes, not from documents",
    )


def decided(problem: Problem) -> Decision:
    decision, found = toy_decide(problem)
    assert decision is not None, found
    return decision


def small_manifest(problem: Problem | None = None):
    return build_manifest(decided(problem or small_problem()), provenance())


# Strategies: problems whose names are consistent and sorted, whose numbers are anything a recipe can say.

NAMES = st.text("abcxyz-_0 é", min_size=1, max_size=5)
DECLARED = st.from_regex(r"[ax_][az0_]{0,3}(-[az0_])?", fullmatch=True)  # names of files and folders
REAL = st.floats(min_value=1e-12, max_value=1e24, allow_nan=False, allow_infinity=False)
UNIT = st.floats(min_value=0, max_value=1, allow_nan=False)
LINES = st.integers(1, 999).map(lambda n: f"toy.mix:{n}:1")


def _pairs(names: list[str]) -> st.SearchStrategy[tuple[tuple[str, float], ...]]:
    return st.dictionaries(st.sampled_from(names), UNIT, max_size=2).map(lambda d: tuple(sorted(d.items())))


def _subset(names: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True).map(tuple)


LIMITS = st.builds(Limit, st.floats(0.01, 50), place=LINES)


@st.composite
def problems(draw: st.DrawFn, sources: list[str] | None = None, codes: list[str] | None = None) -> Problem:
    codes = codes or sorted(draw(st.sets(NAMES, min_size=1, max_size=4)))
    sources = sources or sorted(draw(st.sets(DECLARED, min_size=1, max_size=3)))
    phases = tuple(
        ProblemPhase(name, draw(st.integers(10**6, 10**12)))
        for name in draw(st.lists(DECLARED, min_size=1, max_size=2, unique=True))
    )
    phase_names = [phase.name for phase in phases]
    domains = ["code", "web"]
    tokens = sum(phase.tokens for phase in phases)
    params = draw(REAL)
    return Problem(
        params=params,
        tokens=tokens,
        flops=6.0 * params * tokens,
        phases=phases,
        languages=tuple(
            language(
                code, draw(REAL), transfer=draw(_pairs(codes)), cost=draw(_pairs(codes)),
                floor=draw(UNIT), scale=draw(REAL), exponent=draw(UNIT), assumed=draw(st.booleans()),
            )
            for code in codes
        ),
        sources=tuple(draw(_sources(name, phase_names)) for name in sources),
        pools=tuple(
            draw(_pools(source, code, domain))
            for source in sources for code in codes for domain in domains
            if draw(st.booleans())
        ),
        rules=tuple(sorted(draw(st.lists(_rules(sources, codes, domains, phase_names), max_size=3)), key=_in_order)),
        order=draw(st.sampled_from(["free", "epochs", "shares"])),
        strategy=draw(st.sampled_from([Strategy(), Strategy("temperature", 3.33), Strategy("unimax", None, 4.0)])),
        law=draw(st.sampled_from([LAW, replace(LAW, name="mine", theta=0.1 + 0.2)])),
        form=draw(st.sampled_from(["logc", "linear"])),
        signal=draw(st.sampled_from(["info", "tokens"])),
        baselines=tuple(draw(st.lists(st.tuples(NAMES, _pairs(codes)), max_size=1))),
        edges=draw(st.sampled_from([(), (0.2, 1.0), (1 / 3, 1.0)])),
    )  # fmt: skip


@st.composite
def _sources(draw: st.DrawFn, name: str, phases: list[str]) -> ProblemSource:
    limits = draw(st.dictionaries(st.sampled_from(phases), LIMITS, max_size=1))
    only = draw(st.none() | _subset(phases))
    return ProblemSource(name, draw(st.none() | LIMITS), tuple(sorted(limits.items(), key=lambda i: i[0])), only)


@st.composite
def _pools(draw: st.DrawFn, source: str, code: str, domain: str) -> Pool:
    cut = draw(st.sampled_from([(0.0, 1.0), (0.0, 0.2, 1.0), (0.0, 1 / 3, 1.0)]))
    buckets = tuple(
        Bucket(low, high, draw(st.integers(0, 10**13)), draw(UNIT), draw(st.sampled_from([0, 0, 10**9])))
        for low, high in itertools.pairwise(cut)
    )
    sampling = draw(st.sampled_from([((), 0.0, False), ((), 0.0, True), ((0.5,) * len(buckets), 2.0, False)]))
    return Pool(source, code, domain, draw(st.booleans()), buckets, *sampling)


def _in_order(rule: Rule) -> tuple[str, str, str, float]:
    """The order of a problem's rules."""
    return rule.text, rule.sense, rule.phase or "", rule.bound


@st.composite
def _rules(draw: st.DrawFn, sources: list[str], codes: list[str], domains: list[str], phases: list[str]) -> Rule:
    selector = st.builds(
        Selector,
        st.none() | _subset(sources), st.none() | _subset(codes), st.none() | _subset(domains),
        st.none() | _subset(phases), st.none() | UNIT,
    )  # fmt: skip
    term = st.builds(
        Term, st.floats(-10, 10), st.sampled_from(["share", "tokens", "loss", "quality"]), selector,
        st.none() | st.just("natural"), st.none() | NAMES,
    )  # fmt: skip
    return Rule(
        draw(st.sampled_from(["require a <= 1", "prefer b >= 2 weight 1"])),
        tuple(draw(st.lists(term, min_size=1, max_size=2))),
        draw(st.sampled_from(["<=", ">=", "=="])),
        draw(st.floats(-1e15, 1e15)),
        draw(st.none() | UNIT),
        draw(st.none() | st.sampled_from(phases)),
        draw(st.none() | _subset(codes)),
        place=draw(LINES),
    )
