"""What a manifest records beside the mixture: rules, selection, evaluation, sources and their licences, provenance."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from mixc.backends.report.content import Section, Table
from mixc.compiler.review import words
from mixc.compiler.review.rows import RuleRow
from mixc.compiler.review.schema import Manifest

LONGEST = 160  # characters of one parameter that are shown
SHORT_HASH = 12


def rules(manifest: Manifest) -> Section | None:
    """Every rule with its value, and what it costs."""
    if not manifest.rules:
        return None
    ordered = sorted(manifest.rules, key=lambda row: (not row.active, -(row.tighten or 0.0), row.rule))
    lines = [
        [
            row.rule,
            "yes" if row.active else "no",
            _amount(row, row.value),
            _amount(row, row.slack),
            _price(row.loosen),
            _price(row.tighten),
            _amount(row, row.shortfall) if row.shortfall else "",
            row.place,
        ]
        for row in ordered
    ]
    header = ("rule", "binds", "value", "slack", "loosened", "tightened", "short by", "written at")
    active = sum(row.active for row in manifest.rules)
    sentences = [
        f"{active} of {words.count(len(manifest.rules), 'rule')} {'binds' if active == 1 else 'bind'}.",
        "Loosened and tightened: how the loss moves for a point of share, or for 1% of another bound.",
    ]
    return Section("rules", "Rules", sentences, (), [Table("Rules, those that bind first", header, lines, (0, 1, 7))])


def selection(manifest: Manifest) -> Section | None:
    """The plan: how documents are read, rated, gated and sampled, by stage."""
    if not manifest.plan:
        return None
    stages: dict[str, list[list[str]]] = defaultdict(list)
    for stage in manifest.plan:
        name = str(stage.parameters.get("name", ""))
        rest = {
            key: value
            for key, value in sorted(stage.parameters.items())
            if key != "name" and value not in (None, [], "")
        }
        told = "; ".join(f"{key}: {_told(value)}" for key, value in rest.items())
        stages[stage.stage].append([name, stage.backend, told])
    tables = [
        Table(f"Stage {stage}", ("name", "done by", "parameters"), lines, (0, 1, 2)) for stage, lines in stages.items()
    ]
    return Section("selection", "Selection of documents", (), (), tables)


def evaluation(manifest: Manifest) -> Section | None:
    """How the trained model is judged: panels, languages without tasks, what may not be trained on."""
    if not manifest.evaluations:
        return None
    sentences: list[str] = []
    items: list[str] = []
    for row in manifest.evaluations:
        uncovered = f"; none in {', '.join(row.uncovered)}" if row.uncovered else ""
        sentences.append(
            f"{row.suite}, panel {row.panel}, by {row.harness}: tasks in {words.count(len(row.covered), 'language')}"
            f"{uncovered}. Languages are compared with {row.pivot}."
        )
        against = ", ".join(row.decontamination.against)
        sentences.append(f"No text may share {row.decontamination.ngram} words in a row with {against}.")
        if row.holdout is not None:
            sentences.append(f"{words.percent(row.holdout)} of the documents are kept out of training.")
        items += row.notes
    lines = [
        [row.dataset, row.metric, row.family, words.percent(row.weight) if row.weight else "guard", _between(row.items)]
        for row in manifest.tasks
    ]
    table = Table("Tasks", ("dataset", "metric", "family", "weight", "items"), lines, (0, 1, 2))
    return Section("evaluation", "Evaluation", sentences, (), [table] if lines else (), items)


def realised(manifest: Manifest, run: Sequence[Mapping[str, Any]] | None) -> Section | None:
    """What a run selected beside what was decided, by phase and source."""
    if run is None:
        return None
    expected: dict[tuple[str, str], int] = defaultdict(int)
    for row in manifest.mixture:
        expected[row.phase, row.source] += row.tokens
    lines, off = [], 0
    for cell in run:
        wanted = expected[cell["phase"], cell["source"]]
        off += abs(cell["tokens"] - wanted)
        moved = f"{100 * (cell['tokens'] - wanted) / wanted:+.2f}%" if wanted else ""
        lines.append(
            [cell["phase"], cell["source"], f"{wanted:,}", f"{cell['tokens']:,}", moved, f"{cell['copies']:,}"]
        )
    header = ("phase", "source", "tokens decided", "tokens selected", "difference", "documents, repeated ones too")
    whole = manifest.totals.tokens or 1
    sentence = f"In all {words.share(off / whole)} of the budget lies elsewhere than decided: documents are whole."
    table = Table("Selected beside decided", header, lines, (0, 1))
    return Section("realised", "What the run selected", [sentence], (), [table])


def provenance(manifest: Manifest) -> Section:
    """Sources with their licences, the files that were read, assumptions."""
    licences = [
        [row.licence or "not stated", ", ".join(row.sources), words.tokens(row.tokens), words.share(row.share)]
        for row in manifest.licences
    ]
    sources = [
        [row.name, _limit(row.limit), ", ".join(row.phases or ()) or "all", row.place or ""] for row in manifest.sources
    ]
    inputs = [[row.kind, row.name, row.sha256[:SHORT_HASH]] for row in manifest.inputs]
    tables = [
        Table("Licences of what is read", ("licence", "sources", "tokens", "share"), licences, (0, 1)),
        Table("Sources", ("source", "epochs at most", "phases", "written at"), sources, (0, 1, 2, 3)),
        Table("Files the decision rests on", ("kind", "name", "SHA-256 begins"), inputs, (0, 1, 2)),
    ]
    if manifest.params:
        tables.append(Table("Params", ("name", "value"), [[k, v] for k, v in sorted(manifest.params.items())], (0, 1)))
    sentence = (
        f"Law {manifest.law.name}, form {manifest.law.form}, version {manifest.versions.law}; numerics "
        f"{manifest.versions.numerics}; seed of the selection {manifest.selection.seed}."
    )
    return Section(
        "provenance", "Provenance and licences", [sentence], (), tables, [*manifest.assumptions, *manifest.notes]
    )


def _amount(rule: RuleRow, value: float | None) -> str:
    """A figure in the units of the rule's bound."""
    if value is None:
        return ""
    functions = {term.function for term in rule.terms}
    if functions == {"share"}:
        return words.share(value)
    return words.tokens(value) if functions == {"tokens"} else f"{value:.4g}"


def _price(value: float | None) -> str:
    return f"{value:.2g}" if value else ""


def _limit(limit: Any) -> str:
    return "" if limit is None else f"{limit.passes:g}"


def _between(items: Sequence[int] | None) -> str:
    if not items:
        return ""
    return f"{items[0]:,}" if len(set(items)) == 1 else f"{items[0]:,} to {items[-1]:,}"


def _told(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
