"""What no editor should send and some do: the server answers, says a bug is a bug, and lives on."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcRequestCancelled

from mixc.backends.lsp.positions import Places
from mixc.backends.lsp.server import BUG, Server, safely
from mixc.compiler.cli.guard import guarded
from mixc.dsl.text import SourceText
from tests.examples import shown
from tests.lsp.editor import Editor
from tests.lsp.test_workspace import RECIPES, changed

GOOD = (RECIPES / "polyglot17.mix").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    with Editor(tmp_path_factory.mktemp("robust")) as one:
        yield one
        assert [it.message for it in one.client.log_messages] == []


def ask_everything(editor: Editor, path: Path, place: types.Position) -> None:
    """Every request there is, at one place."""
    document, client = editor.document(path), editor.client
    whole = types.Range(types.Position(0, 0), types.Position(10**6, 10**6))
    editor.run(client.text_document_hover_async(types.HoverParams(document, place)))
    editor.run(client.text_document_completion_async(types.CompletionParams(document, place)))
    editor.run(client.text_document_definition_async(types.DefinitionParams(document, place)))
    context = types.ReferenceContext(True)
    editor.run(client.text_document_references_async(types.ReferenceParams(context, document, place)))
    editor.run(client.text_document_document_highlight_async(types.DocumentHighlightParams(document, place)))
    editor.run(client.text_document_document_symbol_async(types.DocumentSymbolParams(document)))
    editor.run(client.text_document_folding_range_async(types.FoldingRangeParams(document)))
    editor.run(client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(document)))
    editor.run(client.text_document_inlay_hint_async(types.InlayHintParams(document, whole)))
    editor.run(client.text_document_code_lens_async(types.CodeLensParams(document)))
    options = types.FormattingOptions(2, True)
    editor.run(client.text_document_formatting_async(types.DocumentFormattingParams(document, options)))
    actions = types.CodeActionContext(list(editor.problems(path)))
    editor.run(client.text_document_code_action_async(types.CodeActionParams(document, whole, actions)))


@pytest.mark.parametrize("seed", range(2))
def test_texts_that_nobody_would_write(editor: Editor, seed: int) -> None:
    draw = random.Random(seed)
    text, path = GOOD, editor.open(f"mutated-{seed}.mix", GOOD)
    for _ in range(6):
        for _ in range(draw.randint(1, 4)):
            text = changed(text, draw)
        editor.type(path, text)
        ask_everything(editor, path, types.Position(draw.randrange(60), draw.randrange(60)))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "M006"),
        ("recipe a\n#" + "x" * 70_000, "M008"),
        ("recipe a\n" + "# line\n" * 200_000, "M008"),
        ("recipe a\nparam x = " + "(" * 150 + "1" + ")" * 150, "M007"),
        ("recipe a\n\x00", "M010"),
        ("recipe a\u2028b\n", "M003"),
        ("recipe 🙂\n", "M003"),
    ],
    ids=["nothing", "a long line", "too much", "too deep", "NUL", "a separator", "an emoji"],
)
def test_texts_that_are_refused(editor: Editor, text: str, code: str) -> None:
    path = editor.open("refused.mix", text)
    assert code in [it.code for it in editor.problems(path)]
    ask_everything(editor, path, types.Position(0, 7))


@pytest.mark.parametrize("place", [(0, 10**9), (10**9, 0), (2**31 - 1, 2**31 - 1), (0, 0), (3, 400)])
def test_places_that_the_text_does_not_have(editor: Editor, place: tuple[int, int]) -> None:
    path = editor.open("places.mix", GOOD)
    ask_everything(editor, path, types.Position(*place))


def test_files_that_are_not_open_and_not_there(editor: Editor) -> None:
    ask_everything(editor, editor.folder / "nowhere.mix", types.Position(0, 0))


def test_many_changes_are_one_check(editor: Editor) -> None:
    """Letters that come faster than they can be checked: the last text is what is said in the end."""
    path = editor.open("fast.mix", GOOD)
    document = editor.document(path)
    for number in range(50):
        change = types.TextDocumentContentChangeWholeDocument(GOOD + "x" * number)
        versioned = types.VersionedTextDocumentIdentifier(number + 2, document.uri)
        editor.client.text_document_did_change(types.DidChangeTextDocumentParams(versioned, [change]))
    editor.versions[path] = 52
    editor.type(path, GOOD)
    assert list(editor.problems(path)) == []


def test_a_recipe_is_checked_again_when_what_it_extends_changes(editor: Editor) -> None:
    base = editor.open("below.mix", GOOD)
    above = editor.open("above.mix", 'recipe above extends "below.mix"\nrequire share(wikipedia) <= 20%\n')
    assert list(editor.problems(above)) == []  # though nothing lies on disk

    def rename() -> None:
        document = types.VersionedTextDocumentIdentifier(editor.versions[base] + 1, base.as_uri())
        text = GOOD.replace("wikipedia {", "encyclopedia-2020 {")
        change = types.TextDocumentContentChangeWholeDocument(text)
        editor.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    editor.checked(above, rename)
    assert [it.code for it in editor.problems(above)] == ["M104"]


def test_a_file_that_is_saved_half_way(editor: Editor) -> None:
    """What is read in the middle of a save is said, and taken back when the rest has come."""
    base = editor.folder / "half.mix"
    base.write_text(GOOD)
    above = editor.open("whole.mix", 'recipe whole extends "half.mix"\nrequire share(wikipedia) <= 20%\n')
    assert list(editor.problems(above)) == []
    editor.saved(base, GOOD[: GOOD.index("domain  = encyclopedia")], above)
    assert [it.code for it in editor.problems(base)] == ["M002"]
    editor.saved(base, GOOD, above)
    assert list(editor.problems(base)) == list(editor.problems(above)) == []


def test_requests_that_are_cancelled(editor: Editor) -> None:
    path = editor.open("cancelled.mix", GOOD)
    params = types.HoverParams(editor.document(path), editor.at(path, "fineweb2", 2))

    async def cancelled() -> None:
        protocol = editor.client.protocol
        for number in range(20):
            asked = protocol.send_request(types.TEXT_DOCUMENT_HOVER, params, msg_id=f"hover {number}")
            editor.client.cancel_request(types.CancelParams(f"hover {number}"))
            with contextlib.suppress(JsonRpcRequestCancelled):
                assert (await asyncio.wrap_future(asked)) is not None
        editor.client.cancel_request(types.CancelParams("nobody asked this"))

    editor.run(cancelled())
    assert editor.run(editor.client.text_document_hover_async(params)) is not None


def test_thousands_of_recipes(editor: Editor) -> None:
    """A name is renamed among them in one go; folders of tools are not looked into."""
    many = editor.folder / "many"
    (many / "node_modules").mkdir(parents=True)
    (many / "base.mix").write_text("recipe base\nsource web { supply = { en: 9T tokens }, epochs <= 4 }\n")
    for number in range(1500):
        text = f'recipe r{number} extends "base.mix"\nrequire share(web) <= {number % 90 + 10}%\n'
        (many / f"r{number}.mix").write_text(text if number < 20 else text.replace("base.mix", "other.mix"))
    (many / "node_modules" / "hidden.mix").write_text('recipe h extends "../base.mix"\nrequire share(web) <= 1%\n')
    path = editor.open("many/base.mix")
    params = types.RenameParams(editor.document(path), editor.at(path, "web", 1), "crawl")
    edit = editor.run(editor.client.text_document_rename_async(params))
    assert edit is not None and edit.changes is not None
    assert len(edit.changes) == 21


def test_units_of_editors_count_to_and_fro() -> None:
    source = SourceText("", 'recipe a # ä🙂é\nparam x = "🙂🙂" # end\r\nlast')
    for units in ("utf-8", "utf-16", "utf-32"):
        places = Places(source, units)
        for offset in range(len(source.text) + 1):
            if source.text[max(0, offset - 1) : offset] != "\r":
                assert places.offset(places.position(offset)) == offset
    assert Places(source).offset(types.Position(0, 12)) == 12  # within a pair of surrogates: behind it


def test_a_crash_is_logged_as_a_bug_and_the_next_request_is_answered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[types.LogMessageParams] = []
    server = Server()
    monkeypatch.setattr(server, "window_log_message", said.append)

    def hover(server: Server, params: object) -> str:
        if params is None:
            raise ZeroDivisionError("by nothing")
        return "fine"

    answer = safely(hover)
    assert answer(server, None) is None
    assert answer(server, 1) == "fine"
    assert [one.message for one in said] == [f"{BUG}: hover"]
    assert "ZeroDivisionError: by nothing" in capsys.readouterr().err


def test_a_check_that_crashes_leaves_the_server_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[types.LogMessageParams] = []
    server = Server()
    monkeypatch.setattr(server, "window_log_message", said.append)
    path = server.opened("file:///x.mix", "recipe x\n")
    monkeypatch.setattr(server.recipes, "known", lambda _: 1 / 0)
    server._check_now(path)
    assert [one.message for one in said] == [f"{BUG}: checking x.mix"]


def test_without_pygls_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = ("pygls", "mixc.backends.lsp.features", "mixc.backends.lsp.server")  # what starts them is loaded once
    for name in [name for name in sys.modules if name.startswith(gone)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygls", None)
    assert guarded(["lsp"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error[M790]: the language server needs the package `pygls`,")
    assert "pip install 'mixc[lsp]'" in said
    shown("M790", said, about="The package `pygls` is not installed.", command="mixc lsp")
