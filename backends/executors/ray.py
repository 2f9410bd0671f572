"""The engine `ray`: tasks of a Ray cluster, the one that `RAY_ADDRESS` names, or one started on this machine."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import secrets
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from mixc.backends.executors.gpus import workers_on
from mixc.backends.executors.messages import too_few_gpus
from mixc.backends.executors.reach import Head, reach
from mixc.backends.executors.scratch import Scratch, new_scratch
from mixc.compiler.executor import NOTHING, Failure, Limits, Needs, Unavailable, cluster_lost, no_cluster

SETTINGS = {
    # With a cable cut, Ray waits for minutes unless its connections are probed; milliseconds.
    "RAY_grpc_client_keepalive_time_ms": "3000",
    "RAY_grpc_client_keepalive_timeout_ms": "3000",
    "RAY_grpc_keepalive_time_ms": "3000",
    "RAY_grpc_keepalive_timeout_ms": "3000",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # no warning about a change to come that concerns accelerators
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # under `uv run`, Ray would send the working folder to the cluster
}
SECRETS = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
LOST = cluster_lost("").code
STARTS = 3  # attempts at a cluster of our own
TOO_LATE = "timed out during startup"  # what Ray says after 30 seconds, a time that cannot be set
STORE = 256 << 20  # bytes of shared memory that a cluster of our own keeps for results, which are small

S = TypeVar("S")
R = TypeVar("R")


class RayExecutor:
    """Runs tasks on a cluster.

    A cluster that was started here is stopped by `close`; one that was there before, in this process too, goes on.
    Raises `Unavailable` where no machine of it has as many `gpus` as one worker is to have.
    """

    name = "ray"

    def __init__(self, workers: int | None = None, limits: Limits | None = None, *, gpus: float | None = None) -> None:
        self.workers, self.limits = workers, limits or Limits()
        self.gpus = gpus or 1.0
        self.address = os.environ.get("RAY_ADDRESS") or None
        self._scratch: Scratch | None = None  # of the cluster that is our own
        self._connected = False
        self._connect()
        if gpus is not None:
            try:
                self._room(self.gpus)
            except Unavailable:
                self.close()
                raise

    def map(
        self,
        work: Callable[[S], R],
        tasks: Sequence[S],
        done: Callable[[int, R | Failure], None],
        *,
        needs: Needs = NOTHING,
        said: Callable[[int, Any], None] | None = None,
    ) -> None:
        """Run `work` on every task; `done` and `said` are called here."""
        self._connect()
        from mixc.backends.executors.ray_run import Hearing, Run
        from mixc.backends.executors.ray_ways import Actors, Tasks, Way

        hearing = None if said is None else Hearing(said)
        ear = None if hearing is None else hearing.ear
        way: Way
        if needs.gpu or needs.keeps:
            gpus = self.gpus if needs.gpu else 0.0
            room = self._room(gpus)
            way = Actors(work, min(self.workers or room, room, len(tasks)), ear, gpus)
        else:
            way = Tasks(work, self._width(), ear)
        run = Run(self.limits, way, self._head(), tasks, done, hearing)
        try:
            run.run()
        except BaseException as error:
            if not (isinstance(error, Unavailable) and error.diagnostic.code == LOST):  # then nothing can be stopped
                run.close()
            self.close()
            raise

    def close(self) -> None:
        """Stop the cluster if it was started here, else leave it."""
        if self._connected:
            import ray

            self._connected = False
            ray.shutdown()
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None

    def _connect(self) -> None:
        if self._connected:
            return
        for name, value in SETTINGS.items():  # Ray reads them when it is imported
            os.environ.setdefault(name, value)
        if self.address is None:
            _keep_out()
        import ray

        if ray.is_initialized():
            return
        before = signal.getsignal(signal.SIGTERM)
        try:
            if self.address is None:
                self._start()
            else:
                reach(self.address)  # Ray would try for minutes, and then end the process
                with _unheard():
                    ray.init(address=self.address, log_to_driver=False, logging_level=logging.ERROR)
            self._connected = True
        except Exception as error:  # what Ray raises where it cannot start differs by version and by what is wrong
            ray.shutdown()
            self.close()
            raise Unavailable(no_cluster(self.address, _reason(error))) from error
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, before or signal.SIG_DFL)  # Ray sets its own, which only exits

    def _start(self) -> None:
        """A cluster of our own; again where it took longer than Ray waits, as on a machine that is busy."""
        import ray

        for left in reversed(range(STARTS)):
            try:
                self._start_once()
                return
            except Exception as error:  # Ray has no class for it
                _stop_half_started(error)
                if not left or TOO_LATE not in str(error):
                    raise
                ray.shutdown()

    def _start_once(self) -> None:
        import ray

        self._scratch = self._scratch or new_scratch()
        with _unheard():
            ray.init(
                address="local",
                num_cpus=self.workers,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                object_store_memory=STORE,
                _temp_dir=str(self._scratch.path),
            )

    def _head(self) -> Head:
        import ray

        through_client = self.address is not None and self.address.startswith("ray://")
        return Head(self.address if through_client and self.address else ray.get_runtime_context().gcs_address)

    def _room(self, gpus: float) -> int:
        """How many actors with a processor and so many GPUs each there may be at a time.

        Raises `Unavailable` where there is room for none because of the GPUs.
        """
        import ray

        nodes: list[dict[str, Any]] = ray.nodes()
        machines = [one["Resources"] for one in nodes if one["Alive"]]
        processors = [int(one.get("CPU", 0)) for one in machines]
        if not gpus:
            return max(1, sum(processors))
        there = [int(one.get("GPU", 0)) for one in machines]
        room = sum(min(cpus, workers_on(n, gpus)) for cpus, n in zip(processors, there, strict=True))
        if room == 0:
            largest = max(there, default=0)
            raise Unavailable(too_few_gpus(gpus, f"{largest} in the machine of the cluster that has most"))
        return room

    def _width(self) -> int:
        """Tasks in flight: the workers asked for, or two per processor, so that none waits for us."""
        import ray

        if self.workers is not None and self._scratch is None:
            return self.workers
        resources: dict[str, Any] = ray.cluster_resources()
        return 2 * max(1, int(resources.get("CPU", 1)))


def _keep_out() -> None:
    """Choose a token for clusters of this process: Ray listens on every interface, and runs what it is sent.

    Once for the process, for Ray reads it once.
    """
    if not any(name in os.environ for name in SECRETS):
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
        if "ray" in sys.modules:
            _read_token()


def _read_token() -> None:
    """Have Ray read the token that was just chosen: it looked when it was imported, for a cluster of others."""
    with contextlib.suppress(ImportError, AttributeError):  # what is Ray's own may change, and has not always been
        compiled: Any = importlib.import_module("ray._raylet")
        compiled.Config.initialize("")
        compiled.AuthenticationTokenLoader.instance().reset_cache()


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Connect without the thread that prints each death of a worker to standard output; no setting leaves it out."""
    import ray._private.worker as connecting

    name = "listen_error_messages"
    before = getattr(connecting, name, None)
    if before is not None:
        setattr(connecting, name, lambda *_: None)
    try:
        yield
    finally:
        if before is not None:
            setattr(connecting, name, before)


def _stop_half_started(error: Exception) -> None:
    """End the processes of a start that was given up: Ray keeps no name for them, and would end them with ours only."""
    from ray._private.node import Node

    for frame, _ in traceback.walk_tb(error.__traceback__):
        node = frame.f_locals.get("self")
        if isinstance(node, Node):
            with contextlib.suppress(Exception):  # what is Ray's own may change; then they end with ours
                node.kill_all_processes(check_alive=False, allow_graceful=True)


def _reason(error: Exception) -> str:
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    line = next((line.strip() for line in words.splitlines() if line.strip()), "no reason given")
    return line if len(line) <= 200 else f"{line[:199]}…"
