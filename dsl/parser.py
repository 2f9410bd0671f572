"""Tokens to a syntax tree; on failure, every independent mistake of the file.

A text is parsed normally first. Only when that fails is it read a second time, statement by statement: at a mistake
the automaton goes back to where the statement began, the rest of the statement is skipped, and reading goes on. What is
recovered serves to report; no tree comes out of a text with a mistake.
"""

from __future__ import annotations

from dataclasses import replace

from mixc.dsl.diagnostics import Diagnostic, in_order
from mixc.dsl.driver import Failure, build_tree
from mixc.dsl.lexer import Lexed, lex
from mixc.dsl.messages import explain
from mixc.dsl.reading import check_text
from mixc.dsl.recovery import MANY, find_mistakes
from mixc.dsl.syntax import RecipeFile
from mixc.dsl.text import SourceText


def parse(source: SourceText) -> tuple[RecipeFile | None, list[Diagnostic]]:
    """The tree of a recipe, or None and why not (at least one error, in the order of the text)."""
    faults = check_text(source)
    if faults:
        return None, faults
    lexed = lex(source)
    if not lexed.diagnostics:
        tree = build_tree(lexed)
        if not isinstance(tree, Failure):
            return tree, []
    return None, mistakes_in(lexed)


def mistakes_in(lexed: Lexed) -> list[Diagnostic]:
    """What is wrong with a text that does not parse, in the order of the text."""
    if deep := [d for d in lexed.diagnostics if d.code == "M007"]:
        return deep
    faults, mistakes = find_mistakes(lexed)
    found = in_order([*lexed.diagnostics, *faults, *map(explain, mistakes)])
    if len(found) > MANY:
        rest = f"the first {MANY} mistakes are shown, more follow"
        found = [*found[: MANY - 1], replace(found[MANY - 1], notes=(*found[MANY - 1].notes, rest))]
    return found
