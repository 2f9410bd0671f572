"""What a report consists of, before anybody decides how it looks: sections of sentences, plots and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Datum: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot by name: what it shows in words (`alternative`, for those who do not see it), and its data, row by row.

    `order` is how the names on its first axis follow each other, `columns` on the second, where it has one.
    """

    name: str
    title: str
    alternative: str
    rows: Sequence[Datum]
    order: Sequence[str] = ()
    columns: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text; columns in `left` hold words, the others figures. A table that is `data` belongs to a plot."""

    caption: str
    header: Sequence[str]
    lines: Sequence[Sequence[str]]
    left: Sequence[int] = (0,)
    data: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report; `name` is its address on the page."""

    name: str
    title: str
    sentences: Sequence[str] = ()
    plots: Sequence[Plot] = ()
    tables: Sequence[Table] = ()
    items: Sequence[str] = ()


Make: TypeAlias = Callable[[], Section | None]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole: `facts` are names with their figures, `warnings` what a reader must know first."""

    title: str
    description: str
    facts: Sequence[tuple[str, str]]
    warnings: Sequence[str]
    sections: Sequence[Section]
