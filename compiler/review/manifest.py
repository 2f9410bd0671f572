"""Decision to manifest, and manifest to bytes.

Everything that decides the mixture is written exactly, so that `rebuild.py` gets the same `Problem` back; what only
informs the reader is rounded by one rule (`canonical.figure`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mixc.compiler.problem import CellChoice, Decision, LanguageOutcome, Pool, Problem, ProblemSource, RuleOutcome
from mixc.compiler.recipe import Limit, Selector
from mixc.compiler.review import rows
from mixc.compiler.review.binding import taken, what_binds
from mixc.compiler.review.canonical import at_least, at_most, canonical, digest, figure
from mixc.compiler.review.plan_rows import AfterRow, SelectionRow
from mixc.compiler.review.provenance import Provenance
from mixc.compiler.review.schema import Manifest

GRID = 1_000_000
LOSS_DIGITS = 9
CERTIFICATE_DIGITS = 12
BOUND_DIGITS = 10
SLACK_DECIMALS = 9  # of a difference of nearly equal numbers the digits below are rounding's
NOISE = 1e-9  # what Newton leaves undecided of a price or a loss
LAW_VERSION = "infolaw-transfer-1"
NUMERICS_VERSION = 1


def build_manifest(decision: Decision, provenance: Provenance) -> Manifest:
    """The manifest of a decided mixture. Its bytes depend on the arguments alone."""
    problem = decision.problem
    places = dict(provenance.places)
    licences = dict(provenance.licences)
    manifest = Manifest(
        recipe=rows.RecipeRow(name=provenance.name, description=provenance.description),
        params=dict(provenance.params),
        budget=rows.BudgetRow(
            params=problem.params, tokens=problem.tokens, flops=problem.flops, place=places.get("budget")
        ),
        after=_after(problem, provenance.after) if provenance.after else None,
        phases=tuple(
            rows.PhaseRow(name=p.name, tokens=p.tokens, place=places.get(f"phase {p.name}")) for p in problem.phases
        ),
        inputs=tuple(rows.InputRow(kind=f.kind, name=f.name, sha256=f.sha256) for f in provenance.files),
        versions=rows.VersionsRow(law=LAW_VERSION, numerics=NUMERICS_VERSION),
        law=_law(problem),
        quality=rows.QualityRow(edges=problem.edges, order=problem.order),
        strategy=_strategy(decision),
        sources=tuple(_source(s, licences.get(s.name), places) for s in problem.sources),
        supply=tuple(_supply(pool) for pool in problem.pools),
        mixture=tuple(_mixture(decision)),
        languages=tuple(_language(decision, i, places) for i in range(len(problem.languages))),
        rules=tuple(_rule(outcome) for outcome in decision.rules),
        baselines=tuple(rows.BaselineRow(manifest=m, shares=dict(shares)) for m, shares in problem.baselines),
        certificate=_certificate(decision),
        licences=tuple(_licences(decision, licences)),
        totals=_totals(decision),
        selection=SelectionRow(seed=provenance.seed, bits=provenance.bits, tables=provenance.tables),
        evaluations=provenance.evaluations,
        tasks=provenance.tasks,
        plan=provenance.stages,
        runnable=provenance.reason is None,
        reason=provenance.reason,
        assumptions=provenance.assumptions,
        notes=decision.notes,
    )
    return manifest.model_copy(update={"integrity": digest(content(manifest))})


def content(manifest: Manifest) -> dict[str, Any]:
    """The manifest as plain data, without `integrity`; what is absent is left out."""
    return manifest.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"integrity"})


def manifest_text(manifest: Manifest) -> str:
    """The canonical text of the manifest file."""
    return canonical(manifest.model_dump(mode="json", by_alias=True, exclude_none=True))


def _after(problem: Problem, name: str) -> AfterRow:
    gone = tuple(_supply(pool) for pool in problem.gone)
    return AfterRow(manifest=name, tokens=problem.before, supply=gone or None)


def _law(problem: Problem) -> rows.InfoLawRow:
    law = problem.law
    return rows.InfoLawRow(
        name=law.name, theta=law.theta, a=law.a, b=law.b, alpha=law.alpha, beta=law.beta, edges=law.edges,
        form=problem.form, signal=problem.signal,
    )  # fmt: skip


def _strategy(decision: Decision) -> rows.StrategyRow:
    strategy = decision.problem.strategy
    distance = None if decision.distance is None else figure(decision.distance)
    return rows.StrategyRow(
        name=strategy.name, temperature=strategy.temperature, epochs=strategy.epochs, distance=distance
    )


def _source(source: ProblemSource, licence: str | None, places: Mapping[str, str]) -> rows.SourceRow:
    return rows.SourceRow(
        name=source.name,
        limit=_limit(source.limit),
        phase_limits=tuple(
            rows.PhaseLimitRow(phase=phase, passes=limit.passes, place=limit.place)
            for phase, limit in source.phase_limits
        ),
        phases=source.phases,
        licence=licence,
        place=places.get(f"source {source.name}"),
    )


def _limit(limit: Limit | None) -> rows.LimitRow | None:
    return rows.LimitRow(passes=limit.passes, place=limit.place) if limit else None


def _supply(pool: Pool) -> rows.SupplyRow:
    return rows.SupplyRow(
        source=pool.source,
        language=pool.language,
        domain=pool.domain,
        rated=pool.rated,
        low=tuple(b.low for b in pool.buckets),
        high=tuple(b.high for b in pool.buckets),
        tokens=tuple(b.tokens for b in pool.buckets),
        density=tuple(b.density for b in pool.buckets),
        copies=pool.copies or None,
        peak=pool.peak or None,
        once=pool.once or None,
        taken=tuple(b.taken for b in pool.buckets) if any(b.taken for b in pool.buckets) else None,
    )


def _mixture(decision: Decision) -> Iterable[rows.MixtureRow]:
    """Rows by phase, then in the order of the pools; a phase that may not use a source has no row of it."""
    problem = decision.problem
    allowed = {source.name: source.phases for source in problem.sources}
    for position, phase in enumerate(problem.phases):
        for pool, cells in zip(problem.pools, decision.cells, strict=True):
            phases = allowed.get(pool.source)
            if phases is None or phase.name in phases:
                yield _mixture_row(phase.name, position, pool, cells)


def _mixture_row(phase: str, position: int, pool: Pool, cells: tuple[CellChoice, ...]) -> rows.MixtureRow:
    tokens = [cell.tokens[position] for cell in cells]
    supplies = [bucket.tokens for bucket in pool.buckets]
    return rows.MixtureRow(
        phase=phase,
        source=pool.source,
        language=pool.language,
        domain=pool.domain,
        supply=pool.tokens,
        tokens=sum(tokens),
        share=sum(cell.grid[position] for cell in cells) / GRID,
        epochs=ratio(sum(tokens), pool.tokens),
        supply_by_bucket=tuple(supplies),
        tokens_by_bucket=tuple(tokens),
        share_by_bucket=tuple(cell.grid[position] / GRID for cell in cells),
        epochs_by_bucket=tuple(ratio(t, s) for t, s in zip(tokens, supplies, strict=True)),
        binds_by_bucket=tuple(cell.binds for cell in cells),
    )


def ratio(tokens: int, supply: int) -> float:
    """Epochs for the eye; 0 where there is nothing to take."""
    return (figure(tokens / supply) or 0.0) if supply else 0.0


def _language(decision: Decision, position: int, places: Mapping[str, str]) -> rows.LanguageRow:
    language, outcome = decision.problem.languages[position], _outcome(decision, position)
    take = taken(decision, "language", language.code)
    return rows.LanguageRow(
        code=language.code,
        priority=language.priority,
        transfer=dict(language.transfer),
        cost=dict(language.cost),
        floor=language.floor,
        scale=language.scale,
        exponent=language.exponent,
        assumed=language.assumed,
        past=language.past or None,
        share=figure(take.tokens / decision.problem.tokens, LOSS_DIGITS) or 0.0,
        tokens=take.tokens,
        epochs=None if take.epochs is None else figure(take.epochs),
        effective=figure(outcome.effective),
        effective_share=figure(outcome.effective / decision.information) if decision.information else None,
        loss=figure(outcome.loss, LOSS_DIGITS),
        benefit=figure(outcome.benefit),
        binds=what_binds(decision, "language", language.code),
        place=places.get(f"language {language.code}"),
    )


def _outcome(decision: Decision, position: int) -> LanguageOutcome:
    outcome = decision.languages[position]
    if outcome.code != decision.problem.languages[position].code:
        raise ValueError("outcomes are not in the order of the languages")
    return outcome


def _rule(outcome: RuleOutcome) -> rows.RuleRow:
    rule = outcome.rule
    return rows.RuleRow(
        rule=rule.text,
        terms=tuple(
            rows.TermRow(
                coefficient=t.coefficient,
                function=t.function,
                of=_selector(t.of),
                baseline=t.baseline,
                manifest=t.manifest,
            )
            for t in rule.terms
        ),
        sense=rule.sense,
        bound=rule.bound,
        weight=rule.weight,
        phase=rule.phase,
        members=rule.members,
        place=rule.place,
        value=figure(outcome.value, LOSS_DIGITS),
        slack=figure(round(outcome.slack, SLACK_DECIMALS)),
        active=bool(outcome.active),  # a solver may hand over its own kind of truth
        tighten=figure(outcome.tighten, 3),
        loosen=figure(outcome.loosen, 3),
        shortfall=figure(round(outcome.shortfall, SLACK_DECIMALS)),
    )


def _selector(selector: Selector) -> rows.SelectorRow:
    return rows.SelectorRow(
        sources=selector.sources,
        languages=selector.languages,
        domains=selector.domains,
        phases=selector.phases,
        best=selector.best,
        each=selector.each,
    )


def _certificate(decision: Decision) -> rows.CertificateRow:
    proof = decision.certificate
    return rows.CertificateRow(
        loss=figure(proof.loss, CERTIFICATE_DIGITS) or 0.0,
        bound=at_least(proof.bound, BOUND_DIGITS),
        gap=at_most(proof.gap, 2, NOISE),
        tie_break=at_most(proof.tie_break, 1, NOISE),
        residual=at_most(proof.residual, 1, NOISE),
    )


def _licences(decision: Decision, licences: Mapping[str, str | None]) -> Iterable[rows.LicenceRow]:
    """One row per licence, those not stated last."""
    sources: dict[str | None, list[str]] = {}
    for source in decision.problem.sources:
        sources.setdefault(licences.get(source.name), []).append(source.name)
    for licence in sorted(sources, key=lambda text: (text is None, text or "")):
        tokens = sum(taken(decision, "source", name).tokens for name in sources[licence])
        share = figure(tokens / decision.problem.tokens, LOSS_DIGITS) or 0.0
        yield rows.LicenceRow(licence=licence, sources=tuple(sorted(sources[licence])), tokens=tokens, share=share)


def _totals(decision: Decision) -> rows.TotalsRow:
    cells = [
        (sum(cell.tokens), bucket.tokens, cell.epochs)
        for pool, choices in zip(decision.problem.pools, decision.cells, strict=True)
        for bucket, cell in zip(pool.buckets, choices, strict=True)
    ]
    tokens = sum(amount for amount, _, _ in cells)
    unique = sum(min(amount, supply) for amount, supply, _ in cells)
    return rows.TotalsRow(
        tokens=tokens,
        unique=unique,
        supply=sum(supply for _, supply, _ in cells),
        mean_epochs=ratio(tokens, unique),
        max_epochs=figure(max((epochs for _, _, epochs in cells), default=0.0)) or 0.0,
        information=figure(decision.information),
        loss=figure(decision.loss, LOSS_DIGITS),
    )
