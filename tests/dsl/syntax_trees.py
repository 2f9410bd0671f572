"""Random syntax trees: anything the grammar can say, with names that are keywords in other places."""

from hypothesis import strategies as st

from mixc.dsl.reading import UNSEEN
from mixc.dsl.syntax import (
    Aim,
    Attribute,
    Binary,
    Boolean,
    Call,
    Declaration,
    Import,
    Items,
    Limit,
    Map,
    Name,
    Negate,
    Number,
    Pair,
    Prefer,
    Range,
    RecipeFile,
    Reference,
    Relation,
    Require,
    Text,
)
from mixc.dsl.text import SourceText, Span

SPAN = Span(SourceText("", ""), 0, 0)
WORDS = st.sampled_from(["a", "no", "is", "fineweb2", "x-1", "maximized", "trueish", "_x", "epochs", "within2", "pl"])
CONTEXTUAL = st.sampled_from(["weight", "extends", "recipe", "import", "require", "override"])

words = WORDS.map(lambda text: Name(text, SPAN))
inner_words = (WORDS | CONTEXTUAL).map(lambda text: Name(text, SPAN))
seen = st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")).filter(lambda char: not UNSEEN.match(char))
texts = st.text(seen | st.sampled_from('\n\t"\\$#'), max_size=6).map(lambda value: Text(value, SPAN))
literals = st.from_regex(r"(0|[1-9][0-9]{0,2}(_000)?)(\.[0-9]{1,2})?(e[+-]?[0-9]{1,2})?[%KMBT]?", fullmatch=True)
units = st.sampled_from(["params", "tokens", "tokens/param", "FLOPs"]).map(lambda text: Name(text, SPAN))
numbers = st.builds(lambda literal, unit: Number(literal, unit, SPAN), literals, st.none() | units)
references = st.lists(words, min_size=1, max_size=3).map(lambda parts: Reference(tuple(parts), SPAN))
leaves = numbers | texts | st.booleans().map(lambda value: Boolean(value, SPAN)) | references


def _inner(values):
    several = st.lists(values, max_size=3).map(tuple)
    ranges = st.builds(lambda low, high: Range(low, high, SPAN), values, values)
    pairs = st.builds(lambda key, value: Pair(key, value, SPAN), inner_words | texts, values | ranges)
    return (
        st.builds(lambda function, arguments: Call(function, arguments, SPAN), references, several)
        | several.map(lambda items: Items(items, SPAN))
        | st.lists(pairs, max_size=3).map(lambda inner: Map(tuple(inner), SPAN))
        | values.map(lambda operand: Negate(operand, SPAN))
        | st.builds(lambda sign, a, b: Binary(sign, a, b, SPAN), st.sampled_from("+-*/"), values, values)
    )


expressions = st.recursive(leaves, _inner, max_leaves=5)
ranges = st.builds(lambda low, high: Range(low, high, SPAN), expressions, expressions)
relations = st.builds(
    lambda sign, value: Relation(sign, value, SPAN), st.sampled_from(["<=", ">=", "=="]), expressions
) | ranges.map(lambda value: Relation("within", value, SPAN))
rules = (
    st.builds(lambda left, relation: Require(left, relation, SPAN), expressions, relations)
    | st.builds(lambda a, b, w: Prefer(a, b, w, SPAN), expressions, relations, st.none() | expressions)
    | st.builds(lambda way, value: Aim(way, value, SPAN), st.sampled_from(["minimize", "maximize"]), expressions)
)
attributes = st.builds(lambda key, value: Attribute(key, value, SPAN), words, expressions | ranges)
limits = st.builds(lambda key, relation: Limit(key, relation, SPAN), words, relations)
definitions = st.builds(
    lambda kind, name, value, override: Declaration(kind, name, value, None, override, "", SPAN, SPAN),
    words,
    inner_words,
    expressions | ranges,
    st.booleans(),
)


def _blocks(items):
    name = st.none() | inner_words | texts | st.lists(expressions, max_size=3).map(lambda e: Items(tuple(e), SPAN))
    return st.builds(
        lambda kind, label, body, override: Declaration(kind, label, None, tuple(body), override, "", SPAN, SPAN),
        words,
        name,
        st.lists(items, max_size=4),
        st.booleans(),
    )


items = st.recursive(attributes | limits | rules | definitions, _blocks, max_leaves=4)
imports = st.builds(lambda name, path: Import(name, path, SPAN), inner_words, texts)
recipes = st.builds(
    lambda name, base, statements: RecipeFile(name, base, tuple(statements), "", SPAN),
    inner_words,
    st.none() | texts,
    st.lists(imports | items, max_size=5),
)
