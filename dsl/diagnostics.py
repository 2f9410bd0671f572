"""Diagnostics as data: what went wrong, where, and what to type instead.

A diagnostic is made by one small function per code, registered with `page`; its docstring is the manual page that
`mixc explain CODE` prints. Renderers (`render.py`) are separate and see only this data.

A new code is such a function and a test that meets it; there `shown` of `tests/examples.py` records the example that
the code's page in the manual shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ParamSpec

from mixc.dsl.text import Span

P = ParamSpec("P")


class Severity(StrEnum):
    """How bad it is: an error stops before the next stage, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A place with a few words; the first label of a diagnostic is the primary one."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake: a sentence that stands alone, its places, what is true (`notes`), what to type (`helps`).

    `subject` names the file when there is no text to point at (a missing file, a manifest, a catalog row).
    """

    code: str
    message: str
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR
    subject: str | None = None

    @property
    def place(self) -> str:
        """`file:line:column` of the primary label, or the subject, or nothing."""
        return self.labels[0].span.place if self.labels else self.subject or ""


@dataclass(frozen=True, slots=True)
class Page:
    """The manual page of one code."""

    code: str
    title: str
    text: str


PAGES: dict[str, Page] = {}


def page(code: str) -> Callable[[Callable[P, Diagnostic]], Callable[P, Diagnostic]]:
    """Register the function that makes diagnostics of `code`; its docstring is the code's page."""

    def register(make: Callable[P, Diagnostic]) -> Callable[P, Diagnostic]:
        if code in PAGES:
            raise ValueError(f"two pages claim {code}")
        title, _, rest = (make.__doc__ or "").strip().partition("\n")
        PAGES[code] = Page(code, title.strip(), rest.strip())
        return make

    return register


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them is an error."""
    return any(d.severity is Severity.ERROR for d in diagnostics)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by file and position, each reported once."""

    def key(d: Diagnostic) -> tuple[str, int, str, str]:
        if d.labels:
            span = d.labels[0].span
            return span.source.name, span.offset, d.code, d.message
        return d.subject or "", -1, d.code, d.message

    unique = {(key(d)): d for d in diagnostics}
    return [unique[k] for k in sorted(unique)]
