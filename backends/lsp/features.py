"""What the editor may ask, each answered by one function."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from lsprotocol import types

from mixc.backends.lsp import completing, explaining, hints, outline, renaming
from mixc.backends.lsp.fixes import fixes
from mixc.backends.lsp.positions import Places
from mixc.backends.lsp.server import Server, safely
from mixc.backends.lsp.workspace import path_of
from mixc.compiler.front.occurrences import Occurrence
from mixc.dsl.formatter import format_source

SYMBOLS = {
    "import": types.SymbolKind.Module, "param": types.SymbolKind.Constant, "source": types.SymbolKind.File,
    "language": types.SymbolKind.Namespace, "languages": types.SymbolKind.Namespace, "group": types.SymbolKind.Array,
    "domain": types.SymbolKind.Class, "rater": types.SymbolKind.Number, "target": types.SymbolKind.Key,
    "phase": types.SymbolKind.Event, "budget": types.SymbolKind.Struct, "key": types.SymbolKind.Property,
    "rule": types.SymbolKind.Operator,
}  # fmt: skip
ITEMS = {
    "kind": types.CompletionItemKind.Class, "key": types.CompletionItemKind.Property,
    "word": types.CompletionItemKind.EnumMember, "name": types.CompletionItemKind.Variable,
    "function": types.CompletionItemKind.Function, "unit": types.CompletionItemKind.Unit,
    "file": types.CompletionItemKind.File, "column": types.CompletionItemKind.Field,
    "rule": types.CompletionItemKind.Keyword,
}  # fmt: skip
LENSES = (("compile", "mixc.compile"), ("diff", "mixc.diff"), ("explain", "mixc.explain"))
WATCHED = ("**/*.mix", "**/*.csv", "**/*.manifest.json")
TRIGGERS = ['"', "(", "{", "[", "=", ":", ",", " ", "."]


def register(server: Server) -> None:
    """Tell the server what it can answer."""
    for name, function, options in FEATURES:
        server.feature(name, options)(safely(function)) if options else server.feature(name)(safely(function))


def initialized(server: Server, params: types.InitializedParams) -> None:
    """Look for recipes in the folders that the editor has open, and ask to be told of files that change there."""
    roots = [path_of(folder.uri) for folder in server.workspace.folders.values()]
    if not roots and server.workspace.root_path:
        roots = [Path(server.workspace.root_path)]
    server.recipes.folders = roots
    workspace = server.client_capabilities.workspace
    watched = workspace.did_change_watched_files if workspace is not None else None
    if watched is not None and watched.dynamic_registration:
        options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(one) for one in WATCHED])
        asked = types.Registration("files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        server.client_register_capability(types.RegistrationParams([asked]), lambda _: None)


def did_open(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    """Check a recipe that was opened."""
    server.check_soon(server.opened(params.text_document.uri, params.text_document.text))


def did_change(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    """Check a recipe that was changed."""
    uri = params.text_document.uri
    path = server.opened(uri, server.workspace.get_text_document(uri).source)
    server.check_soon(path)
    server.check_others(path)


def did_close(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    """Forget what was not saved."""
    server.closed(params.text_document.uri)


def on_disk(server: Server, params: Any) -> None:
    """Check again: files have changed."""
    server.check_all()


def _at(server: Server, params: Any) -> tuple[Path, Places, int]:
    """File, lines and offset of a request."""
    path = path_of(params.text_document.uri)
    places = server.places(path)
    return path, places, places.offset(params.position)


def hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    """What a word means, and what came of it in the last compile."""
    path, places, offset = _at(server, params)
    found = explaining.explained(server.recipes, path, offset, server.manifests.beside(path))
    if found is None:
        return None
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, found.text), places.range(found.start, found.end))


def completion(server: Server, params: types.CompletionParams) -> list[types.CompletionItem]:
    """What may be typed."""
    path, places, offset = _at(server, params)
    spot, found = completing.choices(server.recipes, path, offset)
    where = places.range(spot.start, offset)
    return [
        types.CompletionItem(
            label=one.word,
            kind=ITEMS[one.sort],
            detail=one.about or None,
            documentation=types.MarkupContent(types.MarkupKind.Markdown, one.page) if one.page else None,
            sort_text=f"{number:04d}",
            text_edit=types.TextEdit(where, one.word),
        )
        for number, one in enumerate(found)
    ]


def definition(server: Server, params: types.DefinitionParams) -> list[types.Location]:
    """Where a name is declared."""
    path, _, offset = _at(server, params)
    one = explaining.named_at(server.recipes, path, offset)
    if one is None:
        return []
    every = [other for other in server.recipes.names(path) if other.symbol == one.symbol]
    declared = [other for other in every if other.role == "declaration"] or every[:1]
    return [_location(server, other) for other in declared]


def references(server: Server, params: types.ReferenceParams) -> list[types.Location]:
    """Where a name stands in all recipes that know it."""
    path, _, offset = _at(server, params)
    one = explaining.named_at(server.recipes, path, offset)
    if one is None:
        return []
    every = renaming.everywhere(server.recipes, one.symbol)
    declared = params.context.include_declaration
    return [_location(server, other) for other in every if declared or other.role != "declaration"]


def highlight(server: Server, params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
    """Where a name stands in this file."""
    path, places, offset = _at(server, params)
    one = explaining.named_at(server.recipes, path, offset)
    names = server.recipes.names(path) if one is not None else []
    return [
        types.DocumentHighlight(places.of(other.span))
        for other in names
        if one is not None and other.symbol == one.symbol and other.path == str(path)
    ]


def prepare_rename(server: Server, params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder:
    """The name that would be changed. Refused where there is none."""
    path, places, offset = _at(server, params)
    one = renaming.renameable(server.recipes, path, offset)
    return types.PrepareRenamePlaceholder(places.of(one.span), one.symbol.name)


def rename(server: Server, params: types.RenameParams) -> types.WorkspaceEdit:
    """The edits of all files that a new name needs. Refused where it cannot be had."""
    path, _, offset = _at(server, params)
    places = renaming.renamed(server.recipes, path, offset, params.new_name)
    changes: dict[str, list[types.TextEdit]] = {}
    for one, text in places:
        file = Path(one.path)
        changes.setdefault(server.uri(file), []).append(types.TextEdit(server.places(file).of(one.span), text))
    return types.WorkspaceEdit(changes)


def code_action(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Fixes of what stands in the range, each tried before it is offered."""
    path = path_of(params.text_document.uri)
    places = server.places(path)
    start, end = places.offset(params.range.start), places.offset(params.range.end)
    actions: list[types.CodeAction] = []
    for one in server.recipes.known(path).found:
        span = one.labels[0].span if one.labels else None
        if span is None or span.source.name != str(path):
            continue
        if not (span.offset <= end and start <= span.offset + span.end - span.start):
            continue
        shown = [it for it in params.context.diagnostics if it.code == one.code and it.range == places.of(span)]
        for number, fix in enumerate(fixes(server.recipes, path, path, one)):
            edit = types.TextEdit(places.range(fix.edit.start, fix.edit.end), fix.edit.text)
            changes = types.WorkspaceEdit({params.text_document.uri: [edit]})
            actions.append(types.CodeAction(fix.title, types.CodeActionKind.QuickFix, shown, number == 0, edit=changes))
    return actions


def formatting(server: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    """The lines that the one formatting changes; nothing where the recipe has mistakes, which are shown."""
    path = path_of(params.text_document.uri)
    places = server.places(path)
    text, _ = format_source(places.source)
    if text is None:
        return None
    before, after = places.source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    changes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [
        types.TextEdit(places.range(starts[a], starts[b]), "".join(after[c:d]))
        for tag, a, b, c, d in changes
        if tag != "equal"
    ]


def symbols(server: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    """The outline."""
    path = path_of(params.text_document.uri)
    places = server.places(path)

    def shown(one: outline.Heading) -> types.DocumentSymbol:
        kind = SYMBOLS.get(one.sort, types.SymbolKind.Object)
        inner = [shown(it) for it in one.inner]
        return types.DocumentSymbol(one.name, kind, places.of(one.span), places.of(one.head), children=inner)

    return [shown(one) for one in outline.outline(server.recipes.parsed(path).whole)]


def folding(server: Server, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
    """What can be folded."""
    source = server.recipes.text(path_of(params.text_document.uri))
    return [
        types.FoldingRange(start, end, kind=types.FoldingRangeKind.Comment if comment else None)
        for start, end, comment in outline.folds(source)
    ]


def colours(server: Server, params: types.SemanticTokensParams) -> types.SemanticTokens:
    """Colours by what words mean, as the protocol packs them: five numbers for each, relative to the one before."""
    path = path_of(params.text_document.uri)
    places = server.places(path)
    data: list[int] = []
    line = character = 0
    for one in outline.colours(server.recipes, path):
        start, end = places.position(one.start), places.position(one.end)
        if start.line != end.line:
            continue
        character = character if start.line == line else 0
        data += [
            start.line - line, start.character - character, end.character - start.character,
            outline.COLOURS.index(one.sort), int(one.declares),
        ]  # fmt: skip
        line, character = start.line, start.character
    return types.SemanticTokens(data)


def inlay_hints(server: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
    """What the recipe leaves unsaid."""
    path = path_of(params.text_document.uri)
    places = server.places(path)
    start, end = places.offset(params.range.start), places.offset(params.range.end)
    return [
        types.InlayHint(places.position(one.offset), one.text, tooltip=one.why, padding_left=True)
        for one in hints.hints(server.recipes, path)
        if start <= one.offset <= end
    ]


def lenses(server: Server, params: types.CodeLensParams) -> list[types.CodeLens]:
    """Commands of the editor's extension above the recipe's name, each with the path of the recipe."""
    path = path_of(params.text_document.uri)
    where = server.places(path).of(server.recipes.parsed(path).whole.name.span)
    return [types.CodeLens(where, types.Command(title, name, arguments=[str(path)])) for title, name in LENSES]


def _location(server: Server, one: Occurrence) -> types.Location:
    file = Path(one.path)
    return types.Location(server.uri(file), server.places(file).of(one.span))


FEATURES: tuple[tuple[str, Any, Any], ...] = (
    (types.INITIALIZED, initialized, None),
    (types.TEXT_DOCUMENT_DID_OPEN, did_open, None),
    (types.TEXT_DOCUMENT_DID_CHANGE, did_change, None),
    (types.TEXT_DOCUMENT_DID_CLOSE, did_close, None),
    (types.TEXT_DOCUMENT_DID_SAVE, on_disk, None),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, on_disk, None),
    (types.TEXT_DOCUMENT_HOVER, hover, None),
    (types.TEXT_DOCUMENT_COMPLETION, completion, types.CompletionOptions(trigger_characters=TRIGGERS)),
    (types.TEXT_DOCUMENT_DEFINITION, definition, None),
    (types.TEXT_DOCUMENT_REFERENCES, references, None),
    (types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, highlight, None),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, prepare_rename, None),
    (types.TEXT_DOCUMENT_RENAME, rename, types.RenameOptions(prepare_provider=True)),
    (types.TEXT_DOCUMENT_CODE_ACTION, code_action, types.CodeActionOptions([types.CodeActionKind.QuickFix])),
    (types.TEXT_DOCUMENT_FORMATTING, formatting, None),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, symbols, None),
    (types.TEXT_DOCUMENT_FOLDING_RANGE, folding, None),
    (types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, colours,
     types.SemanticTokensLegend(list(outline.COLOURS), ["declaration"])),
    (types.TEXT_DOCUMENT_INLAY_HINT, inlay_hints, None),
    (types.TEXT_DOCUMENT_CODE_LENS, lenses, types.CodeLensOptions()),
)  # fmt: skip
