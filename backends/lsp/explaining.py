"""What a word means where it stands, and what came of it in the last compile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mixc.backends.lsp.compiled import Compiled
from mixc.backends.lsp.cursor import Spot, spot
from mixc.backends.lsp.workspace import Workspace
from mixc.compiler.front.kinds import KINDS, STRATEGIES
from mixc.compiler.front.occurrences import Occurrence, Symbol
from mixc.compiler.front.shapes import Struct
from mixc.compiler.front.terms import FUNCTIONS
from mixc.compiler.front.units import parse_literal, parse_unit, show
from mixc.compiler.reference import about_function, about_key, about_kind, about_strategy, topic
from mixc.compiler.supply.languages import name
from mixc.dsl.lexer import Token, lex
from mixc.dsl.syntax import Declaration, RecipeFile
from mixc.dsl.text import SourceText

NUMBERS = ("NUMBER", "UNIT")
LONGEST = 1_200  # characters of a declaration that is shown


@dataclass(frozen=True, slots=True)
class Explained:
    """Markdown on the range [start, end) of a text."""

    start: int
    end: int
    text: str


def explained(workspace: Workspace, path: Path, offset: int, compiled: Compiled | None) -> Explained | None:
    """What there is to say on what stands at an offset; None where there is nothing."""
    source = workspace.text(path)
    one = named_at(workspace, path, offset)
    if one is not None:
        start, end = one.span.offset, one.span.offset + len(one.span.text)
        return Explained(start, end, _symbol(workspace, path, one.symbol, compiled))
    token = _token_at(source, offset)
    if token is None:
        return None
    word = source.text[token.start : token.end]
    said = _number(source, token) if token.type in NUMBERS else _word(spot(source.text, token.start), word)
    return Explained(token.start, token.end, said) if said else None


def named_at(workspace: Workspace, path: Path, offset: int) -> Occurrence | None:
    """The name of the recipe that stands at an offset."""
    for one in workspace.names(path):
        if one.path == str(path) and one.span.offset <= offset <= one.span.offset + len(one.span.text):
            return one
    return None


def _token_at(source: SourceText, offset: int) -> Token | None:
    """The token of the offset's line that holds it; its number, where it is a unit."""
    tokens = [one for one in lex(source).tokens if one.start <= offset <= one.end and one.end > one.start]
    return next((one for one in tokens if one.type not in ("_NEWLINE", "COMMA")), None)


def _word(at: Spot, word: str) -> str:
    match at.place:
        case "item" | "key":
            keys = at.kind.keys if at.kind and at.place == "item" else ()
            keys = at.shape.fields if isinstance(at.shape, Struct) else keys
            found = next((key for key in keys if key.name == word), None)
            if found is not None:
                return about_key(found)
        case "value" if word in STRATEGIES and at.key is not None and at.key.name == "strategy":
            return about_strategy(word)
    if word in FUNCTIONS and at.place in ("expression", "argument", "value"):
        return about_function(word)
    if word in KINDS and at.place in ("statement", "kind", "item"):
        return about_kind(KINDS[word]) if word != "law" else topic("law") or ""
    return (topic(word) or "") if at.place in ("statement", "expression") else ""


def _number(source: SourceText, token: Token) -> str:
    """A number in base units: `1.2B params` is 1,200,000,000 params."""
    tokens = [one for one in lex(source).tokens if one.type in NUMBERS]
    at = tokens.index(token)
    if token.type == "UNIT" and at:
        at -= 1
    literal = source.text[tokens[at].start : tokens[at].end]
    after = tokens[at + 1] if at + 1 < len(tokens) and tokens[at + 1].type == "UNIT" else None
    value = parse_literal(literal)
    if value is None:
        return ""
    unit = source.text[after.start : after.end] if after else ""
    dimension = parse_unit(unit) if unit else ()
    whole = f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):.12g}"
    short = f", {show(value, dimension)}" if dimension and not isinstance(dimension, str) else ""
    return f"`{literal}{' ' + unit if unit else ''}` is {whole}{' ' + unit if unit else ''}{short}"


def _symbol(workspace: Workspace, path: Path, symbol: Symbol, compiled: Compiled | None) -> str:
    """A name: its kind, its declaration with the comment above it, and what the mixture takes of it."""
    title = f"**{symbol.kind} `{symbol.name}`**"
    parts = [f"{title}: {name(symbol.name)}" if symbol.kind == "language" else title]
    if compiled is not None and (taken := compiled.taken.get((symbol.kind, symbol.name))):
        parts.append(f"last compile: {taken}")
    if (node := _declaration(workspace, path, symbol)) is not None:
        if node.description:
            parts.append(node.description)
        text = node.span.text if len(node.span.text) <= LONGEST else f"{node.span.text[:LONGEST]}…"
        parts.append(f"```mix\n{text}\n```")
    return "\n\n".join(parts)


def _declaration(workspace: Workspace, path: Path, symbol: Symbol) -> Declaration | None:
    """The statement that declares a name, in the file where that stands."""
    for one in workspace.names(path):
        if one.symbol == symbol and one.role == "declaration":
            return _holding(workspace.parsed(Path(one.path)).whole, one.span.offset)
    return None


def _holding(tree: RecipeFile, offset: int) -> Declaration | None:
    items: tuple[object, ...] = tree.statements
    found: Declaration | None = None
    while True:
        inner = next(
            (
                one
                for one in items
                if isinstance(one, Declaration) and one.span.offset <= offset < one.span.offset + len(one.span.text)
            ),
            None,
        )
        if inner is None:
            return found
        found, items = inner, inner.body or ()
