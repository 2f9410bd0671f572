"""What surrounds every command: usage errors, interruptions, and crashes that say they are a bug."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import traceback
from types import FrameType, TracebackType

ERRORS, CHANGES, BUG, INTERRUPTED, TERMINATED = 1, 2, 70, 130, 143
DEBUG = "--debug"


def guarded(arguments: list[str]) -> int:
    """Run the command line; the exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    debug = DEBUG in arguments
    outcome = _Outcome(debug)
    with outcome:
        from mixc.compiler.cli.app import app

        for stream in (sys.stdout, sys.stderr):
            getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
        result = app([argument for argument in arguments if argument != DEBUG], standalone_mode=False, prog_name="mixc")
        if result == INTERRUPTED:  # typer turns Ctrl-C into a result
            raise KeyboardInterrupt
        outcome.code = result if isinstance(result, int) else 0
    return outcome.code


class _Outcome:
    """Turns whatever leaves a command into an exit code and at most one message."""

    def __init__(self, debug: bool) -> None:
        self.code = BUG
        self._debug = debug

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if error is None:
            return True
        if isinstance(error, SystemExit):
            self.code = error.code if isinstance(error.code, int) else ERRORS
        elif isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
            self.code = INTERRUPTED
            _say("mixc: interrupted")
        elif _is_usage_error(error):
            self.code = ERRORS
            getattr(error, "show", lambda: None)()
        else:
            self.code = BUG
            _report(error, self._debug)
        return True


def _is_usage_error(error: BaseException) -> bool:
    """Whether the command line itself was wrong. typer does not export the base class of these errors."""
    import typer

    return isinstance(error, typer.BadParameter.__mro__[2])


def _report(error: BaseException, debug: bool) -> None:
    text = "".join(traceback.format_exception(error))
    if debug:
        _say(text.rstrip())
    where = "" if debug else _written(text)
    _say(f"mixc: this is a bug in mixc, not in your input: {error}".rstrip(": "))
    _say(f"mixc: the traceback is in {where}; please report it" if where else "mixc: please report it")


def _written(text: str) -> str:
    """The traceback in a file of the temporary folder; its path, or nothing where there is no room."""
    try:
        handle, path = tempfile.mkstemp(prefix="mixc-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return ""
    return path


def _say(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def _terminate(number: int, frame: FrameType | None) -> None:
    """Leave as on Ctrl-C, so that temporary files are removed."""
    raise SystemExit(TERMINATED)
