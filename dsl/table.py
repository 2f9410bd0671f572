"""The LALR(1) table of `mix.lark`, as plain data.

Lark checks the grammar and computes the table; mixc drives it (`driver.py`). The table is kept beside the grammar as
`table.json`, so reading a recipe neither imports lark (45 ms) nor builds anything (0.2 s). The file names the grammar
it was made from by a hash; where they differ, a table is built on the spot.

`python -m mixc.dsl.table` writes `table.json` anew.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark

GRAMMAR = Path(__file__).with_name("mix.lark")
STORED = Path(__file__).with_name("table.json")
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Production:
    """One alternative of a rule: `size` symbols become one value.

    `keep` lists the symbols that reach `action` as (index, splice): punctuation is left out, and the value of a rule
    whose name begins with `_` is a list that is spliced in. `expand` hands a single child on as it is.
    """

    origin: str
    action: str
    size: int
    keep: tuple[tuple[int, bool], ...]
    expand: bool

    @property
    def inline(self) -> bool:
        """Whether the value is a list for the parent to splice in."""
        return self.origin.startswith("_")


@dataclass(frozen=True, slots=True)
class Table:
    """`rows[state][symbol]` is the next state, or `~p` (negative) to reduce by production p.

    `patterns` are the terminals that are regular expressions, `literals` maps fixed text to its terminals.
    """

    rows: tuple[dict[str, int], ...]
    productions: tuple[Production, ...]
    start: int
    end: int
    patterns: dict[str, str]
    literals: dict[str, str]


def make_lark(grammar: str, *, strict: bool = False) -> Lark:
    """The grammar as lark reads it; `strict` refuses conflicts and colliding terminals (needs interegular)."""
    from lark import Lark  # imported here: 45 ms that a stored table saves

    return Lark(grammar, parser="lalr", strict=strict, maybe_placeholders=False)


def build_table(grammar: str) -> dict[str, Any]:
    """The table of a grammar as JSON data. States are numbered by a walk from the start, so equal grammars agree."""
    lark = make_lark(grammar)
    lalr = lark.parser.parser._parse_table
    rules = sorted(
        {arg for row in lalr.states.values() for _, arg in row.values() if not isinstance(arg, int)}, key=str
    )
    numbers = {lalr.start_states["start"]: 0}
    queue = list(numbers)
    for state in queue:
        for symbol in sorted(lalr.states[state]):
            target = lalr.states[state][symbol][1]
            if isinstance(target, int) and target not in numbers:
                numbers[target] = len(numbers)
                queue.append(target)
    rows = [
        {
            s: numbers[arg] if isinstance(arg, int) else ~rules.index(arg)
            for s, (_, arg) in sorted(lalr.states[q].items())
        }
        for q in queue
    ]
    return {
        "grammar": digest(grammar),
        "start": 0,
        "end": numbers[lalr.end_states["start"]],
        "patterns": {t.name: t.pattern.to_regexp() for t in lark.terminals if t.pattern.type == "re"},
        "literals": {t.pattern.value: t.name for t in lark.terminals if t.pattern.type == "str"},
        "productions": [_production(rule) for rule in rules],
        "rows": rows,
    }


def _production(rule: Any) -> list[Any]:
    """A lark rule as [origin, action, size, kept symbols, expand]."""
    keep = [
        [i, not symbol.is_term and symbol.name.startswith("_")]
        for i, symbol in enumerate(rule.expansion)
        if not (symbol.is_term and symbol.filter_out)
    ]
    origin = str(rule.origin.name)
    return [origin, str(rule.alias or origin), len(rule.expansion), keep, bool(rule.options.expand1 and not rule.alias)]


def digest(grammar: str) -> str:
    """What a stored table is keyed by: the grammar's text and the shape of the data."""
    return hashlib.sha256(f"{FORMAT}\n{grammar}".encode()).hexdigest()


@cache
def load_table() -> Table:
    """The table of the shipped grammar: stored, or built when the stored one is missing or of another grammar."""
    grammar = GRAMMAR.read_text(encoding="utf-8")
    try:
        data = json.loads(STORED.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        data = {}
    if not isinstance(data, dict) or data.get("grammar") != digest(grammar):
        data = build_table(grammar)
    return Table(
        rows=tuple(data["rows"]),
        productions=tuple(
            Production(origin, action, size, tuple((i, splice) for i, splice in keep), expand)
            for origin, action, size, keep, expand in data["productions"]
        ),
        start=data["start"],
        end=data["end"],
        patterns=data["patterns"],
        literals=data["literals"],
    )


def dump_table(data: dict[str, Any]) -> str:
    """`table.json`'s text: one state or production a line, to be read in a diff."""
    lines = []
    for key, value in data.items():
        if isinstance(value, list):
            inner = ",\n".join(json.dumps(item, separators=(",", ":")) for item in value)
            lines.append(f'"{key}": [\n{inner}\n]')
        else:
            lines.append(f'"{key}": {json.dumps(value)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    STORED.write_text(dump_table(build_table(GRAMMAR.read_text(encoding="utf-8"))), encoding="utf-8")
