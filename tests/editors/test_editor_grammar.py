"""The TextMate grammar, run by the editor's own engine, colours what mixc's parser reads.

`scopes.txt` shows a handful of lines for people; `MIXC_UPDATE_GOLDEN=1` writes it anew.
"""

from __future__ import annotations

import json
import random
import re
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mixc.compiler.front.kinds import KINDS, LAW_KINDS
from mixc.compiler.front.shapes import Either, Invoke, Key, Struct
from mixc.compiler.front.terms import FUNCTIONS, WITHOUT_ARGUMENTS
from mixc.compiler.front.units import UNITS
from tests.dsl.cases import check_golden
from tests.dsl.syntax_trees import recipes
from tests.editors.conftest import EXTENSION, HERE, ROOT, Node
from tests.editors.roles import BROKEN, RECIPES, pieces
from tests.fuzz.trees import mutate_tree, printed, read

GRAMMAR = EXTENSION / "syntaxes" / "mix.tmLanguage.json"
SCOPES = {
    "arithmetic": "keyword.operator.arithmetic",
    "comment": "comment.line",
    "declared": "entity.name.type",
    "equal": "keyword.operator.assignment",
    "function": "support.function",
    "key": "support.type.property-name",
    "keyword": "keyword",
    "kind": "storage.type.kind",
    "mark": "punctuation",
    "name": "variable.other",
    "namespace": "entity.name.namespace",
    "number": "constant.numeric",
    "override": "storage.modifier",
    "range": "keyword.operator.range",
    "recipe": "entity.name.section",
    "relation": "keyword.operator.comparison",
    "string": "string.quoted.double",
    "truth": "constant.language.boolean",
    "unit": "keyword.other.unit",
    "verb": "keyword.control.rule",
    "within": "keyword.operator.comparison.within",
}
GOLDEN_LINES = (
    'recipe b extends "a.mix"  # a comment',
    'import math = "shared/math.mix"',
    "override source web { epochs <= 4 }",
    'domain "Arts & Ent" { weights = { edu-score: 30%, fluency: 0.7 } }',
    r'source docs { path = "${root}/a\n\q", columns = { tokens: tokenizer("gpt2") } }',
    "phase anneal { budget = (100% - cooldown) * budget.tokens }",
    "rater edu { range = 0 .. 5, better = lower }",
    "budget { model = 1.2B params, ratio >= 20 tokens/param }",
    "require share(web, de) + 2 * loss <= 101% * natural.loss(de)",
    "prefer share(slavic) within 6% .. 20% weight 0.05",
    "sorce web { eos = true }",
)


def scoped(node: Node, texts: dict[str, str]) -> dict[str, list[tuple[int, int, list[str]]]]:
    """The tokens of each text, with places in code points and without the scope that all have."""
    found = node("tokenize.cjs", GRAMMAR, given=texts)
    return {name: list(_placed(texts[name], tokens)) for name, tokens in found.items()}


def _placed(text: str, tokens: list[Any]) -> Iterator[tuple[int, int, list[str]]]:
    units = list(accumulate((1 + (char > "\uffff") for char in text), initial=0))
    for start, end, (_, *scopes) in tokens:
        yield bisect(units, start) - 1, bisect(units, end) - 1, scopes


def wrong(text: str, tokens: list[tuple[int, int, list[str]]]) -> list[str]:
    """Where the grammar disagrees with mixc's parser on a recipe that parses."""
    scopes: list[list[str]] = [[] for _ in text]
    for start, end, names in tokens:
        scopes[start:end] = [names] * (end - start)
    out = [f"invalid: {text[start:end]!r}" for start, end, names in tokens if "invalid" in " ".join(names)]
    for piece in pieces(text):
        wanted = _wanted(piece.role, piece.kind, text[piece.start : piece.end])
        for place in range(piece.start, piece.end):
            if wanted and not any(name.startswith(wanted) for name in scopes[place]):
                line = text[text.rfind("\n", 0, place) + 1 :].split("\n")[0]
                out.append(f"{text[piece.start : piece.end]!r} is no {piece.role} but {scopes[place]} in {line!r}")
                break
    return out


def _wanted(role: str, kind: str, word: str) -> tuple[str, ...]:
    """What one of the scopes begins with. What the language does not know is coloured as no word of it."""
    if role == "function" and word not in callables():
        return ("entity.name.function",)
    if role == "unit" and not set(word.split("/")) <= set(UNITS):
        return ("variable.other",)
    if role in ("kind", "declared") and kind not in KINDS:
        return ()
    if role == "name":  # a function without arguments, `none` and `all` are names to the parser
        return ("variable.other", "support.function", "constant.language")
    return (SCOPES[role],)


def callables() -> set[str]:
    """Everything that is written with parentheses: functions, selectors, and the calls that keys take."""
    calls = {shape.function for key in keys() for shape in _within(key.shape) if isinstance(shape, Invoke)}
    return {*FUNCTIONS, "best", "each", *calls}


def keys() -> Iterator[Key]:
    for kind in (*KINDS.values(), *LAW_KINDS.values()):
        for key in kind.keys:
            yield key
            for shape in _within(key.shape):
                yield from shape.fields if isinstance(shape, Struct) else ()


def _within(shape: object) -> Iterator[object]:
    yield shape
    for inner in shape.shapes if isinstance(shape, Either) else ():
        yield from _within(inner)
    for field in shape.fields if isinstance(shape, Struct) else ():
        yield from _within(field.shape)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_recipes_are_coloured_as_they_are_parsed(node: Node) -> None:
    texts = {named(path): path.read_text(encoding="utf-8") for path in RECIPES}
    texts |= {f"{name}, CRLF": text.replace("\n", "\r\n") for name, text in texts.items()}
    found = {name: wrong(texts[name], tokens) for name, tokens in scoped(node, texts).items()}
    assert {name: faults for name, faults in found.items() if faults} == {} and set(found) == set(texts)


def test_mutated_recipes_are_coloured_as_they_are_parsed(node: Node) -> None:
    trees = tuple(read(path.read_text(encoding="utf-8")) for path in RECIPES)
    texts = {str(seed): mutate_tree(random.Random(seed), trees) for seed in range(200)}
    assert [fault for seed, tokens in scoped(node, texts).items() for fault in wrong(texts[seed], tokens)] == []


# Each example starts a process: no shrinking, and the same ones every time.
@settings(max_examples=5, deadline=None, derandomize=True, phases=(Phase.generate,))
@given(trees=st.lists(recipes, min_size=20, max_size=40))
def test_whatever_the_grammar_can_say_is_coloured_as_it_is_parsed(node: Node, trees: list[Any]) -> None:
    texts = {str(index): printed(tree) for index, tree in enumerate(trees)}
    assert [fault for name, tokens in scoped(node, texts).items() for fault in wrong(texts[name], tokens)] == []


def test_broken_recipes_are_coloured_to_the_end(node: Node) -> None:
    texts = {named(path): path.read_text(encoding="utf-8", errors="replace") for path in BROKEN}
    for name, tokens in scoped(node, texts).items():
        ends = [(text[0], text[1]) for text in tokens]
        covered = "".join(texts[name][start:end] for start, end in ends)
        assert covered == re.sub(r"\r?\n", "", texts[name]), name


def test_a_mistake_does_not_reach_the_next_statement(node: Node) -> None:
    mistakes = ('path = "open', "require share(a) <=", "prefer", "x = @ ; ]", "epochs <=", "source { a = }", "5tokens")
    texts = {mistake: f"recipe a\n{mistake}\n\nlanguage en {{ priority = 2 }}\n" for mistake in mistakes}
    for mistake, tokens in scoped(node, texts).items():
        start = texts[mistake].index("language en")
        found = {texts[mistake][a:b]: scopes for a, b, scopes in tokens if a >= start}
        assert found["language"][-1].startswith("storage.type.kind"), mistake
        assert found["priority"][-1].startswith("support.type.property-name"), mistake


def test_every_kind_key_function_and_unit_is_coloured_where_it_stands(node: Node) -> None:
    texts: dict[str, tuple[str, str]] = {}
    for kind in KINDS:
        texts |= {
            f"{head}{kind}{rest}": (kind, "storage.type.kind")
            for head in ("", "override ")
            for rest in (" {", " x {", ' "x" {', " [x] {", " x = 1")
        }
    for key in keys():
        signs = [*["="] * (key.limit != "only"), *["<=", ">=", "==", "within"] * (key.limit != "no")]
        texts |= {f"source x {{ {key.name} {sign} 1": (key.name, "support.type.property-name") for sign in signs}
        texts[f"loss = {{ {key.name}: 1"] = key.name, "support.type.property-name"
    texts |= {f"require {name}(x) <= 1": (name, "support.function") for name in callables()}
    texts |= {f"require {name} <= 1": (name, "support.function") for name in WITHOUT_ARGUMENTS}
    texts |= {f"supply = 1.5B {unit}": (unit, "keyword.other.unit") for unit in UNITS}
    texts |= {f"ratio >= 2 {a}/{b}": (f"{a}/{b}", "keyword.other.unit") for a in UNITS for b in UNITS}
    found = scoped(node, {text: text for text in texts})
    for text, (word, scope) in texts.items():
        words = [scopes[-1] for start, end, scopes in found[text] if text[start:end] == word]
        assert words and words[0].startswith(scope), text


def test_the_grammar_lists_no_word_that_the_language_does_not_have() -> None:
    repository = json.loads(GRAMMAR.read_text(encoding="utf-8"))["repository"]

    def words(pattern: str) -> set[str]:
        return set(re.findall(r"^\(([a-z|]+)\)", pattern)[0].split("|"))

    assert all(words(pattern["match"]) == set(KINDS) for pattern in repository["declaration"]["patterns"])
    assert words(repository["function"]["patterns"][0]["match"]) == callables()
    bare = next(one for one in repository["rule"]["patterns"] if one.get("name") == "support.function.mix")
    assert words(bare["match"]) == set(WITHOUT_ARGUMENTS)
    units = re.findall(r"\(\?:([A-Za-z?|]+)\)", repository["number"]["match"])
    assert all({unit for word in one.split("|") for unit in (word[:-1], word[:-2])} == set(UNITS) for one in units[:1])


def test_golden_scopes(node: Node) -> None:
    found = scoped(node, {line: line for line in GOLDEN_LINES})
    parts = []
    for line in GOLDEN_LINES:
        rows = [(line[start:end].strip(), scopes) for start, end, scopes in found[line] if line[start:end].strip()]
        shown = [
            f"  {word:<12} {' '.join(name.removesuffix('.mix') for name in scopes)}".rstrip() for word, scopes in rows
        ]
        parts.append("\n".join([line, *shown]))
    check_golden(HERE / "scopes.txt", "\n\n".join(parts) + "\n")


@pytest.mark.parametrize("path", RECIPES, ids=named)
def test_fixtures_have_a_role_for_every_word(path: Path) -> None:
    assert "?" not in {piece.role for piece in pieces(path.read_text(encoding="utf-8"))}
