"""Licences: what is an SPDX expression, and what becomes of the rest."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixc.backends.exporters.dataset_card import hub_licence
from mixc.backends.exporters.licences import DEEPEST, REFERENCE, all_of, licence, spdx_list
from tests.exporters.documents_pool import needed


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("MIT", "MIT"),
        ("odc-by-1.0", "ODC-By-1.0"),
        ("GPL-2.0+", "GPL-2.0+"),
        ("Apache-2.0 or (mit AND BSD-3-clause)", "Apache-2.0 OR (MIT AND BSD-3-Clause)"),
        ("GPL-2.0-or-later with classpath-exception-2.0", "GPL-2.0-or-later WITH Classpath-exception-2.0"),
        ("LicenseRef-ours AND MIT", "LicenseRef-ours AND MIT"),
    ],
)
def test_expressions_get_the_spelling_of_the_list(text: str, expression: str) -> None:
    assert licence(text).expression == expression
    assert licence(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "proprietary",
        "MIT MIT",
        "(MIT",
        "MIT)",
        "MIT AND",
        "MIT WITH MIT",
        "MIT Or Apache-2.0",
        "LicenseRef-",
        "🦆",
        "(" * (DEEPEST + 1) + "MIT" + ")" * (DEEPEST + 1),
        "Our own licence, see LICENSE.txt",
        "CC BY 4.0",
    ],
)
def test_other_texts_get_a_reference_of_their_own(text: str) -> None:
    found = licence(text)
    assert found.references == (found.expression,)
    assert not found.known
    assert found.url is None
    assert REFERENCE.fullmatch(found.expression)


@given(st.text(), st.text())
def test_different_texts_never_share_a_reference(one: str, other: str) -> None:
    first, second = licence(one), licence(other)
    assert licence(first.expression).expression == first.expression
    if one != other and not first.known and not second.known and not re.search("LicenseRef-", one + other):
        assert first.expression != second.expression


def test_only_a_single_licence_has_an_address() -> None:
    assert licence("MIT").url == "https://spdx.org/licenses/MIT"
    assert licence("GPL-2.0+").url == "https://spdx.org/licenses/GPL-2.0+"  # listed as it is, however old
    assert licence("Apache-2.0+").url is None
    assert licence("MIT AND ISC").url is None


def test_all_of_names_each_licence_once() -> None:
    both = all_of([licence("mit"), licence("MIT"), licence("ISC OR Zlib"), licence("Apache-2.0")])
    assert both == "Apache-2.0 AND (ISC OR Zlib) AND MIT"
    assert all_of([licence("ISC OR Zlib")]) == "ISC OR Zlib"
    assert licence(both).expression == both


@pytest.mark.parametrize(
    ("text", "hub"),
    [
        ("ODC-By-1.0", "odc-by"),
        ("GPL-2.0-only", "gpl-2.0"),
        ("AGPL-3.0-or-later", "agpl-3.0"),
        ("MIT", "mit"),
        ("CC-BY-SA-3.0", "cc-by-sa-3.0"),
        ("MIT AND ISC", "other"),
        ("ours", "other"),
        ("0BSD", "other"),
    ],
)
def test_the_hub_has_names_of_its_own(text: str, hub: str) -> None:
    assert hub_licence(licence(text)) == hub


def test_the_list_is_that_of_the_packaging_tools() -> None:
    """The same identifiers as in `packaging`, when it ships the same version of the list."""
    theirs = needed("packaging.licenses._spdx", "packaging")
    if spdx_list().version == theirs.VERSION:
        assert spdx_list().licences == {key: one["id"] for key, one in theirs.LICENSES.items()}
        assert spdx_list().exceptions == {key: one["id"] for key, one in theirs.EXCEPTIONS.items()}
    assert len(spdx_list().licences) > 600
