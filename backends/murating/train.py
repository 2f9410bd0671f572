"""`mixc rater train`: from pairs to a rater that is measured, audited and written as a folder."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mixc.backends.murating import audit as audits
from mixc.backends.murating.card import about_of, report_text, write_rater
from mixc.backends.murating.embedding import Embedded, embed
from mixc.backends.murating.encoder import EncoderSpec
from mixc.backends.murating.encoders import find_encoder, load_encoder
from mixc.backends.murating.head import Head, linear_head, pooled, standard
from mixc.backends.murating.linear import GRID, fit_linear
from mixc.backends.murating.loss import Reals
from mixc.backends.murating.measures import measure
from mixc.backends.murating.messages import offsets_free, one_rater, too_few_pairs
from mixc.backends.murating.pair_files import PairTable, read_pairs
from mixc.backends.murating.pairs import components
from mixc.backends.murating.rater import may_be_replaced
from mixc.backends.murating.settings import CHUNK, TrainSettings, check_train_settings
from mixc.backends.murating.split import SIDES, Side, Split, examples_of, split, whole
from mixc.backends.murating.train_messages import cannot_fine_tune, no_rater
from mixc.compiler.documents.data import Unreadable
from mixc.compiler.executor import Executor
from mixc.compiler.progress import Progress
from mixc.compiler.review.canonical import Json
from mixc.compiler.scan.store import Store
from mixc.dsl.diagnostics import Diagnostic, has_errors


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """An encoder with its head, and how it was found."""

    encoder: EncoderSpec
    head: Head
    told: Mapping[str, Json]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What came of it: what `rater.json` says or would say, the report for people, whether a rater was written."""

    about: Mapping[str, Any]
    text: str
    written: bool


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What training works with: pairs, their texts' vectors, the sides, and where things are kept and done."""

    table: PairTable
    embedded: Embedded
    sides: Split
    store: Store
    executor: Executor
    progress: Progress


def train(
    pairs: Path,
    output: Path,
    settings: TrainSettings,
    executor: Executor,
    progress: Progress,
    *,
    test: Path | None = None,
    device: str = "cpu",
) -> tuple[Trained | None, list[Diagnostic]]:
    """Train a rater on pairs and write it; `test` are pairs to report on instead of those held out."""
    store = Store(pairs.parent)
    try:
        check_train_settings(settings)
        if not may_be_replaced(output):
            raise Unreadable(no_rater(output.name, "the folder holds something else, which is not replaced"))
        table = read_pairs(pairs)
        spec = find_encoder(
            settings.encoder, Path(), chunk=CHUNK, tokens=settings.tokens, prefix=settings.prefix, device=device
        )
        if settings.fine_tune and spec.form == "package":
            raise Unreadable(cannot_fine_tune(spec.name))
        sides = split(table, settings.confidence, settings.held_out, settings.held_out)
        _enough(pairs.name, table, sides, settings, test is not None)
        tested = None if test is None else read_pairs(test)
        embedded, found = embed(spec, table.texts, store, executor, progress)
        if embedded is None:
            return None, found
        with tempfile.TemporaryDirectory() as work:
            bench = Bench(table, embedded, sides, store, executor, progress)
            return _trained(bench, spec, settings, output, tested, Path(work))
    except Unreadable as error:
        return None, [error.diagnostic]
    finally:
        store.save()


def _trained(
    bench: Bench, spec: EncoderSpec, settings: TrainSettings, output: Path, tested: PairTable | None, work: Path
) -> tuple[Trained | None, list[Diagnostic]]:
    fitted = _fit(bench, spec, settings, work)
    table, sides = (bench.table, bench.sides) if tested is None else (tested, whole(tested, settings.confidence))
    embedded = bench.embedded
    if tested is not None or fitted.encoder != spec:
        again, found = embed(fitted.encoder, table.texts, bench.store, bench.executor, bench.progress)
        if again is None:
            return None, found
        embedded = again
    scores = scores_of(fitted.head, embedded)
    measures = measure(scores, table, sides.rows("held"))
    held = sides.texts == SIDES.index("held")
    parity = audits.audit(scores, table, held, measures.separation, load_encoder(fitted.encoder).unknown)
    groups = _groups(bench)
    found = audits.findings(spec.name, parity, measures)
    if len(groups) > 1:
        found.append(offsets_free(groups))
    raters = bench.table.about.get("raters") or []
    if len(raters) == 1:
        found.append(one_rater(str(raters[0]["name"])))
    about = about_of(settings, bench.table, bench.sides, groups, fitted.told, measures, parity)
    text = report_text(about)
    if has_errors(found):
        return Trained(about, text, written=False), found
    written = write_rater(output, fitted.encoder, fitted.head, about, settings.fine_tune)
    return Trained(written, text, written=True), found


def scores_of(head: Head, embedded: Embedded) -> Reals:
    """The score of every text, NaN without tokens."""
    found: Reals = pooled(head.scores(embedded.vectors), embedded.owner, embedded.tokens, embedded.count)
    return found


def _fit(bench: Bench, spec: EncoderSpec, settings: TrainSettings, work: Path) -> Fitted:
    """The head on frozen vectors; from there on the encoder as well where that is asked for."""
    table, sides, embedded = bench.table, bench.sides, bench.embedded
    train_on, apart = (examples_of(table, rows) for rows in (sides.rows("train"), sides.rows("apart")))
    means = embedded.means()
    mean, scale = standard(means[sides.texts == SIDES.index("train")])
    common = (settings.weight, settings.decay, settings.epochs, settings.seed)
    bench.progress.begin("training", 1)
    if settings.head == "mlp" and not settings.fine_tune:
        from mixc.backends.murating.mlp import fit_mlp

        weight, decay, epochs, seed = common
        head, losses = fit_mlp(embedded, (mean, scale), (train_on, apart), weight, settings.hidden, decay, epochs, seed)
        bench.progress.end()
        return Fitted(spec, head, {"losses": _rounded(losses)})
    decays = GRID if settings.decay is None or settings.fine_tune else (settings.decay,)
    fit = fit_linear((means - mean) / scale, train_on, apart, settings.weight, decays)
    head = linear_head(mean, scale, fit.weights)
    told: dict[str, Json] = {"decay": fit.decay, "losses": _rounded([loss for _, loss in fit.losses])}
    if settings.fine_tune:
        from mixc.backends.murating.fine_tuning import fine_tune

        weight, decay, epochs, seed = common
        examples = (train_on, apart)
        spec, head, losses = fine_tune(spec, table.texts, head, examples, weight, decay, epochs, seed, work / "encoder")
        told = {"losses": _rounded(losses)}
    bench.progress.end()
    return Fitted(spec, head, told)


def _rounded(losses: list[float]) -> list[float]:
    return [float(f"{loss:.6g}") for loss in losses]


def _groups(bench: Bench) -> list[list[str]]:
    """Languages that pairs which were trained on connect."""
    rows = np.concatenate([bench.sides.rows("train"), bench.sides.rows("apart")])
    pairs = bench.table.languages_of(rows)
    return components(pairs, sorted({language for pair in pairs for language in pair}))


def _enough(name: str, table: PairTable, sides: Split, settings: TrainSettings, has_test: bool) -> None:
    """Raise `Unreadable` where a side has no pair with votes."""
    words: dict[Side, str] = {"train": "to train on", "apart": "to choose on", "held": "to report on"}
    for side, what in words.items():
        if not len(examples_of(table, sides.rows(side)).p) and not (side == "held" and has_test):
            kept = int((sides.pairs >= 0).sum()) + sides.across
            raise Unreadable(too_few_pairs(name, what, kept, settings.confidence))
