"""What surrounds every command: usage errors, interruptions, and crashes that say they are a bug."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Literal, TextIO

ERRORS, CHANGES, BUG, INTERRUPTED, TERMINATED = 1, 2, 70, 130, 143
REFUSALS = frozenset({
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM,
    errno.EAGAIN, errno.ESTALE, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ELOOP, errno.EBUSY,
})  # fmt: skip
ARROW = re.compile(r" local file '(.+?)'\. Detail: ", re.DOTALL)  # how Arrow's errors, which have no place, name it
SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN = 0.01  # seconds until a request to stop is made anew that Python had dropped
DEBUG = "--debug"


class Stopped(KeyboardInterrupt):
    """Ctrl-C or a request to terminate.

    A class of its own: where `exec` was interrupted by a plain KeyboardInterrupt, Python kills itself at exit even if
    that was caught.
    """


def guarded(arguments: list[str]) -> int:
    """Run the command line; the exit code."""
    outcome = _Outcome(DEBUG in arguments)
    with _handled(outcome), outcome:
        from mixc.compiler.cli.app import app

        for stream in (sys.stdout, sys.stderr):
            getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
        result = app([argument for argument in arguments if argument != DEBUG], standalone_mode=False, prog_name="mixc")
        if result == INTERRUPTED or (result and outcome.stopped):  # typer turns Ctrl-C into a result
            raise Stopped
        outcome.code = result if isinstance(result, int) else 0
    return outcome.code


def die_quietly() -> None:
    """Let Ctrl-C end the process without a traceback, for the moments before and after `guarded`."""
    for number in _heeded():
        signal.signal(number, signal.SIG_DFL)


def _heeded() -> list[signal.Signals]:
    """The signals that stop a command; not those ignored from the start, as in the background of a script."""
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


@contextlib.contextmanager
def _handled(outcome: _Outcome) -> Iterator[None]:
    before = {number: signal.signal(number, outcome.stop) for number in _heeded()}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, outcome.stop)
    hook, sys.unraisablehook = sys.unraisablehook, outcome.unraisable
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


class _Outcome:
    """Turns whatever leaves a command into an exit code and at most one message."""

    def __init__(self, debug: bool) -> None:
        self.code = BUG
        self.stopped: int | None = None
        self._debug = debug

    def __enter__(self) -> None:
        return None

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: leave by an exception, so that temporary files are removed."""
        self.stopped = number if number in SIGNALS else self.stopped
        raise Stopped

    def unraisable(self, dropped: sys.UnraisableHookArgs) -> None:
        """Stop a moment later where the signal came in a finaliser or a weak reference's callback.

        Python drops what is raised there, so the command would go on as if nobody had asked it to stop.
        """
        if isinstance(dropped.exc_value, Stopped):
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
        else:
            sys.__unraisablehook__(dropped)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if error is None:
            return True
        if self.stopped == signal.SIGTERM:
            self.code = TERMINATED
            _say("mixc: terminated")
        elif self.stopped or isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
            self.code = INTERRUPTED  # whatever the error: an extension module stopped while loading raises others
            _say("mixc: interrupted")
        elif isinstance(error, SystemExit):
            self.code = error.code if isinstance(error.code, int) else ERRORS
        elif _is_usage_error(error):
            self.code = ERRORS
            getattr(error, "show", lambda: None)()
        elif sentence := _refusal(error):
            self.code = ERRORS
            _say(sentence)
            for stream in (sys.stdout, sys.stderr):
                silence(stream)
        else:
            self.code = BUG
            _report(error, self._debug)
        return True


def _is_usage_error(error: BaseException) -> bool:
    """Whether the command line itself was wrong. typer does not export the base class of these errors."""
    import typer

    return isinstance(error, typer.BadParameter.__mro__[2])


def refused(sentence: str) -> SystemExit:
    """Say what the system does not allow; the exit to raise."""
    _say(f"mixc: {sentence}")
    return SystemExit(ERRORS)


def silence(stream: TextIO | None) -> None:
    """Drop what could not be written: it would fail again when Python closes the stream."""
    if stream is None or stream.closed:
        return
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _refusal(error: BaseException) -> str:
    """What the system refused, where that is the whole reason: no bug of mixc, and no fault of the input."""
    if not isinstance(error, OSError):
        return ""
    if isinstance(error, FileNotFoundError) and _homeless():
        return "mixc: the current folder does not exist any more: change to another one"
    if error.errno not in REFUSALS:
        return ""
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    named = ARROW.search(str(error))
    return _told(os.strerror(error.errno).lower(), place or (named[1] if named else ""))


def _told(why: str, place: str) -> str:
    """The diagnostic as text; by hand where the system has no file to spare for loading what renders it."""
    form: Literal["full", "json"] = "json" if "--diagnostics json" in " ".join(sys.argv).replace("=", " ") else "full"
    try:
        from mixc.compiler.cli.refusal import system_refuses
        from mixc.dsl.render import render

        return render([system_refuses(why, place)], form).rstrip()
    except (OSError, ImportError):
        return f"error[M469]: the system refuses to go on: {why}" + (f"\n --> {place}" if place else "")


def _homeless() -> bool:
    """Whether the current folder was deleted."""
    try:
        Path.cwd()
    except OSError:
        return True
    return False


def _report(error: BaseException, debug: bool) -> None:
    import traceback

    text = "".join(traceback.format_exception(error))
    if debug:
        _say(text.rstrip())
    where = "" if debug else _written(text)
    _say(f"mixc: this is a bug in mixc, not in your input: {error}".rstrip(": "))
    _say(f"mixc: the traceback is in {where}; please report it" if where else "mixc: please report it")


def _written(text: str) -> str:
    """The traceback in a file of the temporary folder; its path, or nothing where there is no room."""
    import tempfile

    try:
        handle, path = tempfile.mkstemp(prefix="mixc-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return ""
    return path


def _say(text: str) -> None:
    if sys.stderr is None:  # `print` would take standard output instead
        return
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)
