"""The first line: what is wrong with it, and how to read on below it."""

from __future__ import annotations

from mixc.dsl import errors
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.driver import Recogniser
from mixc.dsl.lexer import Lexed
from mixc.dsl.slips import short
from mixc.dsl.suggest import suggest
from mixc.dsl.text import Span

SHAPE = 'write `recipe name`, or `recipe name extends "base.mix"`'


def read_header(lexed: Lexed) -> tuple[list[Diagnostic], int, Recogniser]:
    """What is wrong with the header, the index of the first token after it, and the automaton there.

    A header that is missing or broken is taken for a good one, so that the statements below it are checked too.
    """
    tokens = lexed.tokens
    first = next(i for i, token in enumerate(tokens) if token.type not in ("_NEWLINE", "COMMA"))
    end = next(i for i in range(first, len(tokens)) if tokens[i].type in ("_NEWLINE", "COMMA", "$END"))
    automaton = Recogniser()
    if all(automaton.feed(tokens[i].type) for i in range(first, end)) and automaton.copy().feed(tokens[end].type):
        return [], end, automaton
    reported = not lexed.bad.isdisjoint(range(first, end))
    fault, after = (None, end) if reported else _fault(lexed, first, end)
    automaton = Recogniser()
    for kind in ("RECIPE", "NAME") if after == end else ("RECIPE", "NAME", "_NEWLINE"):
        automaton.feed(kind)
    return [fault] if fault else [], after, automaton


def _fault(lexed: Lexed, first: int, end: int) -> tuple[Diagnostic, int]:
    """What is wrong with the line of tokens [first, end), and the index where reading goes on."""
    kind, word = lexed.tokens[first].type, short(lexed.text(first))
    here = Span(lexed.source, lexed.tokens[first].start, lexed.tokens[first].end)
    if kind == "$END":
        start = Span(lexed.source, 0, 0)
        held = "holds only comments" if lexed.comments else "is empty"
        return errors.header(f"the file {held}", start, "a recipe begins here", help=SHAPE), first
    if kind == "RECIPE":
        return _bad_line(lexed, first, end), end
    follows = lexed.tokens[first + 1].type
    means_recipe = word.lower() in ("recipe", "mix", "mixture") or suggest(word, ["recipe"])
    if kind == "NAME" and means_recipe and follows in ("NAME", "STRING", "_NEWLINE", "$END"):
        made = errors.header(f"a recipe begins with `recipe`, not `{word}`", here, "not `recipe`", help=SHAPE)
        return made, end
    return _missing(lexed, first, here), first


def _missing(lexed: Lexed, first: int, here: Span) -> Diagnostic:
    tokens = lexed.tokens
    below = [
        i for i in range(first + 1, len(tokens)) if tokens[i].type == "RECIPE" and tokens[i - 1].type == "_NEWLINE"
    ]
    if not below:
        message = "the first line does not name the recipe"
        return errors.header(message, here, "`recipe` is missing before this", help=f"{SHAPE} above it")
    line, _ = lexed.source.position(tokens[below[0]].start)
    lexed.bad.add(below[0])
    message = "`recipe` stands below other statements"
    return errors.header(message, here, "stands before `recipe`", help=f"move line {line} to the top")


def _bad_line(lexed: Lexed, first: int, end: int) -> Diagnostic:
    """A line that begins with `recipe` but goes wrong after it."""
    tokens, source = lexed.tokens, lexed.source
    line = [
        (tokens[i].type, short(lexed.text(i)), Span(source, tokens[i].start, tokens[i].end)) for i in range(first, end)
    ]
    if len(line) == 1:
        place = Span(source, tokens[first].end, tokens[first].end)
        return errors.header("`recipe` needs a name", place, "the name is missing", help=SHAPE)
    kind, text, span = line[1]
    if kind == "STRING":
        bare = "-".join(text.strip('"').split()) or "name"
        return errors.header("a recipe's name stands without quotes", span, "in quotes", help=f"write `recipe {bare}`")
    if kind in ("EQUAL", "COLON"):
        return errors.header("`recipe` is followed by its name alone", span, "not needed", help=SHAPE)
    if not text[0].isalpha() and kind != "NAME":
        return errors.header(f"`{text}` is not a name", span, "names begin with a letter", help=SHAPE)
    return _bad_tail(lexed, line, end)


def _bad_tail(lexed: Lexed, line: list[tuple[str, str, Span]], end: int) -> Diagnostic:
    """`recipe name` followed by something that is no `extends "file"`."""
    if len(line) == 2:
        place = Span(lexed.source, lexed.tokens[end].start, lexed.tokens[end].end)
        return errors.header("`recipe` is followed by its name alone", place, "not expected here", help=SHAPE)
    kind, text, span = line[2]
    if kind == "EXTENDS":
        if len(line) == 3:
            place = Span(lexed.source, span.end, span.end)
            return errors.header(
                "`extends` needs a file", place, "the file is missing", help='write `extends "base.mix"`'
            )
        if line[3][0] != "STRING":
            written = line[3][2].to(line[-1][2])
            help = f'write `extends "{written.text}"`'
            return errors.header(
                "the file after `extends` stands in double quotes", written, "not in quotes", help=help
            )
        return errors.header(
            "the line goes on after the header", line[4][2], "not expected here", help="begin a new line"
        )
    if kind == "STRING" or text in ("extend", "from", "inherits", "includes", "amends"):
        tail = text if kind == "STRING" else line[3][1] if len(line) > 3 else '"base.mix"'
        help = f"write `recipe {line[1][1]} extends {tail}`"
        return errors.header("a recipe builds on another with `extends`", span, "`extends` expected here", help=help)
    if kind == "NAME":
        joined = "-".join(word for _, word, _ in line[1:] if word[0].isalpha())
        return errors.header("a recipe's name is one word", span, "a second word", help=f"write `recipe {joined}`")
    return errors.header("the line goes on after the header", span, "not expected here", help="begin a new line")
