"""Diagnostics about recipes that refer to other recipes: imports, `extends`, `override`, params (M114 to M125)."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.compiler.front.errors_names import did_you_mean, some
from mixc.dsl.diagnostics import Diagnostic, Label, Severity, page
from mixc.dsl.text import Span


@page("M114")
def cyclic_files(links: Sequence[tuple[Span, str]], chain: Sequence[str]) -> Diagnostic:
    """Recipes that import or extend each other in a circle

    A recipe cannot be built from itself. The labels show every link of the circle.

        # a.mix                          # b.mix
        recipe a extends "b.mix"         recipe b extends "a.mix"

    Move what both need into a third recipe, and let both import or extend that one.
    """
    (last, verb), earlier = links[-1], links[:-1]
    labels = (
        Label(last, f"{verb} `{chain[-1]}` again"),
        *(Label(span, f"{verb} `{name}`") for (span, verb), name in zip(earlier, chain[1:], strict=False)),
    )
    circle = " -> ".join(f"`{name}`" for name in chain)
    helps = ("move what both need into a third recipe, and let both import or extend that one",)
    return Diagnostic("M114", f"recipes refer to each other in a circle: {circle}", labels, (), helps)


@page("M115")
def too_deep(span: Span, what: str, limit: int) -> Diagnostic:
    """A chain that is too long to follow

    Recipes that import each other, params that use params and groups that hold groups may form chains, but not longer
    ones than people can review.

        param p1 = p0 + 1
        param p2 = p1 + 1        # ... and so on, to p60

    Name what is needed directly.
    """
    return Diagnostic("M115", f"more than {limit} {what} refer to one another in a row", (Label(span, "one too many"),))


@page("M116")
def outside_tree(span: Span, path: str, folder: str) -> Diagnostic:
    """A file outside the folder of the recipe

    A recipe and the files it names are reviewed and shipped as one folder. A path that leaves it, through `..`,
    an absolute path or a symbolic link, would make the mixture depend on something that no reviewer sees.

        import math = "../../elsewhere/math.mix"

    Copy the file into the recipe's folder, or run mixc with `--allow-outside` if you mean it.
    """
    return Diagnostic(
        "M116",
        f'"{path}" lies outside the folder of the recipe',
        (Label(span, f"leaves {folder}"),),
        ("imports, extended recipes, supply files, calibrations and manifests are read from the recipe's own folder",),
        ("move the file into it, or allow this with `--allow-outside`",),
    )


@page("M117")
def not_in_import(span: Span, alias: str, wanted: str, name: str, allowed: Sequence[str], where: Span) -> Diagnostic:
    """A name that the imported recipe does not declare

    `import math = "x.mix"` makes the params and the declarations of `x.mix` available as `math.name`, under the kind
    they have there.

        import math = "shared/math-sources.mix"
        source finemath = math.finemth

    Correct the name; the note lists what the imported recipe declares of that kind.
    """
    known = (
        f"{wanted}s of `{alias}`: {some(sorted(allowed))}" if allowed else f"`{alias}` declares no {wanted} of any name"
    )
    return Diagnostic(
        "M117",
        f"the imported recipe `{alias}` has no {wanted} `{name}`",
        (Label(span, "not declared there"), Label(where, "imported here")),
        (known,),
        did_you_mean(name, sorted(allowed)),
    )


@page("M118")
def nothing_to_override(span: Span, what: str, allowed: Sequence[str], name: str, *, same_file: bool) -> Diagnostic:
    """An override of something that is not inherited

    `override` changes a declaration that comes from the recipe named by `extends`; inside a phase, it limits a source
    of the recipe. Here there is nothing of that kind and name to change.

        recipe b extends "a.mix"
        override source fineweb3 { epochs <= 1 }

    Correct the name, or remove `override` to declare something new.
    """
    note = (
        "it is declared in this very file"
        if same_file
        else f"what can be overridden here: {some(sorted(allowed))}"
        if allowed
        else "nothing of this kind is inherited"
    )
    helps = did_you_mean(name, sorted(allowed)) or ("remove `override` to declare it",)
    if same_file:
        helps = ("move what it says into the declaration",)
    return Diagnostic(
        "M118",
        f"{what} is not inherited, so it cannot be overridden",
        (Label(span, "overridden here"),),
        (note,),
        helps,
    )


@page("M119")
def unknown_param(span: Span, name: str, allowed: Sequence[str]) -> Diagnostic:
    """A param that the recipe does not declare

    The command line can set only what the recipe declares with `param`, so that a reader sees every dial there is.
    A string substitutes only params, too.

        mixc compile polyglot.mix --param siez=7B

    Correct the name, or declare it: `param size = 1.2B params`.
    """
    return Diagnostic(
        "M119",
        f"unknown param `{name}`",
        (Label(span, "no such param"),),
        (f"params of the recipe: {some(sorted(allowed))}" if allowed else "the recipe declares no params",),
        did_you_mean(name, sorted(allowed)),
    )


@page("M120")
def circular_value(span: Span, name: str, chain: Sequence[str]) -> Diagnostic:
    """A value that is defined by itself

    Params may use params and groups may hold groups, but following them must come to an end.

        param a = 2 * b
        param b = a / 2

    Give one of them a value of its own.
    """
    circle = " -> ".join(f"`{link}`" for link in chain)
    return Diagnostic("M120", f"`{name}` is defined by itself: {circle}", (Label(span, "the circle closes here"),))


@page("M121")
def unknown_word(span: Span, key: str, word: str, choices: Sequence[str]) -> Diagnostic:
    """A word that the key does not know

    Some keys hold one of a few words.

        rater perplexity { column = "ppl", better = lowr }

    Use one of the words that the note lists.
    """
    return Diagnostic(
        "M121",
        f"`{key}` is never `{word}`",
        (Label(span, "not one of its words"),),
        (f"`{key}` is {'always' if len(choices) == 1 else 'one of'}: {some(list(choices))}",),
        did_you_mean(word, choices),
    )


@page("M122")
def param_needs_one_value(span: Span, name: str) -> Diagnostic:
    """A param on the command line that is not one value

    What follows `--param name=` is one value, written as it would be in the recipe: a number with its unit, a word,
    a string or a list.

        mixc compile polyglot.mix --param 'size=7B params, seed=3'

    Give each param its own `--param`.
    """
    if span.start == span.end:
        return Diagnostic("M122", f"`--param {name}=` holds no value", (Label(span, "nothing follows"),))
    return Diagnostic(
        "M122", f"`--param {name}=...` holds more than one value", (Label(span, "this is not one value"),)
    )


@page("M123")
def import_alias(span: Span, alias: str, allowed: Sequence[str]) -> Diagnostic:
    """A dotted name whose first part means nothing

    A dot follows the name of an import (`math.finemath`), `budget` (`budget.tokens`), or, in a rule, a kind
    (`language.it`) or a strategy (`natural.loss(de)`).

        source finemath = maths.finemath

    Correct the first part, or import the recipe: `import maths = "shared/math.mix"`.
    """
    return Diagnostic(
        "M123",
        f"`{alias}` is not an import of this recipe",
        (Label(span, "nothing of this name is imported"),),
        (f"imports: {some(sorted(allowed))}" if allowed else "the recipe imports nothing",),
        did_you_mean(alias, [*sorted(allowed), "budget"]),
    )


@page("M124")
def percent_param(span: Span, name: str, written: str) -> Diagnostic:
    """A percentage on the command line without its percent sign

    The unit of a param may be left out on the command line, but not the percent sign: 15 could mean 15% or 1500%.

        mixc compile pretrain-anneal.mix --param cooldown=15

    Write `--param cooldown=15%`.
    """
    return Diagnostic(
        "M124",
        f"param `{name}` is a percentage, and `{written}` has no `%`",
        (Label(span, "a plain number"),),
        helps=(f"write `--param {name}={written}%`",),
    )


@page("M446")
def catalog_address(span: Span, address: str) -> Diagnostic:
    """A catalog at an address

    Published sizes are read from a file beside the recipe, so that a mixture can be planned, reviewed and compiled
    again without a network, from sizes that are in git with the recipe. Only documents (`path`) may lie elsewhere.

        source web { supply = "https://example.org/sizes.csv" }

    Download the catalog, keep it beside the recipe and name that file.
    """
    name = address.rstrip("/").rpartition("/")[2] or "sizes.csv"
    return Diagnostic(
        "M446",
        f"a catalog is read from a file, not from an address: `{address}`",
        (Label(span, "an address"),),
        helps=(f'download it and name the file: `supply = "{name}"`',),
    )


@page("M125")
def fixed_place(span: Span, source: str, path: str) -> Diagnostic:
    """A path that holds on one machine only

    A warning: the path of a source begins at the top of the file system, and goes into the manifest as it stands. On a
    machine where the documents lie elsewhere, the manifest cannot be run, and compiling the recipe gives another one.

        source web { path = "/data/web/*.parquet", epochs <= 4 }

    Put what differs between machines into a param that nothing else uses: `param root = "/data"`, and
    `path = "${root}/web/*.parquet"`. The manifest keeps `${root}`; scan, compile, run and verify take
    `--param root=DIR`.
    """
    return Diagnostic(
        "M125",
        f"the path of source `{source}` holds on one machine only",
        (Label(span, f"begins with `{path[: path.find('/', 1) if path.find('/', 1) > 0 else None]}`"),),
        ("the manifest keeps `${…}` of params that only names of files use, and all else as it stands",),
        ('write `"${root}/…"` with `param root = "…"`, and set it where it differs: `--param root=DIR`',),
        Severity.WARNING,
    )
