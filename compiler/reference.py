"""The language's reference, written from the tables that recipes are checked with: `mixc explain reference`.

Kinds, keys, shapes, units and curvature come from `compiler.front`; what only this page knows is one line for each
function and strategy, and the sections on the form of a file. A test compiles every example and asks that no function
and no strategy is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from textwrap import fill
from typing import Final

from mixc.compiler.front.curvature import ALONE, CURVATURE
from mixc.compiler.front.kinds import COLUMNS, KINDS, LAW_KINDS, NAMED_IN_RULES, STRATEGIES, Kind
from mixc.compiler.front.shapes import Key, Struct, describe_shape
from mixc.compiler.front.terms import FUNCTIONS, WHOLE_RECIPE, WITHOUT_ARGUMENTS
from mixc.compiler.front.units import SINGULAR, describe

WIDTH: Final = 100
WHOLE: Final = "reference"

MEANINGS: Final[Mapping[str, str]] = {
    "share": "the tokens of x as a part of the budget",
    "tokens": "the tokens of x",
    "epochs": "the tokens taken from x over its supply, a mean",
    "passes": "the largest repetition over the cells of x",
    "quality": "the mean quality rank of the tokens of x (1 is the best, an unrated token counts as 50%)",
    "info": "InfoLaw's information in x, in tokens of the best bucket read once",
    "loss": "the predicted loss of a language, or without a name that of all, weighted by priority",
    "change": "how far the mixture is from that of the manifest M: half the sum of the differences of language shares",
}
STRATEGY_MEANINGS: Final[Mapping[str, str]] = {
    "direct": "the mixture of least predicted loss: one convex program, certified",
    "two_step": "first language shares of equal marginal benefit, then the cells of each language",
    "unimax": "equal shares, except that no language is read more often than a cap; the rest is shared out",
    "temperature": "natural shares p flattened to p^(1/temperature)",
    "natural": "shares in proportion to supply",
    "uniform": "equal shares",
}

RESULT_MEANINGS: Final[Mapping[str, str]] = {
    "assumed": "what neither the recipe nor the data says, and mixc supposed: state it to decide it yourself",
    "binds": "what keeps a language, a source or a bucket from more tokens: a rule, a limit of repetition, its supply, "
    "or nothing but the price",
    "bucket": "documents of one language and domain within an interval of quality: `best 5%`, `to 20%`",
    "cell": "the smallest thing that is decided on: tokens of one source, language, domain and bucket in one phase",
    "gap": "how much lower the loss of any other mixture under these rules can be, by a bound that is proved",
    "price": "what a rule costs: the rise of the predicted loss when it is tightened by one point of share, or by 1% "
    "of its bound where that is no share. A language that the price binds is held by no rule and no limit: one more "
    "token of it is worth as much as one of any other",
}

_FILE: Final = """\
The first line names the recipe. Below it, in any order, stand three kinds of line: a declaration (a
noun and a name), an attribute (`key = value`, or a bound such as `epochs <= 4`), and a rule (a
verb). Newlines and commas separate alike; a line goes on after an operator and within parentheses.
`#` begins a comment; a block of comments right above a declaration is its description and reaches
the manifest. `mixc fmt` writes the one formatting.

```mix
# A first recipe.
recipe first

param size = 1.2B params

budget { model = size, tokens = 100B tokens }
source crawl {
  supply = { en: 900B tokens, de: 60B tokens }
  domain = web
  assume = rated
  epochs <= 4
}
language en { priority = 2 }
language de { priority = 1 }

require share(de) >= 20%
minimize loss
```
- `param x = value` is what the command line may set: `mixc compile first.mix --param size=7B`.
- `recipe b extends "a.mix"` inherits everything; what changes an inherited thing begins with
  `override`. `override budget { compute = none }` removes a key.
- `import x = "other.mix"` gives the params and declarations of another recipe as `x.name`: `source
  s = x.s`.
- Imports, supply tables, calibrations and manifests are read from the recipe's own folder and
  below; `--allow-outside` lifts that. Documents and the examples of targets may lie anywhere.
- Strings are double-quoted; `"${root}/data"` fills in a param.
- A param that nothing but names of files uses only says where files lie, and may differ between
  machines: `scan`, `compile`, `run` and `verify` take `--param root=DIR`, and the manifest, the lock
  and the tables keep `${root}`, so their bytes are the same everywhere. `run` and `verify` fall back
  on the recipe's own value, unless that is an absolute path, which no manifest states. Relative
  paths are seen from the folder of the recipe and of its manifest. Names of files keep `${…}` up to
  the first wildcard.
"""
_RULES: Final = """\
The unknowns are the tokens of every cell: source, language, domain and quality bucket, per phase. A
rule bounds sums over cells.

- `require … <= …` must hold; so `>=`, `==` and `within a .. b`. `<` and `>` mean `<=` and `>=`.
- `prefer … weight w` may fall short: w times the shortfall is added to the loss, the shortfall as a
  fraction of the budget for shares and tokens. A typical marginal loss is 0.05 to 0.15 per unit of
  share, so 0.05 nudges and 1 is nearly hard.
- `minimize loss` is the objective, and the default.
- Arguments of different kinds intersect: `share(web, de)`. Two of one kind are added: `share(de) +
  share(fr)`.
- `best(5%)` is the best part of every language and domain: `share(web, best(5%))`.
- `each(language)`, `each(GROUP)` make one rule per member: `require share(each(language)) >= 0.5%`.
- A rule inside `phase p { … }` binds p alone, with p's budget as the whole; outside, all phases
  together.
- `epochs <= n` in a source and `passes(...) <= n` count every time that a document is read, in all
  phases and in the mixtures that `mixc compile --after M` continues; other rules speak of this
  recipe's own tokens.
- `domain.it` and `language.it` tell names apart that both have; names with spaces are strings:
  `share("Arts & Ent")`.
- If a language is declared, exactly the declared ones are in the mixture; if none is, every one
  that has supply.
"""
_DOCUMENTS: Final = """\
Sources with a `path` are documents: `mixc scan` counts them by quality, `mixc run` draws them.

- Quality is a rank: the share of tokens, of a language and domain over all sources, that are as
  good or better by the merged scores of `weights`. Buckets are intervals of it.
- A domain with `sampling = { lambda: …, omega: …, eta: …, epsilon: … }` has no buckets that are
  free of each other: a document of rank r is read k S(r) times, where S(r) is (2 / (1 +
  exp(-lambda (omega - r))))^eta + epsilon down to rank omega, and epsilon below (QuaDMix).
- `quality { scale = copies }`: the mixture decides k for every source, language and domain, and
  omegas stay as they are. `scale = omega` first multiplies all omegas by one factor, none beyond
  100%, such that the curves give the budget with k = 1, as QuaDMix steers the size of a selection:
  a domain of T tokens gives T times the integral of S, whatever its scores are. What the mixture
  then decides is how languages and domains depart from that: k is about 1 on the whole. Where some
  domains have no curve, those with one are to give that part of the budget that they are of all
  tokens. The plan in the manifest states every omega beside the recipe's own.
- `evaluate { holdout = 0.1% }` keeps documents out of training: those whose hash, XXH64 with seed
  42 of `SEED:split:SOURCE:ID`, is below that share of all hashes. They are no supply, are drawn in
  no phase, and are the same for every recipe with this `budget.seed` and source; a larger share
  holds out the same ones and more. A document without an id is told by its text; with `ids =
  per-file`, `FILE:` stands before the id. `mixc verify` looks for them in the selection.
"""


def reference() -> str:
    """The whole page, in Markdown."""
    sections = (
        ("The `.mix` language", "`mixc explain reference` prints this page; `mixc explain NAME` a part of it.\n", 1),
        ("The file", _FILE, 2),
        ("Numbers and units", _units(), 2),
        ("Rules", _RULES, 2),
        ("Documents", _DOCUMENTS, 2),
        ("Functions", _bullets(about_function(name) for name in FUNCTIONS), 2),
        ("Strategies", _bullets(about_strategy(name) for name in STRATEGIES), 2),
        ("Words of results", _bullets(about_result(word) for word in RESULT_MEANINGS), 2),
        ("Kinds", "`=` sets a key, `<=` stands for any bound on it.\n", 2),
        *((f"`{kind.name}`", about_kind(kind), 3) for kind in _kinds()),
    )
    return "\n".join(f"{'#' * level} {title}\n\n{text}" for title, text, level in sections)


def topics() -> tuple[str, ...]:
    """Every word that `topic` knows."""
    keys = (key.name for kind in _kinds() for key in kind.keys)
    return tuple(sorted({WHOLE, *_WORDS, *RESULT_MEANINGS, *KINDS, *FUNCTIONS, *STRATEGIES, *keys}))


def topic(name: str) -> str | None:
    """What there is to say about a kind, function, strategy, key, or word of the language or of results; or None."""
    if name == WHOLE:
        return reference()
    parts = [f"# {word}\n\n{text()}" for word, text in _WORDS.items() if word == name]
    parts += [f"# {kind.name}\n\n{about_kind(kind)}" for kind in _kinds() if name in (kind.name, kind.name.split()[0])]
    if name in FUNCTIONS:
        parts.append(f"# {name}, a function in rules\n\n{_bullets([about_function(name)])}")
    if name in STRATEGIES:
        parts.append(f"# {name}, a strategy: `mixture {{ strategy = {name} }}`\n\n{_bullets([about_strategy(name)])}")
    if name in RESULT_MEANINGS:
        parts.append(f"# {name}, in what mixc prints\n\n{_bullets([about_result(name)])}")
    holders = [(kind, key) for kind in _kinds() for key in kind.keys if key.name == name]
    parts += [f"# {name}, a key of `{kind.name}`\n\n{_bullets([about_key(key)])}" for kind, key in holders]
    return "\n".join(parts) or None


def _kinds() -> Iterator[Kind]:
    for kind in KINDS.values():
        yield from LAW_KINDS.values() if kind.name == "law" else (kind,)


def about_kind(kind: Kind) -> str:
    """What a kind is for, and its keys."""
    named = " Its name can stand in rules." if kind.name in NAMED_IN_RULES else ""
    text = _wrapped(f"`{_written(kind)}`: {kind.doc}.{named}")
    lines = []
    for key in kind.keys:
        lines.append(about_key(key))
        if isinstance(key.shape, Struct) and tuple(field.name for field in key.shape.fields) != COLUMNS:
            lines += [f"  {about_key(field)}" for field in key.shape.fields]
    return f"{text}\n{_bullets(lines)}" if lines else text


def _written(kind: Kind) -> str:
    if kind.value:
        return f"{kind.name} NAME = {'[a, b]' if kind.name == 'group' else 'VALUE'}"
    naming = {"none": "", "code": " CODE", "codes": " [CODE, …] or all", "fixed": "", "optional": " [NAME]"}
    return f"{kind.name}{'' if ' ' in kind.name else naming.get(kind.naming, ' NAME')} {{ … }}"


def about_key(key: Key) -> str:
    """What a key means, its unit and its default."""
    sign = {"no": "=", "only": "<=", "also": "= or <="}[key.limit]
    remarks = [describe_shape(key.shape)]
    remarks += [f"default `{key.default}`"] * bool(key.default) + ["required"] * key.required
    return f"`{key.name} {sign}` {key.doc}: {'; '.join(remarks)}"


def about_function(name: str) -> str:
    """What a function of rules gives, and how it may be bounded."""
    form = name if name == "loss" else f'{name}("M.manifest.json")' if name == "change" else f"{name}(x)"
    directions = {"convex": "`<=` only", "concave": "`>=` only"}.get(CURVATURE.get(name, ""), "any relation")
    remarks = [f"bounded by {directions}{' and by a number only' * (name in ALONE)}"]
    if name == "quality":
        remarks = ["compared with a number, or between whole phases"]
    if unit := describe(FUNCTIONS[name]):
        remarks.append(f"in {unit}")
    if name in WITHOUT_ARGUMENTS and name != "loss":
        remarks.append(f"`{name}` alone is that of everything")
    if name in WHOLE_RECIPE:
        remarks.append("not inside a phase")
    return f"`{form}` is {MEANINGS[name]}: {'; '.join(remarks)}"


def about_strategy(name: str) -> str:
    """What a strategy decides."""
    return f"`{name}` is {STRATEGY_MEANINGS[name]}"


def about_result(word: str) -> str:
    """What a word means in what `compile`, `explain` and `report` print."""
    return f"`{word}` is {RESULT_MEANINGS[word]}"


def _units() -> str:
    names = ", ".join(f"`{unit}`" for unit in SINGULAR)
    text = (
        "A number carries its unit: `1.2B params`, `500B tokens`, `3e21 FLOPs`, `20 tokens/param`, `30%`, `10_000`. "
        "`K`, `M`, `B` and `T` stand right after the digits and are powers of a thousand; the unit follows a space. "
        f"Units are {names}, in the singular too, and their ratios. Arithmetic is exact and keeps track of units: "
        "`10% * budget.tokens` is a number of tokens."
    )
    return _wrapped(text)


def _bullets(lines: Iterable[str]) -> str:
    return "".join(_bullet(line) for line in lines)


def _bullet(line: str) -> str:
    indent = " " * (len(line) - len(line.lstrip()))
    return _wrapped(f"{indent}- {line.lstrip()}", f"{indent}  ")


def _wrapped(text: str, indent: str = "") -> str:
    return fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) + "\n"


_WORDS: Final[Mapping[str, Callable[[], str]]] = {
    **dict.fromkeys(("recipe", "import", "extends", "override"), lambda: _FILE),
    **dict.fromkeys(("require", "prefer", "minimize", "within", "each", "best", "rules"), lambda: _RULES),
    "documents": lambda: _DOCUMENTS,
    "functions": lambda: _bullets(about_function(name) for name in FUNCTIONS),
    "strategies": lambda: _bullets(about_strategy(name) for name in STRATEGIES),
    "results": lambda: _bullets(about_result(word) for word in RESULT_MEANINGS),
    "units": _units,
    "kinds": lambda: _bullets(f"`{_written(kind)}`: {kind.doc}" for kind in _kinds()),
}
