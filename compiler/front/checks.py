"""Pass 5: what only the whole recipe shows: priorities that nothing asks for, doubtful supplies, keys that exclude."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mixc.compiler.front.context import Context
from mixc.compiler.front.entries import Entry
from mixc.compiler.front.errors_budget import no_limit, same_origin
from mixc.compiler.front.errors_names import missing
from mixc.compiler.front.errors_rules import no_priority
from mixc.compiler.front.errors_units import keys_exclude
from mixc.compiler.front.merge import Merged
from mixc.compiler.recipe import Recipe, Rule, Source
from mixc.dsl.diagnostics import Label
from mixc.dsl.text import Span

UNDECLARED = ("M103", "M113", "M117")  # a declaration that was meant failed, so nothing is missing


def check_sources(sources: Sequence[Source], entries: Mapping[str, Entry], context: Context, header: Span) -> None:
    """A recipe has a source; sources have limits; planning sources of one origin say what they share."""
    if not sources and not any(d.code in UNDECLARED for d in context.out):
        help_ = 'add `source web { path = "data/web/*.parquet", epochs <= 4 }`'
        context.out.append(missing(header, "the recipe has no source", "a mixture is made of sources", help_))
    for source in sources:
        entry = entries[source.name]
        tried = any(limit.key.text == "epochs" for limit in entry.limits) or entry.setting("epochs") is not None
        if not tried and not source.phase_limits:
            context.out.append(no_limit(entry.head, source.name))
    planned = [source for source in sources if source.origin is not None and not source.paths]
    for index, source in enumerate(planned):
        for other in planned[:index]:
            if other.origin == source.origin and not _overlap(source, other) and source.span and other.span:
                context.out.append(same_origin(source.span, other.span, source.name, other.name, source.origin or ""))


def _overlap(one: Source, other: Source) -> bool:
    return other.name in dict(one.overlap) or one.name in dict(other.overlap)


def check_priorities(recipe: Recipe, context: Context) -> None:
    """A language with priority 0 is in the mixture only if a rule demands it; not all can have priority 0."""
    languages, default = recipe.languages, recipe.all_languages
    idle = [language for language in languages if not language.priority]
    if languages and len(idle) == len(languages) and (default is None or not default.priority):
        span = languages[0].span
        assert span is not None
        note = "the objective weighs the loss of each language by its priority"
        context.out.append(no_priority(span, "every language has priority 0", note, ("give one a priority above 0",)))
        return
    demanded = [rule for rule in recipe.rules if rule.weight is None and rule.sense != "<=" and rule.bound > 0]
    for language in idle:
        if language.span is None or any(_demands(rule, language.code) for rule in demanded):
            continue
        note = "its loss does not count, and no rule asks for its tokens"
        helps = (f"add a lower bound, `require share({language.code}) >= 1%`, or a priority",)
        message = f"language `{language.code}` has priority 0 and no lower bound"
        context.out.append(no_priority(language.span, message, note, helps))


def _demands(rule: Rule, code: str) -> bool:
    """Whether a rule asks for tokens of a language, alone or among others."""
    for term in rule.terms:
        named = code in (term.of.languages or ())
        repeated = term.of.each == "language" and (rule.members is None or code in rule.members)
        if term.function in ("share", "tokens", "epochs", "info") and term.coefficient > 0 and (named or repeated):
            return True
    return False


def check_quality(recipe: Recipe, merged: Merged, context: Context) -> None:
    """A target is a rater or a gate, never both; a sampling curve leaves no room for `order = shares`."""
    quality = recipe.quality
    _check_scale(recipe, context)
    gates = {target.name for target in recipe.targets if target.fraction is not None}
    for domain in recipe.domains:
        entry = merged.one("domain", domain.name)
        weights, curve = (entry.setting("weights"), entry.setting("sampling")) if entry else (None, None)
        for name, _ in domain.weights:
            target = merged.one("target", name)
            gate = target.setting("fraction") if target else None
            if name in gates and weights is not None and gate is not None:
                what = f"target `{name}` is a gate and a rater of domain `{domain.name}`"
                others = [Label(gate.span, "`fraction` makes it a gate")]
                help_ = "remove `fraction`, or take it out of `weights`"
                context.out.append(keys_exclude(weights.span, what, "weighed as a rater here", others, "", help_))
        if curve is not None and quality.order == "shares" and quality.order_span is not None:
            what = "`order = shares` does not go with a sampling curve"
            others = [Label(curve.span, f"domain `{domain.name}` has one")]
            note = "a sampling curve decides the order of its domain by itself"
            help_ = "remove one of them, or write `order = epochs`"
            context.out.append(keys_exclude(quality.order_span, what, "asks for an order here", others, note, help_))


def _check_scale(recipe: Recipe, context: Context) -> None:
    """`scale = omega` scales sampling curves to a number of tokens, so it needs both."""
    span = recipe.quality.scale_span
    if recipe.quality.scale != "omega" or span is None:
        return
    if not any(domain.sampling is not None and domain.sampling.temperature is None for domain in recipe.domains):
        what = "`scale = omega` has no sampling curve to scale"
        note = "a curve has `lambda`, `omega`, `eta` and `epsilon`; the recipe has none"
        help_ = "remove it, or give a domain a curve: `sampling = { lambda: 12, omega: 35%, eta: 1, epsilon: 0.002 }`"
        context.out.append(keys_exclude(span, what, "scales the omega of curves", [], note, help_))
    elif recipe.budget.tokens is None and recipe.budget.span is not None:
        what = "`scale = omega` needs the number of tokens, which the budget leaves open"
        others = [Label(recipe.budget.span, "compute alone: the size is searched for")]
        note = "omegas are scaled until the curves give all tokens of the budget"
        context.out.append(keys_exclude(span, what, "needs tokens here", others, note, "state `model` or `tokens`"))
