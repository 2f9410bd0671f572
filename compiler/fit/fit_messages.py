"""Why runs do not identify a law, and what is doubtful about one that they do: M718 to M727."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.wording import listed, named, plain


@page("M718")
def few_runs(name: str, runs: int, needed: int, what: str, helps: Sequence[str]) -> Diagnostic:
    """There are fewer runs than a law has constants.

    InfoLaw has five constants, and a sixth run is the first that can contradict them. The transfer law has three per
    language, two for each pair of languages, and a few that all share; what pairs have in common by family and script
    stands in for runs, but each language needs four losses of its own.

    Add runs; which ones is said below the message. Runs of the smallest size are cheapest, and tell as much about the
    mixture.
    """
    return Diagnostic(
        "M718", f"`{named(name)}` has {runs} runs, and {what} needs {needed} or more", (), (), tuple(helps),
        subject=name,
    )  # fmt: skip


@page("M719")
def one_size(name: str, params: str, runs: int, wanted: str) -> Diagnostic:
    """All runs are of one model size.

    In InfoLaw the learning rate of a model is lam = a ln N + b. With one size N, a and b cannot be told apart, and the
    law says nothing about larger models, which is what it is for. Sizes a factor of two or more apart, in the same
    mixtures, identify a.
    """
    return Diagnostic(
        "M719",
        f"all {runs} runs of `{named(name)}` have {params} parameters, so that `a` is not identified",
        (),
        (),
        (f"add {wanted}",),
        subject=name,
    )


@page("M720")
def no_repetition(name: str, most: float, wanted: str) -> Diagnostic:
    """No run reads anything twice.

    What repetition costs is in the learning rate lam: a bucket read R times gives 1 - exp(-lam R / ln K) of its
    information. While R is 1 everywhere, lam moves all runs alike and cannot be told from alpha: the fit would set
    the price of repetition by rounding errors. A run that reads a small bucket two or three times identifies it.
    """
    return Diagnostic(
        "M720",
        f"no bucket is repeated in `{named(name)}` (at most {most:.2g} passes), so that lam is not identified",
        (),
        (),
        (f"add {wanted}",),
        subject=name,
    )


@page("M721")
def one_mixture(name: str, runs: int, wanted: str) -> Diagnostic:
    """All runs have the same mixture.

    theta says how much less a worse bucket teaches. Runs that all take the same share of every bucket say nothing
    about it.
    """
    return Diagnostic(
        "M721",
        f"all {runs} runs of `{named(name)}` take the same shares of the buckets: `theta` is not identified",
        (),
        (),
        (f"add {wanted}",),
        subject=name,
    )


@page("M722")
def open_intervals(name: str, ends: Sequence[str], helps: Sequence[str]) -> Diagnostic:
    """The runs leave a constant open.

    A warning: the best value is written, but the runs would fit nearly as well (within the 90 % interval) with the
    constant as far up, or down, as it was followed. Predictions near the runs are hardly touched; those far away are.

    Runs that would close the interval are named.
    """
    return Diagnostic(
        "M722",
        f"the runs of `{named(name)}` do not bound {'; '.join(ends)}",
        (),
        (),
        tuple(helps),
        Severity.WARNING,
        subject=name,
    )


@page("M723")
def outlying_runs(name: str, runs: Sequence[str]) -> Diagnostic:
    """Some runs are far from the law that the others follow.

    A warning: their losses are off by more than five robust standard deviations, so that they were weighed down
    (Huber's weights) instead of bending the law. A diverged run, another validation set or a wrong column look so;
    a law that does not hold does too, when many runs are named.

    Check the runs that are named; remove those that failed.
    """
    return Diagnostic(
        "M723",
        f"{len(runs)} run{'s' if len(runs) > 1 else ''} of `{named(name)}` far off the law: {listed(runs, 6)}",
        (),
        ("they were weighed down, not removed",),
        ("check whether they finished, and were evaluated like the others",),
        Severity.WARNING,
        subject=name,
    )


@page("M724")
def unknown_language(name: str, code: str, near: str | None, twin: str | None) -> Diagnostic:
    """A table of runs names a language that is not known.

    Languages are ISO 639 codes, with a script where text is in another than the usual one. Two spellings of one
    language in a table are one language twice.
    """
    message = f"`{plain(code)}` in `{named(name)}` is no code of a language"
    help = f"did you mean `{near}`?" if near else "write an ISO 639 code: `de`, `nb`, `yue`, `hi_Latn`"
    if twin is not None:
        message = f"`{plain(twin)}` and `{plain(code)}` in `{named(name)}` are one language"
        help = "write one code for it, in all rows and columns"
    return Diagnostic("M724", message, helps=(help,), subject=name)


@page("M725")
def not_a_law(name: str, why: str, note: str) -> Diagnostic:
    """The losses do not follow the law at all.

    The loss has to fall as information grows. In these runs it does not, so that the best exponent is 0 and the law
    would say that data does not matter. Losses and mixtures were joined wrongly, shares belong to other buckets (the
    best is number 0), or losses are of something else than the runs' validation text.
    """
    return Diagnostic(
        "M725", f"the losses of `{named(name)}` do not follow the law: {why}", (), (note,),
        ("check which row belongs to which run, and that the best bucket comes first",), subject=name,
    )  # fmt: skip


@page("M726")
def silent_language(name: str, languages: Sequence[str], why: str, helps: Sequence[str]) -> Diagnostic:
    """A language cannot be fitted.

    A language's loss law has three constants, so it needs losses in at least four runs, with different shares of the
    language. A language that no run ever reads, or that has the same share in all, says nothing about its own data.
    """
    return Diagnostic("M726", f"{listed(languages)} in `{named(name)}` {why}", (), (), tuple(helps), subject=name)


@page("M727")
def loose_terms(name: str, total: int, loose: int, notes: Sequence[str], helps: Sequence[str]) -> Diagnostic:
    """The runs do not identify all transfer terms.

    A warning: for these pairs the runs say less than what is assumed of all pairs of one kind (same family, same
    script, neither), so that their values are close to that shared value. Losses of mixtures like those of the runs are
    predicted well nevertheless; do not read such a term as a measurement. The file lists them under `not_identified`.

    A run in which the giving language has a large share and the receiving one a small share identifies a term.
    """
    return Diagnostic(
        "M727",
        f"{loose} of {total} transfer terms are not identified by the runs of `{named(name)}`",
        (),
        tuple(notes),
        tuple(helps),
        Severity.WARNING,
        subject=name,
    )
