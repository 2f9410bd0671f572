"""A worker process of the engine `local`: tasks from a connection, one after the other.

It ends when its connection or its standard input closes, which both happen when the parent dies, however it dies.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from mixc.compiler.executor import Failure, Said, failure_from, heard_by


def main() -> None:
    """Serve until the parent is gone; the argument is the number of the connection's file."""
    number = int(sys.argv[1])
    os.set_inheritable(number, False)  # or a program that a task starts would keep the connection open
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection = Connection(number)
    sys.path[:] = connection.recv()
    connection.send_bytes(b"ready")
    work: Callable[[Any], Any] | None = None
    while True:
        kind, index, message = connection.recv()
        if kind == "work":
            work = loaded(message)
        elif work is not None:
            connection.send_bytes(answer(work, index, message, lambda said: connection.send(Said(said))))


def answer(work: Callable[[Any], Any], index: int, message: bytes, tell: Callable[[Any], None] | None = None) -> bytes:
    """The result of one task, or its failure, pickled; `tell` is called with what it says meanwhile."""
    try:
        with heard_by(tell):
            result = work(pickle.loads(message))
        return pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
    except (Exception, SystemExit) as error:
        failure = failure_from(index, error)
    try:
        return pickle.dumps(failure)
    except Exception:  # a diagnostic may hold anything
        return pickle.dumps(Failure(index, failure.message, None, 0))


def loaded(message: bytes) -> Callable[[Any], Any]:
    """The function that tasks are for; one that says why, where it cannot be loaded."""
    try:
        work: Callable[[Any], Any] = pickle.loads(message)
    except Exception as error:
        return _raising(error)
    return work


def _raising(error: Exception) -> Callable[[Any], Any]:
    def work(_: Any) -> Any:
        raise error

    return work


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    try:
        main()
    except (EOFError, ConnectionError):
        os._exit(1)
