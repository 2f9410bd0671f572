"""Texts that were written for a terminal, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from mixc.compiler.front.kinds import KINDS

FENCE: Final = re.compile(r"`[^`\n]*(?:\n[^`\n]*)?`")  # code in a line, which may run over to the next one
SPECIAL: Final = re.compile(r"[\\*_$<>\[\]{}#|~]")
RECIPE_WORDS: Final = {*(kind.split()[0] for kind in KINDS), "recipe", "import", "override", "require", "prefer"}


def prose(text: str) -> str:
    """A text with indented examples: what is not code is escaped, examples become code blocks."""
    parts = []
    for paragraph in _paragraphs(text):
        if paragraph.startswith("    "):
            code = "\n".join(line[4:] if line.startswith("    ") else line for line in paragraph.splitlines())
            parts.append(fenced(code, _language(code)))
        else:
            parts.append(escaped(paragraph))
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Text without a mark that Markdown would read as one, except around code."""
    done, at = [], 0
    for code in FENCE.finditer(text):
        done += [_plain(text[at : code.start()]), code.group()]
        at = code.end()
    return "".join((*done, _plain(text[at:])))


def fenced(code: str, language: str = "text", caption: str = "") -> str:
    """A code block, with the name of its file above it where there is one."""
    ticks = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", code)), 3)
    head = f"{{code-block}} {language}\n:caption: {caption}\n" if caption else language
    return f"{ticks}{head}\n{code.rstrip(chr(10))}\n{ticks}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("\n", " ") for cell in line) + " |" for line in lines)


def visible(text: str) -> str:
    """Text whose unprintable characters are written as escapes."""
    return "".join(one if one == "\n" or one.isprintable() else f"\\u{ord(one):04x}" for one in text)


def _paragraphs(text: str) -> list[str]:
    """Blocks between empty lines; code goes on over an empty line to the next indented one."""
    blocks: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        if blocks and block.startswith("    ") and blocks[-1].startswith("    "):
            blocks[-1] += f"\n\n{block}"
        else:
            blocks.append(block)
    return blocks


def _language(code: str) -> str:
    return "mix" if code.split(maxsplit=1)[0] in RECIPE_WORDS else "text"


def _plain(text: str) -> str:
    return SPECIAL.sub(lambda mark: f"\\{mark.group()}", text)
