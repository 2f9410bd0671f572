"""What can be wrong with documents, votes and pairs of a rater: M630 to M642."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.wording import listed, plain


@page("M630")
def bad_raters(text: str, why: str) -> Diagnostic:
    """raters are not named as they should be

    `--raters` names the columns of scores whose order votes on a pair: `--raters edu,dclm,askllm`. A higher score is
    the better one unless the name says otherwise: `perplexity:lower`.

    What to do: name each column once, separated by commas.
    """
    return Diagnostic("M630", f"`--raters {plain(text)}` names no raters: {why}", helps=(
        "write the columns of scores once each: `--raters edu,dclm,perplexity:lower`",
    ))  # fmt: skip


@page("M631")
def unknown_languages(counts: Mapping[str, int]) -> Diagnostic:
    """documents of an unknown language are left out

    A warning: pairs are made within a language and between languages, so that a document without one, or with a code
    that is no ISO 639 code, takes part in none.

    What to do: nothing, or correct the codes; `--language CODE` gives all documents one.
    """
    named = [f"`{plain(code)}` ({count:,})" if code else f"none ({count:,})" for code, count in sorted(counts.items())]
    total = sum(counts.values())
    verb = "documents have" if total > 1 else "document has"
    return Diagnostic(
        "M631",
        f"{total:,} {verb} no known language and {'are' if total > 1 else 'is'} left out",
        notes=(f"codes: {listed(named)}",),
        helps=("give all documents one language: `--language CODE`",) if set(counts) == {""} else (),
        severity=Severity.WARNING,
    )


@page("M632")
def repeated_document(id: str, files: Sequence[str]) -> Diagnostic:
    """an id stands twice among rated documents

    Pairs name documents by id, and translations find their originals by it. Of two documents with one id neither can be
    told from the other.

    What to do: give every document an id of its own, or remove the copies.
    """
    return Diagnostic("M632", f"the id `{plain(id)}` stands twice among the documents", notes=(
        f"files: {listed(sorted(set(files)))}",
    ), helps=("give every document an id of its own, or remove the copies",))  # fmt: skip


@page("M633")
def repeated_translation(key: str, language: str) -> Diagnostic:
    """a document has two translations in one language

    Parallel text is aligned by key: a document has at most one translation in each language.

    What to do: keep one of them.
    """
    return Diagnostic("M633", f"document `{plain(key)}` has two translations in {language}", helps=("keep one",))


@page("M634")
def stray_translations(unrated: int, own: int, unknown: int, empty: int) -> Diagnostic:
    """translations that cannot be used are left out

    A warning: the `key` of a translation is the id of a rated document, its language another one than the document's.

    What to do: nothing, or correct keys and languages.
    """
    reasons = {
        "of no rated document": unrated,
        "in the language of the document itself": own,
        "in no known language": unknown,
        "without text": empty,
    }
    total = sum(reasons.values())
    return Diagnostic(
        "M634",
        f"{total:,} translation{'s are' if total > 1 else ' is'} left out",
        notes=tuple(f"{count:,} {why}" for why, count in reasons.items() if count),
        severity=Severity.WARNING,
    )


@page("M635")
def one_rater(name: str) -> Diagnostic:
    """one rater alone votes

    A warning: the vote of several raters is steadier than any of them, and says where they disagree. With one, every
    pair is certain, so that the rater learns its taste and its errors, and the confidence filter drops nothing but
    ties.

    What to do: name two raters or more.
    """
    return Diagnostic(
        "M635",
        f"only `{plain(name)}` votes, so every vote is unanimous",
        helps=("name more raters: `--raters a,b,c`",),
        severity=Severity.WARNING,
    )


@page("M636")
def no_pairs(documents: int, looked_at: int, ties: int, confidence: float) -> Diagnostic:
    """no pair of documents is left

    A pair is kept where the raters agree well enough, |2p - 1| >= the confidence. Here they contradict each other on
    every pair, or no language has two rated documents.

    What to do: name raters that have something in common, lower `--confidence`, or rate more documents.
    """
    if looked_at:
        message = f"the raters contradict each other on all of {looked_at:,} pairs"
        notes = (f"{ties:,} are ties; the others are less certain than a confidence of {confidence:g}",)
        helps = ("name other raters, or lower `--confidence`",)
        return Diagnostic("M636", message, notes=notes, helps=helps)
    return Diagnostic("M636", f"{documents:,} rated documents make no pair", notes=(
        "no language has two documents that one rater scored",
    ), helps=("rate more documents, or check the names of the columns of scores",))  # fmt: skip


@page("M637")
def languages_without_pairs(reasons: Mapping[str, str]) -> Diagnostic:
    """a language has no pairs

    A warning: a rater learns nothing of a language that stands in no pair. What it says of such documents rests on what
    the encoder carries over from other languages, and no figure checks it.

    What to do: rate documents of the language, translate rated ones into it (`--parallel`), or leave it out.
    """
    names = sorted(reasons)
    return Diagnostic(
        "M637",
        f"no pair has a text in {listed(names)}",
        notes=tuple(f"{name}: {reasons[name]}" for name in names[:8]),
        helps=("rate documents in it, or give translations with `--parallel`",),
        severity=Severity.WARNING,
    )


@page("M638")
def offsets_free(groups: Sequence[Sequence[str]]) -> Diagnostic:
    """scores of different languages cannot be compared

    A warning: pairs fix a score up to a constant, one for each group of languages that pairs connect. Without
    cross-lingual and parallel pairs every language has a constant of its own, so that a threshold on scores of several
    languages means nothing. Ranks within a language are safe; a recipe that asks for `scope = global` of such a rater
    is refused.

    What to do: give translations of rated documents with `--parallel`, or keep `scope = language`.
    """
    shown = "; ".join(listed(sorted(group)) for group in groups[:8])
    return Diagnostic(
        "M638",
        f"no pair connects the {len(groups)} groups of languages, so their scores cannot be compared",
        notes=(f"groups: {shown}",),
        helps=("add cross-lingual and parallel pairs with `--parallel`, or rank within languages only",),
        severity=Severity.WARNING,
    )


@page("M639")
def no_language(name: str, columns: Sequence[str], asked: str | None) -> Diagnostic:
    """documents say no language

    Pairs are made within languages and between them. The language of a document stands in a column `language` or
    `lang`, in the one that `--language` names, or is the one code that `--language` gives.

    What to do: name the column, or give the code.
    """
    what = f"`--language {plain(asked)}` is neither a column of `{name}` nor the code of a language" if asked else (
        f"`{name}` has no column `language` or `lang`"
    )  # fmt: skip
    return Diagnostic("M639", what, notes=(f"its columns are {listed(columns)}",), helps=(
        "write `--language CODE`, or `--language COLUMN`",
    ), subject=name)  # fmt: skip


@page("M640")
def bad_pair(name: str, line: int, why: str) -> Diagnostic:
    """a line is no pair

    A file of pairs has a JSON object on every line: `id_a`, `lang_a`, `id_b`, `lang_b`, `kind` (mono, cross or
    parallel), `p` (from 0 to 1), `votes`, and `src_pair`, the two rated documents behind the texts.

    What to do: make the file again with `mixc rater pairs`, or correct the line.
    """
    message = f"line {line:,} of `{name}` is no pair: {plain(why, 200)}"
    return Diagnostic("M640", message, helps=("make it again with `mixc rater pairs`",), subject=f"{name}:{line}")


@page("M641")
def no_texts_of_pairs(name: str, why: str) -> Diagnostic:
    """the texts of pairs are missing

    `mixc rater pairs` writes the texts beside the pairs: `pairs.texts.parquet` for `pairs.jsonl`, with id, language and
    text of every document and translation that a pair names.

    What to do: keep both files together, or make them again.
    """
    return Diagnostic("M641", f"`{name}` does not hold the texts of the pairs: {plain(why, 200)}", subject=name, helps=(
        "make both files again with `mixc rater pairs`",
    ))  # fmt: skip


@page("M642")
def too_few_pairs(name: str, what: str, kept: int, confidence: float) -> Diagnostic:
    """there are too few pairs to train on

    Documents are divided before training: some choose the regularisation, some are held out to report on, the others
    are trained on. A pair counts where both of its documents fall on one side and it is certain enough.

    What to do: make more pairs, lower `--confidence`, or hold out less with `--held-out`.
    """
    return Diagnostic(
        "M642",
        f"`{name}` leaves no pairs {what}",
        notes=(f"{kept:,} pairs have |2p - 1| of at least {confidence:g}",),
        helps=("make more pairs with `mixc rater pairs`, or change `--held-out`",),
        subject=name,
    )
