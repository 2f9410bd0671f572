"""An editor without a window: a real client of the protocol, talking to a real `mixc lsp`."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from lsprotocol import types
from pytest_lsp import make_test_lsp_client

T = TypeVar("T")
PATIENCE = 30.0
ROOT = Path(__file__).parents[2]


class Published(dict[str, Sequence[types.Diagnostic]]):
    """What was published last of every file, and how often anything was."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.more = asyncio.Event()

    def __setitem__(self, uri: str, found: Sequence[types.Diagnostic]) -> None:
        super().__setitem__(uri, found)
        self.counts[uri] += 1
        self.more.set()


class Editor:
    """Opens recipes of a folder, types, and asks; every method waits for the answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runner = asyncio.Runner()
        self.client = make_test_lsp_client()
        self.texts: dict[Path, str] = {}
        self.versions: dict[Path, int] = {}
        self.published = Published()
        self.client.diagnostics = self.published

    def __enter__(self) -> Editor:
        self.run(self._start())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self.run(self.client.shutdown_session())
            self.run(self.client.stop())
        finally:
            self.runner.close()

    async def _start(self) -> None:
        await self.client.start_io(sys.executable, "-m", "mixc", "lsp", cwd=str(ROOT))
        watching = types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True)
        capabilities = types.ClientCapabilities(
            workspace=types.WorkspaceClientCapabilities(did_change_watched_files=watching),
            general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf16]),
            text_document=types.TextDocumentClientCapabilities(
                publish_diagnostics=types.PublishDiagnosticsClientCapabilities(related_information=True),
                hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
                completion=types.CompletionClientCapabilities(
                    completion_item=types.ClientCompletionItemOptions(documentation_format=[types.MarkupKind.Markdown])
                ),
            ),
        )
        folder = types.WorkspaceFolder(self.folder.as_uri(), self.folder.name)
        self.answer = await self.client.initialize_session(
            types.InitializeParams(capabilities, root_uri=self.folder.as_uri(), workspace_folders=[folder])
        )

    def run(self, waiting: Awaitable[T]) -> T:
        """Wait for an answer, but not for ever."""

        async def limited() -> T:
            return await asyncio.wait_for(waiting, PATIENCE)

        return self.runner.run(limited())

    def open(self, name: str, text: str | None = None) -> Path:
        """Open a file as it lies on disk, or with a text that is not saved; wait until it was checked."""
        path = self.folder / name
        self.texts[path] = path.read_text(encoding="utf-8") if text is None else text
        self.versions[path] = 1
        item = types.TextDocumentItem(path.as_uri(), "mix", 1, self.texts[path])
        self.checked(path, lambda: self.client.text_document_did_open(types.DidOpenTextDocumentParams(item)))
        return path

    def type(self, path: Path, text: str) -> float:
        """Give the file another text, and wait until that was checked; the seconds it took."""
        self.texts[path] = text
        self.versions[path] += 1
        document = types.VersionedTextDocumentIdentifier(self.versions[path], path.as_uri())
        change = types.TextDocumentContentChangeWholeDocument(text)
        params = types.DidChangeTextDocumentParams(document, [change])
        start = time.monotonic()
        self.checked(path, lambda: self.client.text_document_did_change(params))
        return time.monotonic() - start

    def saved(self, path: Path, text: str, told: Path) -> None:
        """Let something else write a file; the editor tells of it, and a file is checked for it."""
        path.write_text(text, encoding="utf-8")
        change = types.FileEvent(path.as_uri(), types.FileChangeType.Changed)
        params = types.DidChangeWatchedFilesParams([change])
        self.checked(told, lambda: self.client.workspace_did_change_watched_files(params))

    def checked(self, path: Path, act: Callable[[], None]) -> None:
        """Do something that ends with diagnostics being published for a file."""

        async def both() -> None:
            said, before = self.published, self.published.counts[path.as_uri()]
            act()
            while said.counts[path.as_uri()] == before:
                said.more.clear()
                await said.more.wait()

        self.run(both())

    def problems(self, path: Path) -> Sequence[types.Diagnostic]:
        """What the server has said of a file."""
        return self.client.diagnostics.get(path.as_uri(), [])

    def at(self, path: Path, words: str, after: int = 0) -> types.Position:
        """The place of some words in a text, so many characters into them."""
        offset = self.texts[path].index(words) + after
        line = self.texts[path].count("\n", 0, offset)
        before = self.texts[path][self.texts[path].rfind("\n", 0, offset) + 1 : offset]
        return types.Position(line, len(before.encode("utf-16-le")) // 2)

    def document(self, path: Path) -> types.TextDocumentIdentifier:
        """How the protocol calls a file."""
        return types.TextDocumentIdentifier(path.as_uri())

    def applied(self, path: Path, edits: Sequence[types.TextEdit]) -> str:
        """A text with edits that the server gave."""
        lines = self.texts[path].splitlines(keepends=True)
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line))

        def offset(place: types.Position) -> int:
            line = lines[place.line] if place.line < len(lines) else ""
            return starts[min(place.line, len(lines))] + len(
                line.encode("utf-16-le")[: 2 * place.character].decode("utf-16-le")
            )

        text = self.texts[path]
        for edit in sorted(edits, key=lambda one: offset(one.range.start), reverse=True):
            text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
        return text
