"""Recipes that went wrong anywhere: always diagnostics or a recipe, never a traceback."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from mixc.compiler.front import load_recipe
from mixc.dsl.diagnostics import has_errors
from mixc.dsl.render import render

CASES = Path(__file__).parents[1] / "cases" / "front"
TEXTS = [path.read_text() for path in sorted(CASES.glob("*.mix"))]
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|[A-Za-z_][\w-]*|\d[\d_.]*(?:[eE][+-]?\d+)?[%KMBT]?|<=|>=|==|\.\.|\S|\s+')
TOKENS = sorted({token for text in TEXTS for token in TOKEN.findall(text)})


def sort_of(token: str) -> str:
    """Words, numbers, strings and each symbol: exchanging within a sort leaves most recipes well formed."""
    return "word" if token[0].isalpha() else "number" if token[0].isdigit() else token[0]


def mutated(seed: int) -> str:
    """A case in which one to four words or numbers are others of the same sort."""
    chance = random.Random(seed)
    tokens = TOKEN.findall(chance.choice(TEXTS))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(tokens))
        tokens[place] = chance.choice([token for token in TOKENS if sort_of(token) == sort_of(tokens[place])])
    return "".join(tokens)


@pytest.mark.parametrize("start", range(0, 400, 50))
def test_mutations_never_crash(start: int, tmp_path: Path) -> None:
    path = tmp_path / "recipe.mix"
    for seed in range(start, start + 50):
        path.write_text(mutated(seed))
        recipe, found = load_recipe(path)
        assert (recipe is None) == has_errors(found), seed
        assert bool(render(found, "full")) == bool(found)
