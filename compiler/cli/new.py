"""`mixc new`: a commented recipe to start from, for data that is there or from published sizes."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from mixc.compiler.cli.session import Diagnostics, DiagnosticsFormat, one_of, report, show, wrong
from mixc.dsl.diagnostics import Diagnostic, has_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixc.compiler.documents.data import Role
    from mixc.compiler.starter.look import Look
    from mixc.compiler.starter.start import Started
    from mixc.dsl.text import Span

T = TypeVar("T")

Name = Annotated[str, typer.Argument(metavar="NAME.mix", help="The recipe to write; it must not be there yet.")]
Data = Annotated[
    list[str] | None,
    typer.Option("--data", metavar="PATTERN", help="Documents: a file, folder or pattern; each becomes a source."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="ROLE=NAME", help="Which column holds the id, text, language, domain or tokens."),
]
Languages = Annotated[
    str | None, typer.Option("--languages", metavar="CODES", help="Languages: `en,de,fr`; `all` that the data holds.")
]
Model = Annotated[str | None, typer.Option("--model", metavar="SIZE", help="Parameters of the model: `1.2B`.")]
Tokens = Annotated[str | None, typer.Option("--tokens", metavar="SIZE", help="Tokens to train on: `100B`.")]
Compute = Annotated[str | None, typer.Option("--compute", metavar="SIZE", help="FLOPs of the training: `3e21`.")]


def new_recipe(
    name: Name = "mixture.mix",
    data: Data = None,
    columns: Columns = None,
    languages: Languages = None,
    model: Model = None,
    tokens: Tokens = None,
    compute: Compute = None,
    diagnostics: Diagnostics = "full",
) -> int:
    """Write a commented recipe to start from.

    On a terminal it asks what no option says: which data, which languages, which budget. Elsewhere it takes what is
    usual. Without data the recipe is planned from published sizes. No file is ever written over.
    """
    from mixc.compiler.scan.scan import SMALL
    from mixc.compiler.starter import start

    path, found = start.new_path(name)
    roles = _roles(columns)
    size = {part: one for part, one in (("model", model), ("tokens", tokens), ("compute", compute)) if one is not None}
    if len(size) == 3:
        wrong("give two of `--model`, `--tokens` and `--compute`: the third follows")
    if columns and not data:
        wrong("`--column` says something of data: give `--data` too")
    asker = _Asker(diagnostics)
    looks = None if found else asker.data(data, roles)
    asked = None if looks is None else asker.languages(languages, looks)
    if asked is None or looks is None:
        return report([*found, *asker.found], diagnostics)
    if not size:
        size = asker.size()
    if looks:
        started, found = start.from_data(path, looks, asked, size, SMALL)
    else:
        started, found = start.planned(path, asked, size)
    if started is None:
        return report([*asker.found, *found], diagnostics)
    return _write(path, started, [*asker.found, *found], diagnostics)


def _write(path: Path, started: Started, found: list[Diagnostic], form: DiagnosticsFormat) -> int:
    from mixc.compiler.review.output import write_new
    from mixc.compiler.starter.messages import not_new

    written, problems = write_new(path, started.text.encode())
    if not written and not problems:
        problems = [not_new(str(path), "there is a file of that name by now", "give another name")]
    code = report([*found, *problems], form)
    if written:
        shown = shlex.quote(str(path) if not str(path).startswith("-") else f"./{path}")
        steps = ["check", *["scan"] * started.scan, "compile"]
        follow = "".join(f"  mixc {step} {shown}\n" for step in steps)
        show(f"wrote {path}: {started.about}\nnext:\n{follow}")
    return code


def _roles(pairs: list[str] | None) -> dict[Role, str]:
    """`--column text=body`, each role once."""
    from mixc.compiler.starter.columns import ROLES

    given: dict[str, str] = {}
    for pair in pairs or ():
        role, equals, column = pair.partition("=")
        if not equals or not column:
            wrong(f"`--column {pair}` says nothing: write `--column text=NAME`")
        one_of(role.strip(), ROLES, "role of a column")
        if role.strip() in given:
            wrong(f"`--column` says `{role.strip()}` twice")
        given[role.strip()] = column
    return {role: given[role] for role in ROLES if role in given}


def _patterns(answer: str) -> list[str]:
    """The patterns of an answer; a name that holds a comma is one where it is there."""
    return [answer] if Path(answer).exists() and answer else [one.strip() for one in answer.split(",") if one.strip()]


class _Asker:
    """Takes what options say; where they say nothing and a terminal is there, asks, and asks again after a mistake."""

    def __init__(self, form: DiagnosticsFormat) -> None:
        self.form: DiagnosticsFormat = form
        self.found: list[Diagnostic] = []
        self.terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))

    def data(self, given: list[str] | None, roles: Mapping[Role, str]) -> list[Look] | None:
        """What the data holds; empty without data, None after a mistake."""
        from mixc.compiler.starter.start import looked

        def read(patterns: Sequence[str]) -> tuple[list[Look] | None, list[Diagnostic]]:
            looks, found = [], []
            for pattern in patterns:
                one, more = looked(pattern, roles)
                looks += [] if one is None else [one]
                found += more
            # A column that was stated is that of some data; what no data has was not meant for any.
            found += [looks[0].unfit[role] for role in roles if looks and all(role in one.unfit for one in looks)]
            return (None if has_errors(found) else looks), found

        if given is not None:
            return self._take(read(given))
        question = (
            "Which data? Folders, files or patterns of Parquet or JSONL, a comma between; nothing for published sizes: "
        )
        return self._ask(question, lambda answer: read(_patterns(answer))) if self.terminal else []

    def languages(self, given: str | None, looks: Sequence[Look]) -> dict[str, Span] | None:
        """Codes that were asked for; empty for what is usual, None after a mistake."""
        from mixc.compiler.starter.planned import USUAL
        from mixc.compiler.starter.start import languages, refused

        def read(text: str) -> tuple[dict[str, Span] | None, list[Diagnostic]]:
            codes, found = languages(text)
            found = found or refused(codes, looks)
            return (None if has_errors(found) else codes), found

        if given is not None:
            return self._take(read(given))
        held = list(dict.fromkeys(code for look in looks for code in look.codes))
        usual = f"all there are ({', '.join(held[:8])}{', …' * (len(held) > 8)})" if held else "none in particular"
        usual = usual if looks else ", ".join(USUAL)
        question = f"Which languages? Codes such as `en, de`; nothing for {usual}: "
        return self._ask(question, read) if self.terminal else {}

    def size(self) -> dict[str, str]:
        """Up to two parts of the budget, in words that the recipe can hold."""
        from mixc.compiler.starter.size import parts_of

        question = "Which budget? Such as `1.2B params, 100B tokens` or `3e21 FLOPs`; nothing for what fits the data: "
        return (self._ask(question, parts_of) if self.terminal else None) or {}

    def _take(self, read: tuple[T | None, list[Diagnostic]]) -> T | None:
        value, found = read
        self.found += found
        return value

    def _ask(self, question: str, read: Callable[[str], tuple[T | None, list[Diagnostic]]]) -> T | None:
        while True:
            try:
                answer = input(question).strip()
            except EOFError:
                show("\n")
                raise KeyboardInterrupt from None
            value, found = read(answer)
            report(found, self.form)
            if value is not None:
                return value
