"""The in-toto statement: what it attests, and that in-toto's own bindings read it whole."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from mixc import __version__
from mixc.compiler.review.schema import Manifest
from tests.exporters.documents_pool import ROOT, needed, plan, pool, read, renamed, written


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pool")
    pool(made)
    return made


def statement(manifest: Manifest) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(written("in-toto", manifest)["statement.json"])
    return made


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.manifest.json")), ids=lambda path: path.name)
def test_the_subject_is_the_file_by_its_bytes(path: Path) -> None:
    made = statement(read(path))
    assert made["subject"] == [{"name": path.name, "digest": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}}]


def test_what_was_read_is_listed_by_hash(folder: Path) -> None:
    made = statement(read(folder / "pool.manifest.json"))
    assert made["_type"] == "https://in-toto.io/Statement/v1"
    assert made["predicateType"] == "https://slsa.dev/provenance/v1"
    definition = made["predicate"]["buildDefinition"]
    assert definition["externalParameters"] == {"file": "pool.mix", "params": {}, "recipe": "pool"}
    recipe = hashlib.sha256((folder / "pool.mix").read_bytes()).hexdigest()
    assert {"name": "pool.mix", "digest": {"sha256": recipe}, "annotations": {"kind": "recipe"}} in definition[
        "resolvedDependencies"
    ]
    assert made["predicate"]["runDetails"]["builder"]["version"] == {"mixc": __version__}
    (tables,) = made["predicate"]["runDetails"]["byproducts"]
    assert set(tables["digest"]) == {"mixcTables"}, "not the hash of the file's bytes, so not called sha256"


def test_a_plan_has_no_tables() -> None:
    assert "byproducts" not in statement(plan())["predicate"]["runDetails"]


def test_parameters_are_told(folder: Path) -> None:
    made = statement(renamed(read(folder / "pool.manifest.json")))
    assert made["predicate"]["buildDefinition"]["externalParameters"]["params"] == {"root": "a: b # c"}


def test_it_says_that_it_is_unsigned_and_how_to_sign(folder: Path) -> None:
    manifest = read(folder / "pool.manifest.json")
    texts = written("in-toto", manifest)
    assert "**It is not signed**" in texts["README.md"]
    assert json.loads(texts["predicate.json"]) == statement(manifest)["predicate"]
    assert "signatures" not in texts["statement.json"]
    commands = re.findall(r"^cosign .*$", texts["README.md"], re.MULTILINE)
    assert [shlex.split(one)[1] for one in commands] == ["attest-blob", "verify-blob-attestation"]
    assert all(one.endswith(" pool.manifest.json") for one in commands)


@pytest.mark.parametrize("which", ["plan", "pool", "renamed"])
def test_in_toto_reads_it_whole(which: str, folder: Path) -> None:
    needed("in_toto_attestation", "in-toto-attestation")
    statements = needed("in_toto_attestation.v1.statement", "in-toto-attestation")
    pb = needed("in_toto_attestation.v1.statement_pb2", "in-toto-attestation")
    provenance = needed("in_toto_attestation.predicates.provenance.v1.provenance_pb2", "in-toto-attestation")
    json_format = needed("google.protobuf.json_format", "protobuf")
    documents = read(folder / "pool.manifest.json")
    manifest = {"plan": plan(), "pool": documents, "renamed": renamed(documents)}[which]
    texts = written("in-toto", manifest)
    parsed = json_format.Parse(texts["statement.json"], pb.Statement())  # unknown keys raise
    statements.Statement.copy_from_pb(parsed).validate()
    predicate = json_format.Parse(texts["predicate.json"], provenance.Provenance())
    assert len(predicate.build_definition.resolved_dependencies) == len(manifest.inputs)
    assert predicate.run_details.builder.id == "urn:mixc:unsigned"
