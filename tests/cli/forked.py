"""`mixc` in a process of its own that has loaded everything already: a copy of the test's process.

Loading numpy, cvxpy and the rest takes longer than most commands. A copy (fork) has them, and its own folder, streams
and exit code, as a process that was started has. Tests that change the environment start one, and so do those of
signals, streams and start-up.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import traceback
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

from tests.cli.ran import Ran

THREADED = frozenset({"report"})  # draws by threads that a copy of this process would not have, and would wait for
RECIPE = """recipe a
budget { model = 1B params, tokens = 10B tokens }
source web { supply = { de: 6B tokens, en: 90B tokens }, assume = rated, epochs <= 4 }
languages [de, en] { priority = 1.0 }
require share(en) >= 60%
"""


def run(arguments: tuple[str, ...], folder: Path, *, together: bool = False) -> Ran:
    """What the command leaves; `together`: data and diagnostics as a terminal shows them, as data."""
    if set(arguments[:1]) & THREADED:
        return _started(arguments, folder, together=together)
    load()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            become(arguments, folder, out.fileno(), (out if together else err).fileno())
        _, status = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        return Ran(os.waitstatus_to_exitcode(status), out.read().decode(), err.read().decode())


def _started(arguments: tuple[str, ...], folder: Path, *, together: bool) -> Ran:
    done = subprocess.run(
        [sys.executable, "-m", "mixc", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if together else subprocess.PIPE,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), (done.stderr or b"").decode())


@cache
def load() -> None:
    """Let the test's own process do what most commands do, so that all copies have loaded it."""
    import cvxpy
    import pyarrow.parquet

    from mixc.compiler.cli.guard import guarded

    del cvxpy, pyarrow
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        recipe, manifest = Path(folder) / "a.mix", Path(folder) / "a.manifest.json"
        recipe.write_text(RECIPE)
        for words in (("compile", recipe), ("explain", manifest), ("diff", manifest, manifest), ("fmt", recipe)):
            assert guarded([str(word) for word in words]) == 0
    os.chdir(here)


def become(arguments: tuple[str, ...], folder: Path, out: int, err: int) -> None:
    code = 70
    try:
        from mixc.compiler.cli.guard import guarded

        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout = sys.__stdout__ = io.TextIOWrapper(
            io.FileIO(1, "w", closefd=False), encoding="utf-8", line_buffering=out == err
        )
        sys.stderr = sys.__stderr__ = io.TextIOWrapper(
            io.FileIO(2, "w", closefd=False), encoding="utf-8", errors="backslashreplace", line_buffering=True
        )
        sys.argv = ["mixc", *arguments]
        code = guarded(list(arguments))
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # a process ends here, whatever happens: the test's own code must not go on in a copy
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)
