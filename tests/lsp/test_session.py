"""One session, as somebody at a keyboard would have it: a real client, a real server, real files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from typer.testing import CliRunner

from mixc.compiler.cli.app import app
from mixc.compiler.cli.guard import guarded
from mixc.dsl.formatter import format_source
from mixc.dsl.text import SourceText
from tests.lsp.editor import Editor

BROKEN = """\
# A recipe with mistakes.
recipe broken extends "base.mix"

budget { seed = 3 }
source extra { supply = { fr: 3B tokens }, domian = pages, assume = rated, epochs <= 4 }
require share(wbe) <= 50%
require share(de) >= 20 %
require tokens(de) >= 2B params
"""
BASE = """\
recipe base

# Sizes that the team agreed on.
param size = 1.2B params

budget { model = size, tokens = 100B tokens }
# What the crawl holds.
source web {
  supply = { en: 900B tokens, de: 60B tokens, fr: 50B tokens }
  domain = pages
  assume = rated
  epochs <= 4
}
source books { supply = { en: 20B tokens }, domain = prose, assume = rated, epochs <= 2 }
languages [en, de, fr] { priority = 1 }

require share(web) <= 95%
require share(de) within 5% .. 40%
"""
STEPS = (
    ("M003", "Put `%` right behind"),
    ("M102", "Add `override`"),
    ("M104", "Replace by `web`"),
    ("M101", "Replace by `domain`"),
    ("M201", "Replace by `2B tokens`"),
)


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    folder = tmp_path_factory.mktemp("Arbeit äöü 🙂")
    (folder / "base.mix").write_text(BASE)
    (folder / "broken.mix").write_text(BROKEN)
    with Editor(folder) as one:
        yield one


def check(path: Path) -> list[tuple[str, int, int]]:
    """What `mixc check` says of a file: codes and places."""
    found = json.loads(CliRunner().invoke(app, ["check", str(path), "--diagnostics", "json"]).stderr)
    return [(it["code"], it["start"]["line"] - 1, it["start"]["column"] - 1) for it in found]


def said(editor: Editor, path: Path) -> list[tuple[str, int, int]]:
    return [(str(it.code), it.range.start.line, it.range.start.character) for it in editor.problems(path)]


def actions(editor: Editor, path: Path, code: str) -> dict[str, str]:
    """The texts that the quick fixes of a code would give, by their titles."""
    one = next(it for it in editor.problems(path) if it.code == code)
    params = types.CodeActionParams(editor.document(path), one.range, types.CodeActionContext([one]))
    made: dict[str, str] = {}
    for it in editor.run(editor.client.text_document_code_action_async(params)) or []:
        assert isinstance(it, types.CodeAction)
        assert it.edit is not None and it.edit.changes is not None
        assert list(it.diagnostics or ()) == [one]
        made[it.title] = editor.applied(path, it.edit.changes[path.as_uri()])
    return made


def test_a_broken_recipe_is_mended_by_its_quick_fixes(editor: Editor) -> None:
    path = editor.open("broken.mix")
    assert said(editor, path) == check(path)
    done = []
    while editor.problems(path):
        assert said(editor, path) == check(path)
        code = str(editor.problems(path)[0].code)
        title = dict(STEPS)[code]
        editor.type(path, actions(editor, path, code)[title])
        path.write_text(editor.texts[path])
        done.append(code)
    assert sorted(done) == sorted(code for code, _ in STEPS)
    assert check(path) == []


def completions(editor: Editor, path: Path, words: str, after: int) -> list[str]:
    params = types.CompletionParams(editor.document(path), editor.at(path, words, after))
    found = editor.run(editor.client.text_document_completion_async(params))
    assert isinstance(found, list)
    return [it.label for it in found]


def test_a_key_is_completed(editor: Editor) -> None:
    path = editor.open("typed.mix", BASE + "source new { supply = { en: 1B tokens }, lic")
    assert completions(editor, path, ", lic", 5)[:4] == ["path", "columns", "language", "domain"]
    params = types.CompletionParams(editor.document(path), editor.at(path, ", lic", 5))
    found = editor.run(editor.client.text_document_completion_async(params))
    assert isinstance(found, list)
    licence = next(it for it in found if it.label == "license")
    assert isinstance(licence.text_edit, types.TextEdit)
    assert editor.applied(path, [licence.text_edit]).endswith("tokens }, license")
    assert licence.detail == "is the licence of the data, as SPDX writes it"


def test_a_source_is_renamed_in_two_files(editor: Editor, tmp_path: Path) -> None:
    base = editor.open("base.mix")
    (editor.folder / "over.mix").write_text(
        'recipe over extends "base.mix"\n\noverride source web { epochs <= 2 }\nrequire share(web, de) <= 30%\n'
    )
    over = editor.folder / "over.mix"
    where = editor.at(base, "share(web)", 7)
    assert isinstance(
        editor.run(
            editor.client.text_document_prepare_rename_async(types.PrepareRenameParams(editor.document(base), where))
        ),
        types.PrepareRenamePlaceholder,
    )
    params = types.RenameParams(editor.document(base), where, "crawl-2026")
    edit = editor.run(editor.client.text_document_rename_async(params))
    assert edit is not None and edit.changes is not None
    editor.texts[over] = over.read_text()
    after = {name: editor.applied(name, edit.changes[name.as_uri()]) for name in (base, over)}
    assert after[base].count("crawl-2026") == 2 and "web" not in after[base]
    assert after[over].count("crawl-2026") == 2 and "web" not in after[over]
    for name, text in after.items():
        (tmp_path / name.name).write_text(text)
    assert check(tmp_path / "over.mix") == []
    editor.texts.pop(over)
    over.unlink()


def test_what_cannot_be_renamed(editor: Editor) -> None:
    path = editor.open("base.mix")
    for words, after, new, why in (
        ("share(web)", 7, "books", "`books` is already a source, in base.mix"),
        (
            "share(web)",
            7,
            "two words",
            "`two words` is no name: names are letters, digits, `_` and `-`, and no word of the language",
        ),
        ("share(web)", 7, "budget", "`budget` has a meaning of its own"),
        ("share(web)", 7, "override", "no word of the language"),
        ("share(de)", 6, "german", "`de` is the code of a language, not a name that can be changed"),
        ("epochs <= 2", 2, "times", "no name of the recipe stands here"),
    ):
        params = types.RenameParams(editor.document(path), editor.at(path, words, after), new)
        with pytest.raises(JsonRpcException, match=re.escape(why)):
            editor.run(editor.client.text_document_rename_async(params))


def test_it_is_formatted_as_mixc_fmt_would(editor: Editor) -> None:
    text = BASE.replace("  domain = pages", "      domain=pages").replace("tokens = 100B", "tokens=100B")
    path = editor.open("formatted.mix", text)
    options = types.FormattingOptions(tab_size=4, insert_spaces=True)
    params = types.DocumentFormattingParams(editor.document(path), options)
    edits = editor.run(editor.client.text_document_formatting_async(params))
    assert edits is not None and 0 < len(edits) < 5
    formatted, _ = format_source(SourceText("", text))
    assert editor.applied(path, edits) == formatted
    editor.type(path, text + "source {")
    assert editor.run(editor.client.text_document_formatting_async(params)) is None


@pytest.mark.parametrize(
    ("words", "after", "wanted"),
    [
        ("epochs <= 4", 2, "`epochs <=` is how often any of its tokens may be read"),
        ("require share", 9, "`share(x)` is the tokens of x as a part of the budget"),
        ("share(web)", 7, "What the crawl holds."),
        ("model = size", 9, "Sizes that the team agreed on."),
        ("1.2B params", 1, "`1.2B params` is 1,200,000,000 params, 1.2B params"),
        ("share(de)", 7, "**language `de`**: German"),
        ("source books", 2, "`source NAME { … }`"),
    ],
)
def test_words_are_explained(editor: Editor, words: str, after: int, wanted: str) -> None:
    path = editor.open("base.mix")
    assert wanted in hover(editor, path, words, after)


def hover(editor: Editor, path: Path, words: str, after: int) -> str:
    params = types.HoverParams(editor.document(path), editor.at(path, words, after))
    found = editor.run(editor.client.text_document_hover_async(params))
    assert found is not None and isinstance(found.contents, types.MarkupContent)
    return found.contents.value


def test_what_the_last_compile_gave_a_name(editor: Editor) -> None:
    path = editor.open("base.mix")
    assert "last compile" not in hover(editor, path, "share(web)", 7)
    assert guarded(["compile", str(path)]) == 0
    assert "last compile: share 95.00%, 95B tokens, read 0.09 times; bound by share(web) <= 95%" in hover(
        editor, path, "share(web)", 7
    )
    path.with_name("base.manifest.json").write_text("{")
    assert "last compile" not in hover(editor, path, "share(web)", 7)


def test_definitions_and_uses_across_files(editor: Editor) -> None:
    base = editor.open("base.mix", BASE)
    above = editor.open("uses.mix", 'recipe uses extends "base.mix"\nrequire share(web, de) <= 30%\n')
    where = editor.at(above, "share(web", 7)
    found = editor.run(
        editor.client.text_document_definition_async(types.DefinitionParams(editor.document(above), where))
    )
    assert isinstance(found, Sequence)
    assert [(it.uri, it.range.start) for it in found if isinstance(it, types.Location)] == [
        (base.as_uri(), editor.at(base, "source web", 7))
    ]
    params = types.ReferenceParams(types.ReferenceContext(False), editor.document(base), editor.at(base, "web {", 1))
    uses = editor.run(editor.client.text_document_references_async(params)) or []
    assert [(it.uri, it.range.start) for it in uses if "broken" not in it.uri] == [
        (base.as_uri(), editor.at(base, "share(web)", 6)),
        (above.as_uri(), editor.at(above, "share(web", 6)),
    ]


def test_the_outline_and_what_folds(editor: Editor) -> None:
    path = editor.open("base.mix", BASE)
    found = editor.run(
        editor.client.text_document_document_symbol_async(types.DocumentSymbolParams(editor.document(path)))
    )
    shown = [it for it in found or () if isinstance(it, types.DocumentSymbol)]
    assert [it.name for it in shown] == [
        "param size", "budget", "source web", "source books", "languages [en, de, fr]",
        "require share(web) <= 95%", "require share(de) within 5% .. 40%",
    ]  # fmt: skip
    assert [it.name for it in shown[2].children or ()] == ["supply", "domain", "assume", "epochs"]
    folds = editor.run(editor.client.text_document_folding_range_async(types.FoldingRangeParams(editor.document(path))))
    first = BASE.splitlines().index("source web {")
    assert [(it.start_line, it.end_line) for it in folds or ()] == [(first, first + 4)]


def test_colours_say_what_words_mean(editor: Editor) -> None:
    path = editor.open("base.mix", BASE)
    assert editor.answer.capabilities.semantic_tokens_provider is not None
    legend = editor.answer.capabilities.semantic_tokens_provider.legend.token_types
    params = types.SemanticTokensParams(editor.document(path))
    packed = editor.run(editor.client.text_document_semantic_tokens_full_async(params))
    assert packed is not None
    lines, line, column, found = BASE.splitlines(), 0, 0, list[tuple[str, str, int]]()
    for down, right, length, sort, declares in zip(*[iter(packed.data)] * 5, strict=True):
        line, column = line + down, (0 if down else column) + right
        found.append((lines[line][column : column + length], legend[sort], declares))
    assert found[:6] == [
        ("recipe", "keyword", 0), ("# Sizes that the team agreed on.", "comment", 0), ("param", "type", 0),
        ("size", "parameter", 1), ("=", "operator", 0), ("1.2B", "number", 0),
    ]  # fmt: skip
    assert ("web", "variable", 1) in found and ("share", "function", 0) in found and ("domain", "property", 0) in found


def test_what_the_recipe_leaves_unsaid(editor: Editor) -> None:
    path = editor.open("base.mix", BASE)
    whole = types.Range(types.Position(0, 0), types.Position(100, 0))
    params = types.InlayHintParams(editor.document(path), whole)
    hints = editor.run(editor.client.text_document_inlay_hint_async(params)) or []
    assert [(it.label, it.position) for it in hints] == [
        ("7.2e20 FLOPs, 83.33 tokens/param", editor.at(path, "budget", 6)),
        ("95B tokens", editor.at(path, "95%", 3)),
        ("5B tokens", editor.at(path, "5% ..", 2)),
        ("40B tokens", editor.at(path, "40%", 3)),
    ]
    lenses = editor.run(editor.client.text_document_code_lens_async(types.CodeLensParams(editor.document(path)))) or []
    commands = [it.command for it in lenses if it.command is not None]
    assert [it.command for it in commands] == ["mixc.compile", "mixc.diff", "mixc.explain"]
    assert all(list(it.arguments or ()) == [str(path)] for it in commands)
    provider = editor.answer.capabilities.execute_command_provider
    assert provider is None or not provider.commands  # the extension runs them
