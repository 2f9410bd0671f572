"""Pass 3, first half: sources and languages from their checked entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mixc.compiler.front.arithmetic import quantity
from mixc.compiler.front.context import Context, resolved
from mixc.compiler.front.entries import Entry
from mixc.compiler.front.errors_budget import bad_overlap, large_transfer
from mixc.compiler.front.errors_files import catalog_address
from mixc.compiler.front.errors_names import missing
from mixc.compiler.front.errors_rules import own_language
from mixc.compiler.front.errors_units import keys_exclude, wrong_relation
from mixc.compiler.front.kinds import LANGUAGE, POSITIVE, SOURCE
from mixc.compiler.front.measures import measured
from mixc.compiler.front.units import percent
from mixc.compiler.front.values import read_entry
from mixc.compiler.recipe import Language, LanguageLaw, Limit, Source, SupplyEntry
from mixc.compiler.supply.languages import canonical
from mixc.dsl.diagnostics import Label
from mixc.dsl.syntax import Limit as LimitNode
from mixc.dsl.syntax import Map, Pair, Text
from mixc.dsl.text import Span

PLAIN: Final = ("language", "density", "origin", "tokens_per_byte", "tokens_per_word", "license", "format")


def build_source(
    entry: Entry, phases: tuple[str, ...] | None, phase_limits: tuple[tuple[str, Limit], ...], context: Context
) -> Source:
    """A source; `phases` are those that declare it, None for one of the whole recipe."""
    values = read_entry(entry, SOURCE, context)
    paths = values.get("path", ())
    supply, path = entry.setting("supply"), entry.setting("path")
    span = path.span if path else entry.head
    _check_kind_of_source(entry, context)
    _check_overlap(entry, values, context)
    return Source(
        name=entry.name,
        domain=values.get("domain", "und"),
        paths=tuple(context.near(path, span) for path in ((paths,) if isinstance(paths, str) else paths)),
        supply_file=_supply_file(entry, values.get("supply"), context),
        supply=_supply(entry, values.get("supply"), context),
        columns=tuple((name, _column(value)) for name, value in values.get("columns", {}).items()),
        aliases=values.get("aliases", ()),
        limit=read_limit(entry.limits, context),
        phases=phases,
        phase_limits=phase_limits,
        rated="assume" in values,
        overlap=values.get("overlap", ()),
        eos=values.get("eos", True),
        ids=values.get("ids", "unique"),
        bad_lines=values.get("bad_lines", "error"),
        description=entry.description,
        span=entry.head,
        supply_span=supply.value.span if supply else None,
        **{key: values.get(key) for key in PLAIN},
    )


def read_limit(limits: tuple[LimitNode, ...], context: Context) -> Limit | None:
    """The limit `epochs <= n` among the limits of a source; None when there is none."""
    for node in limits:
        if node.key.text != "epochs":
            continue
        value = node.relation.value
        if node.relation.operator not in ("<=", "<"):
            helps = ("a lower bound is a rule: `require epochs(name) >= n`",)
            label = "not an upper bound"
            context.out.append(wrong_relation(node.span, "epochs", "is limited from above only", label, helps))
            continue
        found = quantity(value, context, "`epochs`")
        note = "`epochs` is how often any token of the source may be read"
        if found is not None and measured(found, POSITIVE, value, "`epochs`", note, context):
            return Limit(float(found.value), node.span, context.place(node.span))
    return None


def _check_kind_of_source(entry: Entry, context: Context) -> None:
    path, supply, assume = entry.setting("path"), entry.setting("supply"), entry.setting("assume")
    if path is None and supply is None:
        if entry.misspells("path", "supply", allowed=[key.name for key in SOURCE.keys]):
            return
        what = f"source `{entry.name}` has neither `path` nor `supply`"
        note = "`path` names documents, `supply` published sizes to plan with"
        context.out.append(
            missing(entry.head, what, note, 'add `path = "data/*.parquet"` or `supply = { en: 15T tokens }`')
        )
    elif path is not None and supply is not None:
        what = f"source `{entry.name}` has both `path` and `supply`"
        others = [Label(path.key.span, "documents here")]
        note = "documents are counted, published sizes are believed; a source is one or the other"
        context.out.append(
            keys_exclude(supply.key.span, what, "published sizes here", others, note, "remove one of them")
        )
    elif path is not None and assume is not None:
        what = "`assume = rated` is for sources with a `supply`"
        note = "documents are rated by the raters of their domain"
        context.out.append(keys_exclude(assume.span, what, "this source has documents", [], note, "remove it"))


def _supply_file(entry: Entry, value: Any, context: Context) -> str | None:
    setting = entry.setting("supply")
    if not isinstance(value, str) or setting is None:
        return None
    if "://" in value:
        context.out.append(catalog_address(setting.value.span, value))
        return None
    located = context.tree.locate(value, context.file_path(setting.span), setting.value.span)
    return None if located is None else str(located)


def _supply(entry: Entry, value: Any, context: Context) -> tuple[SupplyEntry, ...]:
    setting = entry.setting("supply")
    if not isinstance(value, tuple) or setting is None:
        return ()
    node = resolved(setting.value, context)
    assert isinstance(node, Map), "the value was read from it"
    return tuple(
        SupplyEntry(code, amount, unit, pair.span)
        for (code, (amount, unit)), pair in zip(value, node.pairs, strict=True)
    )


def _column(value: Any) -> str:
    """A column's name; `tokenizer("gpt2")` stays a call, which no column is named like."""
    return value if isinstance(value, str) else f'{value[0]}("{value[1]}")'


def _check_overlap(entry: Entry, values: Mapping[str, Any], context: Context) -> None:
    setting = entry.setting("overlap")
    overlap = dict(values.get("overlap", ()))
    if setting is None or not overlap:
        return
    if entry.name in overlap:
        message = f"source `{entry.name}` overlaps with itself"
        context.out.append(bad_overlap(setting.span, message, "names itself", "remove it from its own overlap"))
    elif sum(overlap.values()) > 1:
        message = f"the overlaps of `{entry.name}` sum to {percent(sum(overlap.values()))}"
        context.out.append(bad_overlap(setting.span, message, "nothing of its own is left", "keep the sum below 100%"))


def build_language(entry: Entry, context: Context) -> Language:
    """A language; the entry `languages all` has the code `all`."""
    values = read_entry(entry, LANGUAGE, context)
    for key in ("transfer", "cost"):
        own = _pair(entry, key, context) if entry.name in dict(values.get(key, ())) else None
        if own is not None:
            context.out.append(own_language(own, key, entry.name))
    total = sum(share for _, share in values.get("transfer", ()))
    setting = entry.setting("transfer")
    if total > 1 and setting is not None:
        context.out.append(large_transfer(setting.value.span, entry.name, percent(total)))
    law = values.get("loss")
    return Language(
        entry.name,
        values.get("priority", 1.0),
        values.get("transfer", ()),
        values.get("cost", ()),
        None if law is None else LanguageLaw(law.get("floor"), law.get("scale"), law.get("exponent")),
        entry.description,
        entry.head,
    )


def _pair(entry: Entry, key: str, context: Context) -> Span | None:
    """Where a language's map names the language itself."""
    setting = entry.setting(key)
    node = resolved(setting.value, context) if setting else None
    if not isinstance(node, Map):
        return None
    return next((pair.span for pair in node.pairs if _is(pair, entry.name)), node.span)


def _is(pair: Pair, name: str) -> bool:
    return canonical(pair.key.value if isinstance(pair.key, Text) else pair.key.text) == name
