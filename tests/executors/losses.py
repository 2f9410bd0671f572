"""Nodes of a Ray cluster that go away in the middle of a run: `python -m tests.executors.losses node head`.

`node`: one of two nodes is killed; the other does its work, and the bytes are those of one process. `head`: the node
that holds the cluster together is killed; the run ends and says so.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mixc.backends.executors.ray import SETTINGS
from mixc.backends.selection.backend import Run, perform
from mixc.compiler.executor import Executor, Failure, Unavailable, open_executor, run_on
from mixc.compiler.progress import Quiet
from mixc.dsl.diagnostics import Diagnostic
from tests.executors.executor_work import Slow
from tests.selection.kill import bytes_of
from tests.selection.pool import compiled, plain_pool, told

SHARDS = 16
STORE = 100 << 20
DEADLINE = 180.0  # seconds; the script is killed if anything waits longer


@dataclass
class Watched:
    """An engine of slow work; `strike` is called in another thread once a node is busy and some tasks are done."""

    engine: Executor
    marks: Path
    strike: Callable[[], None]
    after: int = SHARDS // 4
    busy: str = ""  # the node that must be in the middle of a task; without it, any
    struck: float = 0.0
    name: str = "watched"
    done: int = field(default=0)
    watching: bool = field(default=False)

    def map(
        self,
        work: Callable[[Any], Any],
        tasks: Sequence[Any],
        done: Callable[[int, Any | Failure], None],
        **options: Any,
    ) -> None:
        def counted(index: int, result: Any | Failure) -> None:
            self.done += 1
            done(index, result)

        if not self.watching:
            self.watching = True
            threading.Thread(target=self._watch, daemon=True).start()
        self.engine.map(Slow(work, str(self.marks)), tasks, counted, **options)

    def _watch(self) -> None:
        while self.done < self.after or not self.running():
            time.sleep(0.01)
        self.struck = time.monotonic()
        self.strike()

    def running(self) -> bool:
        """Whether the node has begun a task and not ended it."""
        return bool(self.at_work())

    def at_work(self) -> list[Path]:
        """The marks of tasks that the node has begun and not ended; each holds the number of its process."""
        names = {path.name for path in self.marks.iterdir()}
        found = (n for n in names if n.startswith(self.busy) and not n.endswith(".ended") and n + ".ended" not in names)
        return [self.marks / name for name in sorted(found)]

    def begun_twice(self) -> set[str]:
        """The tasks that were begun more than once, wherever."""
        begun = [path.stem.split(".")[1] for path in self.marks.iterdir() if path.suffix != ".ended"]
        return {task for task in begun if begun.count(task) > 1}

    def begun_again(self) -> set[str]:
        """The tasks that the node had begun, and another did."""
        begun = [path.stem.partition(".")[::2] for path in self.marks.iterdir() if path.suffix != ".ended"]
        return {task for node, task in begun if node == self.busy} & {task for node, task in begun if node != self.busy}

    def close(self) -> None: ...


def prepare() -> None:
    """Settings of Ray as mixc makes them, for clusters that are started here; and a token of our own."""
    for name, value in {**SETTINGS, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}.items():
        os.environ.setdefault(name, value)
    deadline = threading.Timer(DEADLINE, os._exit, [3])
    deadline.daemon = True
    deadline.start()


def selected(job: Run, output: Path, watched: Watched) -> list[Diagnostic]:
    """A run on an engine that is watched; what is said, and how long after the loss."""
    watched.marks.mkdir()
    try:
        found = perform(job, output, watched, Quiet())[1]
    except Unavailable as error:
        found = [error.diagnostic]
    assert watched.struck, f"nothing was lost: {told(found)}"
    print(f"ended {time.monotonic() - watched.struck:.1f} s after the loss: {told(found) or 'nothing to say'}")
    return found


def assert_nothing_lost(output: Path, alone: dict[str, bytes], watched: Watched) -> None:
    """The bytes are those of one process, though the lost node was in the middle of something."""
    assert bytes_of(output) == alone
    assert watched.begun_again()
    print(f"begun on the lost node, and done elsewhere: {', '.join(sorted(watched.begun_again()))}")


def node(folder: Path, job: Run, alone: dict[str, bytes]) -> None:
    """Lose one of two nodes."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(head_node_args={"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False})
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=STORE) for _ in range(2)]
    os.environ["RAY_ADDRESS"] = cluster.address
    with closing(open_executor("ray", None)) as engine:
        here = ray.get_runtime_context().get_node_id()  # of which this process hangs, and would die with it
        lost = next(one for one in nodes if one.node_id != here)
        watched = Watched(
            engine, folder / "marks", lambda: cluster.remove_node(lost, allow_graceful=False), busy=lost.node_id
        )
        assert selected(job, folder / "out", watched) == []
        assert_nothing_lost(folder / "out", alone, watched)
    cluster.shutdown()


def head(folder: Path, job: Run, alone: dict[str, bytes]) -> None:
    """Lose the head."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(head_node_args={"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False})
    cluster.add_node(num_cpus=2, object_store_memory=STORE)
    os.environ["RAY_ADDRESS"] = cluster.address
    with closing(open_executor("ray", None)) as engine:
        watched = Watched(engine, folder / "marks", cluster.head_node.kill_all_processes)
        found = selected(job, folder / "out", watched)
        assert [one.code for one in found] == ["M535"]
    assert set(bytes_of(folder / "out")) < set(alone)
    cluster.shutdown()


SCENARIOS = {"node": node, "head": head}


def main(scenarios: dict[str, Callable[[Path, Run, dict[str, bytes]], None]]) -> None:
    """A pool, what one process selects of it, and the scenarios."""
    prepare()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        job = compiled(plain_pool(folder, shards=SHARDS))
        done, found = run_on("local", 1, lambda executor: perform(job, folder / "alone", executor, Quiet()))
        assert done is not None, told(found)
        for name, scenario in scenarios.items():
            (folder / name).mkdir()
            print(f"{name}:", end=" ", flush=True)
            scenario(folder / name, job, bytes_of(folder / "alone"))


if __name__ == "__main__":
    main({name: SCENARIOS[name] for name in sys.argv[1:] or SCENARIOS})
