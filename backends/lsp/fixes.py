"""Quick fixes: what a diagnostic says to type, tried before it is offered.

A help names code in backticks. It is put where it may belong, the recipe is checked with it, and it is offered where
that takes the mistake away and brings no other. So a fix never has to be kept in step with the diagnostics.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mixc.backends.lsp.workspace import Workspace
from mixc.dsl.diagnostics import Diagnostic, Severity
from mixc.dsl.syntax import Declaration, RecipeFile, Statement
from mixc.dsl.text import SourceText, Span

CODE = re.compile(r"`([^`]+)`")
PLACEHOLDER = re.compile(r"…|\.\.\.|\bNAME\b")
MOST = 12  # tries for one diagnostic


@dataclass(frozen=True, slots=True)
class Edit:
    """Text for the range [start, end) of a file."""

    start: int
    end: int
    text: str

    def applied(self, text: str) -> str:
        """The text with it."""
        return text[: self.start] + self.text + text[self.end :]


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit of the file that a diagnostic points into, and what it does, as an editor's menu says it."""

    title: str
    edit: Edit


def fixes(workspace: Workspace, root: Path, path: Path, one: Diagnostic) -> list[Fix]:
    """What takes a diagnostic of a recipe away; `path` is the file that it points into."""
    if not one.labels:
        return []
    text = workspace.text(path).text
    before = _errors(workspace.known(root).found)
    if one.severity is not Severity.ERROR:
        before[_key(one)] += 1
    found: list[Fix] = []
    for number, fix in enumerate(_possible(workspace, path, one, text)):
        if number == MOST or len(found) == 2:
            break
        if any(fix.title == other.title for other in found):
            continue
        after = _errors(workspace.tried(root, path, fix.edit.applied(text)).found)
        if after[_key(one)] < before[_key(one)] and not _worse(one, after - before):
            found.append(fix)
    return found


def _key(one: Diagnostic) -> tuple[str, str]:
    return one.code, one.message


def _errors(found: list[Diagnostic]) -> Counter[tuple[str, str]]:
    """What is wrong, and how often, whatever its place."""
    return Counter(_key(one) for one in found if one.severity is Severity.ERROR)


def _worse(one: Diagnostic, new: Counter[tuple[str, str]]) -> bool:
    """Whether there are new mistakes of the same stage; those of a later one were only not looked for before."""
    return any(code[:2] <= one.code[:2] for code, _ in new)


def _possible(workspace: Workspace, path: Path, one: Diagnostic, text: str) -> Iterator[Fix]:
    """Everything that the helps of a diagnostic may mean, the likeliest first."""
    span = one.labels[0].span
    start, end = span.offset, span.offset + span.end - span.start
    around = _around(workspace.parsed(path).whole, start, end)
    source = workspace.text(path)
    for help_ in one.helps:
        for code in CODE.findall(help_):
            if PLACEHOLDER.search(code):
                continue
            if help_.startswith("add "):
                yield from _added(code, start, around, source)
                continue
            if code.startswith("override "):
                inner = around[-1] if around else span
                yield Fix("Add `override`", Edit(inner.offset, inner.offset, "override "))
            yield Fix(f"Replace by `{code}`", Edit(start, end, code))
            blank = len(text[:start]) - len(text[:start].rstrip(" \t"))
            yield Fix(f"Put `{code}` right behind", Edit(start - blank, end, code))
            yield from (
                Fix(f"Replace by `{code}`", Edit(it.offset, it.offset + it.end - it.start, code))
                for it in reversed(around)
            )
            yield Fix(f"Write `{code}`", _line(source, start, code))
        if help_.startswith("remove"):
            yield Fix("Remove it", Edit(start, end, ""))
            yield from (Fix("Remove it", _removed(it, text)) for it in reversed(around))


def _added(code: str, start: int, around: list[Span], source: SourceText) -> Iterator[Fix]:
    """Where something that is missing may stand: in the block that starts here, or above or below this statement."""
    text = source.text
    brace = text.find("{", start)
    line, _ = source.position(start)
    if brace >= 0 and source.position(brace)[0] == line:
        many = text[brace + 1 :].lstrip(" \t").startswith("\n")
        yield Fix(f"Add `{code}`", Edit(brace + 1, brace + 1, f"\n  {code}" if many else f" {code},"))
    for span in around[:1]:
        after = span.offset + span.end - span.start
        yield Fix(f"Add `{code}`", Edit(after, after, f"\n{code}"))
        yield Fix(f"Add `{code}`", Edit(after, after, f" {{ {code} }}"))
    ending = text.rstrip()
    yield Fix(f"Add `{code}`", Edit(len(ending), len(ending), f"\n{code}"))


def _line(source: SourceText, start: int, code: str) -> Edit:
    """The whole line, without its indentation and its comment."""
    line, column = source.position(start)
    written = source.line(line)
    begin = start - column + 1
    indent = len(written) - len(written.lstrip())
    end = len(written.split("#")[0].rstrip())
    return Edit(begin + min(indent, end), begin + end, code)


def _removed(span: Span, text: str) -> Edit:
    """A statement with what separates it from the next, and its line where it stands there alone."""
    start, end = span.offset, span.offset + span.end - span.start
    line = text.rfind("\n", 0, start) + 1
    rest = re.compile(r"[ \t]*,?[ \t]*(#[^\n]*)?\n?").match(text, end)
    after = rest.end() if rest else end
    if text[line:start].strip() == "" and text[:after].endswith("\n"):
        return Edit(line, after, "")
    comma = re.compile(r"[ \t]*,[ \t]*").match(text, end)
    return Edit(start, comma.end() if comma else end, "")


def _around(tree: RecipeFile, start: int, end: int) -> list[Span]:
    """The statements that hold a range, the outermost first."""
    found: list[Span] = []
    items: tuple[Statement, ...] = tree.statements
    while True:
        holding = [one for one in items if one.span.offset <= start and end <= one.span.offset + len(one.span.text)]
        if not holding:
            return found
        found.append(holding[0].span)
        items = (holding[0].body or ()) if isinstance(holding[0], Declaration) else ()
