"""What a gate let through, as a table: by language, the largest first."""

from __future__ import annotations

from mixc.compiler.review.words import count, listed, percent, table, tokens
from mixc.compiler.scan.passing import by_language
from mixc.compiler.scan.plan import GatePlan

MOST = 20


def passed_table(gate: GatePlan) -> str:
    """What was seen and kept of every language; of very many languages the largest, and by name those left empty."""
    found = sorted(by_language(gate).values(), key=lambda one: (-one.tokens, one.language))
    rows = [
        [
            one.language,
            f"{one.kept_documents:,} of {one.documents:,}",
            f"{tokens(one.kept_tokens)} of {tokens(one.tokens)}",
            percent(round(one.kept_tokens / one.tokens, 3)) if one.tokens else "",
        ]
        for one in found[:MOST]
    ]
    ranked = "" if gate.quality is None else f" and {gate.quality.rater}"
    part = "of all documents together" if gate.scope == "pool" else "of each language"
    text = f"gate of {', '.join(gate.targets)}{ranked}, the best {percent(gate.fraction)} {part}:\n"
    text += table(("language", "documents kept", "tokens kept", ""), rows)
    if more := found[MOST:]:
        text += f"and {count(len(more), 'language')} more\n"
    if empty := [one.language for one in more if not one.kept_documents]:
        text += f"nothing kept of {listed(empty, 20)}\n"
    if unrated := sum(one.unrated for one in found):
        text += f"{count(unrated, 'document')} without a score of {gate.quality.rater if gate.quality else ''}\n"
    return text
