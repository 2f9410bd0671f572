"""What a rater says of itself: `rater.json`, the model card, and the report on the screen, all from one description."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mixc.backends.murating.audit import LIMIT, Audit, Parity
from mixc.backends.murating.encoder import EncoderSpec
from mixc.backends.murating.head import Head, save_tensors
from mixc.backends.murating.measures import Measures
from mixc.backends.murating.pair_files import PairTable
from mixc.backends.murating.rater import (
    ABOUT,
    CARD,
    ENCODER,
    FORMAT,
    HEAD,
    content_of,
    encoder_about,
)
from mixc.backends.murating.settings import TrainSettings
from mixc.backends.murating.split import Split
from mixc.compiler.review.canonical import Json, canonical, figure
from mixc.compiler.review.words import markdown_table, table
from mixc.compiler.whole import write_folder

ROWS = ("language", "pairs", "accuracy", "texts", "delta", "slope", "mse", "gap", "unknown")


def about_of(
    settings: TrainSettings,
    pairs: PairTable,
    sides: Split,
    groups: Sequence[Sequence[str]],
    told: Mapping[str, Json],
    measures: Measures,
    parity: Audit,
) -> dict[str, Json]:
    """All of `rater.json` but the encoder, the head and hashes of them."""
    counts = {side: len(sides.rows(side)) for side in ("train", "apart", "held")}
    return {
        "format": FORMAT,
        "kind": "murating",
        "offsets": "identified" if len(groups) <= 1 else "free",
        "languages": [list(group) for group in groups],
        "training": {
            "lambda": settings.weight,
            "confidence": settings.confidence,
            "seed": settings.seed,
            "held_out": settings.held_out,
            "fine_tune": settings.fine_tune,
            "epochs": settings.epochs,
            "decay": settings.decay,
            **told,
        },
        "data": {
            "pairs": pairs.digests[0],
            "texts": pairs.digests[1],
            "made_of": {key: value for key, value in pairs.about.items() if key != "version"},
            "sides": {**counts, "across": sides.across},
        },
        "accuracy": {
            "kinds": {kind: [one.pairs, figure(one.right)] for kind, one in measures.kinds.items()},
            "languages": {code: [one.pairs, figure(one.right)] for code, one in measures.languages.items()},
        },
        "calibration_error": figure(measures.calibration),
        "separation": figure(measures.separation),
        "audit": {
            "reference": parity.reference,
            "passed": parity.passed,
            "limit": LIMIT,
            "gap": None if parity.gap is None else figure(parity.gap),
            "languages": {row.language: _parity(row) for row in parity.rows},
            "not_audited": list(parity.missing),
        },
    }


def _parity(row: Parity) -> dict[str, Json]:
    return {
        "texts": row.texts,
        "delta": figure(row.delta),
        "slope": figure(row.slope),
        "mse": figure(row.mse),
        "gap": figure(row.gap),
        "unknown": None if row.unknown is None else figure(row.unknown),
    }


def write_rater(
    folder: Path, encoder: EncoderSpec, head: Head, about: Mapping[str, Json], fine_tuned: bool
) -> dict[str, Any]:
    """Write the folder of a rater, whole or not at all; what its `rater.json` says."""
    written: dict[str, Any] = {}

    def fill(made: Path) -> None:
        save_tensors(made / HEAD, head.tensors)
        told = encoder_about(encoder, folder, fine_tuned)
        if fine_tuned:
            shutil.copytree(encoder.place, made / ENCODER)
        hidden = len(head.tensors["hidden.bias"]) if head.shape == "mlp" else None
        shape: dict[str, Json] = {"shape": head.shape, "hidden": hidden}
        content = content_of(told, (made / HEAD).read_bytes())
        written.update({**about, "encoder": told, "head": shape, "content": content})
        (made / ABOUT).write_text(canonical(written), encoding="utf-8")
        (made / CARD).write_text(card(written), encoding="utf-8")

    write_folder(folder, fill)
    return written


def report_text(about: Mapping[str, Any]) -> str:
    """The report on the screen."""
    lines = table(ROWS, _rows(about))
    return lines + "".join(f"{line}\n" for line in _sentences(about))


def card(about: Mapping[str, Any]) -> str:
    """The model card, Markdown."""
    encoder, head, data, training = (about[key] for key in ("encoder", "head", "data", "training"))
    made = data["made_of"]
    voters = [f"{one['name']} ({one['better']} is better)" for one in made.get("raters", [])]
    read = "the whole text" if encoder["tokens"] is None else f"the first {encoder['tokens']:,} tokens"
    decay = training["decay"]
    state = "fine-tuned" if encoder["fine_tuned"] else "frozen"
    penalty = "its default" if decay is None else f"{decay:g}"
    settings = [
        f"Encoder: {encoder['name']}, {state}; content {encoder['content']}.",
        f"Vectors of tokens are pooled: {encoder['pooling']}. Before every text stands `{encoder['prefix']}`.",
        f"Reads {read} in pieces of at most {encoder['chunk']} tokens; the score is their mean weighted by tokens.",
        f"Head: {head['shape']}" + (f" of {head['hidden']} hidden units." if head["hidden"] else "."),
        f"Loss: lambda {training['lambda']:g} of parallel pairs, decay {penalty}.",
        f"Pairs of confidence {training['confidence']:g}; seed {training['seed']}.",
    ]
    source = [
        f"Votes: {', '.join(voters) or 'not stated'}.",
        f"Pairs: {', '.join(f'{n:,} {kind}' for kind, n in sorted(made.get('pairs', {}).items())) or 'not stated'}.",
        f"SHA-256 of the pairs {data['pairs']}, of their texts {data['texts']}.",
        f"Licence of the data: {made.get('licence', 'not stated')}.",
    ]
    sides = data["sides"]
    parts = [
        "# A MuRating rater of documents",
        "Scores documents of any language that its encoder knows; higher is better.",
        "Trained on the order in which other raters put pairs of documents (MuRating, arXiv 2507.01785).",
        f"Content {about['content']}.",
        "## How it is made",
        "\n".join(f"- {line}" for line in settings),
        "## Data",
        "\n".join(f"- {line}" for line in source),
        f"{sides['train']:,} pairs were trained on, {sides['apart']:,} chosen on, {sides['held']:,} held out.",
        "No document stands on two sides, nor do its translations and copies.",
        "## On held-out documents",
        markdown_table(ROWS, _rows(about)).rstrip("\n"),
        "\n".join(f"- {line}" for line in _sentences(about)),
        "## What to use it for",
        "Ranks within a language are safe.",
        "Scores of different languages may be compared only where offsets are identified and the audit passes.",
    ]
    return "\n\n".join(parts) + "\n"


def _rows(about: Mapping[str, Any]) -> list[list[str]]:
    accuracy, audit = about["accuracy"]["languages"], about["audit"]["languages"]
    found = []
    for language in sorted({*accuracy, *audit}):
        pairs, right = accuracy.get(language, (0, None))
        row = audit.get(language, {})
        figures = [_number(row.get(key)) for key in ("delta", "slope", "mse", "gap")]
        unknown = row.get("unknown")
        share = "" if unknown is None else f"{unknown:.1%}"
        texts = f"{row['texts']:,}" if row else "reference" if language == about["audit"]["reference"] else ""
        found.append([language, f"{pairs:,}", _number(right), texts, *figures, share])
    return found


def _sentences(about: Mapping[str, Any]) -> list[str]:
    audit = about["audit"]
    kinds = [f"{kind} {right:.3f} of {pairs:,}" for kind, (pairs, right) in about["accuracy"]["kinds"].items()]
    gap = "not known" if audit["gap"] is None else f"{audit['gap']:.3f}"
    result = "passed" if audit["passed"] else "failed"
    none = not audit["languages"] and not audit["not_audited"]
    return [
        f"Accuracy by kind: {', '.join(kinds) or 'no pairs'}.",
        f"Expected calibration error {about['calibration_error']:.3f}.",
        f"Parity gap {gap}: mean difference of translations over that of better and worse texts.",
        "Parity audit: nothing to compare, there are no translations."
        if none
        else f"Parity audit against {audit['reference']}: {result}, |delta| at most {audit['limit']:g}.",
        f"Offsets between languages are {about['offsets']}.",
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
