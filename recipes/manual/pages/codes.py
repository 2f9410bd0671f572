"""A page for every diagnostic, and their index by stage."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Final

from mixc.compiler.pages import all_pages
from mixc.dsl.diagnostics import Page
from pages.examples import LARGEST, Example, best_examples
from pages.markdown import escaped, fenced, prose, table, visible

# The first code of each stage, in order.
STAGES: Final = (
    ("M001", "Syntax"),
    ("M101", "Names and files"),
    ("M201", "Units, types and rules"),
    ("M301", "Solving"),
    ("M401", "Supply: catalogs, calibrations, languages"),
    ("M440", "Deciding, manifests and locks"),
    ("M500", "Documents: reading and scanning"),
    ("M530", "Engines"),
    ("M540", "Scanning and scores"),
    ("M569", "Running, verifying, materialising"),
    ("M590", "Targets and models (NAG)"),
    ("M630", "Raters (MuRating)"),
    ("M660", "Evaluation (MuBench) and contamination"),
    ("M700", "Exporting"),
    ("M710", "Fitting laws"),
    ("M740", "Searching by proxy runs"),
    ("M770", "Predicting"),
    ("M780", "Reporting"),
    ("M790", "The language server"),
    ("M800", "Exporting: places and phases"),
    ("M840", "Starting a recipe"),
)
HELP: Final = re.compile(r"^ *= help: (.*)$", re.M)


def diagnostics() -> Iterator[tuple[str, str]]:
    """Names and texts: the index, then a page per code."""
    pages, examples = all_pages(), best_examples()
    codes = sorted(pages)
    yield "diagnostics/index.md", _index([pages[code] for code in codes])
    for before, code, after in zip(("", *codes), codes, (*codes[1:], ""), strict=False):
        yield f"diagnostics/{code}.md", _page(pages[code], examples.get(code), before, after)


def stage(code: str) -> str:
    """The title of the stage that a code belongs to."""
    return [title for first, title in STAGES if first <= code][-1]


def title_of(page: Page) -> str:
    """A title without the full stop that some have."""
    return page.title.removesuffix(".")


def _index(pages: list[Page]) -> str:
    about = (
        f"mixc has {len(pages)} of them. Each has a code of its own and a page, which `mixc explain CODE` prints too. "
        "A code is never given to something else."
    )
    parts = ["# Diagnostics", about]
    for _, title in STAGES:
        rows = [
            (f"[{page.code}]({page.code}.md)", escaped(title_of(page))) for page in pages if stage(page.code) == title
        ]
        parts += [f"## {title}", table(("code", "what it says"), rows)]
    return "\n\n".join(parts) + "\n"


def _page(page: Page, example: Example | None, before: str, after: str) -> str:
    text = prose(inspect.cleandoc(page.text))
    # An orphan: hundreds of entries would drown the list of pages at the side.
    parts = ["---\norphan: true\n---", f"# {page.code}: {escaped(title_of(page))}", text.strip()]
    if example is not None:
        parts += _shown(page.code, example)
    ways = [f"[All diagnostics](index.md#{_slug(stage(page.code))})"]
    ways += [f"[{code}]({code}.md)" for code in (before, after) if code]
    return "\n\n".join((*parts, "---", " · ".join(ways))) + "\n"


def _shown(code: str, example: Example) -> list[str]:
    parts = ["## An example", escaped(example.about)] if example.about else ["## An example"]
    parts += [_file(name, text) for name, text in example.files.items()]
    printed = f"$ {example.command}\n{example.report}" if example.command else example.report
    parts += ["What mixc prints:", fenced(visible(printed), "text")]
    first = next(
        (part for part in re.split(r"(?m)^(?=(?:error|warning)\[)", example.report) if f"[{code}]" in part), ""
    )
    helps = HELP.findall(first)
    if helps:
        parts += ["## The fix", *(f"- {escaped(visible(line))}" for line in helps)]
    return parts


def _file(name: str, text: str) -> str:
    if len(text) > LARGEST:
        return f"`{name}`, of {len(text):,} characters, is not shown."
    if not text.strip():
        return f"`{name}` is empty."
    return fenced(visible(text), "mix" if name.endswith(".mix") else "text", name)


def _slug(title: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
