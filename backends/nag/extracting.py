"""Reading the neurons of all documents, part by part and in as many processes as there are; what is done is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import pyarrow as pa

from mixc.backends.nag.extract import Tally, Texts, extract
from mixc.backends.nag.features import Origin
from mixc.backends.nag.jobs import DEVICES, PART, Job, Reader, features_of, features_of_examples
from mixc.backends.nag.model import Model, load_model, origin_of
from mixc.backends.nag.store import read_features, write_features
from mixc.compiler.documents.data import BadLines, Part, Wanted
from mixc.compiler.documents.reading import parts, read
from mixc.compiler.executor import Executor, Failure
from mixc.compiler.keyed_hash import text_id
from mixc.compiler.progress import Progress
from mixc.compiler.scan.beside import stem
from mixc.compiler.scan.plan import Plan
from mixc.compiler.scan.stages import Found, failed
from mixc.compiler.scan.store import Store
from mixc.dsl.diagnostics import Diagnostic

STEP, STEPS = 256, "steps"  # documents after which what was read is kept, and where


@dataclass(frozen=True, slots=True)
class Task:
    """A part of a file whose texts are read, and where its features go."""

    part: Part
    wanted: Wanted
    bad_lines: BadLines
    output: str


def tasks_of_examples(jobs: Sequence[Job], store: Store) -> list[Task]:
    """The examples of targets, those of equal texts once."""
    found = {}
    for job in jobs:
        part, output = features_of_examples(job, store)
        found[job.texts] = Task(part, Wanted(text="text"), "error", str(output))
    return list(found.values())


def tasks_of_documents(reader: Reader, plan: Plan, known: Sequence[Found], store: Store) -> list[Task]:
    """All parts of files, those of equal content once."""
    tasks: dict[str, Task] = {}
    for one in known:
        source = plan.source(one.file.source)
        wanted = Wanted(id=source.wanted.id, text=source.text)
        for part in parts(one.file, PART):
            output = str(features_of(reader, store, stem(plan, one), part))
            tasks[output] = Task(part, wanted, source.bad_lines, output)
    return list(tasks.values())


def extract_all(
    reader: Reader, tasks: Sequence[Task], executor: Executor, progress: Progress
) -> tuple[list[Diagnostic], Tally]:
    """Read what was not read before; what was, and what went wrong."""
    missing = [task for task in tasks if not Path(task.output).exists()]
    failures: dict[int, Failure] = {}
    tally = Tally()
    size = {task.output: task.part.file.size // max(1, len(parts(task.part.file, PART))) for task in missing}

    def done(index: int, result: Tally | Failure) -> None:
        nonlocal tally
        if isinstance(result, Failure):
            failures[index] = result
            return
        tally = Tally(tally.documents + result.documents, tally.empty + result.empty, tally.single + result.single)
        progress.advance(size[missing[index].output], result.documents)

    if missing:
        for folder in {Path(task.output).parent for task in missing}:
            folder.mkdir(parents=True, exist_ok=True)
        progress.begin(f"reading neurons of {reader.model}", sum(size.values()))
        executor.map(partial(extract_part, reader), missing, done)
        progress.end()
    return failed(failures), tally


def extract_part(reader: Reader, task: Task) -> Tally:
    """Write the features of one part, and meanwhile of every `STEP` documents, where a killed one is taken up again.

    What was read now, not what was read before.
    """
    model, origin = _loaded(reader)
    output, tally, steps = Path(task.output), Tally(), []
    folder = output.parent / STEPS
    folder.mkdir(exist_ok=True)
    for number, texts in enumerate(_steps(task)):
        path = folder / f"{output.stem}.{number}.arrow"
        steps.append(path)
        if not path.exists():
            read_now = list(extract(model, origin, [texts]))
            write_features(path, origin, read_now)
            for features in read_now:
                tally = tally.plus(features)
    write_features(output, origin, (features for path in steps for features in read_features(path)))
    for path in steps:
        path.unlink(missing_ok=True)
    return tally


def _steps(task: Task) -> Iterator[Texts]:
    """The documents of a part, `STEP` at a time, however the file is divided."""
    ids, texts, rows = [], [], 0
    for batch in read(task.part, task.wanted, bad_lines=task.bad_lines):
        assert batch.text is not None
        start = 0
        while start < batch.rows:
            taken = min(STEP - rows, batch.rows - start)
            texts.append(batch.text.slice(start, taken))
            known = text_id(texts[-1].fill_null("")) if batch.id is None else batch.id.slice(start, taken)
            ids.append(known.cast(pa.string()))
            start, rows = start + taken, rows + taken
            if rows == STEP:
                yield Texts(pa.concat_arrays(ids), pa.concat_arrays(texts))
                ids, texts, rows = [], [], 0
    if rows:
        yield Texts(pa.concat_arrays(ids), pa.concat_arrays(texts))


@cache
def _loaded(reader: Reader) -> tuple[Model, Origin]:
    """The model, once in every process; one thread each, since processes share the machine."""
    import torch

    if reader.device == "cpu":
        torch.set_num_threads(1)
    model = load_model(reader.place, device=reader.device, precision=DEVICES[reader.device])
    model = replace(model, name=reader.model)  # not where it lies here
    return model, origin_of(model, reader.projection, reader.top_k, reader.tokens)
