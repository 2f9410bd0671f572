"""The Pygments lexer gives every character back, and agrees with mixc's own lexer and parser on what it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, Punctuation, String, Whitespace

from mixc.dsl.lexer import lex
from mixc.dsl.pygments_lexer import MixLexer
from mixc.dsl.text import SourceText
from tests.dsl.syntax_trees import recipes
from tests.editors.roles import BROKEN, RECIPES, ROOT, pieces
from tests.fuzz.trees import printed

TYPES = {
    "arithmetic": Operator,
    "comment": Comment.Single,
    "declared": Name.Class,
    "equal": Operator,
    "function": Name.Function,
    "key": Name.Attribute,
    "keyword": Keyword,
    "kind": Keyword.Declaration,
    "mark": Punctuation,
    "name": Name,
    "namespace": Name.Namespace,
    "number": Number,
    "override": Keyword,
    "range": Operator,
    "recipe": Name.Namespace,
    "relation": Operator,
    "string": String,
    "truth": Keyword.Constant,
    "unit": Keyword.Type,
    "verb": Keyword,
    "within": Operator.Word,
}
EXACT = {Name, Operator, Keyword, Punctuation, Number}
PLAIN = MixLexer(stripnl=False, ensurenl=False)
SIGNS = st.sampled_from(
    [*'"${}[]()#\\\n\r\t .,=<>+-*/%', "≤", "“", "𝔐", "recipe ", "within ", "5 tokens", "\ufeff", "\0"]
)


def tokens(text: str) -> list[tuple[int, Any, str]]:
    return list(PLAIN.get_tokens_unprocessed(text))


def wrong(text: str) -> list[str]:
    """Where the types differ from what mixc's parser reads in a recipe that parses."""
    types: list[Any] = []
    for _, type_, piece in tokens(text):
        types += [type_] * len(piece)
    out = []
    for piece in pieces(text):
        wanted, found = TYPES[piece.role], set(types[piece.start : piece.end])
        good = found == {wanted} if wanted in EXACT else all(one in wanted for one in found)
        # `recipe` and `import` are one shade of keyword, verbs another
        good = good or (piece.role == "keyword" and all(one in Keyword for one in found))
        if not good:
            out.append(f"{text[piece.start : piece.end]!r} is no {piece.role} but {found} in {text!r}")
    return out


def whole(text: str) -> None:
    """Every character comes back in its place, and no piece is empty."""
    place = 0
    for start, _, piece in tokens(text):
        assert start == place and piece
        place += len(piece)
    assert "".join(piece for _, _, piece in tokens(text)) == text


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_recipes_come_back_with_the_types_that_mixc_reads(path: Path) -> None:
    text = path.read_bytes().decode()
    whole(text)
    assert wrong(text) == []
    assert [piece for _, type_, piece in tokens(text) if type_ in Error] == []


@settings(max_examples=300, deadline=None)
@given(recipes)
def test_whatever_the_grammar_can_say_has_the_types_that_mixc_reads(tree: Any) -> None:
    assert wrong(printed(tree)) == []


@settings(max_examples=300, deadline=None)
@given(st.text() | st.lists(SIGNS, max_size=30).map("".join))
def test_any_text_comes_back(text: str) -> None:
    whole(text)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_broken_recipes_come_back(path: Path) -> None:
    whole(path.read_bytes().decode(errors="replace"))


@pytest.mark.parametrize("text", ["(" * 5000 + "a", "@ " * 3000 + "recipe a", "recipe a\n" * 3000 + ")"])
def test_what_mixc_leaves_unread_comes_back(text: str) -> None:
    whole(text)


def test_broken_parts_are_errors_and_the_rest_is_not() -> None:
    found = {piece: type_ for _, type_, piece in tokens("recipe a\nx = 1 @ ]\nepochs <= 4 tokens\n")}
    assert (found["@"], found["]"]) == (Error, Error)
    assert (found["epochs"], found["4"], found["tokens"]) == (Name.Attribute, Number, Keyword.Type)


def test_strings_show_escapes_and_params() -> None:
    found = [(type_, piece) for _, type_, piece in tokens(r'"${root}/a\n$b\q"')]
    params = [(String.Double, '"'), (String.Interpol, "${root}"), (String.Double, "/a"), (String.Escape, r"\n")]
    assert found[:4] == params
    assert "".join(piece for _, piece in found[4:]) == r'$b\q"' and {type_ for type_, _ in found[4:]} == {String.Double}


def test_blanks_are_whitespace() -> None:
    text = RECIPES[0].read_text(encoding="utf-8")
    blank = [type_ for _, type_, piece in tokens(text) if piece.isspace() and '"' not in piece]
    assert set(blank) <= {Whitespace, String.Double}
    assert sum(token.type != "_NEWLINE" for token in lex(SourceText("", text)).tokens) < len(tokens(text))


def test_pygments_finds_the_lexer() -> None:
    assert isinstance(get_lexer_by_name("mix"), MixLexer)
    assert isinstance(get_lexer_for_filename("a.mix"), MixLexer)
    shown = highlight("require share(en) >= 30%", get_lexer_by_name("mix"), HtmlFormatter(nowrap=True))
    assert '<span class="nf">share</span>' in shown and '<span class="m">30%</span>' in shown


def test_only_that_module_needs_pygments() -> None:
    program = (
        "import sys; sys.modules['pygments'] = None\n"
        "import mixc.dsl.parser, mixc.dsl.formatter, mixc.compiler.front.passes\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    users = [
        path.relative_to(ROOT).as_posix()
        for top in ("dsl", "compiler", "backends")
        for path in (ROOT / top).rglob("*.py")
        if "pygments" in path.read_text(encoding="utf-8")
    ]
    assert users == ["dsl/pygments_lexer.py"]
