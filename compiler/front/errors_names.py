"""Diagnostics about names: kinds, keys, languages, declarations and where statements may stand (M101 to M113)."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, Label, page
from mixc.dsl.suggest import suggest
from mixc.dsl.text import Span


def ticked(words: Sequence[str]) -> str:
    """`a`, `b` and `c`."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1]


def some(words: Sequence[str], limit: int = 24) -> str:
    """The words in order, cut after `limit` with a count of the rest."""
    rest = f" and {len(words) - limit} more" if len(words) > limit else ""
    return ", ".join(words[:limit]) + rest


def did_you_mean(word: str, allowed: Sequence[str], synonyms: dict[str, str] | None = None) -> tuple[str, ...]:
    """One help line when an allowed word is close, else none."""
    close = suggest(word, tuple(allowed), synonyms)
    return (f"did you mean `{close}`?",) if close else ()


@page("M101")
def unknown_key(span: Span, key: str, owner: str, allowed: Sequence[str]) -> Diagnostic:
    """A key that the declaration does not have

    Every kind of declaration has a fixed set of keys. A key outside it is never ignored: it would look as if it did
    something.

        source web { path = "web/*.parquet", columms = { text: "content" } }

    Correct the spelling, or move the key to the kind it belongs to; the note lists the keys of this kind.
    """
    return Diagnostic(
        "M101",
        f"unknown key `{key}` in `{owner}`",
        (Label(span, f"not a key of `{owner}`"),),
        (f"keys of `{owner}`: {some(list(allowed))}",),
        did_you_mean(key, allowed),
    )


@page("M102")
def declared_twice(span: Span, first: Span, kind: str, name: str, first_kind: str, inherited: bool) -> Diagnostic:
    """A name that is declared twice

    Sources, languages, domains, groups and phases share one namespace, because each of them can stand in
    `share(...)`. A name therefore means one thing in a recipe and in everything it extends. Two spellings of one
    language, such as `nb` and `no`, are one name.

        language pt { priority = 0.6 }
        language pt { priority = 0.4 }

    Remove one of the two or rename it. To change what an extended recipe declares, write `override` before it.
    """
    what = f"{kind} `{name}`" if name else f"`{kind}`"
    where = "weights" if kind in ("rater", "target") else "share(...)"
    if kind != first_kind:
        return Diagnostic(
            "M102",
            f"{what} has the name of a {first_kind}",
            (Label(span, f"declared as a {kind} here"), Label(first, f"declared as a {first_kind} here")),
            (f"`{name}` is already a {first_kind}; names in `{where}` must be unique",),
            ("rename one of them",),
        )
    helps = (
        (f"write `override {kind}{' ' + name if name else ''}` to change the inherited one",)
        if inherited
        else (f"remove one, or write `override {kind}{' ' + name if name else ''}` in a recipe that extends this one",)
    )
    return Diagnostic(
        "M102",
        f"{what} is declared twice",
        (Label(span, "declared again here"), Label(first, "first declared here")),
        helps=helps,
    )


@page("M103")
def unknown_kind(span: Span, kind: str, allowed: Sequence[str]) -> Diagnostic:
    """A kind of declaration that does not exist

    A declaration starts with its kind: `source web { ... }`, `budget { ... }`. The word found is not one of them.

        sorce web { path = "web/*.parquet" }

    Correct the spelling; the note lists all kinds.
    """
    return Diagnostic(
        "M103",
        f"unknown kind `{kind}`",
        (Label(span, "not a kind of declaration"),),
        (f"kinds: {some(list(allowed))}",),
        did_you_mean(kind, allowed, {"dataset": "source", "data": "source", "lang": "language", "stage": "phase"}),
    )


@page("M104")
def unknown_name(span: Span, name: str, wanted: str, allowed: Sequence[str], where: str = "") -> Diagnostic:
    """A name that nothing declares

    A name in a rule, a group or an attribute must be declared in the recipe, in what it extends, or be the `domain`
    of a source. Names are never guessed from the data: a misspelt domain would silently be an empty one.

        require share(enciclopedia) <= 10%

    Correct the spelling, or declare the name. A name with spaces is written as a string: `share("Arts & Ent")`.
    """
    known = f"{where or wanted + 's'}: {some(sorted(allowed))}" if allowed else f"the recipe declares no {wanted}"
    return Diagnostic(
        "M104",
        f"unknown {wanted} `{name}`",
        (Label(span, "not declared"),),
        (known,),
        did_you_mean(name, sorted(allowed)),
    )


@page("M105")
def unknown_function(span: Span, name: str, allowed: Sequence[str]) -> Diagnostic:
    """A function that does not exist

    Rules are built from a few functions of the mixture, such as `share(x)`, `tokens(x)` and `loss(x)`. A strategy's
    name before a function asks for the value that strategy reaches: `natural.loss(de)`.

        require shrae(de) >= 5%

    Correct the spelling; the note lists all functions.
    """
    return Diagnostic(
        "M105",
        f"unknown function `{name}`",
        (Label(span, "not a function"),),
        (f"functions: {some(list(allowed))}",),
        did_you_mean(
            name, allowed, {"fraction": "share", "repeat": "passes", "information": "info", "mean": "quality"}
        ),
    )


@page("M106")
def unknown_language(span: Span, code: str, helps: tuple[str, ...]) -> Diagnostic:
    """A language code that mixc does not know

    Languages are named by ISO 639-1 or ISO 639-3 codes, optionally with a script: `de`, `ceb`, `nob_Latn`. All
    spellings of one language are one name in mixc, and country codes are not language codes.

        language cn { priority = 2.0 }

    Use the code of the language. Tags that only your data uses are mapped with `aliases` in its source.
    """
    return Diagnostic(
        "M106",
        f"unknown language `{code}`",
        (Label(span, "not an ISO 639 code that mixc knows"),),
        ("languages are named by ISO 639 codes such as `de`, `zh`, `ceb` or `nob_Latn`",),
        helps,
    )


@page("M107")
def undeclared_language(span: Span, code: str, declared: Sequence[str]) -> Diagnostic:
    """A language that the recipe uses but does not declare

    As soon as a recipe declares one language, the mixture holds exactly the declared ones. A rule, a group or a
    transfer from any other language could never have an effect.

        languages [en, de] { priority = 1 }
        require share(fr) >= 5%

    Declare the language, remove its use, or write `languages all { }` to take every language that has supply.
    """
    return Diagnostic(
        "M107",
        f"language `{code}` is not declared",
        (Label(span, "used here"),),
        (f"languages of the recipe: {some(sorted(declared))}",),
        (f"declare it: `language {code} {{ }}`",),
    )


@page("M108")
def ambiguous_name(span: Span, name: str, kinds: Sequence[str]) -> Diagnostic:
    """A name that could mean two things

    A domain found in the data may be spelt like a language code: `it` is Italian and perhaps also a domain about
    computers. Alone, such a name is not accepted.

        require share(it) <= 10%

    Say which one you mean: `domain.it` or `language.it`.
    """
    return Diagnostic(
        "M108",
        f"`{name}` is both a {' and a '.join(kinds)}",
        (Label(span, "could mean either"),),
        helps=("write " + " or ".join(f"`{kind}.{name}`" for kind in kinds),),
    )


@page("M109")
def unusable_name(span: Span, name: str, kind: str, reason: str, helps: tuple[str, ...] = ()) -> Diagnostic:
    """A name that cannot be declared

    A few words have a meaning of their own in rules and values (`all`, `none`, `each`, `best`, `budget` and the kinds
    that a name can have), so no source, domain, group or phase can be called by them. Only domains can be named by
    strings, because their names may come from the data.

        source all { path = "all/*.parquet" }

    Choose another name.
    """
    return Diagnostic("M109", f"`{name}` cannot name a {kind}", (Label(span, reason),), helps=helps)


@page("M110")
def key_set_twice(span: Span, first: Span, key: str) -> Diagnostic:
    """A key that is set twice in one declaration

    Order never matters inside a recipe, so of two values for one key neither can win. A recipe says `minimize loss`
    once, too.

        budget { tokens = 10B tokens, tokens = 20B tokens }

    Remove one of them.
    """
    return Diagnostic("M110", f"`{key}` is set twice", (Label(span, "set again here"), Label(first, "first set here")))


@page("M111")
def missing(span: Span, what: str, note: str, help_: str) -> Diagnostic:
    """Something required that is not there

    Some keys and declarations have no sensible default: a recipe needs a budget and a source, a source needs a `path`
    or a `supply`, a phase needs a `budget`.

        phase anneal { after = pretrain }

    Add what is missing; the help line shows how it is written.
    """
    return Diagnostic("M111", what, (Label(span),), (note,) if note else (), (help_,))


@page("M112")
def misplaced(span: Span, what: str, label: str, helps: tuple[str, ...]) -> Diagnostic:
    """A statement in a place where it means nothing

    Attributes and limits belong into the block of a declaration, rules stand at the top level or in a phase, and only
    phases hold declarations of their own.

        source web { path = "web/*.parquet", require share(web) <= 30% }

    Move the statement to where it belongs.
    """
    return Diagnostic("M112", what, (Label(span, label),), helps=helps)


@page("M113")
def malformed_declaration(span: Span, what: str, label: str, example: str) -> Diagnostic:
    """A declaration of the wrong form

    Each kind of declaration has one form. Most are `kind name { ... }`; `budget`, `quality`, `mixture` have no name;
    `group` and `param` are `kind name = value`; only `languages` takes a list.

        source { path = "web/*.parquet" }

    Write it in the form that the help line shows.
    """
    return Diagnostic("M113", what, (Label(span, label),), helps=(f"write `{example}`",))
