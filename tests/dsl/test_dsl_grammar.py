"""The grammar has no conflicts, and the stored table is the grammar's."""

import json

import pytest

from mixc.dsl import table
from mixc.dsl.build import Builder
from mixc.dsl.lexer import lex
from mixc.dsl.text import SourceText

GRAMMAR = table.GRAMMAR.read_text(encoding="utf-8")


def test_the_grammar_is_strict():
    table.make_lark(GRAMMAR, strict=True)


def test_a_conflict_would_be_noticed():
    from lark.exceptions import GrammarError

    ambiguous = GRAMMAR.replace("limit:       NAME relation", 'limit:       NAME relation | NAME "=" _value')
    assert ambiguous != GRAMMAR
    with pytest.raises(GrammarError):
        table.make_lark(ambiguous, strict=True)


def test_the_stored_table_is_that_of_the_grammar():
    """After a change of the grammar: python -m mixc.dsl.table."""
    stored = table.STORED.read_text(encoding="utf-8")
    assert stored == table.dump_table(table.build_table(GRAMMAR))


def test_a_table_of_another_grammar_is_not_used(tmp_path, monkeypatch):
    stale = json.loads(table.STORED.read_text(encoding="utf-8")) | {"grammar": "other", "rows": []}
    for number, text in enumerate([json.dumps(stale), "{ not json", "[]", '{"grammar": 3}']):
        path = tmp_path / f"{number}.json"
        path.write_text(text)
        monkeypatch.setattr(table, "STORED", path)
        assert len(table.load_table.__wrapped__().rows) > 100
    monkeypatch.setattr(table, "STORED", tmp_path / "missing.json")
    assert len(table.load_table.__wrapped__().rows) > 100


def test_every_rule_has_a_builder():
    builder = Builder(lex(SourceText("", "")))
    for production in table.load_table().productions:
        if not production.inline and not production.expand:
            assert callable(builder.action(production.action))
