"""Commands that must reach for no network: run in one process in which every such attempt is noted and refused.

`python -m tests.chain.offline FOLDER` works on the pool of `tests.determinism` in a folder, on documents with a target
in its subfolder `aimed`, and on a language server, and prints the attempts.
"""

from __future__ import annotations

import io
import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from mixc.compiler.cli.guard import guarded

ATTEMPTS: list[str] = []
CALLS = ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request")
# What it takes to say where one is: no packet leaves the machine.
LOCAL = (socket.AF_UNIX,)


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: cannot be taken off again, and sees calls of C modules that go through `socket`."""
    if event in CALLS and getattr(arguments[0], "family", None) not in LOCAL:
        ATTEMPTS.append(f"{event} {arguments[1:]!r}")
        raise OSError(101, "Network is unreachable")


def commands(folder: Path) -> list[Sequence[str]]:
    """The way from a recipe to a report, in order."""
    recipe, manifest = str(folder / "pool.mix"), str(folder / "pool.manifest.json")
    return [
        ("check", recipe),
        ("scan", recipe, "--workers", "1"),
        ("compile", recipe),
        ("run", manifest, "-o", str(folder / "out"), "--workers", "1"),
        ("verify", manifest, str(folder / "out")),
        ("diff", manifest, manifest),
        ("explain", manifest, "--of", "de"),
        ("explain", "M301"),
        ("export", manifest, "--to", "dataset-card", "-o", str(folder / "card")),
        ("report", manifest, "-o", str(folder / "report.html")),
        ("new", str(folder / "new.mix")),
        ("score", str(folder / "aimed" / "pool.mix"), "--workers", "1"),
    ]


SERVE = """import sys
from tests.chain.offline import watch
from mixc.compiler.cli import main
sys.addaudithook(watch)
main()
"""


def greeting() -> bytes:
    """What an editor says to a language server that it starts and ends."""
    calls: list[dict[str, object]] = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}},
        {"id": 2, "method": "shutdown"},
        {"method": "exit"},
    ]
    texts = [json.dumps({"jsonrpc": "2.0", **call}).encode() for call in calls]
    return b"".join(b"Content-Length: %d\r\n\r\n%b" % (len(text), text) for text in texts)


def main(folder: Path) -> int:
    """1 where a command fails or anything reached for a network."""
    sys.addaudithook(watch)
    failed = 0
    for command in commands(folder):
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            code = guarded(list(command))
        failed += bool(code)
        print(command[0], code, said.getvalue()[-800:] if code else "")
    ran = subprocess.run([sys.executable, "-c", SERVE, "lsp"], input=greeting(), capture_output=True, timeout=60)
    failed += ran.returncode != 0 or b"hoverProvider" not in ran.stdout
    print("lsp", ran.returncode, ran.stderr.decode()[-800:])
    print("\n".join(ATTEMPTS) or "no attempt")
    return int(bool(failed or ATTEMPTS))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
