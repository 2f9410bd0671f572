"""Params from the command line: `--param size=7B` is read with the recipe's own grammar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mixc.compiler.front.entries import Entry
from mixc.compiler.front.errors_files import param_needs_one_value, percent_param, unknown_param
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.parser import parse
from mixc.dsl.syntax import Declaration, Expression, Name, Number, Reference, Text
from mixc.dsl.text import SourceText, Span

COMMAND_LINE = "<command line>"
HEADER = "recipe command-line\n"


def with_given(
    params: Mapping[str, Entry], given: Mapping[str, str], out: list[Diagnostic]
) -> tuple[dict[str, Entry], list[SourceText]]:
    """The params with the values that the command line gives them, and the texts that these values stand in."""
    changed = dict(params)
    texts: list[SourceText] = []
    for name, written in sorted(given.items()):
        start = f"{HEADER}param {name} = "
        source = SourceText(COMMAND_LINE, start + written + "\n")
        texts.append(source)
        if name not in params:
            at = len(HEADER) + len("param ")
            out.append(unknown_param(Span(source, at, at + len(name)), name, tuple(params)))
            continue
        span = Span(source, len(start), len(start) + len(written))
        if not written:
            out.append(param_needs_one_value(span, name))
            continue
        value = _value(name, written, _default(params, name), span, out)
        if value is not None:
            changed[name] = replace(params[name], value=value)
    return changed, texts


def _default(params: Mapping[str, Entry], name: str) -> Expression | None:
    """The declared value, followed through params that are just another name for it."""
    seen = {name}
    value = params[name].value
    while isinstance(value, Reference) and value.text in params and value.text not in seen:
        seen.add(value.text)
        value = params[value.text].value
    return value


def _value(name: str, written: str, default: Expression | None, span: Span, out: list[Diagnostic]) -> Expression | None:
    if isinstance(default, Text) and not written.lstrip().startswith('"'):
        return Text(written, span)
    tree, mistakes = parse(span.source)
    out.extend(mistakes)
    if tree is None:
        return None
    first = tree.statements[0] if tree.statements else None
    whole = isinstance(first, Declaration) and isinstance(first.name, Name) and first.name.text == name
    if len(tree.statements) != 1 or not isinstance(first, Declaration) or not whole or first.value is None:
        out.append(param_needs_one_value(span, name))
        return None
    value = first.value
    if not isinstance(value, Number) or not isinstance(default, Number) or value.unit is not None:
        return value
    if default.literal.endswith("%") and not value.literal.endswith("%"):
        out.append(percent_param(value.span, name, written.strip()))
        return None
    unit = default.unit
    return value if unit is None or value.literal.endswith("%") else replace(value, unit=Name(unit.text, value.span))
