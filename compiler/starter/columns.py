"""What columns of data are likely to hold, by their names; `look.py` makes sure of it by what they do hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from mixc.compiler.documents.data import Role

ROLES: Final[tuple[Role, ...]] = ("id", "text", "language", "domain", "tokens")
NAMES: Final[Mapping[Role, tuple[str, ...]]] = {
    "id": ("id", "doc_id", "docid", "document_id", "_id", "uuid", "guid", "record_id", "warc_record_id"),
    "text": ("text", "content", "raw_content", "document", "body", "page_content", "raw_text", "contents", "full_text"),
    "language": ("language", "lang", "language_code", "lang_code", "language_id", "lang_id", "locale"),
    "domain": ("domain", "category", "topic", "subject", "genre", "domain_label", "topic_label", "category_label"),
    "tokens": ("n_tokens", "num_tokens", "token_count", "tokens", "token_counts", "tokens_count", "ntokens"),
}
"""Names of columns by what they hold, the surest first; case does not matter, nor what stands around: `meta.lang`."""

BETTER_HIGHER: Final = (
    "edu_score", "educational_score", "fineweb_edu_score", "edu", "quality", "quality_score", "dclm_score", "int_score",
    "fasttext_score", "educational_value", "score",
)  # fmt: skip
BETTER_LOWER: Final = ("perplexity", "ppl", "bits_per_byte")
NO_RATING: Final[Mapping[str, str]] = {
    "language_score": "how sure the language is, not a quality",
    "lang_score": "how sure the language is, not a quality",
    "language_probability": "how sure the language is, not a quality",
    "minhash_cluster_size": "a number of duplicates",
}
SCORE_LIKE: Final = ("score", "quality", "rating", "prob", "perplexity", "ppl", "entropy", "toxicity", "ratio")


def leaf(column: str) -> str:
    """The last part of a dotted name, in lower case."""
    return column.rpartition(".")[2].lower()


def candidates(role: Role, columns: Iterable[str]) -> list[str]:
    """Columns whose name says the role, the likeliest first: the outer before the inner."""
    order = {name: place for place, name in enumerate(NAMES[role])}
    named = [column for column in columns if leaf(column) in order]
    return sorted(named, key=lambda column: (column.count("."), order[leaf(column)], column))


def better(column: str) -> str | None:
    """`higher` or `lower` for a column that is a quality score by its name; None where that is not sure."""
    name = leaf(column)
    return "lower" if name in BETTER_LOWER else "higher" if name in BETTER_HIGHER else None


def looks_like_score(column: str) -> bool:
    """Whether the name of a column of numbers hints at a score of some kind."""
    return any(word in leaf(column) for word in SCORE_LIKE) and leaf(column) not in NO_RATING


def why_unused(column: str, taken: Sequence[str]) -> str:
    """What a column is that was passed over, as words after `is`; nothing where there is none to say."""
    if leaf(column) in NO_RATING:
        return NO_RATING[leaf(column)]
    role = next((role for role in ROLES if leaf(column) in NAMES[role]), None)
    return f"not the {role}: that is another column" if role in taken else ""
