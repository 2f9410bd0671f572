"""What can be wrong between a recipe and its data: one function per code, its docstring the manual page."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.compiler.recipe import Domain, Language, Source
from mixc.compiler.supply.entries import NO_LANGUAGE
from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.text import Span
from mixc.dsl.wording import at, listed, plain

SAY_LANGUAGE = (
    'say what its language is: `language = en`, or the column that holds it: `columns = { language: "lang" }`'
)
LACKING = "add a source that holds it, or remove the declaration"


def amount(tokens: float) -> str:
    """Tokens for a sentence: `3.1B tokens`."""
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if tokens >= size:
            return f"{tokens / size:.3g}{letter} tokens"
    return f"{tokens:.0f} token{'s' * (tokens != 1)}"


@page("M302")
def no_supply(
    language: Language, held: Sequence[str], near: Sequence[tuple[str, str, int]], gated: str = ""
) -> Diagnostic:
    """A language has no supply.

    The recipe declares a language, and no source holds text in it: the catalogs have no row for it, a row with
    size zero, or rows under a code or script that is not counted as this language. Nothing could be taken for it,
    whatever its priority.

        language ko { priority = 0.5 }        # the catalog says "kor_Latn"

    Add a source that holds the language, map the data's code to it (`aliases = { kor_Latn: ko }`), or remove the
    declaration. Text in another than a language's main script is never counted without an alias.

    Or a target with `fraction` lets no document of the language through: the best part of all languages together
    (`scope = pool`) may hold none of it, and the best part of few documents may be less than one. The note says what
    the gate saw. Take the fraction of each language, or a larger one.
    """
    codes = f"{len(held)} language{'s' * (len(held) > 1)}: {listed(held, 20)}" if held else "no language"
    notes = [f"the sources hold {codes}"]
    notes += [f"{amount(tokens)} of `{source}` are tagged `{plain(tag)}`" for source, tag, tokens in near[:3]]
    if gated:
        notes.append(gated)
    alias = f"map it in the source: `aliases = {{ {plain(near[0][1])}: {language.code} }}`" if near else None
    return Diagnostic(
        "M302",
        f"language `{language.code}` has no supply",
        at(language.span, f"declared with priority {language.priority:g} here"),
        tuple(notes),
        ("raise `fraction`, or state `scope = language`" if gated else alias or LACKING,),
    )


@page("M422")
def no_domain(domain: Domain, held: Sequence[str]) -> Diagnostic:
    """A domain has no supply.

    The recipe declares a domain that no source is said to be and that no document is labelled with. Its rules and
    weights would have no effect.

    What to do: name the domain as the data does, or state it on a source: `domain = news`.
    """
    return Diagnostic(
        "M422",
        f"domain `{domain.name}` has no supply",
        at(domain.span),
        (f"domains of the documents: {listed(held, 30)}",) if held else ("no source states it",),
        (f"name it as the data does, or state it on a source: `domain = {domain.name}`",),
    )


@page("M424")
def needs_documents(domain: Domain, key: str, severity: Severity) -> Diagnostic:
    """A domain asks for what only documents have.

    Published sizes have no documents: nothing can be scored by a rater or drawn along a sampling curve. Raters of a
    domain that is planned from sizes have no effect (a warning). A sampling curve would change the mixture, so it is
    refused rather than left out.

    Example: `domain web { sampling = { lambda: 12, omega: 35%, eta: 1.0, epsilon: 0.002 } }` over a planning source

    What to do: give the source its documents (`path`), or remove the line; to plan with quality buckets, say
    `assume = rated`.
    """
    sentence = f"`{key}` of domain `{domain.name}` needs documents, and its supply is published sizes"
    note = "nothing can be scored or drawn without documents"
    return Diagnostic(
        "M424",
        sentence,
        at(domain.span),
        (note,),
        (f"remove `{key}`; buckets of quality for a plan: `assume = rated`",),
        severity,
    )


@page("M423")
def words_of(source: Source, tags: Sequence[str]) -> Diagnostic:
    """Words say nothing about tokens where they are not written apart.

    Chinese, Japanese, Thai, Khmer, Lao, Burmese and Tibetan put no spaces between words: published word counts of
    these languages count segments of some tool, or whole lines. mixc does not convert them, even at a stated rate.

    Give `bytes` or `tokens` for these rows.
    """
    return Diagnostic(
        "M423",
        f"source `{source.name}` gives only words for {listed([f'`{tag}`' for tag in tags])}, written without spaces",
        at(source.supply_span or source.span),
        (),
        ("give bytes or tokens for these languages",),
    )


@page("M425")
def nothing_at_all(sources: Sequence[str], span: Span | None) -> Diagnostic:
    """There is no supply at all.

    No source holds a token in a language of the mixture.
    """
    return Diagnostic(
        "M425",
        f"no source holds any tokens: {listed([f'`{name}`' for name in sources])}" if sources else "there is no source",
        at(span),
        (),
        ("declare a source with `supply`",),
    )


@page("M426")
def source_unused(source: Source, held: Sequence[str]) -> Diagnostic:
    """A source holds no language of the mixture.

    A warning: the source is read, and nothing of it can be taken. `und` is text of which nothing says the language:
    where any other source has languages, it is in no mixture.

    What to do: declare one of the languages that it holds. Where it holds `und`, name the column that says the language
    (`columns = { language: "lang" }`) or say it for all documents (`language = en`).
    """
    declare = "declare one of its languages, or remove the source"
    return Diagnostic(
        "M426",
        f"source `{source.name}` holds no language of the mixture",
        at(source.supply_span or source.span),
        (f"it holds: {listed(held)}",) if held else ("its sizes are all zero",),
        (SAY_LANGUAGE if source.paths and held and set(held) <= NO_LANGUAGE else declare,),
        Severity.WARNING,
    )


@page("M449")
def without_language(source: Source, lost: int, held: int) -> Diagnostic:
    """Documents without a language are left out.

    A warning: nothing says the language of these documents, so they belong to no language of the mixture, and no rule
    can speak of them. That is so wherever any document has a language; where none has, all are `und`, and are used.

    What to do: fill in the column; or give them a source of their own with `language = en`. Tags that stand for a
    language are mapped in the source: `aliases = { "unknown": en }`.
    """
    return Diagnostic(
        "M449",
        f"{lost / held:.2%} of source `{source.name}` has no language and is left out: {amount(lost)} of "
        f"{amount(held)}",
        at(source.span),
        (),
        ("fill in the column of languages, or give these documents a source of their own with `language = en`",),
        Severity.WARNING,
    )


@page("M427")
def unknown_codes(source: Source, tags: Sequence[str]) -> Diagnostic:
    """Codes in the data are not known.

    A warning: these rows are not used. Language codes are ISO 639-1 or 639-3, with a script (`hi_Latn`) where needed.

    Map them in the source: `aliases = { "en-simple": en }`.
    """
    return Diagnostic(
        "M427",
        f"{len(tags)} code{'s' * (len(tags) > 1)} in source `{source.name}` "
        f"{'are' if len(tags) > 1 else 'is'} not known: {listed([f'`{plain(tag)}`' for tag in tags])}",
        at(source.supply_span or source.span),
        (),
        (f'map what should count in the source: `aliases = {{ "{plain(tags[0])}": … }}`',),
        Severity.WARNING,
    )


@page("M428")
def one_origin(first: Source, second: Source, origin: str, languages: Sequence[str]) -> Diagnostic:
    """Two planning sources come from one origin.

    A warning: two corpora made from the same crawl hold much of the same text, and counting both as unique supply
    overstates it. Repetition then costs more than predicted.

        source culturax { supply = "culturax.csv", overlap = { fineweb2: 60% } }

    State the overlap on one of them; `overlap = { fineweb2: 0% }` says that there is none.
    """
    return Diagnostic(
        "M428",
        f"sources `{first.name}` and `{second.name}` both come from {origin} and may hold the same text",
        at(second.supply_span or second.span) + at(first.supply_span or first.span, "the other source"),
        (f"both hold {listed(languages)}",),
        (f"state what they share: `overlap = {{ {first.name}: 50% }}` in `{second.name}`",),
        Severity.WARNING,
    )


@page("M429")
def idle_alias(source: Source, tag: str, held: Sequence[str]) -> Diagnostic:
    """An alias matches nothing.

    A warning: no row of the source is tagged with this code, so the alias has no effect. Either the data changed or
    the code is misspelt.
    """
    return Diagnostic(
        "M429",
        f"no row of source `{source.name}` is tagged `{tag}`, so its alias has no effect",
        at(source.supply_span or source.span),
        (f"codes of the source: {listed(held)}",),
        (),
        Severity.WARNING,
    )


@page("M440")
def omega_out_of_reach(budget: float, low: float, high: float, domains: Sequence[str], span: Span | None) -> Diagnostic:
    """No omega makes the sampling curves give the budget.

    `quality { scale = omega }` multiplies the omega of every sampling curve by one factor, until the tokens that the
    curves give (T times the integral of S, summed over domains) are the tokens of the budget. With an omega of 0 a
    curve gives epsilon of its domain, with one of 100% the integral of the whole curve; no factor leaves this range.

    Example: `budget { model = 1.2B params, tokens = 400B tokens }` over domains of 100B tokens, `eta: 1`

    What to do: choose a budget within the range, raise `eta` so that good documents are repeated more often, add
    documents, or remove `scale = omega`: the curves are then multiplied as a whole.
    """
    return Diagnostic(
        "M440",
        f"no omega makes the sampling curves give {amount(budget)}",
        at(span),
        (f"the curves of {listed([f'`{name}`' for name in domains])} can give {amount(low)} to {amount(high)}",),
        ("choose a budget in between, change `eta` or `epsilon`, or remove `scale = omega`",),
    )
