"""Pieces of text that are no tokens: slips of the pen, and habits of other languages.

Each function looks at one place and says what it found: a diagnostic, where the piece ends, and the token type that
it stands for (`ERROR` when it stands for nothing).
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from mixc.dsl import errors
from mixc.dsl.diagnostics import Diagnostic
from mixc.dsl.text import SourceText, Span


class Slip(NamedTuple):
    """What is wrong with a piece of text, where it ends, and which token it stands for."""

    diagnostic: Diagnostic
    end: int
    type: str


# Signs of other languages, longest first, with what a recipe writes instead.
SIGNS = {
    "===": "write `==`",
    "...": "write `..` between the two ends of a range",
    "!=": "rules know `<=`, `>=`, `==` and `within a .. b`",
    "<>": "rules know `<=`, `>=`, `==` and `within a .. b`",
    "=<": "write `<=`",
    "=>": "write `>=`",
    "&&": "write one rule per condition",
    "||": "a recipe has no alternatives; state the weaker condition, or use `prefer`",
    ":=": "write `=`",
    "**": "a recipe has no powers; write the number out",
    "//": "comments begin with `#`",
    "/*": "comments begin with `#`",
}
SINGLE = {
    ";": "end the line, or write a comma",
    "&": "write one rule per condition",
    "|": "a recipe has no alternatives; state the weaker condition, or use `prefer`",
    "!": "rules know `<=`, `>=`, `==` and `within a .. b`",
    "^": "a recipe has no powers; write the number out",
    "%": "write `%` right behind the number, without a space: `30%`",
    "$": 'params are put into strings as `"${name}"`; elsewhere write the name alone',
    "@": "names are ASCII letters, digits, `_` and `-`; write other names in double quotes",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "rules know `<=`, `>=`, `==` and `within a .. b`",
    "−": "write the plain minus `-`",
    "–": "write the plain minus `-`, or `..` for a range",
    "—": "write the plain minus `-`",
    "×": "write `*`",
    "÷": "write `/`",
    "…": "write `..` between the two ends of a range",
    "，": "write the plain comma `,`",
    "：": "write the plain colon `:`",
    "\\": "a line continues after an operator or inside `( )`; nothing else is needed",
}
RUN = re.compile(r"(?:[eE][+-](?=[0-9])|[\w%]|\.(?!\.))+")
QUOTES = {"'": "'", "`": "`", "“": "”“", "„": "“”", "”": "”", "«": "»", "»": "«", "‘": "’", "’": "’"}
LONGEST = 60
UNITS = frozenset({"tokens", "params", "flops", "bytes", "words"})
ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
BACKSLASH = re.compile(r"\\([\s\S])")


def short(word: str) -> str:
    """A word as messages show it, cut in the middle when long."""
    return word if len(word) <= LONGEST else f"{word[: LONGEST // 2]}…{word[-LONGEST // 4 :]}"


def bad_sign(source: SourceText, start: int) -> Slip:
    """A sign, or a character, that no recipe uses."""
    text = source.text
    sign = next((s for s in SIGNS if text.startswith(s, start)), text[start])
    end = start + len(sign)
    help = SIGNS.get(sign) or SINGLE.get(sign, "")
    if sign.isalpha():
        end = start + len(re.match(r"\w+", text[start : start + 200]).group())  # type: ignore[union-attr]
        start -= len(re.search(r"[\w-]*\Z", text[max(start - 200, 0) : start]).group())  # type: ignore[union-attr]
        sign = text[start:end]
        help = "names are ASCII letters, digits, `_` and `-`; write other names in double quotes"
    elif sign.isspace() or not sign.isprintable():
        return _unseen(source, start)
    span = Span(source, start, end)
    return Slip(
        errors.character(f"`{short(sign)}` means nothing here", span, "not part of the language", help=help),
        end,
        "ERROR",
    )


def _unseen(source: SourceText, start: int) -> Slip:
    char = source.text[start]
    if char == "\r":
        name, help = "a carriage return", "end lines with LF or CRLF"
    else:
        name = f"{unicodedata.name(char, 'an unnamed character').lower()} (U+{ord(char):04X})"
        help = "write an ordinary space" if char.isspace() else "remove it"
    span = Span(source, start, start + 1)
    return Slip(errors.character(f"{name} means nothing here", span, "this character", help=help), start + 1, "ERROR")


def bad_string(source: SourceText, start: int) -> Slip:
    """A string that begins at `start` and is not closed, or that stands between other quotes than `"`."""
    text = source.text
    quote, line_end = text[start], text.find("\n", start)
    rest = text[start : line_end if line_end >= 0 else len(text)]
    closed = re.match(rf"{re.escape(quote)}([^\n]*?)[{QUOTES.get(quote, '')}]", rest) if quote != '"' else None
    if closed:
        end = start + closed.end()
        inner = closed[1].replace('"', '\\"')
        message, help = "strings stand between double quotes", f'write `"{short(inner)}"`'
        return Slip(errors.string(message, Span(source, start, end), "other quotes", help=help), end, "STRING")
    end = start + len(re.sub(r"[\s,)\]}]*(?:[ \t]#.*)?$", "", rest) or quote)
    message, help = "this string is not closed", 'end it with `"`: a string ends on its line'
    return Slip(errors.string(message, Span(source, start, end), "begins here", help=help), end, "STRING")


def bad_escape(source: SourceText, start: int, end: int) -> Diagnostic | None:
    """The first escape in the string at [start, end) that does not exist."""
    for match in BACKSLASH.finditer(source.text, start + 1, end - 1):
        if match[1] not in ESCAPES:
            span = Span(source, match.start(), match.end())
            return errors.string(
                f"`\\{match[1]}` is no escape",
                span,
                "not an escape",
                notes=(r"the escapes are `\"`, `\\`, `\n` and `\t`",),
                help=r"write a backslash as `\\`, or a path with `/`",
            )
    return None


def unescape(literal: str) -> str:
    """The value of a string token, quotes included in `literal`."""
    inner = literal[1:-1]
    return BACKSLASH.sub(lambda m: ESCAPES.get(m[1], m[0]), inner) if "\\" in inner else inner


def bad_number(source: SourceText, start: int, good_end: int) -> Slip | None:
    """A number at `start`, of which [start, good_end) reads well, that runs on into something else; or nothing."""
    text = source.text
    run = RUN.match(text, start)
    end = run.end() if run else good_end
    if end <= good_end:
        return None
    word = text[start:end]
    span = Span(source, start, end)
    message, label, help = _number_fault(word, text[start:good_end])
    return Slip(errors.number(message, span, label, help=help), end, "NUMBER")


def _number_fault(word: str, good: str) -> tuple[str, str, str]:
    """Message, label and help for a number written as `word`, whose beginning `good` reads well."""
    if len(word) > LONGEST:
        return (
            f"`{short(word)}` is not a number",
            "not a number",
            "a number begins with a digit; a unit follows after a space",
        )
    if word.startswith("."):
        return f"`{word}` begins with a dot", "no digit before the dot", f"write `0{word}`"
    if re.fullmatch(r"[0-9][0-9._]*[eE][+-]?", word):
        bare = word.rstrip("eE+-")
        return f"the exponent of `{word}` has no digits", "digits are missing", f"write `{bare}e9`, or `{bare}`"
    if unit := re.fullmatch(r"([0-9][0-9._]*(?:[eE][+-]?[0-9]+)?)([KMBTkmbt]?|%)([A-Za-z]*)", word):
        fault = _unit_fault(word, *unit.groups()) if _reads(unit[1]) else None
        if fault:
            return fault
    if re.fullmatch(r"[0-9]+(\.[0-9]+){2,}", word):
        return (
            f"`{word}` has two decimal points",
            "not one number",
            "write a range as `a .. b`, a version in double quotes",
        )
    if re.fullmatch(r"[0-9]+\.", word):
        return f"`{word}` ends in a dot", "no digit after the dot", f"write `{word}0` or `{word[:-1]}`"
    if "_" in word and _reads(re.sub(r"_+", "_", word).strip("_")):
        tidy = re.sub(r"_+", "_", word).strip("_")
        return f"`{word}` has an underscore too many", "`_` stands between two digits", f"write `{tidy}`"
    return f"`{word}` is not a number", "not a number", f"`{good}` would be one; a unit follows after a space"


def _unit_fault(word: str, digits: str, factor: str, name: str) -> tuple[str, str, str] | None:
    """What is wrong with a number that letters are glued to: a small multiplier, or a unit without a space."""
    if factor.islower() and (not name or name.lower() in UNITS):
        meant = f"{digits}{factor.upper()} {name}".strip()
        return f"`{word}` has a small `{factor}`", "not a multiplier", f"write `{meant}`"
    if factor.islower():
        factor, name = "", factor + name
    if name:
        meant = f"{digits}{factor} {name}"
        return f"`{word}` glues a unit to its number", "no space before the unit", f"write `{meant}`"
    return None


def _reads(word: str) -> bool:
    return re.fullmatch(r"[0-9]+(_[0-9]+)*(\.[0-9]+)?([eE][+-]?[0-9]+)?[%KMBT]?", word) is not None
