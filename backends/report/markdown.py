"""A report as Markdown, for a comment on a pull request: tables, without plots; long ones are folded."""

from __future__ import annotations

from collections.abc import Iterator

from mixc.backends.report.content import Report, Section, Table
from mixc.compiler.review import words
from mixc.compiler.review.words import escape

FOLDED = 12  # lines of a table beyond which it is folded


def as_markdown(report: Report) -> str:
    """The whole text."""
    return "\n".join(_lines(report)).rstrip() + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"## {escape(report.title)}\n"
    if report.description:
        yield f"{escape(report.description)}\n"
    yield from (f"> **{escape(warning)}**\n" for warning in report.warnings)
    yield words.markdown_table(
        ("", ""), [(f"**{escape(name)}**", escape(value)) for name, value in report.facts], left=(0, 1)
    )
    for section in report.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield f"### {escape(section.title)}\n"
    told = set(section.sentences)
    yield from (f"{escape(sentence)}\n" for sentence in section.sentences)
    yield from (
        f"{escape(plot.alternative)}\n" for plot in section.plots if not any(one in plot.alternative for one in told)
    )
    yield from (_table(table) for table in section.tables if table.lines)
    if section.items:
        yield "".join(f"- {escape(item)}\n" for item in section.items)


def _table(table: Table) -> str:
    header = [escape(cell) for cell in table.header]
    text = words.markdown_table(header, [[escape(cell) for cell in line] for line in table.lines], left=table.left)
    if len(table.lines) <= FOLDED:
        return text
    return f"<details><summary>{escape(table.caption)}</summary>\n\n{text}\n</details>\n"
