"""The text of a new recipe: commented, in the one formatting, checked before anybody sees it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from mixc.compiler.front.kinds import RESERVED, STRATEGIES
from mixc.compiler.front.load import from_text
from mixc.compiler.front.passes import load_recipe
from mixc.compiler.starter.size import Size
from mixc.compiler.supply.languages import canonical
from mixc.dsl.diagnostics import Diagnostic, has_errors
from mixc.dsl.formatter import format_source
from mixc.dsl.parser import parse
from mixc.dsl.text import SourceText
from mixc.dsl.wording import plain

WIDTH = 100
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*")
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]+")
# The description that the manifest repeats: nothing that a change of the recipe makes untrue.
HEAD = "A pretraining mixture, begun with `mixc new`. Say here what it is for: its manifest repeats this."
EDIT = "Every line is yours to change."
ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


def comment(*sentences: str) -> str:
    """Sentences as lines of a comment."""
    text = " ".join(plain(one, 2000) for one in sentences if one)
    lines = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)


def quoted(text: str) -> str:
    """A string that means this text; `${` in it would be a param."""
    return '"' + "".join(ESCAPED.get(char, char) for char in text) + '"'


def can_hold(text: str) -> str:
    """Why a recipe cannot hold this text as a string; nothing where it can."""
    if "${" in text:
        return "`${` begins a param there"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "it is not UTF-8"
    tree, _ = parse(SourceText("", f"recipe a\nsource b {{ path = {quoted(text)} }}\n"))
    return "" if tree is not None else "it holds characters that cannot be seen"


def name_from(text: str, otherwise: str, taken: Iterable[str] = ()) -> str:
    """A name made of a text: a letter or `_`, then letters, digits, `_`; none that is taken or means something else."""
    made = NOT_IN_NAMES.sub("_", text).strip("_")
    made = f"{otherwise}_{made}" if made[:1].isdigit() else made or otherwise
    used = {*RESERVED, *STRATEGIES, *taken}
    if made in used or canonical(made) is not None:
        made = f"{made}_{otherwise}" if otherwise not in made else f"{made}_1"
    number = 2
    while made in used:
        made, number = f"{made.rstrip('0123456789')}{number}", number + 1
    return made


def recipe_name(stem: str) -> str:
    """The name of the recipe in a file with this stem: the stem itself where that is a name."""
    return stem if NAME.fullmatch(stem) else name_from(stem, "mixture")


def budget_block(size: Size, remark: str) -> str:
    """The budget, with a word on the part that follows."""
    third = next(part for part in ("model", "tokens", "compute") if part not in dict(size.stated))
    said = f"Two of model, tokens and compute fix the third, here {third}: compute = 6 * model * tokens."
    lines = "".join(f"{part} = {text}\n" for part, text in size.stated)
    return f"{comment(remark, said)}budget {{\n{lines}seed = 0  # decides which documents are drawn\n}}\n"


def languages_block(codes: Sequence[str], remark: str) -> str:
    """Declared languages; those that stand here are the mixture."""
    listed = ", ".join(codes)
    lines = textwrap.wrap(f"languages [{listed}] {{ priority = 1.0 }}", WIDTH, break_on_hyphens=False)
    return comment(remark) + "\n".join(lines) + "\n"


def rules_block(codes: Sequence[str]) -> str:
    """Rules to take the `#` from; an objective."""
    first = codes[0] if codes else "en"
    shown = [f"# require share({first}) >= 30%"]
    if len(codes) != 1:
        shown.append("# require share(each(language)) >= 1%")
        shown.append(f"# prefer share({codes[1] if len(codes) > 1 else 'de'}) >= 20% weight 0.05")
    words = "Rules hold shares where you want them. Without any, each language gets what lowers the loss most."
    more = "`mixc explain rules` tells what else a rule can say; take away the `#` of a line that you want."
    lines = "\n".join(shown)
    return f"{comment(words, more)}#\n{lines}\n\nminimize loss\n"


def finished(text: str, path: Path) -> tuple[str, list[Diagnostic]]:
    """The text in the one formatting, with the warnings that checking it gives.

    Raises AssertionError where it is no recipe: what is written here is wrong then, not what was asked for.
    """
    source = SourceText(path.as_posix(), text)
    formatted, found = format_source(source)
    assert formatted is not None, [one.message for one in found]
    source = SourceText(path.as_posix(), formatted)
    _, found = load_recipe(path, reader=lambda path, shown: from_text(source))
    assert not has_errors(found), [one.message for one in found]
    return formatted, found
