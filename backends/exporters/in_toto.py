"""A manifest's provenance as an unsigned in-toto Statement v1 with a SLSA provenance v1 predicate.

The subject is the manifest's file: its canonical text, which `mixc compile` writes, by the SHA-256 of the bytes. (The
`integrity` inside the file is of the text without itself, so no tool that hashes files could check it.) What was read
is listed by hash. Who ran the compiler is for the signature to say; a README tells how to add one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mixc import __version__
from mixc.backends.exporters.described import Described, described
from mixc.compiler.export import Capability, Settings
from mixc.compiler.review.schema import Manifest
from mixc.dsl.diagnostics import Diagnostic

FILE, PREDICATE, README = "statement.json", "predicate.json", "README.md"
CAPABILITY: Final = Capability(
    reads="inputs by hash, the manifest",
    needs="nothing",
    unit="none",
    exact="described as they are",
    phases="described",
    caps="described",
    verified="in-toto-attestation 0.9.3 read it, in the tests",
)
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "urn:mixc:compile:1"
BUILDER: Final = "urn:mixc:unsigned"
README_TEXT: Final = f"""\
# Provenance of `{{file}}`

`{FILE}` is an in-toto Statement v1 with a SLSA provenance v1 predicate. **It is not signed**: it says how the manifest
came about, and anybody could have written it. Its builder is therefore `{BUILDER}`; replace the id by that of your
build service before you sign.

The subject is the file that `mixc compile` writes, by the SHA-256 of its bytes:

```sh
sha256sum {{file}}   # {{sha256}}
```

## What it says

- `buildType` is `{BUILD_TYPE}`: `mixc compile` of one recipe. It reads files and nothing else: no network, no clock.
- `externalParameters`: the recipe's name and file, the values given with `--param`, and with `after` the manifest that
  this one continues.
- `internalParameters`: versions of the law, of the numerics and of the manifest's schema, and the seed.
- `resolvedDependencies`: every file that was read, by its path from the recipe's folder and the SHA-256 of its bytes.
  Calibrations that come with mixc are named without a path. Documents are not listed: `NAME.lock` pins them.
{{tables}}- `builder.version`: the mixc that wrote this statement.

To check it, compile the recipe again: the same inputs give the same bytes.

## Signing it

With cosign, which makes the statement itself from the predicate (`{PREDICATE}`) and the file:

```sh
cosign attest-blob --predicate {PREDICATE} --type slsaprovenance1 --key cosign.key --bundle signed.json {{file}}
cosign verify-blob-attestation --key cosign.pub --type slsaprovenance1 --bundle signed.json {{file}}
```

With any tool that signs DSSE envelopes: the payload is `{FILE}`, its type `application/vnd.in-toto+json`. These
commands are not part of mixc's tests.
"""


def export(manifest: Manifest, settings: Settings) -> tuple[Mapping[str, str] | None, list[Diagnostic]]:
    """The statement of a manifest, its predicate alone for tools that make the statement themselves, and a README."""
    facts = described(manifest)
    whole = statement(facts, manifest)
    return {FILE: _text(whole), PREDICATE: _text(whole["predicate"]), README: _readme(facts, manifest)}, []


def statement(facts: Described, manifest: Manifest) -> dict[str, Any]:
    """The statement as data."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": facts.file, "digest": {"sha256": facts.sha256}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": _asked(manifest),
                "internalParameters": {
                    "law": manifest.versions.law,
                    "numerics": manifest.versions.numerics,
                    "schema": f"{manifest.schema_.name}/{manifest.schema_.version}",
                    "seed": manifest.selection.seed,
                },
                "resolvedDependencies": [
                    {"name": row.name, "digest": {"sha256": row.sha256}, "annotations": {"kind": row.kind}}
                    for row in manifest.inputs
                ],
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"mixc": __version__}},
                **_byproducts(manifest),
            },
        },
    }


def _asked(manifest: Manifest) -> dict[str, Any]:
    recipes = [row.name for row in manifest.inputs if row.kind == "recipe"]
    own = f"{manifest.recipe.name}.mix"
    made: dict[str, Any] = {"params": dict(sorted(manifest.params.items())), "recipe": manifest.recipe.name}
    if own in recipes or len(recipes) == 1:
        made["file"] = own if own in recipes else recipes[0]
    if manifest.after is not None:
        made["after"] = manifest.after.manifest
    return made


def _byproducts(manifest: Manifest) -> dict[str, Any]:
    """The tables, by the hash of their content: a Parquet file's bytes also say which program wrote it."""
    if manifest.selection.tables is None:
        return {}
    tables = {"name": f"{manifest.recipe.name}.tables.parquet", "digest": {"mixcTables": manifest.selection.tables}}
    return {"byproducts": [tables]}


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _readme(facts: Described, manifest: Manifest) -> str:
    tables = (
        f"- `byproducts`: the tables (`{manifest.recipe.name}.tables.parquet`), by the hash of their content as the\n"
        "  manifest names them (`mixcTables`), not by the bytes of the file.\n"
        if manifest.selection.tables
        else ""
    )
    return README_TEXT.format(file=facts.file, sha256=facts.sha256, tables=tables)
