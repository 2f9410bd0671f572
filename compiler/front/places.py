"""Names of files as templates: `${root}` stays where a param does no more than say where files lie.

What such a param was set to for one machine decides nothing, so it does not reach the manifest; the template does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mixc.compiler.front.context import SUBSTITUTION, Context, is_circular, param_of, resolved, substituted
from mixc.compiler.front.cycles import walk
from mixc.compiler.front.entries import Entry
from mixc.compiler.front.errors_files import fixed_place
from mixc.compiler.places import is_absolute
from mixc.compiler.recipe import PathParam, Source
from mixc.dsl.syntax import Call, Expression, Items, Map, Name, Number, Reference, Text


def path_params(declared: Mapping[str, Entry], context: Context) -> tuple[PathParam, ...]:
    """The params that only say where files lie, by name; `declared` holds what the recipe itself gives them.

    All uses of params must be known by now.
    """
    kept: dict[str, str] = {}
    context.in_places = True  # what is looked up from here on decides nothing
    waiting = sorted(context.placing)
    while waiting:
        name = waiting.pop()
        if name in kept or name in context.deciding or context.root is None:
            continue
        value = _text(context.root.params[name], context)
        if value is not None and _text(declared[name], context) is not None:
            kept[name] = value
            waiting += [used for used in _names(declared[name]) if used in declared]
    found = []
    for name, value in sorted(kept.items()):
        default = template(declared[name].value, kept, context)
        found.append(PathParam(name, value, None if default is None or is_absolute(default) else default))
    return tuple(found)


def placed(source: Source, entry: Entry, kept: Mapping[str, str], context: Context) -> Source:
    """The source with templates for its names of files; warns of paths that hold on one machine only."""
    path, supply = entry.setting("path"), entry.setting("supply")
    paths = () if path is None else tuple(context.near(one, path.span) for one in _listed(path.value, kept, context))
    fixed = [one for one in paths if is_absolute(one)]
    if path is not None and fixed:
        context.out.append(fixed_place(path.value.span, source.name, fixed[0]))
    name = None if supply is None else template(supply.value, kept, context)
    named = None if supply is None or name is None or "${" not in name else context.near(name, supply.span)
    return replace(source, paths=paths, supply_name=named, columns=_columns(source, entry, kept, context))


def _columns(source: Source, entry: Entry, kept: Mapping[str, str], context: Context) -> tuple[tuple[str, str], ...]:
    """The columns of a source, with a template in `tokenizer("…")`, the one call among them."""
    columns = entry.setting("columns")
    node = None if columns is None else resolved(columns.value, context)
    values = [resolved(pair.value, context) for pair in node.pairs] if isinstance(node, Map) else []
    for call in values:
        if isinstance(call, Call):
            name = f'{call.function.text}("{template(call.arguments[0], kept, context)}")'
            return tuple((role, name if role == "tokens" else column) for role, column in source.columns)
    return source.columns


def _listed(written: Expression, kept: Mapping[str, str], context: Context) -> list[str]:
    one = template(written, kept, context)
    if one is not None:
        return [one]
    node = resolved(written, context)
    found = [template(item, kept, context) for item in node.items] if isinstance(node, Items) else []
    return [text for text in found if text is not None]


def template(node: Expression | None, kept: Mapping[str, str], context: Context) -> str | None:
    """A string with `${…}` of the params that are kept, all others filled in; None of what is no string."""
    while isinstance(node, Reference):
        if node.text in kept and context.scope(node.span) is context.root:
            return f"${{{node.text}}}"
        if is_circular(node, context):
            return None
        param = param_of(node, context)
        if param is None:
            return node.text
        node = param.value
    if isinstance(node, Number):
        return node.literal
    if not isinstance(node, Text):
        return None
    pieces, end = [], 0
    for match in SUBSTITUTION.finditer(node.value):
        name = tuple(Name(part, node.span) for part in match[1].strip().split("."))
        pieces += [node.value[end : match.start()], template(Reference(name, node.span), kept, context) or ""]
        end = match.end()
    return "".join(pieces) + node.value[end:]


def _text(entry: Entry, context: Context) -> str | None:
    """The value of a param that can stand in a string; None of a list or a map."""
    match resolved(entry.value, context) if entry.value is not None else None:
        case Text() as text:
            return substituted(text, context)
        case Number(literal):
            return literal
        case Reference() as name:
            return name.text
    return None


def _names(entry: Entry) -> list[str]:
    """Names that the value of a param uses."""
    nodes = [] if entry.value is None else list(walk(entry.value))
    found = [node.text for node in nodes if isinstance(node, Reference)]
    texts = [node.value for node in nodes if isinstance(node, Text)]
    return found + [match[1].strip() for text in texts for match in SUBSTITUTION.finditer(text)]
