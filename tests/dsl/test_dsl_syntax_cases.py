"""Every mistake that users make, with what mixc says about it: `cases/syntax/bad/*.mix` and the `.txt` beside each."""

import pytest
from cases import check_golden, recipes_of

from mixc.dsl.parser import parse
from mixc.dsl.render import render
from mixc.dsl.text import SourceText


@pytest.mark.parametrize("path", recipes_of("bad"), ids=lambda p: p.stem)
def test_a_mistake_is_answered_by_the_golden_diagnostics(path):
    tree, diagnostics = parse(SourceText(path.name, path.read_bytes().decode()))
    assert tree is None
    check_golden(path.with_suffix(".txt"), render(diagnostics, "full"))


@pytest.mark.parametrize("path", recipes_of("good"), ids=lambda p: p.stem)
def test_the_recipes_of_the_language_page_parse(path):
    tree, diagnostics = parse(SourceText(path.name, path.read_text()))
    assert diagnostics == []
    assert tree is not None
    assert tree.name.text == path.stem
