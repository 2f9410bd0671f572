"""Languages by what people and data call them: English names, country codes, slips of the pen."""

from __future__ import annotations

from functools import cache

from mixc.compiler.front.codes import SLIPS
from mixc.compiler.starter.sizes import known
from mixc.compiler.supply.languages import canonical, known_codes, name
from mixc.dsl.suggest import suggest

SHORT = 3  # letters of a code; a tag that long is a code or a country's, and which one is not sure


@cache
def _names() -> dict[str, str]:
    """Codes by English name in lower case."""
    return {name(code).lower(): code for code in known_codes()}


def code_of(tag: str) -> str | None:
    """The code of a tag in data: a code in any spelling, or an English name; None where it is neither."""
    lower = tag.strip().lower()
    named = _names().get(lower) or SLIPS.get(lower)
    return canonical(tag) or (named if len(lower) > SHORT else None)


def meant(word: str) -> str | None:
    """The code that somebody may have meant by a word: of a country, of a name, or the nearest of either."""
    lower = word.lower()
    names = {**_names(), **SLIPS}
    if lower in names:
        return names[lower]
    near = suggest(lower, [one for one in names if len(one) > SHORT])
    return names[near] if near is not None else suggest(lower, known())
