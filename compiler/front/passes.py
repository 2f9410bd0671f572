"""From a recipe file to a checked `Recipe`: the passes of the front in order.

Stages are reported one at a time: syntax and files, then names, then units, rules and values. A mistake in one stage
makes the next one's findings doubtful, so they wait.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from mixc.compiler.front.budget import build_budget
from mixc.compiler.front.checks import check_priorities, check_quality, check_sources
from mixc.compiler.front.context import Context, Scope
from mixc.compiler.front.cycles import circular
from mixc.compiler.front.declare import build_language, build_source
from mixc.compiler.front.declare_quality import (
    build_domain,
    build_evaluation,
    build_laws,
    build_quality,
    build_rater,
    build_strategy,
    build_target,
)
from mixc.compiler.front.gates import check_gates
from mixc.compiler.front.load import File, Program, Reader, Tree, from_file, input_files, load
from mixc.compiler.front.memory import Memory
from mixc.compiler.front.merge import Merged, Merger
from mixc.compiler.front.names import build_namespace, resolve_groups
from mixc.compiler.front.namespace import Namespace
from mixc.compiler.front.params import with_given
from mixc.compiler.front.phases import Sources, build_phases, collect_sources, phase_limits
from mixc.compiler.front.places import path_params, placed
from mixc.compiler.front.rules import lower
from mixc.compiler.recipe import Budget, Recipe, Rule, Source
from mixc.dsl.diagnostics import Diagnostic, Label, Severity, has_errors, in_order
from mixc.dsl.syntax import Declaration
from mixc.dsl.text import SourceText

SAID_ONCE = ("M104", "M106", "M107", "M119")
MOST_PLACES = 4
NO_PARAMS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is known of a recipe: all of it, or as much as its mistakes leave, and what was found.

    `recipe` is None after an error, `merged`, `sources` and `context` where its text could not be read at all.
    """

    recipe: Recipe | None
    found: list[Diagnostic]
    program: Program | None = None
    merged: Merged | None = None
    sources: Sources | None = None
    context: Context | None = None


def load_recipe(
    path: Path, *, params: Mapping[str, str] = NO_PARAMS, allow_outside: bool = False, reader: Reader = from_file
) -> tuple[Recipe | None, list[Diagnostic]]:
    """The checked recipe of a file, or None; diagnostics in the order of files and text.

    `params` sets declared params by their text, as on the command line. `allow_outside` permits files outside the
    recipe's folder, `reader` says where texts come from. Warnings come with a recipe; errors come without.
    """
    program, tree, out = load(path, allow_outside=allow_outside, reader=reader)
    if program is None or has_errors(out):
        return None, in_order(out)
    made = _analysed(path, program, tree, params, out)
    return made.recipe, made.found


def analyse(path: Path, reader: Reader, memory: Memory) -> Analysis:
    """A recipe as an editor sees it: what `load_recipe` finds, and its names even where it has mistakes."""
    program, tree, out = load(path, reader=reader)
    if program is None:
        return Analysis(None, in_order(out))
    if not has_errors(out):
        return _analysed(path, program, tree, NO_PARAMS, out, memory)
    merged, sources, context = _named(program, tree, NO_PARAMS, [])
    resolve_groups(merged, context)
    return Analysis(None, in_order(out), program, merged, sources, context)


def _analysed(
    path: Path,
    program: Program,
    tree: Tree,
    params: Mapping[str, str],
    out: list[Diagnostic],
    memory: Memory | None = None,
) -> Analysis:
    merged, sources, context = _named(program, tree, params, out)
    absolute = Path(os.path.normpath(path.absolute()))
    recipe = _build(program, merged, sources, context, params, absolute, memory)
    if recipe is not None:
        recipe = _placed(recipe, merged, sources, context)
    assert recipe is not None or has_errors(out), "a recipe is complete or has errors"
    found = in_order(_repeats_joined(_first_stage(out)))
    return Analysis(None if has_errors(found) else recipe, found, program, merged, sources, context)


def _named(
    program: Program, tree: Tree, params: Mapping[str, str], out: list[Diagnostic]
) -> tuple[Merged, Sources, Context]:
    """What a program declares, its sources, and where names are looked up."""
    merger = Merger(out)
    merged = merger.merge(program)
    context, programs = _context(program, merger, tree, params)
    sources = collect_sources(merged, lambda node: merger.expand(_home(node, programs), node), out)
    broken = frozenset(sources.failed)
    context.names = build_namespace(merged, sources.entries.values(), broken, context)
    return merged, sources, context


def _first_stage(found: list[Diagnostic]) -> list[Diagnostic]:
    """What is reported: when names are wrong, nothing that may only follow from that."""
    early = [d for d in found if not d.code.startswith("M2")]
    return early if any(d.severity is Severity.ERROR for d in early) else found


def _repeats_joined(found: list[Diagnostic]) -> list[Diagnostic]:
    """One diagnostic for a name that is unknown in several places, with the others as further labels."""
    first: dict[tuple[str, ...], Diagnostic] = {}
    for diagnostic in in_order(found):
        key = (diagnostic.code, diagnostic.message)
        earlier = first.get(key)
        if earlier is None or diagnostic.code not in SAID_ONCE:
            first[key if earlier is None else (*key, diagnostic.place)] = diagnostic
        elif len(earlier.labels) < MOST_PLACES:
            first[key] = replace(earlier, labels=(*earlier.labels, Label(diagnostic.labels[0].span, "and here")))
    return list(first.values())


def _home(node: Declaration, programs: Mapping[SourceText, Program]) -> Program:
    return programs[node.span.source]


def _context(
    root: Program, merger: Merger, tree: Tree, given: Mapping[str, str]
) -> tuple[Context, dict[SourceText, Program]]:
    """The scopes of all programs, the root's with the params of the command line."""
    scopes: dict[SourceText, Scope] = {}
    files: dict[SourceText, File] = {}
    programs: dict[SourceText, Program] = {}
    waiting, seen = [root], {root}
    top: Scope | None = None
    while waiting:
        program = waiting.pop()
        merged = merger.merge(program)
        params = {entry.name: entry for entry in merged.of_kind("param")}
        texts = [text for file in program.files for text in file.texts]
        if program is root:
            params, more = with_given(params, given, merger.out)
            texts += more
        scope = Scope(params, program.imports, circular(params, "params", merger.out))
        top = scope if program is root else top
        for text in texts:
            scopes[text], programs[text] = scope, program
        files.update((text, file) for file in program.files for text in file.texts)
        nearer = [
            one.program for one in program.imports.values() if one.program is not None and one.program not in seen
        ]
        seen.update(nearer)
        waiting += nearer
    nothing = Namespace(
        {"source": frozenset(), "language": frozenset(), "domain": frozenset(), "phase": frozenset()}, False
    )
    return Context(tree, scopes, files, nothing, merger.out, root=top), programs


def _build(
    program: Program,
    merged: Merged,
    found: Sources,
    context: Context,
    params: Mapping[str, str],
    path: Path,
    memory: Memory | None,
) -> Recipe | None:
    """The recipe of checked entries; None when its budget failed. Everything is read, whatever failed before."""
    tree = program.files[-1].tree
    budget = build_budget(merged.one("budget"), context, tree.name.span)
    every = merged.one("languages", "all")
    parts = Recipe(
        name=tree.name.text,
        path=str(path),
        description=tree.description,
        files=input_files(context.tree),
        params=tuple(sorted(params.items())),
        declared=tuple(sorted(entry.name for entry in merged.of_kind("param"))),
        budget=budget or Budget(None, None, None),
        groups=resolve_groups(merged, context),
        phases=build_phases(merged, context),
        sources=_sources(found, context),
        languages=tuple(build_language(entry, context) for entry in merged.of_kind("language")),
        all_languages=build_language(every, context) if every else None,
        domains=tuple(build_domain(entry, context) for entry in merged.of_kind("domain")),
        raters=tuple(build_rater(entry, context) for entry in merged.of_kind("rater")),
        targets=tuple(build_target(entry, context) for entry in merged.of_kind("target")),
        quality=build_quality(merged, context),
        laws=build_laws(merged, context),
        strategy=build_strategy(merged, context),
        evaluations=tuple(build_evaluation(entry, context) for entry in merged.of_kind("evaluate")),
        rules=_rules(merged, context, memory),
    )
    check_sources(parts.sources, found.entries, context, tree.name.span)
    check_priorities(parts, context)
    check_quality(parts, merged, context)
    check_gates(parts, merged, context)
    return None if budget is None else parts


def _placed(recipe: Recipe, merged: Merged, found: Sources, context: Context) -> Recipe:
    """The recipe with params that only say where files lie told apart from those that decide something."""
    used = context.deciding | context.placing
    params = path_params({entry.name: entry for entry in merged.of_kind("param")}, context)
    kept = {param.name: param.value for param in params}
    sources = tuple(placed(source, found.entries[source.name], kept, context) for source in recipe.sources)
    stated = tuple((name, value) for name, value in recipe.params if name in used and name not in kept)
    return replace(recipe, sources=sources, params=stated, path_params=params)


def _sources(found: Sources, context: Context) -> tuple[Source, ...]:
    limits = phase_limits(found, context)
    return tuple(
        build_source(entry, found.phases[name], limits.get(name, ()), context) for name, entry in found.entries.items()
    )


def _rules(merged: Merged, context: Context, memory: Memory | None) -> tuple[Rule, ...]:
    if memory is not None:
        memory.begin(context)
    rules = lower(merged.rules, context, None, memory)
    for phase in merged.of_kind("phase"):
        rules += lower(phase.rules, context, phase.name, memory)
    return tuple(rules)
