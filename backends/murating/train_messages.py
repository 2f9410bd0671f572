"""What can be wrong with encoders, training and raters: M643 to M653."""

from __future__ import annotations

from collections.abc import Sequence

from mixc.dsl.diagnostics import Diagnostic, Severity, page
from mixc.dsl.text import Span
from mixc.dsl.wording import at, listed, plain


@page("M643")
def no_encoder_package(name: str, module: str) -> Diagnostic:
    """the package of an encoder is not installed

    Some encoders come whole in a Python package, weights and all, and need neither PyTorch nor a download. A rater
    trained on one needs the same package where documents are scored.

    What to do: install the package, or name another encoder.
    """
    return Diagnostic("M643", f"the encoder `{name}` needs the package `{module}`, which is not installed", helps=(
        f"pip install {module}",
    ), subject=name)  # fmt: skip


@page("M644")
def no_tokenizer(name: str, found: Sequence[str]) -> Diagnostic:
    """an encoder has no tokenizer

    A text has to be cut into the tokens that an encoder was trained on. Its folder holds them as `tokenizer.json`, as
    `vocab.txt`, or as a SentencePiece model; with another tokenizer the encoder would read noise.

    What to do: download the tokenizer's files into the folder of the encoder.
    """
    return Diagnostic(
        "M644",
        f"the encoder `{plain(name, 200)}` has no tokenizer",
        notes=(f"its files are {listed(found)}",),
        helps=("put `tokenizer.json` and `tokenizer_config.json` into its folder",),
        subject=name,
    )


@page("M645")
def bad_encoder(name: str, why: str) -> Diagnostic:
    """a model cannot be used as an encoder

    An encoder gives one vector for each token, from which one for the text is pooled: their mean, the first, the last,
    or the largest values, as `1_Pooling/config.json` says, the mean where there is none. All weights have to be in its
    files.

    What to do: take another encoder.
    """
    message = f"`{plain(name, 200)}` is no encoder to rate with: {plain(why, 300)}"
    return Diagnostic("M645", message, helps=("take another encoder",), subject=name)


@page("M646")
def cannot_fine_tune(name: str) -> Diagnostic:
    """an encoder of a package cannot be fine-tuned

    Packaged encoders run on engines of their own, which give no gradients.

    What to do: train a head on it without `--fine-tune`, or take an encoder of transformers.
    """
    return Diagnostic("M646", f"the encoder `{name}` cannot be fine-tuned", subject=name, helps=(
        "leave `--fine-tune` out, or take an encoder of transformers",
    ))  # fmt: skip


@page("M647")
def parity_failed(languages: Sequence[tuple[str, float]], reference: str, limit: float) -> Diagnostic:
    """a rater does not score translations alike

    A warning. The audit compares the scores of one text in two languages: delta is the mean difference to the reference
    language over the standard deviation of scores. Beyond the limit one language as such counts as better than another,
    so that a threshold over several languages would choose the language. Ranks within a language are safe.

    What to do: train with more cross-lingual and parallel pairs, a larger `--lambda`, or keep `scope = language`.
    """
    shown = [f"{language} {delta:+.2f}" for language, delta in languages]
    return Diagnostic(
        "M647",
        f"the parity audit fails in {listed([language for language, _ in languages])}",
        notes=(f"mean difference to {reference} in standard deviations, at most {limit:g}: {listed(shown, 12)}",),
        helps=("add parallel pairs, or raise `--lambda`; rank within languages only",),
        severity=Severity.WARNING,
    )


@page("M648")
def blind_encoder(name: str, languages: Sequence[tuple[str, str]], reference: str) -> Diagnostic:
    """an encoder does not know the languages it is used on

    The parity audit fails in such a way that a constant cannot be the reason: in some languages, translations of one
    text differ more than good and bad texts do, or good and bad texts are told apart much worse than in the reference
    language. That is what an encoder of English, or of few languages, does with others: it sees the letters and not the
    text. Its scores would choose documents by accident, so no rater is written.

    What to do: take a multilingual encoder, or make pairs of the languages it knows only.
    """
    return Diagnostic(
        "M648",
        f"the encoder `{plain(name, 200)}` does not know {listed([language for language, _ in languages])}",
        notes=tuple(f"{language}: {why}" for language, why in languages[:12]),
        helps=(
            f"take a multilingual encoder; this one seems to know {reference} only"
            if len(languages) > 1
            else "take a multilingual encoder",
            "or make pairs of the languages that it knows only",
        ),
        subject=name,
    )


@page("M649")
def no_rater(name: str, why: str, span: Span | None = None) -> Diagnostic:
    """a rater cannot be read

    `mixc rater train` writes a rater as a folder: `rater.json`, `head.safetensors`, a model card, and the encoder where
    it was fine-tuned. A recipe names the folder: `rater mu { kind = murating, model = "raters/mu" }`.

    What to do: check the path, or train the rater again.
    """
    return Diagnostic("M649", f"`{plain(name, 200)}` is no rater: {plain(why, 200)}", at(span), subject=name, helps=(
        "train it with `mixc rater train`, or check its path",
    ))  # fmt: skip


@page("M650")
def other_encoder(name: str, found: str, trained: str, span: Span | None = None) -> Diagnostic:
    """an encoder is not the one that a rater was trained on

    A head reads the vectors of one encoder. With other weights, another tokenizer or another version of its package,
    the vectors mean something else.

    What to do: use the encoder that the rater was trained on, or train the rater again.
    """
    return Diagnostic(
        "M650",
        f"the encoder `{plain(name, 200)}` is not the one that the rater was trained on",
        at(span),
        notes=(f"content: found {found[:16]}, trained on {trained[:16]}",),
        helps=("use the same encoder, or train the rater again",),
        subject=name,
    )


@page("M651")
def vectors_not_finite(name: str, id: str) -> Diagnostic:
    """an encoder gives numbers that are not finite

    The vector of a text holds NaN or infinity, because weights are damaged or numbers of half precision overflow.

    What to do: check the encoder's files; run it on the CPU.
    """
    return Diagnostic("M651", f"`{plain(name, 200)}` gives a vector that is not finite for `{plain(id)}`", helps=(
        "check its files, or run it with `--device cpu`",
    ), subject=name)  # fmt: skip


@page("M652")
def bad_setting(name: str, value: float, least: float, most: float) -> Diagnostic:
    """an option of pairs or training is out of range

    Shares and confidences lie between 0 and 1; the page of the command says what each option is.
    """
    return Diagnostic("M652", f"`{name} {value:g}` is out of range", helps=(
        f"write a number from {least:g} to {most:g}",
    ))  # fmt: skip


@page("M653")
def not_audited(languages: Sequence[str], reference: str) -> Diagnostic:
    """parity is not known for some languages

    A warning: the audit compares texts with their translations. Without parallel pairs to the reference language
    nothing is known of how a language's scores lie to others'.

    What to do: give translations with `--parallel` when pairs are made; else rank within languages only.
    """
    return Diagnostic(
        "M653",
        f"parity with {reference} is not known for {listed(languages)}",
        notes=("too few held-out documents stand in both languages",),
        helps=("give more translations with `mixc rater pairs --parallel`, or hold out more",),
        severity=Severity.WARNING,
    )
