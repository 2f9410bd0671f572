"""Starting the server, or saying what it needs."""

from __future__ import annotations

import sys

from mixc.dsl.diagnostics import Diagnostic, page
from mixc.dsl.wording import plain

PACKAGES = ("attrs", "cattrs", "lsprotocol", "pygls")


def serve() -> list[Diagnostic]:
    """Serve an editor on stdin and stdout until it says to leave; what keeps the server from starting."""
    try:
        from mixc.backends.lsp.features import register
        from mixc.backends.lsp.server import Server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PACKAGES:
            raise
        return [no_server_packages(error.name)]
    server = Server()
    register(server)
    output, sys.stdout = sys.stdout, sys.stderr  # what anything else prints would break the protocol
    server.start_io(sys.stdin.buffer, output.buffer)
    return []


@page("M790")
def no_server_packages(package: str | None) -> Diagnostic:
    """The language server needs packages that are not installed.

    `mixc lsp` answers editors through pygls, which the other commands do not need.

    What to do: install it with `pip install 'mixc[lsp]'`, in the environment that the editor starts mixc from.
    """
    return Diagnostic(
        "M790",
        f"the language server needs the package `{plain((package or '').partition('.')[0])}`, which is not installed",
        helps=("install it: `pip install 'mixc[lsp]'`",),
    )
