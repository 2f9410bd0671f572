"""`mixc lsp`: the server. It speaks the Language Server Protocol over stdin and stdout, and never stops for a bug.

A request that fails is logged as a bug and answered with nothing; the next one is answered as ever.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path

from mixc import __version__
from mixc.backends.lsp.compiled import Manifests
from mixc.backends.lsp.positions import Places
from mixc.backends.lsp.problems import by_file
from mixc.backends.lsp.renaming import Refused
from mixc.backends.lsp.workspace import Workspace, path_of

QUIET = 0.02  # seconds without another change before a recipe is checked
BUG = "this is a bug in mixc, not in your recipe; please report it"
F = TypeVar("F", bound=Callable[..., Any])


class Server(LanguageServer):
    """The server with its workspace, what was said of files, and what waits to be checked."""

    def __init__(self) -> None:
        super().__init__("mixc", __version__, types.TextDocumentSyncKind.Full)
        self.recipes = Workspace()
        self.manifests = Manifests()
        self._uris: dict[Path, str] = {}
        self._said: dict[Path, dict[Path, list[types.Diagnostic]]] = {}
        self._waiting: dict[Path, asyncio.TimerHandle] = {}

    def opened(self, uri: str, text: str) -> Path:
        """Take a text that the editor has open."""
        path = path_of(uri)
        self._uris[path] = uri
        self.recipes.put(path, text)
        return path

    def closed(self, uri: str) -> None:
        """Let go of a text; what was said because it was open is taken back."""
        path = path_of(uri)
        self.recipes.drop(path)
        if path in self._waiting:
            self._waiting.pop(path).cancel()
        before = self._said.pop(path, {})
        self._publish(set(before))
        self.check_others(path)

    def check_soon(self, path: Path) -> None:
        """Check a recipe when nobody has typed for a moment."""
        if path in self._waiting:
            self._waiting[path].cancel()
        self._waiting[path] = asyncio.get_running_loop().call_later(QUIET, self._check_now, path)

    def check_others(self, path: Path) -> None:
        """Check open recipes that were read from a file which has changed."""
        for other in list(self.recipes.open):
            if other != path and self.recipes.rests_on(other, path):
                self.check_soon(other)

    def check_all(self) -> None:
        """Check every open recipe: something on disk has changed."""
        for path in list(self.recipes.open):
            self.check_soon(path)

    def places(self, path: Path) -> Places:
        """The lines of a file, in the units of the editor."""
        return Places(self.recipes.text(path), self.workspace.position_encoding or types.PositionEncodingKind.Utf16)

    def uri(self, path: Path) -> str:
        """The address of a file, as the editor calls it where it has it open."""
        return self._uris.get(path) or from_fs_path(str(path)) or path.as_uri()

    def bug(self, what: str) -> None:
        """Log a crash, and go on."""
        print(f"mixc: {BUG}\n{what}\n{traceback.format_exc()}", file=sys.stderr, flush=True)
        self.window_log_message(types.LogMessageParams(types.MessageType.Error, f"{BUG}: {what}"))

    def _check_now(self, path: Path) -> None:
        self._waiting.pop(path, None)
        if path not in self.recipes.open:
            return
        try:
            made = by_file(path, self.recipes.known(path).found, self.places, self.uri)
        except Exception:
            self.bug(f"checking {path.name}")
            return
        touched = set(self._said.get(path, {})) | set(made)
        self._said[path] = made
        self._publish(touched)

    def _publish(self, files: set[Path]) -> None:
        """Send what all open recipes have to say of some files."""
        for file in sorted(files):
            every = [one for said in self._said.values() for one in said.get(file, ())]
            unique = list({(repr(one.range), str(one.code), one.message): one for one in every}.values())
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(self.uri(file), unique))


def safely(function: F) -> F:
    """A handler that answers with nothing where it crashes; with the reason, where it refuses."""

    @functools.wraps(function)
    def run(server: Server, *params: Any) -> Any:
        try:
            return function(server, *params)
        except Refused as error:
            raise JsonRpcInvalidParams(str(error)) from None
        except Exception:
            server.bug(function.__name__)
            return None

    return run  # type: ignore[return-value]
