"""What every stage of a scan and a run costs per task: CPU, requests, bytes read, and bytes between driver and workers.

`python -m tests.scale.stages SHARDS` prints a JSON object of stages. One process does all, so that its CPU seconds are
those of the tasks; what it does between tasks is the driver's.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mixc.compiler.executor import Failure
from mixc.compiler.progress import Quiet
from tests.bench.selecting import SEED, recipe
from tests.scale.documents import CHUNK, Served, serving
from tests.scale.store import BUCKET, prefix_of


@dataclass(slots=True)
class Stage:
    """Sums over the tasks of a stage. Seconds are of CPU, bytes `out` and `back` are those of tasks and results."""

    name: str
    tasks: int = 0
    seconds: float = 0.0
    driver: float = 0.0
    out: int = 0
    back: int = 0
    store: dict[str, int] = field(default_factory=dict)


class Counted:
    """An engine of one process that keeps accounts."""

    name = "counted"

    def __init__(self, served: Served) -> None:
        self.served, self.stages = served, list[Stage]()
        self.since = time.process_time()

    def map(
        self, work: Callable[[Any], Any], tasks: Sequence[Any], done: Callable[[int, Any], None], **_: object
    ) -> None:
        """Run all tasks here."""
        inner = work.func if isinstance(work, partial) else work
        stage = Stage(getattr(inner, "__name__", type(inner).__name__).strip("_"))
        stage.driver += time.process_time() - self.since
        self.stages.append(stage)
        for index, task in enumerate(tasks):
            stage.tasks += 1
            stage.out += len(pickle.dumps(task))
            began = time.process_time()
            result = work(task)
            ended = time.process_time()
            assert not isinstance(result, Failure)
            message = pickle.dumps(result)
            stage.back += len(message)
            read = pickle.loads(message)
            heard = time.process_time()
            done(index, read)
            stage.seconds += ended - began
            stage.driver += time.process_time() - heard
        stage.store = self.served.since()
        self.since = time.process_time()

    def rest(self, name: str) -> None:
        """What came after the last stage."""
        self.stages.append(Stage(name, driver=time.process_time() - self.since))

    def close(self) -> None:
        """Nothing."""


def measured(folder: Path, shards: int, served: Served, chunk: int = CHUNK) -> dict[str, list[Stage]]:
    """The stages of both commands, read from a store that `os.environ` names."""
    from mixc.backends.selection.backend import perform
    from mixc.compiler.scan.scan import scan
    from tests.selection.pool import compiled, loaded

    documents = shards * chunk
    path = folder / "made.mix"
    where = f"s3://{BUCKET}/{prefix_of(documents, SEED, chunk)}*.parquet"
    path.write_text(recipe(documents, "unique").replace("data/*.parquet", where), encoding="utf-8")
    read, scanning = loaded(path), Counted(served)
    catalog, found = scan(read, scanning, progress=Quiet())
    assert catalog is not None, found
    scanning.rest("the rest")
    job = compiled(path)
    served.since()
    running = Counted(served)
    outcome, found = perform(job, folder / "out", running, Quiet())
    assert outcome is not None, found
    running.rest("the rest")
    return {"scan": scanning.stages, "run": running.stages}


def main() -> None:
    """Print the stages."""
    with serving() as served, tempfile.TemporaryDirectory() as folder:
        os.environ.update(served.environment)
        found = measured(Path(folder), int(sys.argv[1]), served)
        print(json.dumps({name: [asdict(one) for one in stages] for name, stages in found.items()}, indent=1))


if __name__ == "__main__":
    main()
