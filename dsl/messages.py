"""What to say about a token that does not fit: the slip that its words betray, a hand-written sentence, what would fit.

Sentences are found by where the automaton stopped. The keys are computed from the sentences' examples when the first
mistake is met, so a recipe without mistakes pays nothing for them.
"""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

from mixc.dsl import errors
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.lexer import lex
from mixc.dsl.mistake import Mistake
from mixc.dsl.recovery import SEPARATORS, find_mistakes
from mixc.dsl.sentence import Sentence
from mixc.dsl.sentences import SENTENCES
from mixc.dsl.spotted import spot
from mixc.dsl.table import load_table
from mixc.dsl.text import SourceText

Key: TypeAlias = tuple[int, str, str, bool]
"""The automaton's state, the token that it refused, the bracket around it, and whether the statement is a rule."""

ENDINGS = ("{}\n", "{}, x = 1\n", "{}", "b {{ {} }}\n")
VALUE = frozenset({"NAME", "NUMBER", "STRING", "TRUE", "FALSE", "LPAR", "LSQB", "LBRACE", "MINUS"})
RULES = frozenset({"REQUIRE", "PREFER", "MINIMIZE", "MAXIMIZE"})
OPERATORS = frozenset({"PLUS", "MINUS", "TIMES", "OVER"})
STATEMENTS = frozenset({"NAME", "OVERRIDE", "REQUIRE", "PREFER", "MINIMIZE", "MAXIMIZE"})
ENDS = frozenset({"_NEWLINE", "$END"})
WORDS = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a string",
    "UNIT": "a unit",
    "RELATION": "`<=`, `>=` or `==`",
}


def explain(mistake: Mistake) -> Diagnostic:
    """The diagnostic of a mistake."""
    if made := spot(mistake):
        return made
    state, kind, bracket, rule = key_of(mistake)
    known = sentences()
    sentence = known.get((state, kind, bracket, rule)) or known.get((state, kind, bracket, not rule))
    if sentence is None:
        return _expected(mistake)
    place = mistake.behind if sentence.behind else mistake.found
    return errors.unexpected(
        mistake.fill(sentence.message), place, mistake.fill(sentence.label), help=mistake.fill(sentence.help)
    )


@cache
def sentences() -> dict[Key, Sentence]:
    """Every sentence under its keys."""
    return {key: sentence for sentence in SENTENCES for example in examples_of(sentence) for key in keys_of(example)}


def examples_of(sentence: Sentence) -> list[str]:
    """The examples of a sentence, one by one."""
    return sentence.examples.split("; ")


def keys_of(example: str) -> list[Key]:
    """The keys that an example stands for; the empty list when it is no mistake."""
    endings = [shape.format(example.removesuffix("~")) for shape in ENDINGS] if example.endswith("~") else [example]
    shapes = ["recipe r\n{}", "recipe r\nx {{ y = 1\n{}\n}}"]
    if example.startswith("import"):  # stands at the top only
        endings, shapes = endings[:3], shapes[:1]
    if not example[0].isalpha():  # goes wrong at once, in a state that what came before decides
        shapes += ["recipe r\nx {{ {}\n}}", "recipe r\nx {{ y = 1, {}\n}}", "recipe r\ny = 1, {}"]
    found = list[Key]()
    for text in endings:
        for shape in shapes:
            _, mistakes = find_mistakes(lex(SourceText("", shape.format(text))))
            found.extend(key_of(mistake) for mistake in mistakes[:1])
    return found


def key_of(mistake: Mistake) -> Key:
    """The key of a mistake."""
    return mistake.automaton.states[-1], mistake.kind, mistake.bracket, mistake.kinds(1)[0] in RULES


def _expected(mistake: Mistake) -> Diagnostic:
    """What would have fitted: what is left to say where no sentence was written."""
    fitting, found = set(mistake.automaton.fitting()), mistake.text(mistake.at)
    shown = found if mistake.kind in ENDS else f"`{found}`"
    if fitting >= VALUE and mistake.kind not in VALUE:
        before = mistake.text(mistake.at - 1)
        message, place = f"a value is missing after `{before}`", mistake.behind
        return errors.unexpected(message, place, "a value is missing", help=f"write what `{before}` applies to")
    if fitting & SEPARATORS and mistake.kind in VALUE:
        if mistake.bracket:
            message, help = f"a comma is missing before {shown}", "write a comma between the two"
            return errors.unexpected(message, mistake.found, "begins another item", help=help)
        message = f"{shown} stands behind the end of the statement"
        help = "begin another statement on its own line, or behind a comma"
        return errors.unexpected(message, mistake.found, "not expected here", help=help)
    message = f"expected {_listed(fitting, mistake.bracket)}, found {shown}"
    return errors.unexpected(message, mistake.found, "not expected here")


def _listed(fitting: set[str], bracket: str) -> str:
    """Types of tokens in words: `a value`, `an operator or the end of the line`."""
    words: list[str] = []
    for group, word in ((VALUE, "a value"), (STATEMENTS, "a statement"), (OPERATORS, "an operator")):
        if group <= fitting:
            words.append(word)
            fitting -= group
    if fitting & SEPARATORS:
        words.append("a comma" if bracket else "the end of the line")
        fitting -= SEPARATORS
    literals = {kind: text for text, kind in load_table().literals.items()}
    words += [WORDS.get(kind) or f"`{literals[kind]}`" for kind in sorted(fitting - {"$END", "IMPORT"})]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}" if words else "nothing more"
