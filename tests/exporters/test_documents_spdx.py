"""SPDX: the graph's structure, what the Dataset profile demands, and what SPDX's own bindings say of it.

The bindings (`spdx-python-model`) are made from SPDX's SHACL model: classes, properties, types, counts, vocabularies.
The profile's conditions on licences and on times are not in them, so they are tested here by hand.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import Any

import pytest

from mixc.backends.exporters.spdx import EPOCH, NO_LICENCE, PROFILES
from mixc.compiler.review.schema import Manifest
from tests.exporters.documents_pool import QUOTE, changed, licensed, needed, plan, pool, renamed, written

KINDS = ("plan", "pool", "renamed", "silent", "listed")


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return pool(tmp_path_factory.mktemp("pool")).manifest


@pytest.fixture(params=KINDS)
def manifest(request: pytest.FixtureRequest, documents: Manifest) -> Manifest:
    return {
        "plan": plan(),
        "pool": documents,
        "renamed": renamed(documents),
        "silent": licensed(documents, {}),
        "listed": licensed(documents, {"wiki": "MIT", "web": "ISC OR Zlib", "letters": "LicenseRef-ours"}),
    }[request.param]


def graph(manifest: Manifest) -> list[dict[str, Any]]:
    document = json.loads(written("spdx", manifest)["spdx.json"])
    assert document["@context"] == "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
    made: list[dict[str, Any]] = document["@graph"]
    return made


def of(elements: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in elements if one["type"] == kind]


def declared(elements: list[dict[str, Any]]) -> dict[str, str]:
    """The expression that each package declares, by its name."""
    names = {one["spdxId"]: one["name"] for one in of(elements, "dataset_DatasetPackage")}
    said = {
        one["spdxId"]: one["simplelicensing_licenseExpression"]
        for one in of(elements, "simplelicensing_LicenseExpression")
    }
    return {
        names[one["from"]]: said.get(one["to"][0], "no assertion")
        for one in of(elements, "Relationship")
        if one["relationshipType"] == "hasDeclaredLicense"
    }


def test_every_reference_has_its_element(manifest: Manifest) -> None:
    elements = graph(manifest)
    ids = [one["spdxId"] for one in elements if "spdxId" in one]
    assert max(Counter(ids).values()) == 1
    document = of(elements, "SpdxDocument")[0]
    assert sorted(document["element"]) == sorted(set(ids) - {document["spdxId"]})
    assert document["profileConformance"] == list(PROFILES)
    for one in of(elements, "Relationship"):
        assert one["from"] in ids
        assert set(one["to"]) <= {*ids, NO_LICENCE}
    for one in of(elements, "simplelicensing_LicenseExpression"):
        for entry in one.get("simplelicensing_customIdToUri", []):
            assert entry["value"] in ids
            assert entry["key"] in one["simplelicensing_licenseExpression"]


def test_the_dataset_profile_is_kept(manifest: Manifest) -> None:
    elements = graph(manifest)
    packages = of(elements, "dataset_DatasetPackage")
    used = {row.source for row in manifest.mixture if row.tokens}
    assert {one["name"] for one in packages} == {manifest.recipe.name, *used}
    for one in packages:
        assert one["builtTime"] == one["releaseTime"] == EPOCH
        assert len(one["originatedBy"]) == 1
        assert one["software_primaryPurpose"] == "data"
        assert one["software_downloadLocation"]
        for kind in ("hasDeclaredLicense", "hasConcludedLicense"):
            told = [
                r for r in of(elements, "Relationship") if (r["from"], r["relationshipType"]) == (one["spdxId"], kind)
            ]
            assert len(told) == 1


def test_the_mixture_contains_its_sources_with_their_tokens(documents: Manifest) -> None:
    elements = graph(documents)
    names = {one["spdxId"]: one["name"] for one in of(elements, "dataset_DatasetPackage")}
    contains = [one for one in of(elements, "Relationship") if one["relationshipType"] == "contains"]
    assert {names[one["from"]] for one in contains} == {"pool"}
    tokens = {names[one["to"][0]]: int(one["comment"].split()[0]) for one in contains}
    assert sum(tokens.values()) == documents.budget.tokens
    assert set(tokens) == {"wiki", "web", "letters"}


def test_licences_that_are_listed_homemade_or_not_stated(documents: Manifest) -> None:
    elements = graph(documents)
    own = "LicenseRef-Our-own-licence-see-LICENSE.txt-2da87021"
    assert declared(elements) == {
        "pool": "no assertion", "wiki": "CC-BY-SA-4.0", "web": own, "letters": "no assertion",
    }  # fmt: skip
    texts = of(elements, "simplelicensing_SimpleLicensingText")
    assert [(one["name"], one["simplelicensing_licenseText"]) for one in texts] == [
        (own, "Our own licence, see LICENSE.txt")
    ]


def test_a_mixture_of_stated_licences_asks_for_all(documents: Manifest) -> None:
    stated = licensed(documents, {"wiki": "MIT", "web": "ISC OR Zlib", "letters": "LicenseRef-ours"})
    assert declared(graph(stated))["pool"] == "(ISC OR Zlib) AND LicenseRef-ours AND MIT"
    same = licensed(documents, {"wiki": "MIT", "web": "mit", "letters": "MIT"})
    assert set(declared(graph(same)).values()) == {"MIT"}


def test_a_recipe_without_any_licence(documents: Manifest) -> None:
    elements = graph(licensed(documents, {}))
    assert set(declared(elements).values()) == {"no assertion"}
    assert not of(elements, "simplelicensing_LicenseExpression")


def test_a_source_of_which_nothing_is_taken_is_no_part(documents: Manifest) -> None:
    def untouched(data: dict[str, Any]) -> None:
        for row in data["mixture"]:
            if row["source"] == "letters":
                row["tokens"] = 0

    elements = graph(changed(documents, untouched))
    assert "letters" not in {one["name"] for one in of(elements, "dataset_DatasetPackage")}
    assert "AND" in declared(elements)["pool"]


def test_names_are_kept_and_ids_are_addresses(documents: Manifest) -> None:
    elements = graph(renamed(documents))
    assert QUOTE in {one["name"] for one in of(elements, "dataset_DatasetPackage")}
    for one in elements:
        assert one.get("spdxId", "urn:").startswith("urn:")
        assert one.get("spdxId", "").isascii()
        assert " " not in one.get("spdxId", "")


def validated(text: str) -> int:
    """How many objects SPDX's bindings read and write again; what is against the model raises."""
    model = needed("spdx_python_model.bindings.v3_0_1", "spdx-python-model")
    objects = model.SHACLObjectSet()
    model.JSONLDDeserializer().read(io.BytesIO(text.encode()), objects)
    missing = objects.link()
    assert not missing, missing
    model.JSONLDSerializer().write(objects, io.BytesIO())
    return len(list(objects.foreach()))


def test_spdx_bindings_accept_it(manifest: Manifest) -> None:
    text = written("spdx", manifest)["spdx.json"]
    assert validated(text) >= len(json.loads(text)["@graph"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"dataset_datasetType"', '"dataset_type"'),
        ('"software_primaryPurpose": "data"', '"software_primaryPurpose": "text"'),
        ('"relationshipType": "contains"', '"relationshipType": "holds"'),
        ('"created": "1970', '"created": "yesterday'),
        ('"specVersion": "3.0.1"', '"specVersion": "three"'),
    ],
)
def test_spdx_bindings_would_see_mistakes(old: str, new: str, documents: Manifest) -> None:
    text = written("spdx", documents)["spdx.json"]
    assert old in text
    needed("spdx_python_model", "spdx-python-model")
    with pytest.raises((ValueError, TypeError, AttributeError, KeyError)):
        validated(text.replace(old, new))
