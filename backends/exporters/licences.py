"""Licences as recipes state them, as SPDX expressions: identifiers of the SPDX list in its spelling, or `LicenseRef-…`.

The list of identifiers is `licences.json`, read on first use. A text that is no SPDX expression is a licence of its
own: its reference is made of its words and of a hash of it, so that different texts never share one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

REF: Final = "LicenseRef-"
URL: Final = "https://spdx.org/licenses/"
TOKEN: Final = re.compile(r"[()]|[A-Za-z0-9.+-]+")
REFERENCE: Final = re.compile(r"LicenseRef-[A-Za-z0-9.-]+")
OPERATORS: Final = {"AND": "AND", "and": "AND", "OR": "OR", "or": "OR", "WITH": "WITH", "with": "WITH"}
DEEPEST = 50  # parentheses within parentheses; deeper ones are no expression that anybody wrote
LONGEST = 60  # characters of a reference's words


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence: the text as it is stated, its SPDX expression, and the expression's parts.

    `identifiers` are of the SPDX list, without `+` and exceptions, `references` the `LicenseRef-…` in it.
    """

    text: str
    expression: str
    identifiers: tuple[str, ...]
    references: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether the expression has no part that only the recipe knows."""
        return not self.references

    @property
    def url(self) -> str | None:
        """Where SPDX keeps the text of a single licence."""
        return URL + self.expression if self.identifiers == (self.expression,) else None


@dataclass(frozen=True, slots=True)
class SpdxList:
    """Identifiers and exceptions by their lower-case spelling, and the version of the list."""

    version: str
    licences: dict[str, str]
    exceptions: dict[str, str]


@cache
def spdx_list() -> SpdxList:
    """The shipped list, read once."""
    data = json.loads(files("mixc.backends.exporters").joinpath("licences.json").read_text(encoding="utf-8"))
    return SpdxList(
        data["version"],
        {one.lower(): one for one in data["licences"].split()},
        {one.lower(): one for one in data["exceptions"].split()},
    )


def licence(text: str) -> Licence:
    """What a recipe states as a licence."""
    try:
        parser = _Parser(text)
        return Licence(text, parser.whole(), tuple(parser.identifiers), tuple(parser.references))
    except ValueError:
        reference = _reference(text)
        return Licence(text, reference, (), (reference,))


def all_of(licences: Iterable[Licence]) -> str:
    """The expression that asks for every one of the licences, each named once, sorted."""
    expressions = sorted({one.expression for one in licences}, key=lambda one: (one.lower(), one))
    if len(expressions) == 1:
        return expressions[0]
    return " AND ".join(f"({one})" if " " in one else one for one in expressions)


def _reference(text: str) -> str:
    words = re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.")[:LONGEST].rstrip("-.")
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{REF}{words}-{mark}" if words else f"{REF}{mark}"


class _Parser:
    """One expression; ValueError where the text is none."""

    def __init__(self, text: str) -> None:
        if TOKEN.sub("", text).strip():
            raise ValueError(text)
        self.tokens: list[str] = TOKEN.findall(text)
        self.at = 0
        self.identifiers: list[str] = []
        self.references: list[str] = []

    def whole(self) -> str:
        """The expression in SPDX's spelling."""
        made = self._any(0)
        if self.at < len(self.tokens):
            raise ValueError(self.tokens[self.at])
        return made

    def _any(self, depth: int) -> str:
        parts = [self._all(depth)]
        while self._taken("OR"):
            parts.append(self._all(depth))
        return " OR ".join(parts)

    def _all(self, depth: int) -> str:
        parts = [self._one(depth)]
        while self._taken("AND"):
            parts.append(self._one(depth))
        return " AND ".join(parts)

    def _one(self, depth: int) -> str:
        token = self._next()
        if token == "(":
            if depth == DEEPEST:
                raise ValueError(token)
            inner = self._any(depth + 1)
            if self._next() != ")":
                raise ValueError(token)
            return f"({inner})"
        named = self._identifier(token)
        if not self._taken("WITH"):
            return named
        exception = spdx_list().exceptions.get(self._next().lower())
        if exception is None:
            raise ValueError(token)
        return f"{named} WITH {exception}"

    def _identifier(self, token: str) -> str:
        if REFERENCE.fullmatch(token):
            if token not in self.references:
                self.references.append(token)
            return token
        bare = token.removesuffix("+")
        known = spdx_list().licences.get(token.lower()) or spdx_list().licences.get(bare.lower())
        if known is None:
            raise ValueError(token)
        if known not in self.identifiers:
            self.identifiers.append(known)
        return known + ("+" if token.lower() != known.lower() else "")

    def _taken(self, operator: str) -> bool:
        there = self.at < len(self.tokens) and OPERATORS.get(self.tokens[self.at]) == operator
        self.at += there
        return there

    def _next(self) -> str:
        if self.at == len(self.tokens):
            raise ValueError("the text ends")
        self.at += 1
        return self.tokens[self.at - 1]
