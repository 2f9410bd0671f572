"""What may stand at a place of a text, finished or not: the block it is in, the key it is the value of.

Read from tokens, because a text that is being written has no tree where it matters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from mixc.compiler.front.kinds import KINDS, Kind, schema
from mixc.compiler.front.shapes import Either, Key, ListOf, MapOf, Shape, Struct
from mixc.dsl.lexer import Token, lex
from mixc.dsl.pieces import pieces
from mixc.dsl.text import SourceText

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
QUOTED = re.compile(r'"(?:\\.|[^"\\\n])*("|\Z)|#[^\n]*')
Place = Literal[
    "statement", "item", "kind", "name", "key", "value", "expression", "argument", "unit", "file", "nothing"
]
RULES = ("REQUIRE", "PREFER", "MINIMIZE", "MAXIMIZE")
SIGNS = ("EQUAL", "RELATION", "WITHIN", "COLON")


@dataclass(slots=True)
class Frame:
    """An open bracket: what it is, whose it is, and the tokens of the statement that stands in it so far.

    `kind` of a block is its table; `shape` that of a map or a list, `key` whose value it is; `function` of a call.
    """

    form: Literal["block", "map", "list", "call"]
    kind: Kind | None = None
    shape: Shape | None = None
    key: Key | None = None
    function: str = ""
    statement: list[tuple[str, str]] = field(default_factory=list)
    before: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Spot:
    """What stands or may stand at a place.

    `start` is where the word at the place begins, `word` what of it is written, `quoted` whether a string is open.
    `written` are keys that the block or map has before it. `declared` is the kind that a name is declared with.
    """

    place: Place
    start: int
    word: str
    quoted: bool = False
    kind: Kind | None = None
    key: Key | None = None
    shape: Shape | None = None
    function: str = ""
    declared: str = ""
    written: frozenset[str] = frozenset()


def spot(text: str, offset: int) -> Spot:
    """What may stand at an offset of a text."""
    at = 0
    for piece in pieces(text):
        if at + len(piece) > offset or at + len(piece) == len(text):
            break
        at += len(piece)
    before = text[at:offset]
    line = before.rpartition("\n")[2]
    last = [one for one in QUOTED.finditer(line) if one.end() == len(line)]
    if last and last[0].group().startswith("#"):
        return Spot("nothing", offset, "")
    quoted = bool(last) and not last[0].group(1)
    if quoted:
        word = last[0].group()[1:]
    else:
        found = WORD.search(before)
        word = found.group() if found else ""
    frames = _frames(before[: len(before) - len(word) - quoted])
    return _spot(frames, offset - len(word), word, quoted)


def _frames(text: str) -> list[Frame]:
    """The brackets that are open at the end of a text, the outermost first: the file itself."""
    source = SourceText("", text)
    lexed = lex(source)
    frames = [Frame("block")]
    for token in lexed.tokens:
        if token.end > token.start:
            _take(frames, token, text[token.start : token.end])
    return frames


def _take(frames: list[Frame], token: Token, word: str) -> None:
    top = frames[-1]
    match token.type:
        case "LBRACE" | "LSQB" | "LPAR":
            frames.append(_opened(top, token.type))
        case "RBRACE" | "RSQB" | "RPAR":
            if len(frames) > 1:
                frames.pop()
                frames[-1].statement.append(("VALUE", ""))
        case "_NEWLINE" | "COMMA":
            if top.statement:
                top.before.add(top.statement[0][1])
            top.statement = []
        case _:
            top.statement.append((token.type, word))


def _opened(top: Frame, bracket: str) -> Frame:
    words = [word for kind, word in top.statement if kind != "OVERRIDE"]
    signed = any(kind in SIGNS for kind, _ in top.statement)
    if bracket == "LPAR":
        names = [word for kind, word in top.statement if kind in ("NAME", "DOT")]
        return Frame("call", function=names[-1] if names else "")
    key, shape = _valued(top)
    if bracket == "LSQB":
        inner = next((one.item for one in _shapes(shape) if isinstance(one, ListOf)), None)
        return Frame("list", top.kind, inner, key, words[0] if words and not signed else "")
    if top.form == "block" and not signed:
        name = words[1] if len(words) > 1 else ""
        return Frame("block", schema(words[0], name) if words and words[0] in KINDS else None)
    return Frame("map", top.kind, next((one for one in _shapes(shape) if isinstance(one, MapOf | Struct)), None), key)


def _shapes(shape: Shape | None) -> tuple[Shape, ...]:
    if shape is None:
        return ()
    return shape.shapes if isinstance(shape, Either) else (shape,)


def _valued(frame: Frame) -> tuple[Key | None, Shape | None]:
    """The key whose value is being written, and the shape of that value."""
    word = frame.statement[0][1] if frame.statement else ""
    match frame.form, frame.shape:
        case "map", Struct(fields):
            key = next((one for one in fields if one.name == word), None)
            return key or frame.key, key.shape if key else None
        case "map", MapOf(_, value):
            return frame.key, value
        case "list", shape:
            return frame.key, shape
        case "block", _ if frame.kind is not None:
            key = frame.kind.key(word)
            return key, key.shape if key else None
        case _:
            return None, None


def _spot(frames: list[Frame], start: int, word: str, quoted: bool) -> Spot:
    top = frames[-1]
    key, shape = _valued(top)

    def made(place: Place, declared: str = "") -> Spot:
        return Spot(place, start, word, quoted, top.kind, key, shape, top.function, declared, frozenset(top.before))

    kinds = [kind for kind, _ in top.statement if kind != "OVERRIDE"]
    words = [one for kind, one in top.statement if kind != "OVERRIDE"]
    if top.form == "call":
        return made("unit" if kinds and kinds[-1] == "NUMBER" else "argument")
    if top.form == "list":
        return made("value" if not top.function else "name", top.function)
    if kinds and kinds[-1] == "NUMBER" and not quoted:
        return made("unit")
    if top.form == "map" and "COLON" not in kinds:
        shape = top.shape
        return made("key")
    if top.form == "map":
        return made("value")
    if not kinds:
        return made(("kind" if top.statement else "statement") if len(frames) == 1 else "item")
    if kinds[0] in RULES:
        return made("expression")
    if kinds[0] in ("IMPORT", "RECIPE"):
        return made("file" if quoted else "nothing")
    if any(kind in SIGNS for kind in kinds):
        return made("expression" if top.kind is None else "value")
    return made("name", words[0]) if words[0] in KINDS and len(kinds) == 1 else made("nothing")
