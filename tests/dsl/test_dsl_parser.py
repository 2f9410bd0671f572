"""The tree: what is said, where it stands, and what stays bounded."""

import dataclasses
import random

import pytest
from cases import recipes_of

from mixc.dsl import syntax
from mixc.dsl.formatter import format_source
from mixc.dsl.parser import parse
from mixc.dsl.render import render
from mixc.dsl.syntax import Aim, Attribute, Call, Declaration, Items, Limit, Name, Prefer, Require
from mixc.dsl.text import SourceText, Span


def read(text):
    tree, diagnostics = parse(SourceText("test.mix", text))
    assert tree is not None, [d.message for d in diagnostics]
    return tree


def statement(text):
    (only,) = read(f"recipe r\n{text}\n").statements
    return only


def value(text):
    return statement(f"x = {text}").value


def nodes(node):
    yield node
    for field in dataclasses.fields(node):
        inner = getattr(node, field.name)
        for child in inner if isinstance(inner, tuple) else [inner]:
            if dataclasses.is_dataclass(child) and not isinstance(child, Span | SourceText):
                yield from nodes(child)


@pytest.mark.parametrize("path", recipes_of("good"), ids=lambda p: p.stem)
def test_spans_are_exact(path):
    text = path.read_text()
    for node in nodes(read(text)):
        here = node.span.text
        assert here == here.strip() or isinstance(node, syntax.RecipeFile)
        match node:
            case Name(word):
                assert here == word
            case Require():
                assert here.startswith("require ")
            case Prefer():
                assert here.startswith("prefer ")
            case Aim(direction):
                assert here.startswith(direction)
            case Declaration(body=body, head=head):
                assert here.startswith(head.text)
                assert here.endswith("}") or body is None
            case Call():
                assert here.endswith(")")
            case Items():
                assert here[0] + here[-1] == "[]"
            case syntax.Text():
                assert here[0] + here[-1] == '""'
            case _:
                pass


def test_the_span_of_a_sum_in_brackets_leaves_the_brackets_to_its_parent():
    product = value("(a + b) * c")
    assert product.span.text == "(a + b) * c"
    assert product.left.span.text == "a + b"


def test_operators_bind_as_in_mathematics():
    assert value("a + b * c") == value("a + (b * c)")
    assert value("a - b - c") == value("(a - b) - c")
    assert value("-a * b") == value("(-a) * b")
    assert value("a - b - c") != value("a - (b - c)")


def test_units_belong_to_numbers_and_a_slash_elsewhere_divides():
    assert value("20 tokens/param").unit.text == "tokens/param"
    assert value("a/b") == value("a / b")
    assert value("3 * tokens/param") == value("3 * tokens / param")


@pytest.mark.parametrize("word", ["no", "is", "in", "to", "as", "or", "weight", "extends", "true2", "recipe", "import"])
def test_a_name_may_be_any_word(word):
    assert statement(f"language {word} {{ }}").name.text == word
    assert [part.text for part in value(f"[{word}]").items] == [word]


def test_weight_is_a_key_too():
    first, second = statement("target x {\n a = 3\n weight = 2\n}").body
    assert second.key.text == "weight"
    assert first.value.unit is None


def test_lines_go_on_after_operators_and_inside_parentheses():
    assert statement("require share(\n a,\n b\n) +\n\n c >=\n 3%") == statement("require share(a, b) + c >= 3%")


def test_newlines_and_commas_separate_alike():
    assert statement("s { a = 1,, \n b = 2\n,\n}") == statement("s { a = 1, b = 2 }")
    assert value("[a\n b,\n]") == value("[a, b]")


def test_line_ends_of_windows_are_read():
    assert read("recipe r\r\nx { a = 1\r\n}\r\n") == read("recipe r\nx { a = 1\n}\n")


def test_a_file_needs_no_newline_at_its_end():
    assert read("recipe r\nx = 1") == read("recipe r\nx = 1\n")


def test_strings_know_four_escapes_and_keep_params():
    assert value(r'"a\"b\\c\n\t${root}/x"').value == 'a"b\\c\n\t${root}/x'


def test_the_comment_block_right_above_is_the_description():
    tree = read("# one\n#two\nrecipe r\n\n# far\n\n# near\n#\n# more\nsource a { } # behind\nsource b { }\n")
    assert tree.description == "one\ntwo"
    assert [s.description for s in tree.statements] == ["near\n\nmore", ""]


def test_declarations_in_all_their_forms():
    assert statement("budget { }").name is None
    assert statement('domain "Arts & Ent" { }').name.value == "Arts & Ent"
    assert isinstance(statement("languages [a, b] { }").name, Items)
    assert statement("override param size = 7B params").override
    assert statement("languages all { }").name.text == "all"
    assert isinstance(statement("seed = 3"), Attribute)
    assert isinstance(statement("epochs within 1 .. 2"), Limit)


def test_a_parse_is_repeatable_and_leaves_nothing_behind():
    text = recipes_of("good")[0].read_text()
    before = read(text)
    parse(SourceText("test.mix", "recipe r\nx {"))
    assert read(text) == before


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10000,
        "(" * 10000,
        "x = " + "-" * 10000 + "1",
        "x = " + "+".join(["a"] * 10000),
        "{\n" * 100000,
        "x = " + "f(" * 10000 + ")" * 10000,
        "]" * 10000,
        "a b\n" * 5000,
        "'\n" * 20000,
    ],
    ids=lambda text: text[:8].strip(),
)
def test_monstrous_texts_are_answered(text):
    tree, diagnostics = parse(SourceText("test.mix", f"recipe r\n{text}"))
    assert tree is None
    assert 1 <= len(diagnostics) <= 100


@pytest.mark.parametrize("text", ["a" * 10_000_000, "recipe r\nx = " + "1" * 70_000])
def test_texts_that_are_too_large_are_refused(text):
    _, diagnostics = parse(SourceText("test.mix", text))
    assert [d.code for d in diagnostics] == ["M008"]


@pytest.mark.parametrize(
    "text", ["+".join(["a"] * 100), "-" * 99 + "a", "1*(" * 99 + "a" + ")" * 99, "f(" * 99 + ")" * 99]
)
def test_what_is_just_allowed_works_throughout(text):
    """Everything that walks a tree may recurse: the depth of a tree is bounded."""
    tree = read(f"recipe r\nx = {text}")
    assert hash(tree) == hash(read(f"recipe r\nx = {text}"))
    assert repr(tree)
    formatted, _ = format_source(SourceText("test.mix", f"recipe r\nx = {text}"))
    assert formatted is not None
    assert read(formatted) == tree


ALPHABET = "abeinorstw0159 \n\n{}[]()=<>+-*/,:.\"%#_TB'&;é\\\t\r\u202e"


def mutated(text, rng):
    characters = list(text)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(characters))
        match rng.randrange(3):
            case 0:
                del characters[place : place + rng.randint(1, 3)]
            case 1:
                characters.insert(place, rng.choice(ALPHABET))
            case _:
                characters[place] = rng.choice(ALPHABET)
    return "".join(characters)


@pytest.mark.parametrize("seed", range(6))
def test_mutated_recipes_parse_or_say_why_not(seed):
    rng = random.Random(seed)
    recipes = [path.read_text() for path in recipes_of("good")]
    for _ in range(60):
        source = SourceText("test.mix", mutated(rng.choice(recipes), rng))
        tree, diagnostics = parse(source)
        assert (tree is None) == bool(diagnostics), source.text
        rendered = render(diagnostics, "full", color=False)
        assert not any(ord(char) < 32 and char != "\n" for char in rendered)
        if tree is not None:
            formatted, _ = format_source(source)
            assert formatted is not None
            assert read(formatted) == tree or "<" in source.text or ">" in source.text
            assert format_source(SourceText("test.mix", formatted))[0] == formatted
