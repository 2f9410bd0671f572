"""Reading the neurons of all documents, part by part and in as many processes as there are; what is done is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import pyarrow as pa

from mixc.backends.models.steps import STEPS, clear_steps
from mixc.backends.nag.extract import Tally, Texts, extract
from mixc.backends.nag.features import Origin
from mixc.backends.nag.jobs import DEVICES, PART, Job, Reader, features_of, features_of_examples
from mixc.backends.nag.model import Model, load_model, origin_of
from mixc.backends.nag.store import read_features, write_features
from mixc.backends.nag.watching import Reading, Teller, Watch
from mixc.compiler.documents import parquet
from mixc.compiler.documents.data import BadLines, Part, Unreadable, Wanted
from mixc.compiler.documents.reading import parts, read
from mixc.compiler.documents.storage import is_remote
from mixc.compiler.executor import Executor, Failure, Needs
from mixc.compiler.keyed_hash import text_id
from mixc.compiler.progress import Progress
from mixc.compiler.scan.beside import text_stem
from mixc.compiler.scan.plan import Plan
from mixc.compiler.scan.stages import Found, failed
from mixc.compiler.scan.store import Store
from mixc.compiler.whole import make_folder
from mixc.dsl.diagnostics import Diagnostic

STEP = 256  # documents after which what was read is kept


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
        name = text_stem(store, plan, one)
        for part in parts(one.file, PART):
            output = str(features_of(reader, store, name, part))
            tasks[output] = Task(part, wanted, source.bad_lines, output)
    return list(tasks.values())


def extract_all(
    reader: Reader, tasks: Sequence[Task], executor: Executor, progress: Progress
) -> tuple[list[Diagnostic], Tally]:
    """Read what was not read before; what was, and what went wrong."""
    parts_of = Counter(task.part.file for task in tasks)
    sizes = {task.output: max(1, task.part.file.size // parts_of[task.part.file]) for task in tasks}
    for folder in {Path(task.output).parent for task in tasks}:
        clear_steps(folder)
    missing = [task for task in tasks if not Path(task.output).exists()]
    watch = Watch(progress, [sizes[task.output] for task in missing])
    failures: dict[int, Failure] = {}
    tally = Tally()

    def done(index: int, result: tuple[Tally, int] | Failure) -> None:
        nonlocal tally
        if isinstance(result, Failure):
            failures[index] = result
            return
        mine, kept = result
        tally = _both(tally, mine)
        watch.done(index, Reading(kept, mine.documents, kept + mine.documents))

    if missing:
        for folder in {Path(task.output).parent for task in missing}:
            make_folder(folder)
        progress.begin(f"reading neurons of {reader.model}", sum(sizes.values()))
        progress.kept(sum(sizes.values()) - sum(sizes[task.output] for task in missing))
        needs = Needs(gpu=reader.device != "cpu", keeps=True)
        executor.map(partial(extract_part, reader), missing, done, needs=needs, said=watch.said)
        progress.end()
    return failed(failures), tally


def extract_part(reader: Reader, task: Task) -> tuple[Tally, int]:
    """Write the features of one part, and meanwhile of every `STEP` documents, where a killed one is taken up again.

    (What was read now, how many documents were read before.) The same part may be read by another process at the
    same time: both use the steps of both, and the first to have them all puts the output in its place, which is the
    same whoever does. Only then do steps go, so whoever misses one finds the output.
    """
    output = Path(task.output)
    tally, kept = Tally(), 0
    while not output.exists():
        read_now, kept, steps = _read_steps(reader, task, output)
        tally = _both(tally, read_now)
        if output.exists():  # another process was sooner, and this one may have left out steps
            break
        try:
            features = (batch for path in steps for batch in read_features(path))
            write_features(output, _loaded(reader)[1], features)
        except Unreadable:
            if output.exists() or not all(path.exists() for path in steps):
                continue
            raise
    for path in (output.parent / STEPS).glob(f"{output.stem}.*.arrow"):
        path.unlink(missing_ok=True)
    return tally, kept


def _read_steps(reader: Reader, task: Task, output: Path) -> tuple[Tally, int, list[Path]]:
    """Read the steps that are not there: what was read, how many documents were before, the files of all steps."""
    model, origin = _loaded(reader)
    folder, steps = output.parent / STEPS, list[Path]()
    folder.mkdir(exist_ok=True)
    tally, tell = Tally(), Teller(_rows(task))
    watched = replace(model, passed=tell.passed)
    for number, texts in enumerate(_steps(task)):
        path = folder / f"{output.stem}.{number}.arrow"
        steps.append(path)
        if path.exists():
            tell.had(len(texts.ids))
            continue
        if output.exists():
            break
        batches = list(extract(watched, origin, [texts]))
        write_features(path, origin, batches)
        for features in batches:
            tally = tally.plus(features)
        tell.ended(len(texts.ids))
    return tally, tell.kept, steps


def _both(one: Tally, other: Tally) -> Tally:
    return Tally(one.documents + other.documents, one.empty + other.empty, one.single + other.single)


def _rows(task: Task) -> int | None:
    """The documents of a part: Parquet says how many; other files are counted, unless they are far away."""
    part = task.part
    if part.file.format == "parquet":
        with parquet.footer(part.file) as (_, (reader, _schema)):
            return sum(int(reader.metadata.row_group(group).num_rows) for group in range(part.start, part.stop))
    if is_remote(part.file.path):
        return None
    return sum(batch.rows for batch in read(part, task.wanted, bad_lines=task.bad_lines))


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
