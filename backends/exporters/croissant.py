"""A manifest as a Croissant 1.1 description (JSON-LD), with the facts of Croissant RAI 1.0 that a manifest knows.

`croissant.json` belongs beside `texts/`, which `mixc run --materialize` writes: there its record set `documents` reads
the texts. The record sets `language_shares` and `source_shares` carry the planned shares themselves. Who published the
dataset, when and where a manifest does not say; a README says what to add.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mixc.backends.exporters.described import (
    COLUMNS,
    TEXTS,
    Described,
    Part,
    collection,
    decisions,
    described,
    summary,
    tag,
)
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.compiler.review.words import escape
from mixc.compiler.supply.languages import name
from mixc.dsl.diagnostics import Diagnostic

FILE, README = "croissant.json", "README.md"
CAPABILITY: Final = Capability(
    reads="shares of languages and sources, licences, the texts",
    needs="nothing",
    unit="none",
    exact="described as they are",
    phases="described",
    caps="described",
    verified="mlcroissant 1.1.1 read it and its texts, in the tests",
)
CONFORMS_TO: Final = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
FORMATS: Final = {".csv": "text/csv", ".json": "application/json"}
TERMS: Final = (
    "arrayShape citeAs column containedIn equivalentProperty extract field fileProperty fileObject fileSet format "
    "includes isArray isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace "
    "samplingRate separator source subField transform"
)
CONTEXT: Final[Mapping[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    **{term: f"cr:{term}" for term in TERMS.split()},
}
KINDS: Final = {"id": "sc:Text", "text": "sc:Text", "copies": "sc:Integer", "tokens": "sc:Integer"}
FOLDERS: Final = {
    "source": (r"texts/[^/]+/([^/]+)/", "the source, as its folder is called"),
    "language": (r"texts/[^/]+/[^/]+/([^/]+)/", "the language, as mixc writes its code"),
}


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """The description of a manifest."""
    facts = described(manifest)
    text = json.dumps(dataset(facts, manifest), ensure_ascii=False, indent=2, sort_keys=True)
    return {FILE: text + "\n", README: _readme(facts, manifest)}, []


def dataset(facts: Described, manifest: Manifest) -> dict[str, Any]:
    """The JSON-LD object."""
    made: dict[str, Any] = {
        "@context": dict(CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": facts.name,
        "description": summary(facts, manifest),
        "identifier": f"sha256:{facts.sha256}",
        "keywords": ["pretraining", "language modelling", "data mixture"],
        "inLanguage": [tag(one.name) for one in facts.languages if one.tokens],
        "distribution": _distribution(facts, manifest),
        "recordSet": [*_records(manifest), *_shares(facts)],
        "prov:wasDerivedFrom": [_origin(facts, one) for one in facts.used],
        "prov:wasGeneratedBy": {"@type": "prov:Activity", "prov:label": "mixc compile"},
        "rai:dataCollection": collection(facts),
        "rai:dataPreprocessingProtocol": list(decisions(manifest)),
        "rai:dataUseCases": ["Pretraining of language models."],
    }
    licences = [one.url or one.text for one in facts.stated]
    limits = [f"assumed: {one}" for one in manifest.assumptions]
    limits += [f"the licence of the source {one} is not stated" for one in facts.silent]
    optional = {"license": licences, "rai:dataLimitations": limits}
    return made | {key: value for key, value in optional.items() if value}


def _origin(facts: Described, part: Part) -> dict[str, Any]:
    stated = facts.licences[part.name]
    licence = {} if stated is None else {"license": stated.url or stated.text}
    return {"@type": ["sc:Dataset", "prov:Entity"], "name": part.name, **licence}


def _distribution(facts: Described, manifest: Manifest) -> list[dict[str, Any]]:
    files = [_file(facts.file, "application/json", facts.sha256, "the manifest that this is written from")]
    if manifest.runnable:
        texts = "the texts, as `mixc run --materialize` writes them beside this file"
        files.append(
            {
                "@type": "cr:FileSet",
                "@id": "texts",
                "name": "texts",
                "description": texts,
                "encodingFormat": "application/x-parquet",
                "includes": TEXTS,
            }
        )
    for row in manifest.inputs:
        if row.kind != "calibration":  # the shipped ones are no files beside the recipe
            kind = FORMATS.get(row.name[row.name.rfind(".") :], "text/plain")
            files.append(_file(row.name, kind, row.sha256, f"{row.kind} that the mixture was compiled from"))
    return files


def _file(name: str, kind: str, sha256: str, about: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": about,
        "contentUrl": name,
        "encodingFormat": kind,
        "sha256": sha256,
    }


def _records(manifest: Manifest) -> Iterable[dict[str, Any]]:
    if not manifest.runnable:
        return
    columns = [
        _field("documents", column, KINDS[column], about, {"extract": {"column": column}})
        for column, about in COLUMNS.items()
    ]
    folders = [
        _field(
            "documents",
            column,
            "sc:Text",
            about,
            {"extract": {"fileProperty": "fullpath"}, "transform": {"regex": pattern}},
        )
        for column, (pattern, about) in FOLDERS.items()
    ]
    yield {
        "@type": "cr:RecordSet",
        "@id": "documents",
        "name": "documents",
        "description": "one record for each document that is read, however often",
        "field": columns + folders,
    }


def _field(records: str, column: str, kind: str, about: str, source: Mapping[str, Any] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{records}/{column}",
        "name": column,
        "description": about,
        "dataType": kind,
    }
    return made if source is None else {**made, "source": {"fileSet": {"@id": "texts"}, **source}}


def _shares(facts: Described) -> Iterable[dict[str, Any]]:
    rows = [
        {"code": one.name, "tag": tag(one.name), "name": name(one.name), "tokens": one.tokens, "share": one.share}
        for one in facts.languages
    ]
    yield _table("language_shares", "planned tokens of every language", "code", rows)
    rows = [
        {"name": one.name, "license": stated.text if (stated := facts.licences[one.name]) else "", "tokens": one.tokens,
         "share": one.share}
        for one in facts.sources
    ]  # fmt: skip
    yield _table(
        "source_shares", "planned tokens of every source, and its licence as the recipe states it", "name", rows
    )


def _table(records: str, about: str, key: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    meaning = {
        "code": ("sc:Text", "the language, as mixc writes its code"),
        "tag": ("sc:Text", "the language as BCP 47 writes it"),
        "name": ("sc:Text", "the name"),
        "license": ("sc:Text", "the licence; empty where none is stated"),
        "tokens": ("sc:Integer", "planned tokens, every reading counted"),
        "share": ("sc:Float", "tokens over the budget"),
    }
    columns = rows[0] if rows else ()
    return {
        "@type": "cr:RecordSet",
        "@id": records,
        "name": records,
        "description": about,
        "key": {"@id": f"{records}/{key}"},
        "field": [_field(records, column, *meaning[column]) for column in columns],
        "data": [{f"{records}/{column}": value for column, value in row.items()} for row in rows],
    }


def _readme(facts: Described, manifest: Manifest) -> str:
    why = escape(manifest.reason or "")
    texts = (
        f"`{FILE}` belongs into the folder of the run, beside `texts/`, with `{facts.file}` and the inputs it names:\n"
        "\n```sh\nmixc run "
        f"{facts.file} -o DIR --materialize\ncp {FILE} {facts.file} DIR\n```\n\n"
        "The record set `documents` reads `texts/`. A run with `--repeat` writes no column `copies`: take the field of "
        "that name out.\n"
        if manifest.runnable
        else f"The manifest is a plan without data ({why}), so the files it names are its inputs, and no "
        "record set reads texts. The record sets `language_shares` and `source_shares` carry the plan.\n"
    )
    return (
        f"# Croissant description of `{facts.name}`\n\n{texts}\n"
        "Croissant 1.1 also requires what a manifest does not know. Add it before you publish:\n\n"
        "- `url`: the page of the dataset\n- `creator`: a person or an organisation\n- `datePublished`: a date\n"
        + ("" if facts.stated else "- `license`: the recipe states none\n")
    )
