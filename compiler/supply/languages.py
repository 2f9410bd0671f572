"""Language codes: many spellings, one canonical code, with the facts that planning needs.

A canonical code is MuBench's where it has one (`no` is Bokmål, `tl` Filipino), else ISO 639-1, else ISO 639-3. Facts
and default rates come from `languages.json`, which states its sources. Loaded on first use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

UNDETERMINED = frozenset({"und", "mul", "zxx"})  # no language, many, or none (code): any script is theirs
TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_](?:[a-z]{2}|[0-9]{3}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LanguageCode:
    """What a code names: a language in a script. `main` when that is the script the language is mostly written in.

    Text in another script (`hi_Latn`) is a thing of its own and never counted as the language without an alias.
    """

    code: str
    script: str
    main: bool

    @property
    def tag(self) -> str:
        """The shortest spelling: `hi`, or `hi_Latn` for another script."""
        return self.code if self.main else f"{self.code}_{self.script}"


@dataclass(frozen=True, slots=True)
class Rates:
    """Assumed tokens per UTF-8 byte and per word of a script; no tokens per word where words are not written apart.

    `languages` counts the languages behind the medians, 0 for the fallback over all scripts.
    """

    tokens_per_byte: float
    tokens_per_word: float | None
    languages: int


@dataclass(frozen=True, slots=True)
class Language:
    """The entry of one canonical code; `family` is its branch, or None where none is claimed."""

    name: str
    script: str
    family: str | None


@dataclass(frozen=True, slots=True)
class Registry:
    """`languages.json`, read."""

    languages: Mapping[str, Language]
    canonical: Mapping[str, str]
    scripts: frozenset[str]
    same_script: Mapping[str, str]
    without_words: frozenset[str]
    rates: Mapping[str, Rates]
    source: Mapping[str, str]


@cache
def registry() -> Registry:
    """The shipped facts, read once."""
    data = json.loads(files("mixc.compiler.supply").joinpath("languages.json").read_text(encoding="utf-8"))
    languages, canonical_of = {}, {}
    for code, (name, script, family, spellings) in data["languages"].items():
        languages[code] = Language(name, script, family)
        canonical_of[code] = code
        canonical_of.update(dict.fromkeys(spellings, code))
    return Registry(
        languages,
        canonical_of,
        frozenset(data["scripts"].split()),
        data["same_script"],
        frozenset(data["without_words"]),
        {script: Rates(**rates) for script, rates in data["rates"].items()},
        data["source"],
    )


@cache
def resolve(code: str) -> LanguageCode | None:
    """What `code` names: ISO 639-1, 639-2/B or 639-3, with an optional script and region (`nob_Latn`, `zh-Hant-TW`).

    None when the language or the script is not known. Case and the separator (`-` or `_`) do not matter.
    """
    match = TAG.fullmatch(code)
    if match is None:
        return None
    known = registry()
    canonical_code = known.canonical.get(match[1].lower())
    if canonical_code is None:
        return None
    main = known.languages[canonical_code].script
    if match[2] is None:
        return LanguageCode(canonical_code, main, main=True)
    script_tag = match[2].title()
    if script_tag not in known.scripts:
        return None
    written = known.same_script.get(script_tag, script_tag)
    if canonical_code in UNDETERMINED:
        return LanguageCode(canonical_code, written, main=True)
    return LanguageCode(canonical_code, written, main=written == main)


def canonical(code: str) -> str | None:
    """The canonical code of a language; None for an unknown code, and for text in another than its main script."""
    found = resolve(code)
    return found.code if found is not None and found.main else None


def known_codes() -> tuple[str, ...]:
    """Every canonical code, sorted."""
    return tuple(sorted(registry().languages))


def name(code: str) -> str:
    """The English name of a language, or the code itself when it is not known."""
    found = resolve(code)
    return registry().languages[found.code].name if found else code


def script(code: str) -> str | None:
    """The ISO 15924 code of the script that `code` is written in."""
    found = resolve(code)
    return found.script if found else None


def family(code: str) -> str | None:
    """The branch that the language belongs to (`Germanic`, `Indo-Aryan`); None where none is claimed."""
    found = resolve(code)
    return registry().languages[found.code].family if found else None


def has_words(code: str) -> bool:
    """Whether the language writes words apart, so that a count of words says something (not zh, ja, th, km, my, lo)."""
    found = resolve(code)
    return found is not None and found.code not in UNDETERMINED and found.script not in registry().without_words


def rates(script_code: str) -> Rates:
    """Assumed rates of a script; the median over scripts where nothing was measured."""
    known = registry().rates
    return known.get(script_code, known["other"])
