"""A manifest as SPDX 3.0.1 (JSON-LD) with the Dataset profile: a package for the mixture and one for every used source.

The profile demands times, an originator and a place to download from, which a manifest does not state. It gets the
epoch, an agent called `not stated` and SPDX's address of `no assertion`, and says so; the epoch also keeps the bytes
the same on every day. `dataset_datasetSize` is left out: SPDX counts bytes there, and a manifest knows tokens.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from mixc import __version__
from mixc.backends.exporters.described import Described, Part, collection, decisions, described, shares, summary
from mixc.backends.exporters.licences import Licence, all_of, spdx_list
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review import words
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic

FILE: Final = "spdx.json"
CAPABILITY: Final = Capability(
    reads="sources and their licences",
    needs="nothing",
    unit="none",
    exact="described as they are",
    phases="described",
    caps="described",
    verified="spdx-python-model 0.0.6 read it, in the tests",
)
CONTEXT: Final = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
EPOCH: Final = "1970-01-01T00:00:00Z"
CREATION: Final = "_:creation"
NO_PLACE: Final = "https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement"
NO_LICENCE: Final = "https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense"
PROFILES: Final = ("core", "software", "simpleLicensing", "dataset")
TIMES: Final = (
    f"The manifest states no times. {EPOCH} stands for an unknown time, here and in builtTime and releaseTime, so that "
    "the same manifest always gives the same file."
)

Element = dict[str, Any]


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """The SPDX document of a manifest."""
    document = {"@context": CONTEXT, "@graph": _Graph(manifest).elements()}
    return {FILE: json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"}, []


class _Graph:
    """The elements of one document; their ids follow from the manifest alone."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest, self.facts = manifest, described(manifest)
        self.space = uuid.uuid5(uuid.NAMESPACE_URL, f"mixc manifest sha256:{self.facts.sha256}").urn

    def elements(self) -> list[Element]:
        """Creation information first, then the document, then all that it lists."""
        listed = [*self._agents(), *self._licences(), *self._packages(), self._manifest_file(), *self._relations()]
        creation = {
            "type": "CreationInfo",
            "@id": CREATION,
            "specVersion": "3.0.1",
            "created": EPOCH,
            "createdBy": [self._id("mixc")],
            "comment": TIMES,
        }
        document = self._element(
            "SpdxDocument",
            "document",
            name=self.facts.name,
            profileConformance=list(PROFILES),
            rootElement=[self._id("mixture")],
            element=[one["spdxId"] for one in listed],
        )
        return [creation, document, *listed]

    def _id(self, *path: str) -> str:
        return f"{self.space}#{'/'.join(quote(part, safe='') for part in path)}"

    def _element(self, kind: str, *path: str, **keys: Any) -> Element:
        return {"type": kind, "spdxId": self._id(*path), "creationInfo": CREATION, **keys}

    def _agents(self) -> Iterator[Element]:
        yield self._element("SoftwareAgent", "mixc", name=f"mixc {__version__}")
        yield self._element("Agent", "originator", name="not stated", comment="The manifest names no originators.")

    def _licences(self) -> Iterator[Element]:
        """One expression each, that of the mixture among them, and what the recipe states behind each reference."""
        asked = {one.expression: one for one in self.facts.stated}
        together = all_of(asked.values()) if asked and not self.facts.silent else None
        if together is not None and together not in asked:
            references = tuple(sorted({one for each in asked.values() for one in each.references}))
            asked[together] = Licence(together, together, (), references)
        for expression in sorted(asked):
            made = self._element(
                "simplelicensing_LicenseExpression",
                "licence",
                expression,
                simplelicensing_licenseExpression=expression,
                simplelicensing_licenseListVersion=spdx_list().version,
            )
            if references := asked[expression].references:
                made["simplelicensing_customIdToUri"] = [
                    {"type": "DictionaryEntry", "key": one, "value": self._id("stated", one)} for one in references
                ]
            yield made
        stated = {one: each.text for each in self.facts.stated for one in each.references}
        for reference in sorted(stated):
            yield self._element(
                "simplelicensing_SimpleLicensingText",
                "stated",
                reference,
                name=reference,
                simplelicensing_licenseText=stated[reference],
                comment="What the recipe states as the licence; it is no SPDX expression of listed licences.",
            )

    def _packages(self) -> Iterator[Element]:
        facts, manifest = self.facts, self.manifest
        yield self._package(
            "mixture",
            name=facts.name,
            originatedBy=[self._id("mixc")],
            software_packageVersion=manifest.integrity or facts.sha256,
            description=summary(facts, manifest),
            dataset_dataCollectionProcess=collection(facts),
            dataset_dataPreprocessing=list(decisions(manifest)),
            dataset_knownBias=[
                f"The shares of languages are decided by the recipe, not found: {shares(facts.languages)}."
            ],
            **({"comment": "Assumed: " + "; ".join(manifest.assumptions)} if manifest.assumptions else {}),
        )
        for part in facts.used:
            about = f"{words.tokens(part.tokens)} tokens are taken of it, {words.share(part.share)} of the mixture."
            yield self._package(
                "source", part.name, name=part.name, originatedBy=[self._id("originator")], description=about
            )

    def _package(self, *path: str, **keys: Any) -> Element:
        return self._element(
            "dataset_DatasetPackage",
            *path,
            builtTime=EPOCH,
            releaseTime=EPOCH,
            software_downloadLocation=NO_PLACE,
            software_primaryPurpose="data",
            dataset_datasetType=["text"],
            dataset_hasSensitivePersonalInformation="noAssertion",
            dataset_intendedUse="pretraining of language models",
            **keys,
        )

    def _manifest_file(self) -> Element:
        return self._element(
            "software_File",
            "manifest",
            name=self.facts.file,
            software_primaryPurpose="manifest",
            verifiedUsing=[{"type": "Hash", "algorithm": "sha256", "hashValue": self.facts.sha256}],
        )

    def _relations(self) -> Iterator[Element]:
        mixture = self._id("mixture")
        yield self._relation("hasMetadata", mixture, [self._id("manifest")], "manifest")
        for part in self.facts.used:
            yield self._relation("contains", mixture, [self._id("source", part.name)], part.name, comment=_taken(part))
        yield from self._licensing(mixture, self._together(), "mixture")
        for part in self.facts.used:
            stated = self.facts.licences[part.name]
            declared = NO_LICENCE if stated is None else self._id("licence", stated.expression)
            yield from self._licensing(self._id("source", part.name), declared, "source", part.name)

    def _together(self) -> str:
        if self.facts.silent or not self.facts.stated:
            return NO_LICENCE
        return self._id("licence", all_of(self.facts.stated))

    def _licensing(self, package: str, declared: str, *path: str) -> Iterator[Element]:
        told = {
            "mixture": "all licences that the recipe states for what the mixture is made of",
            "source": "the licence that the recipe states",
        }[path[0]]
        if declared == NO_LICENCE:
            told = f"the recipe does not state a licence for {_named(self.facts, path)}"
        yield self._relation("hasDeclaredLicense", package, [declared], *path, comment=told)
        yield self._relation("hasConcludedLicense", package, [NO_LICENCE], *path, comment="nobody has concluded one")

    def _relation(self, kind: str, start: str, end: Sequence[str], *path: str, **keys: Any) -> Element:
        ends = {"from": start, "to": list(end)}
        return self._element("Relationship", kind, *path, relationshipType=kind, **ends, **keys)


def _taken(part: Part) -> str:
    return f"{part.tokens} tokens, {words.share(part.share)} of the mixture"


def _named(facts: Described, path: Sequence[str]) -> str:
    return path[1] if len(path) > 1 else ", ".join(facts.silent) or "anything in it"
