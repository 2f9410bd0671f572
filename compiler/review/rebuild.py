"""Manifest back to the problem it states and the decision it holds.

The problem is the very one that was compiled: every figure that decides comes back bit by bit. Of the decision, tokens
and grid values are exact, figures for the eye as rounded as the manifest prints them.
"""

from __future__ import annotations

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
from mixc.compiler.review import rows
from mixc.compiler.review.manifest import GRID
from mixc.compiler.review.schema import Manifest

Key = tuple[str, str, str, str]  # phase, source, language, domain
UNKNOWN = float("nan")  # a figure that was not finite when it was written


def problem_from_manifest(manifest: Manifest) -> Problem:
    """The exact problem that the manifest decides."""
    return Problem(
        params=manifest.budget.params,
        tokens=manifest.budget.tokens,
        flops=manifest.budget.flops,
        phases=tuple(ProblemPhase(p.name, p.tokens) for p in manifest.phases),
        languages=tuple(_language(row) for row in manifest.languages),
        sources=tuple(_source(row) for row in manifest.sources),
        pools=tuple(_pool(row) for row in manifest.supply),
        rules=tuple(_rule(row) for row in manifest.rules),
        order=manifest.quality.order,
        strategy=Strategy(manifest.strategy.name, manifest.strategy.temperature, manifest.strategy.epochs),
        law=_law(manifest.law),
        form=manifest.law.form,
        signal=manifest.law.signal,
        baselines=tuple((row.manifest, tuple(sorted(row.shares.items()))) for row in manifest.baselines),
        edges=manifest.quality.edges,
        before=manifest.after.tokens if manifest.after else 0,
        gone=tuple(_pool(row) for row in manifest.after.supply or ()) if manifest.after else (),
    )


def decision_from_manifest(manifest: Manifest) -> Decision:
    """The decision that the manifest holds, with its problem."""
    problem = problem_from_manifest(manifest)
    mixture = {(row.phase, row.source, row.language, row.domain): row for row in manifest.mixture}
    return Decision(
        problem=problem,
        cells=tuple(_cells(pool, problem.phases, mixture) for pool in problem.pools),
        languages=tuple(_language_outcome(row) for row in manifest.languages),
        rules=tuple(_rule_outcome(row, rule) for row, rule in zip(manifest.rules, problem.rules, strict=True)),
        certificate=Certificate(**manifest.certificate.model_dump()),
        loss=known(manifest.totals.loss),
        information=known(manifest.totals.information),
        distance=manifest.strategy.distance,
        notes=manifest.notes,
    )


def known(value: float | None) -> float:
    """A figure, or NaN where the manifest leaves it out."""
    return UNKNOWN if value is None else value


def _language(row: rows.LanguageRow) -> ProblemLanguage:
    return ProblemLanguage(
        code=row.code,
        priority=row.priority,
        transfer=tuple(sorted(row.transfer.items())),
        cost=tuple(sorted(row.cost.items())),
        floor=row.floor,
        scale=row.scale,
        exponent=row.exponent,
        assumed=row.assumed,
        past=row.past or 0.0,
    )


def _source(row: rows.SourceRow) -> ProblemSource:
    return ProblemSource(
        name=row.name,
        limit=Limit(row.limit.passes, place=row.limit.place) if row.limit else None,
        phase_limits=tuple((p.phase, Limit(p.passes, place=p.place)) for p in row.phase_limits),
        phases=row.phases,
    )


def _pool(row: rows.SupplyRow) -> Pool:
    taken = row.taken or (0,) * len(row.tokens)
    buckets = zip(row.low, row.high, row.tokens, row.density, taken, strict=True)
    cut = tuple(Bucket(*bucket) for bucket in buckets)
    return Pool(row.source, row.language, row.domain, row.rated, cut, row.copies or (), row.peak or 0.0, bool(row.once))


def _rule(row: rows.RuleRow) -> Rule:
    return Rule(
        text=row.rule,
        terms=tuple(_term(term) for term in row.terms),
        sense=row.sense,
        bound=row.bound,
        weight=row.weight,
        phase=row.phase,
        members=row.members,
        place=row.place,
    )


def _term(row: rows.TermRow) -> Term:
    selector = Selector(
        row.of.sources, row.of.languages, row.of.domains, row.of.phases, row.of.best, row.of.each
    )  # fmt: skip
    return Term(row.coefficient, row.function, selector, row.baseline, row.manifest)


def _law(row: rows.InfoLawRow) -> InfoLaw:
    return InfoLaw(row.name, row.theta, row.a, row.b, row.alpha, row.beta, row.edges)


def _cells(pool: Pool, phases: tuple[ProblemPhase, ...], mixture: dict[Key, rows.MixtureRow]) -> tuple[CellChoice, ...]:
    taken = [mixture.get((phase.name, pool.source, pool.language, pool.domain)) for phase in phases]
    return tuple(_cell(bucket, i, taken) for i, bucket in enumerate(pool.buckets))


def _cell(bucket: Bucket, position: int, taken: list[rows.MixtureRow | None]) -> CellChoice:
    tokens = tuple(row.tokens_by_bucket[position] if row else 0 for row in taken)
    grid = tuple(round(row.share_by_bucket[position] * GRID) if row else 0 for row in taken)
    binds = next((row.binds_by_bucket[position] for row in taken if row), "")
    return CellChoice(grid, tokens, sum(tokens) / bucket.tokens if bucket.tokens else 0.0, binds)


def _language_outcome(row: rows.LanguageRow) -> LanguageOutcome:
    return LanguageOutcome(row.code, row.share, known(row.effective), known(row.loss), known(row.benefit))


def _rule_outcome(row: rows.RuleRow, rule: Rule) -> RuleOutcome:
    return RuleOutcome(
        rule=rule,
        value=known(row.value),
        bound=row.bound,
        slack=known(row.slack),
        active=row.active,
        tighten=known(row.tighten),
        loosen=known(row.loosen),
        shortfall=known(row.shortfall),
    )
