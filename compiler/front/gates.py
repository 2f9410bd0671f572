"""Pass 5, of gates: a rater that a target's fraction is ranked by too."""

from __future__ import annotations

from mixc.compiler.front.context import Context
from mixc.compiler.front.errors_names import unknown_name
from mixc.compiler.front.errors_units import keys_exclude
from mixc.compiler.front.merge import Merged
from mixc.compiler.recipe import Recipe
from mixc.dsl.diagnostics import Label


def check_gates(recipe: Recipe, merged: Merged, context: Context) -> None:
    """`quality` names a rater of a column, stands beside `fraction`, and its target is a gate by itself."""
    gates = [target for target in recipe.targets if target.fraction is not None]
    raters = {rater.name: rater for rater in recipe.raters}
    for target in recipe.targets:
        entry = merged.one("target", target.name)
        quality = entry.setting("quality") if entry else None
        if target.quality is None or quality is None:
            continue
        rater, others = raters.get(target.quality), [one for one in gates if one.name != target.name]
        span = quality.value.span
        if target.fraction is None:
            what = f"target `{target.name}` has `quality` and no `fraction`"
            note = "`quality` says by what else the documents are ranked that a fraction keeps"
            help_ = "add `fraction = 20%`, or weigh target and rater: `domain web { weights = { … } }`"
            context.out.append(keys_exclude(quality.key.span, what, "nothing is ranked", [], note, help_))
        elif rater is None:
            if target.quality not in context.names.broken:
                context.out.append(unknown_name(span, target.quality, "rater", tuple(raters)))
        elif rater.kind is not None:
            what = f"`quality` of target `{target.name}` is a rater that is a model"
            labels = [Label(rater.span, f"`kind = {rater.kind}`")] if rater.span else []
            note = "a gate is decided before models rate documents"
            help_ = "name a rater of a column, or weigh the model's in a domain behind the gate"
            context.out.append(keys_exclude(span, what, "not a column of scores", labels, note, help_))
        elif others:
            what = f"target `{target.name}` has `quality`, and the gate has another target"
            labels = [Label(one.span, "part of the same gate") for one in others if one.span]
            note = "distances from two targets and a quality have no common scale"
            help_ = "keep one target with `fraction`, or remove `quality`"
            context.out.append(keys_exclude(quality.key.span, what, "one target only", labels, note, help_))
