"""What is said of scores that models give."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.compiler.recipe import Rater, Source, Target
from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.suggest import suggest
from mixc.dsl.text import Span
from mixc.dsl.wording import at, listed, plain


@page("M620")
def never_scored(scorer: Target | Rater, recipe: str) -> Diagnostic:
    """a model has not scored the documents yet

    A target scores documents by the neurons that a model activates for them, a rater with a `kind` by a model that was
    trained to rate. That takes minutes to days, so it is a command of its own, `mixc score`, which keeps what it made
    under `.mixc/`; `compile` and `scan` only read it.

    Example: `target reasoning { path = "targets/gsm8k.jsonl" }`, weighed in a domain, before the first `mixc score`, or
    after its texts or parameters were changed; `rater mu { kind = murating, model = "raters/mu" }` after the rater was
    trained again.

    What to do: run `mixc score RECIPE`.
    """
    what = "target" if isinstance(scorer, Target) else "rater"
    return Diagnostic(
        "M620",
        f"the documents were not scored by {what} `{scorer.name}` as it stands",
        at(scorer.span),
        helps=(f"run `mixc score {recipe}`",),
    )


@page("M621")
def not_scored(rater: str, count: int, of: int) -> Diagnostic:
    """some files of documents have no scores of a model

    `mixc score` keeps the scores of every file by its content. Files that came later, or were changed, have none yet; a
    manifest that is run elsewhere needs the folder `.mixc/scores` beside it.

    What to do: run `mixc score RECIPE`; it scores only what is missing.
    """
    return Diagnostic(
        "M621",
        f"`{rater}` has scored {of - count} of {of} files",
        subject=rater,
        helps=("run `mixc score` on the recipe: it scores what is missing",),
    )


@page("M624")
def other_texts(rater: Rater, source: Source, column: str) -> Diagnostic:
    """a rater reads another column than its source's texts

    A source has one column of texts: its tokens are counted there where no column counts them, and all models read it.
    `text` of a rater names that column where the source names none and has no column `text`.

    Example: `rater mu { kind = murating, model = "raters/mu", text = "body" }`, and documents with both `text` and
    `body`.

    What to do: name one column: `columns = { text: "body" }` in the source, or leave `text` out of the rater.
    """
    return Diagnostic(
        "M624",
        f"rater `{rater.name}` reads `{rater.text}`, and the texts of `{source.name}` are in `{column}`",
        (*at(rater.span), *at(source.span)),
        helps=(f'write `columns = {{ text: "{rater.text}" }}` in `{source.name}`, or leave `text` out of the rater',),
    )


@page("M625")
def other_pool(targets: Sequence[str]) -> Diagnostic:
    """a gate was decided over other documents

    A target with `fraction` keeps the best part of all tokens. Which documents that is depends on all of them, so with
    a file more or less it is decided anew.

    What to do: run `mixc score RECIPE`; documents that were read before are not read again.
    """
    return Diagnostic(
        "M625",
        f"which documents pass {listed([f'`{name}`' for name in targets])} was decided over other documents",
        helps=("run `mixc score` on the recipe",),
    )


@page("M626")
def uneven_gate(one: Target, other: Target, key: str) -> Diagnostic:
    """targets of one gate disagree

    Targets with `fraction` are one gate together: they share one part of the tokens, each by its `weight`. So they
    state the same `fraction` and the same `scope`.

        target maths { path = "targets/maths.jsonl", fraction = 20%, weight = 2 }
        target code  { path = "targets/code.jsonl",  fraction = 20%, weight = 1 }

    What to do: state the same fraction; give shares by `weight`.
    """
    return Diagnostic(
        "M626",
        f"targets `{one.name}` and `{other.name}` are one gate, and state another `{key}`",
        (*at(one.span), *at(other.span)),
        helps=(f"state the same `{key}`; `weight` says how much each target gets",),
    )


@page("M627")
def no_such_target(name: str, known: Sequence[str]) -> Diagnostic:
    """a manifest has no target of that name

    `mixc explain M --target T` tells which neurons a target looks at. The manifest lists its targets among the stages
    of its plan.

    What to do: give the name of one of them.
    """
    nearest = suggest(name, known)
    listing = f"its targets are {listed([f'`{one}`' for one in known], 8)}" if known else "it compares with no target"
    return Diagnostic(
        "M627",
        f"the manifest has no target `{plain(name)}`",
        notes=(listing,),
        helps=(f"did you mean `{nearest}`?",) if nearest else (),
    )


@page("M628")
def not_here(name: str, model: str) -> Diagnostic:
    """what a target looks at is not on this machine

    The neurons of a target's examples are kept under `.mixc/features` beside the recipe, where `mixc score` was run.

    What to do: run `mixc score` on the recipe, or ask where it was run.
    """
    return Diagnostic(
        "M628",
        f"the neurons of `{model}` that target `{name}` activates are not kept here",
        helps=("run `mixc score` on the recipe",),
    )


@page("M629")
def free_offsets(rater: Rater) -> Diagnostic:
    """a rater's scores do not compare across languages

    A rater that learnt from pairs within languages only knows which of two documents of one language is better. How far
    the scores of one language lie above those of another is then free, whatever the numbers look like. Pairs across
    languages, and translations of one text, tie the languages together (MuRating, arXiv 2507.01785).

    Example: `scope = global` for a rater that was trained on pairs from `mixc rater pairs` without `--parallel`.

    What to do: leave `scope = global` out, so that documents are ranked within their language; or train the rater on
    pairs with `--parallel`.
    """
    return Diagnostic(
        "M629",
        f"`scope = global` ranks all languages together, and scores of rater `{rater.name}` compare within one only",
        at(rater.span),
        ("it learnt from no pairs across languages, and from no translations",),
        ("leave `scope = global` out, or train it on pairs made with `--parallel`",),
    )


@page("M622")
def no_texts(source: Source, names: Sequence[str]) -> Diagnostic:
    """a model cannot score documents without texts

    Targets, and raters that are models, read the texts of documents, and this source has no column of texts: none is
    called `text`, and `columns` names none.

    What to do: name it, `columns = { text: "content" }`.
    """
    return Diagnostic(
        "M622",
        f"`{source.name}` has no texts for {listed([f'`{name}`' for name in names])} to read",
        at(source.span),
        helps=('name the column: `columns = { text: "…" }`',),
    )


@page("M623")
def no_target_texts(target: str, path: str, columns: Sequence[str], span: Span | None) -> Diagnostic:
    """a target has no texts

    The file of a target is read like documents: JSON lines or Parquet with a column `text`, one example in each row.

    Example: `{"text": "Question: … Answer: …"}` on every line of `targets/gsm8k.jsonl`.

    What to do: write the examples into a column `text`.
    """
    held = f"its columns are {listed([f'`{one}`' for one in columns], 8)}" if columns else "it is empty"
    return Diagnostic(
        "M623",
        f"`{path}` has no column `text` for target `{target}`",
        at(span),
        (held,),
        ("write each example into a column `text`",),
    )


@page("M611")
def unrated_documents(target: Target, rater: Rater, language: str, unrated: int, documents: int) -> Diagnostic:
    """most documents of a language have no score that a gate ranks by

    A warning: a target with `quality` ranks documents by their distance and by a rater. A document without a score of
    the rater is no candidate, and its tokens are not part of what the fraction is taken of.

    Example: `target maths { path = "maths.jsonl", fraction = 20%, quality = edu }`, where only English was rated.

    What to do: rate the language, or remove `quality`.
    """
    return Diagnostic(
        "M611",
        f"{unrated:,} of {documents:,} documents in `{language}` have no score of rater `{rater.name}`, and cannot "
        f"pass the gate of `{target.name}`",
        (*at(target.span), *at(rater.span)),
        helps=("rate the language, or remove `quality` from the target",),
        severity=Severity.WARNING,
    )
