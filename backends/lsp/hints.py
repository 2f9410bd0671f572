"""What a recipe leaves unsaid, shown beside it: the third of the budget, tokens of a share, commands above the name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mixc.backends.lsp.workspace import Workspace
from mixc.compiler.front.units import FLOPS, PARAMS, RATIO, TOKENS, parse_literal, show
from mixc.compiler.recipe import Budget, Recipe
from mixc.dsl.syntax import (
    Attribute,
    Binary,
    Call,
    Declaration,
    Expression,
    Number,
    Prefer,
    Range,
    RecipeFile,
    Reference,
    Require,
)

PERCENT = "%"


@dataclass(frozen=True, slots=True)
class Hint:
    """Text behind an offset, and what it rests on."""

    offset: int
    text: str
    why: str


def hints(workspace: Workspace, path: Path) -> list[Hint]:
    """The budget that follows, and for every bound on a share the tokens that it stands for."""
    recipe = workspace.known(path).recipe
    if recipe is None:
        return []
    tree = workspace.parsed(path).whole
    found = _budget(recipe.budget, tree)
    for node in tree.statements:
        if isinstance(node, Require | Prefer):
            found += _shares(node, recipe.budget.tokens)
        elif isinstance(node, Declaration) and node.kind.text == "phase" and node.name is not None:
            tokens = _of_phase(recipe, node.name.span.text)
            found += [hint for one in node.body or () if isinstance(one, Require | Prefer)
                      for hint in _shares(one, tokens)]  # fmt: skip
    return found


def _budget(budget: Budget, tree: RecipeFile) -> list[Hint]:
    """Sizes that the recipe does not state, behind the head of its budget."""
    node = next((one for one in tree.statements if isinstance(one, Declaration) and one.kind.text == "budget"), None)
    if node is None or budget.tokens is None or budget.params is None or budget.flops is None:
        return []
    sizes = {"model": (budget.params, PARAMS), "tokens": (budget.tokens, TOKENS), "compute": (budget.flops, FLOPS)}
    written = {one.key.text for one in node.body or () if isinstance(one, Attribute)}
    left = [show(value, dimension) for key, (value, dimension) in sizes.items() if key not in written]
    left.append(show(budget.tokens / budget.params, RATIO))
    return [Hint(node.head.offset + len(node.head.text), ", ".join(left), "what follows from the sizes that are set")]


def _of_phase(recipe: Recipe, name: str) -> int | None:
    tokens, phase = recipe.budget.tokens, next((one for one in recipe.phases if one.name == name), None)
    return None if tokens is None or phase is None else round(tokens * phase.fraction)


def _shares(node: Require | Prefer, tokens: int | None) -> list[Hint]:
    """Tokens behind every percentage that bounds nothing but shares."""
    if tokens is None or not _only_shares(node.left):
        return []
    value = node.relation.value
    bounds = (value.low, value.high) if isinstance(value, Range) else (value,)
    return [
        Hint(
            one.span.offset + len(one.span.text), show(amount * tokens, TOKENS), "of the budget that the rule is about"
        )
        for one in bounds
        if isinstance(one, Number)
        and one.literal.endswith(PERCENT)
        and (amount := parse_literal(one.literal)) is not None
    ]


def _only_shares(node: Expression) -> bool:
    match node:
        case Call(Reference() as function):
            return function.text == "share"
        case Binary("+" | "-", left, right):
            return _only_shares(left) and _only_shares(right)
        case _:
            return False
