"""Recipe and supply become the problem that decides the mixture. No file is read here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from mixc.compiler.problem import Problem, ProblemLanguage, ProblemPhase, ProblemSource
from mixc.compiler.recipe import Language, LanguageLaw, Recipe, Rule
from mixc.compiler.rule_members import Inventory, concrete_rules
from mixc.compiler.supply.languages import family
from mixc.compiler.supply.supply import Supply
from mixc.dsl.diagnostics import Diagnostic, Label, Severity, has_errors, page
from mixc.dsl.text import Span

Terms = dict[str, float]


def build_problem(recipe: Recipe, supply: Supply, before: int = 0) -> tuple[Problem | None, list[Diagnostic]]:
    """The problem of a recipe whose budget is settled: `budget.params`, `.tokens` and `.flops` are numbers.

    `before` are the tokens of mixtures that it continues; what they took of which pool is added afterwards.
    """
    budget = recipe.budget
    if budget.params is None or budget.tokens is None:
        raise ValueError("the size is searched for before the problem is built")
    phases = phase_budgets(recipe, budget.tokens)
    sources = tuple(
        ProblemSource(source.name, source.limit, tuple(sorted(source.phase_limits, key=lambda p: p[0])), source.phases)
        for source in sorted(recipe.sources, key=lambda source: source.name)
    )
    rules, found = concrete_rules(recipe.rules, Inventory(supply.pools, sources, phases))
    found += check_calibration(recipe, supply)
    found += check_signal(recipe)
    languages, found_in_languages = problem_languages(recipe, supply, before + budget.tokens)
    found += found_in_languages
    if has_errors(found):
        return None, found
    flops = budget.flops_per_param_token * budget.params * budget.tokens if budget.flops is None else budget.flops
    problem = Problem(
        params=budget.params,
        tokens=budget.tokens,
        flops=flops,
        phases=phases,
        languages=languages,
        sources=sources,
        pools=supply.pools,
        rules=rules,
        order=recipe.quality.order,
        strategy=recipe.strategy,
        law=supply.law,
        form=recipe.laws.form,
        signal=recipe.laws.signal,
        baselines=supply.baselines,
        edges=supply.edges,
        before=before,
    )
    return problem, found


def phase_budgets(recipe: Recipe, tokens: int) -> tuple[ProblemPhase, ...]:
    """Whole-token budgets that sum to `tokens`: boundaries are rounded, not budgets. One phase `main` without any."""
    if not recipe.phases:
        return (ProblemPhase("main", tokens),)
    parts = [Fraction(repr(phase.fraction)) for phase in recipe.phases]
    total = sum(parts)
    ends = [round(tokens * sum(parts[: i + 1]) / total) for i in range(len(parts))]
    starts = [0, *ends[:-1]]
    return tuple(
        ProblemPhase(phase.name, end - start) for phase, start, end in zip(recipe.phases, starts, ends, strict=True)
    )


def problem_languages(
    recipe: Recipe, supply: Supply, tokens: int
) -> tuple[tuple[ProblemLanguage, ...], list[Diagnostic]]:
    """Every language of the mixture with its weight, what it receives and pays, and its loss law."""
    declared = {language.code: language for language in recipe.languages}
    made, much = [], {}
    for code in supply.languages:
        language = declared.get(code) or recipe.all_languages or Language(code)
        transfer, cost = exchange(recipe, supply, code, language, tokens)
        made.append(problem_language(supply, code, language, transfer, cost, level(recipe, supply, tokens)))
        total = sum(transfer.values())
        if total > 1 + 1e-9 and sum(value for _, value in language.transfer) <= 1:  # the front reports its own
            much[code] = total
    return tuple(made), [much_transfer(much, recipe.laws.span)] if much else []


def exchange(recipe: Recipe, supply: Supply, code: str, language: Language, tokens: int) -> tuple[Terms, Terms]:
    """T[code, .] and V[code, .]: the family default, replaced by the calibration's terms at this budget, replaced by
    the recipe's own; only languages of the mixture, and only what the form of the law has.
    """
    form, others = recipe.laws.form, set(supply.languages) - {code}
    transfer = family_terms(code, others, recipe.laws.family)
    cost: Terms = {}
    fitted = supply.transfer
    if fitted is not None:
        growth = tokens / fitted.tokens
        transfer |= {j: t * growth**-fitted.transfer_exponent for j, t in fitted.transfer.get(code, {}).items()}
        cost |= {j: v * growth**fitted.cost_exponent for j, v in fitted.cost.get(code, {}).items()}
    transfer |= dict(language.transfer)
    cost |= dict(language.cost)
    return (
        {} if form == "isolated" else present(transfer, others),
        present(cost, others) if form == "logc" else {},
    )


def family_terms(code: str, others: Iterable[str], value: float | None) -> Terms:
    """`family(0.1)`: the same assumed term for every other language of the same branch."""
    branch = family(code)
    return {} if value is None or branch is None else {j: value for j in others if family(j) == branch}


def present(terms: Mapping[str, float], others: set[str]) -> Terms:
    """Terms that are not zero, from languages of the mixture, sorted."""
    return {j: terms[j] for j in sorted(terms) if j in others and terms[j] != 0}


def level(recipe: Recipe, supply: Supply, tokens: int) -> float:
    """What a unit of a language counts at this budget and size, where a calibration of signal tokens was fitted 1."""
    fitted, params = supply.transfer, recipe.budget.params
    if fitted is None:
        return 1.0
    by_size = (params / fitted.params) ** fitted.size_exponent if params and fitted.params else 1.0
    return float((tokens / fitted.tokens) ** fitted.budget_exponent * by_size)


def problem_language(
    supply: Supply, code: str, language: Language, transfer: Terms, cost: Terms, level: float = 1.0
) -> ProblemLanguage:
    """The loss law: the recipe's numbers, else the calibration's, else InfoLaw's own, which is assumed."""
    stated = language.law or LanguageLaw()
    fitted = supply.transfer.languages.get(code) if supply.transfer else None
    assumed = fitted is None and (stated.scale is None or stated.exponent is None)
    floor, scale, exponent = (
        (fitted.floor, fitted.scale * level**-fitted.exponent, fitted.exponent)
        if fitted
        else (0.0, supply.law.alpha, supply.law.beta)
    )
    return ProblemLanguage(
        code=code,
        priority=language.priority,
        transfer=tuple(transfer.items()),
        cost=tuple(cost.items()),
        floor=floor if stated.floor is None else stated.floor,
        scale=scale if stated.scale is None else stated.scale,
        exponent=exponent if stated.exponent is None else stated.exponent,
        assumed=assumed,
    )


def check_signal(recipe: Recipe) -> list[Diagnostic]:
    """Rules on information need the law that defines it."""
    if recipe.laws.signal == "info":
        return []
    speaking = [rule for rule in recipe.rules if any(term.function == "info" for term in rule.terms)]
    return [no_information(rule, recipe.laws.span) for rule in speaking]


def check_calibration(recipe: Recipe, supply: Supply) -> list[Diagnostic]:
    """A transfer calibration holds for the form and the signal it was fitted with."""
    fitted, laws = supply.transfer, recipe.laws
    if fitted is None:
        return []
    pairs = (("form", fitted.form, laws.form), ("signal", fitted.signal, laws.signal))
    return [other_law(laws.transfer or fitted.name, key, was, now, laws.span) for key, was, now in pairs if was != now]


@page("M436")
def other_law(name: str, key: str, fitted: str, stated: str, span: Span | None) -> Diagnostic:
    """A transfer calibration was fitted with another law.

    Transfer terms mean something only in the form (`isolated`, `linear`, `logc`) and with the signal (`info`,
    `tokens`) that they were fitted with; the same number is another effect elsewhere. Without `form` and `signal` a
    recipe uses `logc` and `info`.

        law transfer { calibration = "fits/run7.json", form = linear }
    """
    return Diagnostic(
        "M436",
        f"calibration `{name}` was fitted with `{key} = {fitted}`, and the recipe uses `{stated}`",
        (Label(span),) if span else (),
        (),
        (f"write `{key} = {fitted}` in `law transfer`, or name another calibration",),
    )


@page("M439")
def no_information(rule: Rule, law: Span | None) -> Diagnostic:
    """A rule on information where the signal is tokens.

    With `signal = tokens` a language learns from its tokens alone, and quality and repetition play no part: there is
    no information to bound.

        law transfer { signal = tokens }
        require info(de) >= 5B tokens

    Bound `tokens(…)` instead, or take `signal = info`.
    """
    labels = [Label(rule.span, "asks for information")] if rule.span else []
    labels += [Label(law, "learns from tokens alone")] if law else []
    return Diagnostic(
        "M439",
        f"`{rule.text}` bounds information, and the signal of this recipe is tokens",
        tuple(labels),
        (),
        ("bound `tokens(...)` instead, or take `signal = info`",),
    )


@page("M437")
def much_transfer(totals: Mapping[str, float], span: Span | None) -> Diagnostic:
    """Languages receive more than everything.

    The transfer terms of a calibration or of `family(…)` sum to more than 100% for some languages: if all others had
    the same information, they would learn more from them than from their own text. A warning, since the law allows
    it; measured transfer is far below, and adding pairwise measurements over many languages overstates it.

    Lower `family(…)`, or state the terms that are known in `language … { transfer = … }`.
    """
    largest = sorted(totals, key=lambda code: (-totals[code], code))
    more = f" and {len(largest) - 5} more languages" if len(largest) > 5 else ""
    return Diagnostic(
        "M437",
        f"transfer into `{largest[0]}` sums to {totals[largest[0]]:.0%}",
        (Label(span),) if span else (),
        ("above 100%: " + ", ".join(f"{code} {totals[code]:.0%}" for code in largest[:5]) + more,),
        ("lower the terms: their sum is what a language would learn if all others had as much as it has",),
        Severity.WARNING,
    )
