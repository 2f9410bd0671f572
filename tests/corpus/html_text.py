"""From a page to its blocks of text in reading order, each told apart as prose, heading, listing or boilerplate."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final, Literal

Kind = Literal["prose", "heading", "listing", "navigation", "contents"]

REGIONS: Final[dict[str, Kind]] = {
    "navheader": "navigation",
    "navfooter": "navigation",
    "toc": "contents",
    "list-of-tables": "contents",
}
HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
BLOCKS: Final = HEADINGS | frozenset(
    {"article", "blockquote", "body", "dd", "div", "dl", "dt", "header", "hr", "li", "ol", "p", "pre", "table", "ul"}
)
UNSEEN: Final = frozenset({"head", "script", "style"})
BETWEEN_IDEOGRAPHS: Final = re.compile(
    r"(?<=[\u3001-\u30ff\u4e00-\u9fff\uff01-\uff60]) (?=[\u3001-\u30ff\u4e00-\u9fff])"
)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item, table row or listing. Only a listing has more than one line."""

    kind: Kind
    text: str


def blocks(page: str) -> list[Block]:
    """The blocks of a page, without empty ones."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    reader.end_block()
    return reader.found


class _Reader(HTMLParser):
    """Collects text until a block begins or ends; all cells of a table row are one block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Block] = []
        self._text: list[str] = []
        self._regions: list[Kind] = []
        self._inside = dict.fromkeys((*UNSEEN, *HEADINGS, "pre", "tr"), 0)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._edge(tag)
        if tag == "div":
            above: Kind = self._regions[-1] if self._regions else "prose"
            self._regions.append(REGIONS.get(given.get("class") or "", above))
        elif tag == "br":
            self._text.append("\n")
        elif tag == "img" and self._kind() == "navigation":
            self._text.append(given.get("alt") or "")
        if tag in self._inside:
            self._inside[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        self._edge(tag)
        if tag == "div" and self._regions:
            self._regions.pop()
        elif tag in ("td", "th"):
            self._text.append(" | ")
        if self._inside.get(tag):
            self._inside[tag] -= 1

    def handle_data(self, data: str) -> None:
        if not any(self._inside[tag] for tag in UNSEEN):
            self._text.append(data)

    def end_block(self) -> None:
        """Make a block of the text so far."""
        kind, text = self._kind(), "".join(self._text)
        self._text.clear()
        text = _listing(text) if kind == "listing" else _line(text)
        if text:
            self.found.append(Block(kind, text))

    def _edge(self, tag: str) -> None:
        """A tag that begins or ends a block; within a table row it only parts words."""
        if tag == "tr" or (tag in BLOCKS and not self._inside["tr"]):
            self.end_block()
        elif tag in BLOCKS:
            self._text.append(" ")

    def _kind(self) -> Kind:
        if self._regions and self._regions[-1] != "prose":
            return self._regions[-1]
        if self._inside["pre"]:
            return "listing"
        return "heading" if any(self._inside[tag] for tag in HEADINGS) else "prose"


def _line(text: str) -> str:
    """One line, single spaces, without the spaces that line breaks of the source leave between ideographs."""
    return BETWEEN_IDEOGRAPHS.sub("", " ".join(text.split())).strip(" |")


def _listing(text: str) -> str:
    """The lines of a listing, without blank ones and common indentation."""
    lines = (line.rstrip() for line in textwrap.dedent(text.expandtabs()).splitlines())
    return "\n".join(line for line in lines if line)
