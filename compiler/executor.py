"""What runs a function over many tasks: the protocol, what a task that failed leaves, and how an engine is found.

Engines are entry points of the group `mixc.backends` named `executor-…`; mixc's own are registered the same way.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from mixc.compiler.registry import GROUP
from mixc.dsl.diagnostics import Diagnostic, page
from mixc.dsl.suggest import suggest

PREFIX = "executor-"

S = TypeVar("S")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Failure:
    """A task without a result: its place among the tasks, why, what to tell the user if that is known.

    `retried` counts how often it was begun again after its worker died or gave no answer.
    """

    index: int
    message: str
    diagnostic: Diagnostic | None
    retried: int


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient an engine is; times in seconds.

    A task whose worker died is begun again `retries` times. An attempt may last `longest`. Where a second copy can run
    on another machine, one is begun after `times` the median time to an answer, yet not before `slow`. That time has
    the waiting for a worker in it: where workers are short, copies would only make them shorter.
    """

    retries: int = 3
    longest: float = 6 * 3600.0
    times: float = 10.0
    slow: float = 30.0


@dataclass(frozen=True, slots=True)
class Needs:
    """What the workers of one `map` need.

    `gpu`: GPUs, as many each as the engine was opened with, one if nothing was said. `keeps`: state that `work` keeps
    in its process, such as a model, is there for the next task too; so it is where a worker has a GPU.
    """

    gpu: bool = False
    keeps: bool = False


NOTHING = Needs()


class Unavailable(Exception):
    """An engine that cannot be used, with what to tell the user; raised by `open_executor` and by `Executor.map`."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic)
        self.diagnostic = diagnostic

    def __str__(self) -> str:
        return self.diagnostic.message


class Executor(Protocol):
    """Runs a function over tasks, in processes or on machines.

    `work` and the tasks are pickled, so `work` is a function of a module, or a `partial` of one. A task may be begun
    more than once, even twice at the same time: what it writes must not depend on that.
    """

    name: str

    def map(
        self,
        work: Callable[[S], R],
        tasks: Sequence[S],
        done: Callable[[int, R | Failure], None],
        *,
        needs: Needs = NOTHING,
        said: Callable[[int, Any], None] | None = None,
    ) -> None:
        """Run `work` on every task; call `done(index, result)` here, once for each, in any order, as they end.

        An exception in `work` makes a `Failure` of that task alone. A worker that dies is replaced and its task begun
        again. What `done` raises, or Ctrl-C, stops all workers and leaves `map`.

        `said(index, message)` is called here with what `work` tells by `say`, before that task ends. Of a task that is
        begun again, all attempts speak; a message may get lost with a worker.
        """

    def close(self) -> None:
        """Stop what the engine started."""


@dataclass(frozen=True, slots=True)
class Said:
    """For engines: what a task says before it ends, as it comes from a worker."""

    message: Any


_listener: ContextVar[Callable[[Any], None] | None] = ContextVar("listener", default=None)


def say(message: Any) -> None:
    """From inside `work`: tell whoever called `map` how far it is; nothing happens where nobody listens."""
    if (tell := _listener.get()) is not None:
        tell(message)


@contextmanager
def heard_by(tell: Callable[[Any], None] | None) -> Iterator[None]:
    """For engines: what `say` does meanwhile."""
    before = _listener.set(tell)
    try:
        yield
    finally:
        _listener.reset(before)


def open_executor(name: str, workers: int | None, gpus: float | None = None) -> Executor:
    """The engine of that name with so many workers (None: as many as there are processors).

    With `gpus`, each worker that needs GPUs will get so many; a share of one where several workers use one together.
    Raises `Unavailable` where there is no such engine, it cannot start, or it has fewer GPUs.
    """
    if workers is not None and workers < 1:
        raise Unavailable(no_workers(workers))
    found = {point.name.removeprefix(PREFIX): point for point in entry_points(group=GROUP) if _is_engine(point)}
    if name not in found:
        raise Unavailable(unknown_engine(name, sorted(found)))
    try:
        engine = cast("Callable[..., Executor]", found[name].load())
        return engine(workers) if gpus is None else engine(workers, gpus=gpus)
    except ModuleNotFoundError as error:
        raise Unavailable(not_installed(name, error.name or name, _extra(found[name], name))) from error


def run_on(
    name: str,
    workers: int | None,
    work: Callable[[Executor], tuple[R | None, list[Diagnostic]]],
    gpus: float | None = None,
) -> tuple[R | None, list[Diagnostic]]:
    """What `work` gives with an engine that is closed afterwards; that the engine cannot be used is a diagnostic."""
    try:
        with closing(open_executor(name, workers, gpus)) as executor:
            return work(executor)
    except Unavailable as error:
        return None, [error.diagnostic]


def reasons(failures: Mapping[int, Failure]) -> tuple[list[Diagnostic], list[Failure]]:
    """(what readers say of the data, each once; failures of which nobody said anything), in the order of the tasks."""
    ordered = [failures[index] for index in sorted(failures)]
    diagnostics = dict.fromkeys(one.diagnostic for one in ordered if one.diagnostic is not None)
    return list(diagnostics), [one for one in ordered if one.diagnostic is None]


def failure_from(index: int, error: BaseException) -> Failure:
    """What an exception of `work` says.

    Words alone where it was made for users or by the system; with its type and place where it was not foreseen.
    """
    diagnostic = getattr(error, "diagnostic", None)
    if isinstance(diagnostic, Diagnostic):
        return Failure(index, diagnostic.message, diagnostic, 0)
    if isinstance(error, MemoryError):
        return Failure(index, "not enough memory", None, 0)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        return Failure(index, f"{where}{error.strerror[:1].lower()}{error.strerror[1:]}", None, 0)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return Failure(index, f"{type(error).__name__}: {error}{place}", None, 0)


def _is_engine(point: EntryPoint) -> bool:
    return point.name.startswith(PREFIX)


def _extra(point: EntryPoint, name: str) -> str:
    return f"{point.dist.name if point.dist else 'mixc'}[{name}]"


@page("M530")
def unknown_engine(name: str, found: Sequence[str]) -> Diagnostic:
    """There is no such engine.

    `--engine` names what runs the work: `local` for processes of this machine, `ray` for a Ray cluster, or an engine
    that another package brings (entry points of the group `mixc.backends` named `executor-…`).
    """
    close = suggest(name, found)
    return Diagnostic(
        "M530",
        f"there is no engine `{name}`",
        (),
        (f"engines: {', '.join(f'`{other}`' for other in found)}",) if found else ("no engine is registered",),
        (f"did you mean `--engine {close}`?",) if close else ("reinstall mixc",) if not found else (),
    )


@page("M531")
def not_installed(name: str, module: str, extra: str) -> Diagnostic:
    """An engine needs a package that is not installed.

    mixc installs what runs on one machine. What an engine needs beyond that comes with the extra of its name.
    """
    return Diagnostic(
        "M531",
        f"the engine `{name}` needs the package `{module}`, which is not installed",
        helps=(f"pip install '{extra}'",),
    )


@page("M532")
def no_cluster(address: str | None, reason: str) -> Diagnostic:
    """A Ray cluster cannot be reached or started.

    `RAY_ADDRESS` names the cluster to use (`host:port`, `auto`, `ray://host:port`); without it a cluster is started
    on this machine, for which Ray has half a minute, three times. All nodes need the same versions of Python, Ray and
    mixc. Ray asks for a token unless the cluster was started without: `RAY_AUTH_TOKEN`, `RAY_AUTH_TOKEN_PATH` or
    `RAY_AUTH_MODE=disabled` say which.
    """
    return Diagnostic(
        "M532",
        f"the Ray cluster `{address}` cannot be used" if address else "a Ray cluster cannot be started here",
        (),
        (f"Ray says: {reason}",),
        ("check `RAY_ADDRESS`, or unset it for a cluster on this machine",)
        if address
        else ("`--engine local` runs the same work in processes of this machine",),
    )


@page("M533")
def no_workers(workers: int) -> Diagnostic:
    """The number of workers is not positive.

    One worker does all work one after the other; without a number there are as many as processors.
    """
    return Diagnostic(
        "M533", f"{workers} workers can do nothing", helps=("write `--workers 1`, or leave it out for all processors",)
    )


@page("M534")
def workers_do_not_start(times: int, reason: str) -> Diagnostic:
    """Worker processes die before they do anything.

    Several in a row ended while they were starting, so a further one would not help. Memory may be short, the number
    of processes limited, or the installation of Python damaged.
    """
    return Diagnostic(
        "M534",
        f"{times} worker processes in a row died as they started"
        if times > 1
        else "a worker process cannot be started",
        (),
        (reason,),
        ("`--workers 1` works without worker processes",),
    )


@page("M535")
def cluster_lost(reason: str) -> Diagnostic:
    """The Ray cluster went away during the work.

    Single nodes may be lost: their tasks are run elsewhere. Here the cluster itself, or the connection to it, is gone.
    """
    return Diagnostic(
        "M535",
        "the Ray cluster was lost during the work",
        (),
        (f"Ray says: {reason}",),
        ("the same command goes on where it was, once the cluster is back",),
    )
