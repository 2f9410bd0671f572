"""Pass 3, second half: what judges, cuts and uses quality, the laws, the strategy, the evaluation."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from mixc.compiler.front.context import Context
from mixc.compiler.front.entries import Entry
from mixc.compiler.front.errors_budget import bad_buckets
from mixc.compiler.front.errors_names import missing
from mixc.compiler.front.errors_units import keys_exclude
from mixc.compiler.front.kinds import DOMAIN, EVALUATE, LAW_KINDS, MIXTURE, QUALITY, RATER, TARGET
from mixc.compiler.front.merge import Merged
from mixc.compiler.front.units import percent
from mixc.compiler.front.values import read_entry
from mixc.compiler.recipe import Domain, Evaluation, Laws, Quality, Rater, Sampling, Strategy, Target
from mixc.dsl.diagnostics import Label

CURVE = ("lambda", "omega", "eta", "epsilon")
MOST_BUCKETS = 100


def build_domain(entry: Entry, context: Context) -> Domain:
    """A domain with its raters and its sampling curve."""
    values = read_entry(entry, DOMAIN, context)
    sampling = _sampling(entry, values.get("sampling"), context)
    density = values.get("density")
    return Domain(entry.name, values.get("weights", ()), sampling, density, entry.description, entry.head)


def _sampling(entry: Entry, values: dict[str, Any] | None, context: Context) -> Sampling | None:
    setting = entry.setting("sampling")
    if values is None or setting is None:
        return None
    span = setting.value.span
    absent = [name for name in CURVE if name not in values]
    if "temperature" in values and len(absent) < len(CURVE):
        what = "a sampling curve has `temperature` or `lambda`, `omega`, `eta`, `epsilon`, not both"
        context.out.append(keys_exclude(span, what, "mixes two curves", [], "", "keep one of the two"))
    elif "temperature" not in values and absent:
        what = f"the sampling curve of `{entry.name}` has no `{absent[0]}`"
        help_ = "write `{ lambda: 12, omega: 35%, eta: 1.0, epsilon: 0.002 }` or `{ temperature: 2 }`"
        context.out.append(missing(span, what, "a curve needs `lambda`, `omega`, `eta` and `epsilon`", help_))
    named = [values.get(name) for name in (*CURVE, "temperature")]
    return Sampling(*named)


def build_rater(entry: Entry, context: Context) -> Rater:
    """A rater: the score in a column, or a model's."""
    values = read_entry(entry, RATER, context)
    column, model = entry.setting("column"), entry.setting("kind")
    if column is None and model is None:
        if entry.misspells("column", "kind", allowed=[key.name for key in RATER.keys]):
            return Rater(entry.name, **values, span=entry.head)
        what = f"rater `{entry.name}` has neither `column` nor `kind`"
        note = "a rater is a column of scores, or a model that makes them"
        context.out.append(missing(entry.head, what, note, 'add `column = "edu_score"` or `kind = murating`'))
    elif column is not None and model is not None:
        what = f"rater `{entry.name}` has both `column` and `kind`"
        others = [Label(column.key.span, "a column of scores here")]
        help_ = "remove one of them"
        context.out.append(keys_exclude(model.key.span, what, "a model that makes scores here", others, "", help_))
    return Rater(entry.name, **values, span=entry.head)


def build_target(entry: Entry, context: Context) -> Target:
    """A target: texts that documents are ranked by."""
    values = read_entry(entry, TARGET, context)
    path = entry.setting("path")
    near = context.near(values.get("path", ""), path.span) if path else ""
    return Target(entry.name, **{**values, "path": near}, span=entry.head)


def build_quality(merged: Merged, context: Context) -> Quality:
    """How quality is cut into buckets."""
    entry = merged.one("quality")
    if entry is None:
        return Quality()
    values = read_entry(entry, QUALITY, context)
    order, buckets = entry.setting("order"), entry.setting("buckets")
    edges = values.get("buckets")
    if isinstance(edges, int):
        count, edges = edges, None
        if count <= MOST_BUCKETS:
            edges = tuple((i + 1) / count for i in range(count))
    fault = _bucket_fault(edges) if "buckets" in values else ""
    if buckets is not None and fault:
        help_ = "write ranks in rising order, such as `[5%, 20%, 40%, 60%, 80%, 100%]`"
        context.out.append(bad_buckets(buckets.value.span, fault, help_))
    scale = entry.setting("scale")
    return Quality(
        edges,
        values.get("normalize", "rank"),
        values.get("order", "free"),
        order.span if order else None,
        values.get("scale", "copies"),
        scale.span if scale else None,
    )


def _bucket_fault(edges: tuple[float, ...] | None) -> str:
    if edges is None or len(edges) > MOST_BUCKETS:
        return f"quality is cut into at most {MOST_BUCKETS} buckets"
    if not edges:
        return "quality is cut into at least one bucket"
    for low, high in pairwise(edges):
        if low >= high:
            return f"the buckets must rise, but {percent(high)} comes after {percent(low)}"
    return "" if edges[-1] == 1 else f"the last bucket ends at {percent(edges[-1])}, not at 100%"


def build_laws(merged: Merged, context: Context) -> Laws:
    """The calibrations; one that is a file is an absolute path, as a shipped one never is."""
    infolaw, transfer = merged.one("law", "infolaw"), merged.one("law", "transfer")
    about = read_entry(infolaw, LAW_KINDS["infolaw"], context) if infolaw else {}
    across = read_entry(transfer, LAW_KINDS["transfer"], context) if transfer else {}
    named = across.get("calibration")
    family = named[1] if isinstance(named, tuple) else None
    span = (transfer or infolaw or None) and (transfer or infolaw).head  # type: ignore[union-attr]
    return Laws(
        infolaw=_calibration(infolaw, about.get("calibration"), context) or Laws().infolaw,
        transfer=_calibration(transfer, named, context),
        family=family,
        form=across.get("form", "logc"),
        signal=across.get("signal", "info"),
        span=span,
    )


def _calibration(entry: Entry | None, value: Any, context: Context) -> str | None:
    setting = entry.setting("calibration") if entry else None
    if not isinstance(value, str) or setting is None:
        return None
    if "/" not in value and not value.endswith(".json"):
        return value
    located = context.tree.locate(value, context.file_path(setting.span), setting.value.span)
    return None if located is None else str(located)


def build_strategy(merged: Merged, context: Context) -> Strategy:
    """The strategy; its parameter must be its own."""
    entry = merged.one("mixture")
    if entry is None:
        return Strategy()
    values = read_entry(entry, MIXTURE, context)
    name = values.get("strategy", "direct")
    for key, owner in (("temperature", "temperature"), ("epochs", "unimax")):
        setting = entry.setting(key)
        if setting is not None and name != owner:
            what = f"`{key}` means nothing to strategy `{name}`"
            help_ = f"write `strategy = {owner}`, or remove `{key}`"
            context.out.append(keys_exclude(setting.span, what, f"belongs to `{owner}`", [], "", help_))
    return Strategy(name, values.get("temperature"), values.get("epochs"))


def build_evaluation(entry: Entry, context: Context) -> Evaluation:
    """What `evaluate` asks for."""
    return Evaluation(**read_entry(entry, EVALUATE, context), span=entry.head)
