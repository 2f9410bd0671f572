"""What exports carry along beside the configuration: how texts become the trainer's data, and a README."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files

from mixc.backends.exporters import messages, place_messages
from mixc.backends.exporters.leaves import Leaf, Mixture, Stage
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review import words
from mixc.dsl.diagnostics import Diagnostic

README, PLACES, PREPARE, WRITER = "README.md", "places.json", "prepare.py", "writer.py"
PLANNED = (
    "Nobody counted what lies at the places: `there are` and `passes` rest on the supply that the mixture was decided "
    "with, which may be planned from published sizes. Give `--counts` before you train: a place that holds less would "
    "be read once more than decided, without a word."
)
SCRIPTS = "mixc.backends.exporters.prepare"


FIXED = ("litdata", "mds", "npy")  # writers that write, or count, whole sequences


def prepared(
    mixed: Mixture, settings: Settings, program: str, writer: str
) -> tuple[Mapping[str, str], list[Diagnostic]]:
    """The scripts that tokenise the texts of a run with a trainer's own writer; none where the data exist already."""
    if not mixed.selected:
        return {}, []
    if not settings.tokenizer:
        return {}, [messages.missing("--tokenizer", "texts become tokens by one")]
    remote = sorted({leaf.path for stage in mixed.stages for leaf in stage.leaves if "://" in leaf.path})
    if remote:
        return {}, [place_messages.remote_place(remote[0])]
    places = {leaf.path: leaf.folders for stage in mixed.stages for leaf in stage.leaves}
    asked = {
        "places": [{"folders": list(folders), "path": path} for path, folders in sorted(places.items())],
        "prepared": {
            "program": program,
            "sequence": settings.sequence if writer in FIXED else None,
            "tokenizer": settings.tokenizer,
        },
    }
    return {
        PLACES: as_json(asked),
        PREPARE: script("prepare"),
        WRITER: script(writer),
    }, []


def as_json(made: object) -> str:
    """A JSON file to be read by people too."""
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def script(name: str) -> str:
    """The text of a script that exports carry."""
    return (files(SCRIPTS) / f"{name}.py").read_text(encoding="utf-8")


def readme(
    program: str,
    capability: Capability,
    mixed: Mixture,
    numbers: Mapping[str, Sequence[str]],
    use: str,
    notes: Iterable[str] = (),
) -> str:
    """The README of an export: what its numbers mean, what every place gives, what is left of it, how to start.

    `numbers` are, by phase, the numbers of its leaves as they stand in the configuration.
    """
    lines = [
        f"# `{mixed.recipe}` for {program}",
        "",
        f"Written by `mixc export --to {program}`; change the recipe, not these files.",
        "",
        f"- Data: {capability.reads}.",
        f"- Number: {capability.unit}; {capability.exact}.",
        f"- Phases: {capability.phases}.",
        f"- Limits to repetition: {capability.caps}.",
        f"- Checked: {capability.verified}.",
        *(f"- {note}" for note in (*notes, *([] if mixed.selected or mixed.counted else [PLANNED]))),
        "",
        "## Use",
        "",
        use.strip(),
        "",
    ]
    read: dict[str, int] = {}
    for stage in mixed.stages:
        for leaf in stage.leaves:
            read[leaf.path] = read.get(leaf.path, 0) + leaf.tokens
        lines += _stage(stage, numbers.get(stage.name, ()), read)
    return "\n".join(lines)


def _stage(stage: Stage, numbers: Sequence[str], read: Mapping[str, int]) -> list[str]:
    """What a phase takes; `read` are tokens that it and those before it took of each place."""
    total = stage.tokens
    short = "" if total == stage.planned else f"; the manifest plans {stage.planned:,}"
    header = ("place", "tokens", "share", "there are", "passes", "never read after it", "documents", "number")
    rows = [_row(leaf, total, n, read) for leaf, n in zip(stage.leaves, numbers, strict=True)] if numbers else []
    table = words.markdown_table(header, rows) if rows else ""
    return [f"## Phase {stage.name}: {total:,} tokens{short}", "", *([table] if rows else [])]


def _row(leaf: Leaf, total: int, number: str, read: Mapping[str, int]) -> tuple[str, ...]:
    documents = "" if leaf.documents is None else f"{leaf.documents:,}"
    amounts = (f"{leaf.tokens:,}", words.share(leaf.tokens / total), f"{leaf.available:,}", f"{leaf.passes:.4f}")
    return f"`{leaf.path}`", *amounts, f"{max(0, leaf.available - read[leaf.path]):,}", documents, number
