"""The parent's side of one worker process: its connection, the tasks it holds, its end."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from multiprocessing.connection import Connection
from typing import Any

from mixc.backends.executors.gpus import VISIBLE
from mixc.compiler.executor import Said, failure_from

SMALL = 16 << 10  # bytes of a task that fit the connection's buffer, and so may wait there while the worker is busy
PATIENCE = 60  # seconds that starting, or half a message, may take
QUICK = 0.05  # seconds; only behind tasks as short as this may another wait, for it could run elsewhere meanwhile
DYING = 2.0  # seconds that ending at once may take
HELD = 2  # tasks a worker has at most: one it runs, one that waits, so that it need not


class Worker:
    """A process that runs tasks in the order given.

    Its own interpreter, not a fork: forks of a process with threads (Arrow's, a solver's) may hang, and a program that
    uses mixc needs no guard around its main module. `devices` names the GPUs that it sees; all of ours if None.
    """

    def __init__(self, devices: str | None = None) -> None:
        ours, theirs = socket.socketpair()
        limit = struct.pack("ll", PATIENCE, 0)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        with theirs:
            self.process = _start(theirs.fileno(), {} if devices is None else {VISIBLE: devices})
        self.devices = devices
        self.connection = Connection(ours.detach())
        self.held: deque[int] = deque()
        self.ready = False
        self.since = time.monotonic()  # when it began what it is doing
        self._quick = False
        self._work: bytes | None = None
        with contextlib.suppress(OSError):  # if it died already, reading will tell
            self.connection.send(sys.path)

    def takes(self, size: int) -> bool:
        """Whether a task of `size` bytes can be sent without waiting."""
        return self.ready and (not self.held or (self._quick and len(self.held) < HELD and size <= SMALL))

    def give(self, work: bytes, index: int, task: bytes) -> None:
        """Send a task, and the function it is for if that is a new one."""
        if not self.held:
            self.since = time.monotonic()
        if work is not self._work:
            self._quick = False  # as long as nobody knows how short its tasks are
        self.held.append(index)
        with contextlib.suppress(OSError):
            if work is not self._work:
                self.connection.send(("work", 0, work))
                self._work = work
            self.connection.send(("task", index, task))

    def receive(self) -> tuple[int, Any] | None:
        """The next result, or something `Said`, with its index; None for the first sign of life.

        `OSError` or `EOFError` if it died.
        """
        message = self.connection.recv_bytes()
        result = None
        if self.ready:
            try:
                result = pickle.loads(message)
            except Exception as error:  # a class that cannot be made again raises what it likes
                result = failure_from(self.held[0], error)
            if isinstance(result, Said):
                return self.held[0], result
        now = time.monotonic()
        self._quick, self.since = self.ready and now - self.since < QUICK, now
        if not self.ready:
            self.ready = True
            return None
        return self.held.popleft(), result

    def stop(self) -> str:
        """End it at once; how it ended, in words that follow a subject."""
        self.process.kill()
        self.connection.close()
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            code = self.process.wait(DYING)
        except subprocess.TimeoutExpired:
            return "does not end"
        if code >= 0:
            return f"ended with exit code {code}"
        memory = ", as happens when memory is short" if code == -signal.SIGKILL else ""
        return f"was ended by {signal.Signals(-code).name}{memory}"


def _start(number: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Run the worker's module; SIGINT is blocked until the worker ignores it, for Ctrl-C is the parent's to handle."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "mixc.backends.executors.worker", str(number)],
            stdin=subprocess.PIPE,
            pass_fds=(number,),
            env={"OMP_NUM_THREADS": "1", **os.environ, **environment},  # one processor each; Arrow reads this too
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
