"""`mixc lsp`: the language server for editors."""

from __future__ import annotations

from mixc.compiler.cli.session import Diagnostics, report


def language_server(diagnostics: Diagnostics = "full") -> int:
    """Serve an editor over stdin and stdout (Language Server Protocol). Editors start this, not people."""
    from mixc.compiler import registry

    return report(registry.load("lsp").serve(), diagnostics)
