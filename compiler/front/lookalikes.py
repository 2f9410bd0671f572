"""Names that people cannot tell apart, or that pass for another: what a reviewer would not see is said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from mixc.dsl.diagnostics import Diagnostic, Label, Severity, page
from mixc.dsl.text import Span

SCRIPTS: Final = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU")
WORD: Final = re.compile(r"[^\W\d_]+")
ALIKE: Final = (  # letters of Cyrillic, Greek, Armenian, and odd ones, with those that they look like
    ("аеорсухіјѕԁһԛԝѵАВЕКМНОРСТХУІЈЅԌԜ", "aeopcyxijsdhqwvABEKMHOPCTXYIJSGW"),
    ("οναρικυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ovapikuABEZHIKMNOPTYX"),
    ("օսհոցԼՏՍ", "ouhngLSU"),
    ("ıɑɡ", "iag"),
)
LOOKS: Final = {ord(odd): usual for odds, usuals in ALIKE for odd, usual in zip(odds, usuals, strict=True)}
JOINERS: Final = re.compile("[\u200c\u200d\ufe00-\ufe0f]")


def look_alikes(declared: Iterable[tuple[str, str, Span]]) -> list[Diagnostic]:
    """One warning for each declared name (kind, name, place) that looks like an earlier one, or mixes scripts."""
    first: dict[str, tuple[str, Span]] = {}
    said: set[str] = set()
    out: list[Diagnostic] = []
    for _, name, span in declared:
        earlier, place = first.setdefault(skeleton(name), (name, span))
        if name in said or (earlier == name and name.isascii()):
            continue
        if earlier != name:
            out.append(looks_like(span, name, f"looks like `{earlier}`, and is another name", Label(place, "this one")))
        elif len(scripts := _mixed(name)) > 1:
            out.append(looks_like(span, name, f"mixes {' and '.join(scripts)} letters in one word"))
        else:
            continue
        said.add(name)
    return out


def skeleton(name: str) -> str:
    """What a name looks like: equal for two names that many fonts show alike."""
    bare = JOINERS.sub("", unicodedata.normalize("NFKC", name)).translate(LOOKS)
    return unicodedata.normalize("NFKC", bare)


def _mixed(name: str) -> list[str]:
    """The scripts of the first word that mixes letters of scripts whose letters look alike."""
    for word in WORD.findall(name):
        found = {unicodedata.name(char, "").partition(" ")[0] for char in word} & set(SCRIPTS)
        if len(found) > 1:
            return [script.title() for script in SCRIPTS if script in found]
    return []


@page("M126")
def looks_like(span: Span, name: str, why: str, other: Label | None = None) -> Diagnostic:
    """A name that passes for another

    Two names that look the same are two things: the share of one says nothing of the other. Letters of several scripts
    in one word, such as a Cyrillic `е` (U+0435) in `wеb`, are a sign of it.

        source crawl { path = "crawl/*.parquet", domain = web }
        source other { path = "other/*.parquet", domain = "wеb" }

    Type the name again; or rename one of them, where both are meant.
    """
    seen = name if other is None or not name.isascii() else other.span.text
    odd = next((char for char in seen if not char.isascii()), None)
    note = () if odd is None else (f"`{odd}` is U+{ord(odd):04X}, {unicodedata.name(odd, 'unnamed').lower()}",)
    return Diagnostic(
        "M126",
        f"`{name}` {why}",
        (Label(span), *((other,) if other else ())),
        note,
        ("type it again, or rename one of them",),
        Severity.WARNING,
    )
