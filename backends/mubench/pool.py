"""`mixc contamination`: the pool of a manifest, benchmark items in it, and what is told and listed of them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from mixc.backends.mubench.contamination import Contamination, Hit, search
from mixc.backends.mubench.contamination_messages import contaminated, other_form
from mixc.backends.mubench.items import read_items
from mixc.backends.mubench.plan import EvaluationPlan
from mixc.backends.mubench.result_messages import unwritable
from mixc.backends.selection.inputs import Run, found_files
from mixc.compiler.executor import Executor
from mixc.compiler.progress import Progress
from mixc.compiler.review.plan import plan_from_manifest
from mixc.compiler.review.words import share, table
from mixc.compiler.whole import write_whole
from mixc.dsl.diagnostics import Diagnostic, has_errors

FIRST: Final = 3
PARQUET, LINES = ".parquet", ".jsonl"
COLUMNS: Final = ("task", "language", "item", "source", "document")


def examine(
    job: Run, root: Path, evaluation: EvaluationPlan, executor: Executor, progress: Progress
) -> tuple[Contamination | None, list[Diagnostic]]:
    """Items of the plan below a root, looked for in all documents that the manifest was made from."""
    items, found = read_items(root, evaluation)
    if has_errors(found):
        return None, found
    plan = plan_from_manifest(job.manifest)
    files, problems = found_files(plan, job)
    found += problems
    if has_errors(problems):
        return None, found
    sources = {source.name: source for source in plan.sources}
    done, problems = search(items, [file for file, _ in files], sources, job.folder, (executor, progress))
    found += problems
    if done is not None and done.hits:
        hit_items = {hit.item for hit in done.hits}
        documents = {(hit.source, hit.document) for hit in done.hits}
        first = [f"{done.items[hit.item].task} {done.items[hit.item].id}" for hit in done.hits[:FIRST]]
        checked = int(done.checked.sum())
        found.append(contaminated(len(hit_items), checked, len(documents), list(dict.fromkeys(first))))
    return done, found


def told(done: Contamination, form: str) -> str:
    """Items found by task, and the first documents that hold them."""
    rows = _rows(done)
    if form == "json":
        data = {"documents": done.documents, "tasks": rows, "found": [_listed(done, hit) for hit in done.hits]}
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    lines = [
        [
            row["task"], row["language"], f"{row['items']:,}", f"{row['checked']:,}", f"{row['found']:,}",
            share(row["found"] / row["checked"]) if row["checked"] else "-", ", ".join(row["first"]),
        ]
        for row in rows
    ]  # fmt: skip
    header = ("task", "language", "items", "looked for", "found", "share", "first documents")
    clean = "" if done.hits else ": none of the items is among them"
    return f"{table(header, lines, left=(0, 1, 6))}\n{done.documents:,} documents searched{clean}\n"


def write_list(done: Contamination, path: Path) -> list[Diagnostic]:
    """Every item with every document that holds it, as Parquet or lines of JSON; what hinders it."""
    rows = [_listed(done, hit) for hit in done.hits]

    def write(place: Path) -> None:
        if path.suffix == LINES:
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            place.write_text(text, encoding="utf-8")
        else:
            schema = pa.schema([(name, pa.string()) for name in COLUMNS])
            pq.write_table(pa.Table.from_pylist(rows, schema=schema), place)

    try:
        write_whole(path, write, alone=True)
    except OSError as error:
        return [unwritable(path.as_posix(), (error.strerror or "the system gave no reason").lower())]
    return []


def bad_list(path: Path | None) -> list[Diagnostic]:
    """Whether a list cannot be written under this name."""
    return [] if path is None or path.suffix in (PARQUET, LINES) else [other_form(path.as_posix())]


def _rows(done: Contamination) -> list[dict[str, Any]]:
    tasks = {(item.task, item.language): None for item in done.items}
    items = Counter(item.task for item in done.items)
    checked = Counter(item.task for item, known in zip(done.items, done.checked.tolist(), strict=True) if known)
    found: dict[str, set[int]] = {}
    documents: dict[str, dict[str, None]] = {}
    for hit in done.hits:
        task = done.items[hit.item].task
        found.setdefault(task, set()).add(hit.item)
        documents.setdefault(task, {})[f"{hit.source}:{hit.document}"] = None
    return [
        {
            "task": task,
            "language": language,
            "items": items[task],
            "checked": checked[task],
            "found": len(found.get(task, ())),
            "first": list(documents.get(task, {}))[:FIRST],
        }
        for task, language in sorted(tasks)
    ]


def _listed(done: Contamination, hit: Hit) -> dict[str, str]:
    item = done.items[hit.item]
    return dict(zip(COLUMNS, (item.task, item.language, item.id, hit.source, hit.document), strict=True))
