"""Slips that the words of a statement betray, whatever the automaton thinks of them.

Each function looks at a mistake and returns its diagnostic, or None when it is not of its kind.
"""

from __future__ import annotations

from mixc.dsl import errors
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.mistake import Mistake
from mixc.dsl.suggest import suggest
from mixc.dsl.text import Span

VERBS = ("require", "prefer", "minimize", "maximize")
OTHER_VERBS = {
    "ensure": "require",
    "assert": "require",
    "must": "require",
    "constraint": "require",
    "constrain": "require",
    "need": "require",
    "needs": "require",
    "demand": "require",
    "want": "prefer",
    "should": "prefer",
    "wish": "prefer",
    "soft": "prefer",
    "minimise": "minimize",
    "min": "minimize",
    "optimize": "minimize",
    "optimise": "minimize",
    "objective": "minimize",
    "maximise": "maximize",
    "max": "maximize",
}
RELATIONS = {
    "in": "within a .. b",
    "between": "within a .. b",
    "inside": "within a .. b",
    "from": "within a .. b",
    "is": "==",
    "equals": "==",
    "below": "<=",
    "under": "<=",
    "at": "`<=` or `>=",
    "above": ">=",
    "over": ">=",
}
OPERATORS = ("PLUS", "MINUS", "TIMES", "OVER", "RELATION", "RANGE", "WITHIN")
OPERANDS = ("NAME", "STRING", "NUMBER", "LPAR")


def spot(mistake: Mistake) -> Diagnostic | None:
    """The first slip that is recognised."""
    return next((made for look in LOOKS if (made := look(mistake))), None)


def _repeated_header(mistake: Mistake) -> Diagnostic | None:
    if mistake.kinds(1) != ["RECIPE"]:
        return None
    place = mistake.span(mistake.start)
    return errors.header("a file names one recipe", place, "a second header", help="put each recipe into its own file")


def _inner_import(mistake: Mistake) -> Diagnostic | None:
    if mistake.kinds(1) != ["IMPORT"] or mistake.at != mistake.start:
        return None
    message, help = "an import stands inside a block", "move it out of the block, below the first line"
    return errors.unexpected(message, mistake.found, "not expected here", help=help)


def _import_as(mistake: Mistake) -> Diagnostic | None:
    if mistake.kinds(1) != ["IMPORT"]:
        return None
    tokens = mistake.lexed.tokens
    end = next(i for i in range(mistake.at, len(tokens)) if tokens[i].type in ("_NEWLINE", "COMMA", "RBRACE", "$END"))
    line = {mistake.text(i): i for i in range(mistake.start + 1, end)}
    sign = next((word for word in ("as", "from") if word in line), None)
    if sign is None:
        return None
    file = next((word for word in line if word.startswith('"')), '"file.mix"')
    name = next((word for word in line if word[0].isalpha() and word not in ("as", "from")), "name")
    message, help = f"an import is written with `=`, not `{sign}`", f"write `import {name} = {file}`"
    return errors.unexpected(message, mistake.span(line[sign]), "not expected here", help=help)


def _thousands(mistake: Mistake) -> Diagnostic | None:
    """`1,000`: the comma ends the statement, and the rest begins one with a number."""
    tokens, at = mistake.lexed.tokens, mistake.at
    if at < 2 or [t.type for t in tokens[at - 2 : at + 1]] != ["NUMBER", "COMMA", "NUMBER"]:
        return None
    if tokens[at - 2].end != tokens[at - 1].start or tokens[at - 1].end != tokens[at].start:
        return None
    whole = mistake.span(at - 2).to(mistake.span(at))
    help = f"write `{whole.text.replace(',', '_')}`: a comma separates"
    return errors.number(f"`{whole.text}` has a comma", whole, "two numbers, not one", help=help)


def _key_as_unit(mistake: Mistake) -> Diagnostic | None:
    """`seed = 17 tokens = 3B`: the key behind a number reads as its unit."""
    at, is_rule = mistake.at, mistake.kinds(1)[0] in ("REQUIRE", "PREFER")
    if mistake.lexed.tokens[at - 1].type != "UNIT" or mistake.kind not in ("EQUAL", "COLON", "RELATION", "LPAR"):
        return None
    if is_rule and mistake.kind == "RELATION":
        return None
    key, number = mistake.text(at - 1), mistake.text(at - 2)
    help = f"write a comma or a new line between `{number}` and `{key}`"
    return errors.unexpected(f"`{key}` reads as the unit of `{number}`", mistake.span(at - 1), "a unit here", help=help)


def _other_verb(mistake: Mistake) -> Diagnostic | None:
    kinds, word = mistake.kinds(2), mistake.text(mistake.start)
    if kinds[0] != "NAME" or len(kinds) < 2 or kinds[1] not in OPERANDS or mistake.at == mistake.start:
        return None
    verb = suggest(word, VERBS, OTHER_VERBS)
    if verb is None or mistake.kind == "LBRACE":
        return None
    place = mistake.span(mistake.start)
    return errors.unexpected(f"`{word}` is no verb of this language", place, "not a verb", help=f"write `{verb}`")


def _other_relation(mistake: Mistake) -> Diagnostic | None:
    sign = RELATIONS.get(mistake.text(mistake.at))
    if sign is None or mistake.kind != "NAME" or "WITHIN" not in mistake.automaton.fitting():
        return None
    word = mistake.text(mistake.at)
    return errors.unexpected(f"`{word}` compares nothing", mistake.found, "not a comparison", help=f"write `{sign}`")


def _split_line(mistake: Mistake) -> Diagnostic | None:
    """An operator at the end of a line took the next line for its value."""
    joins = [i for i in mistake.lexed.joined if mistake.start < i <= mistake.at and mistake.text(i - 1) != "("]
    last = max(joins, default=0)
    if not last or mistake.bracket or mistake.kind not in ("EQUAL", "RELATION", "LBRACE", "NAME", "STRING", "LPAR"):
        return None
    sign, end = mistake.text(last - 1), mistake.lexed.tokens[last - 1].end
    if sign[-1] not in "+-*/<>=.":
        return None
    place = Span(mistake.lexed.source, end, end)
    help = f"write it behind `{sign}`, or take `{sign}` away: a line goes on after an operator"
    return errors.unexpected(f"nothing stands after `{sign}`", place, "a value is missing", help=help)


def _lone_block(mistake: Mistake) -> Diagnostic | None:
    """`source web` and, on the next line, its `{`."""
    tokens, at = mistake.lexed.tokens, mistake.at
    if mistake.kind != "_NEWLINE" or tokens[at + 1].type != "LBRACE":
        return None
    message = f"`{{` stands on another line than `{mistake.line}`"
    return errors.unexpected(message, mistake.span(at + 1), "too late", help=f"write `{mistake.line} {{` on one line")


def _leading_operator(mistake: Mistake) -> Diagnostic | None:
    """A line that begins with the operator that should end the line above."""
    tokens, at = mistake.lexed.tokens, mistake.at
    at += mistake.kind == "_NEWLINE"
    if at == 0 or tokens[at].type not in OPERATORS or tokens[at - 1].type != "_NEWLINE":
        return None
    message, help = "a line goes on after an operator, not before it", "end the line above with it"
    return errors.unexpected(message, mistake.span(at), "begins the line", help=f"{help}: `… {mistake.text(at)}`")


def _no_word(mistake: Mistake) -> Diagnostic | None:
    if mistake.at != mistake.start or mistake.kind == "STRING":
        return None
    message, help = (
        f"a statement begins with `{mistake.text(mistake.at)}`",
        "with a key, or with a verb such as `require`",
    )
    return errors.unexpected(message, mistake.found, "not a word", help=f"begin with a kind such as `source`, {help}")


def _two_words(mistake: Mistake) -> Diagnostic | None:
    """`assume rated` in a block lacks its `=`; `source web` at the top lacks its block."""
    kinds = mistake.kinds(2)
    if mistake.at != mistake.start + 2 or kinds[0] != "NAME" or kinds[1] not in ("NAME", "STRING"):
        return None
    if mistake.kind not in ("_NEWLINE", "COMMA", "RBRACE", "$END"):
        return None
    first, second = mistake.text(mistake.start), mistake.text(mistake.start + 1)
    if mistake.in_block:
        place, help = mistake.span(mistake.start + 1), f"write `{first} = {second}`"
        return errors.unexpected(f"`=` is missing after `{first}`", place, "a value without `=`", help=help)
    value = f", or `{first} {second} = value`" if kinds[1] == "NAME" else ""
    help = f"write `{first} {second} {{ … }}`{value}"
    return errors.unexpected(f"`{first} {second}` has no block", mistake.behind, "a block is missing", help=help)


LOOKS = (
    _repeated_header,
    _inner_import,
    _import_as,
    _thousands,
    _key_as_unit,
    _other_verb,
    _other_relation,
    _split_line,
    _lone_block,
    _leading_operator,
    _no_word,
    _two_words,
)
