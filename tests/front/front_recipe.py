"""What the tests of the front share: a small recipe, and checking one that is right."""

from __future__ import annotations

from pathlib import Path

from mixc.compiler.front import load_recipe
from mixc.compiler.recipe import Recipe

BASE = """\
recipe base
source web { supply = { en: 1T tokens, de: 1T tokens, no: 10B tokens }, epochs <= 4 }
budget { model = 1B params, tokens = 20B tokens }
"""


def check(folder: Path, body: str, head: str = BASE, **more: object) -> Recipe:
    path = folder / "recipe.mix"
    path.write_text(head + body)
    recipe, found = load_recipe(path, **more)  # type: ignore[arg-type]
    assert recipe is not None, found
    return recipe
