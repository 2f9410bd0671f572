"""The formatter: nothing is lost, nothing changes meaning, and the second time nothing changes at all."""

import random
import re
from collections import Counter

import pytest
from cases import CASES, check_golden, recipes_of
from hypothesis import given, settings
from hypothesis import strategies as st
from syntax_trees import expressions, recipes, rules

from mixc.dsl.formatter import format_expression, format_rule, format_source, format_statement
from mixc.dsl.lexer import lex
from mixc.dsl.parser import parse
from mixc.dsl.syntax import RecipeFile
from mixc.dsl.text import SourceText

COMMENT = re.compile(r"#[^\n]*")


def read(text: str) -> RecipeFile:
    tree, diagnostics = parse(SourceText("test.mix", text))
    assert tree is not None, (text, [d.message for d in diagnostics])
    return tree


def formatted(text: str) -> str:
    result, diagnostics = format_source(SourceText("test.mix", text))
    assert result is not None, (text, [d.message for d in diagnostics])
    return result


def comments(text: str) -> Counter[str]:
    lexed = lex(SourceText("test.mix", text))
    return Counter(text[start:end].rstrip() for start, end in lexed.comments)


def printed(tree: RecipeFile, between: str = "\n") -> str:
    header = f"recipe {tree.name.text}" + (f" extends {format_expression(tree.extends)}" if tree.extends else "")
    return between.join([header, *map(format_statement, tree.statements)])


@pytest.mark.parametrize("path", sorted((CASES / "format").glob("*.mix")), ids=lambda p: p.stem)
def test_a_messy_recipe_comes_out_as_the_golden_one(path):
    check_golden(path.with_suffix(".txt"), formatted(path.read_text()))


@pytest.mark.parametrize("path", recipes_of("good"), ids=lambda p: p.stem)
def test_recipes_of_the_language_page_are_fixed_points(path):
    text = path.read_text()
    assert formatted(text) == text


@given(recipes)
@settings(max_examples=80, deadline=None)
def test_a_printed_tree_reads_as_the_same_tree(tree):
    assert read(printed(tree)) == tree


@given(recipes)
@settings(max_examples=80, deadline=None)
def test_formatting_keeps_the_tree_and_is_idempotent(tree):
    once = formatted(printed(tree))
    assert read(once) == tree
    assert formatted(once) == once


@given(expressions)
@settings(max_examples=80, deadline=None)
def test_an_expression_is_printed_as_the_formatter_would_write_it(node):
    text = format_expression(node)
    line = f"recipe r\nx = {text}\n"
    if len(line) < 90:
        assert formatted(line) == line


@given(rules)
@settings(max_examples=80, deadline=None)
def test_the_text_of_a_rule_reads_as_the_rule(node):
    assert read(f"recipe r\n{format_rule(node)}").statements == (node,)


@given(recipes, st.integers(0, 2**32))
@settings(max_examples=80, deadline=None)
def test_comments_anywhere_survive_and_change_nothing(tree, seed):
    text = commented(printed(tree, "\n\n"), random.Random(seed))
    once = formatted(text)
    assert comments(once) == comments(text)
    assert read(once) == read(text)
    assert formatted(once) == once


def commented(text: str, rng: random.Random) -> str:
    """Comments put at random places where a line may end."""
    tokens = lex(SourceText("", text)).tokens
    made, last = [], 0
    for index, token in enumerate(tokens):
        made.append(text[last : token.end])
        last = token.end
        opens = token.type in ("LBRACE", "LSQB", "COMMA", "_NEWLINE") or (
            index and token.type in ("PLUS", "TIMES", "RANGE")
        )
        if opens and rng.random() < 0.3:
            made.append("".join(rng.choice([" # a\n", "\n# b\n", "\n\n  # c \n", " # d\n\n", "#\n"]) for _ in range(2)))
    return "".join(made) + text[last:]


def test_signs_that_mean_the_same_are_written_one_way():
    assert formatted("recipe r\nx { epochs < 4, ratio > 3 }") == "recipe r\nx { epochs <= 4, ratio >= 3 }\n"


def test_a_recipe_with_mistakes_is_left_alone():
    text, diagnostics = format_source(SourceText("test.mix", "recipe r\nx {"))
    assert text is None
    assert [d.code for d in diagnostics] == ["M002"]


def test_the_comment_behind_a_bracket_does_not_become_a_description():
    text = formatted("recipe r\nphase p { # why\n source a { }\n}\n")
    assert "# why\n\n  source a {}" in text


def test_windows_line_ends_become_plain_ones():
    assert formatted("recipe r\r\n# c\r\nx = 1\r\n") == "recipe r\n# c\nx = 1\n"
