"""Language codes as recipes write them: one canonical spelling, and a hint for the usual slips."""

from __future__ import annotations

from typing import Final

from mixc.compiler.front.errors_names import unknown_language
from mixc.compiler.supply.languages import canonical
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.text import Span

SLIPS: Final = {
    "cn": "zh",
    "cz": "cs",
    "dk": "da",
    "gr": "el",
    "il": "he",
    "in": "hi",
    "ir": "fa",
    "jp": "ja",
    "kr": "ko",
    "rs": "sr",
    "ua": "uk",
    "vn": "vi",
    "arabic": "ar",
    "chinese": "zh",
    "code": "zxx",
    "dutch": "nl",
    "english": "en",
    "french": "fr",
    "german": "de",
    "hindi": "hi",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "norwegian": "no",
    "polish": "pl",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
    "turkish": "tr",
}
"""Country codes and English names that are taken for language codes."""


def read_code(spelling: str, span: Span, out: list[Diagnostic]) -> str | None:
    """The canonical code of a spelling, or None with a diagnostic."""
    code = canonical(spelling)
    if code is not None:
        return code
    meant = SLIPS.get(spelling.lower())
    out.append(unknown_language(span, spelling, (f"did you mean `{meant}`?",) if meant else ()))
    return None
