"""A bill of materials (CycloneDX) of what runs with mixc: `make sbom` writes it below `build/sbom`.

cyclonedx-py lists the whole environment; what only development needs is left out again. It lies in an environment of
its own: one of its packages has every import of jsonschema, so of Ray, build grammars for three seconds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.chain.packages import EXTRAS, named, running
from tests.environments import interpreter

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "sbom"
VERSION = "1.6"
TOOL = ("cyclonedx-bom>=7,<8",)
VALIDATE = f"""
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

found = JsonStrictValidator(SchemaVersion.from_version("{VERSION}")).validate_str(sys.stdin.read())
print("" if found is None else found, end="")
"""


def environment() -> dict[str, Any]:
    """The bill of everything that is installed here."""
    options = ["--pyproject", "pyproject.toml", "--spec-version", VERSION, "--output-reproducible", "--no-validate"]
    command = [_tool(), "-m", "cyclonedx_py", "environment", sys.executable, *options]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def restricted(bill: dict[str, Any], extras: Iterable[str]) -> dict[str, Any]:
    """The bill with only the packages that run with mixc and some of its extras."""
    kept = set(running(extras)[0])
    components = [one for one in bill["components"] if named(one["name"]) in kept]
    refs = {one["bom-ref"] for one in components} | {bill["metadata"]["component"]["bom-ref"]}
    graph = [
        {**one, "dependsOn": [ref for ref in one.get("dependsOn", ()) if ref in refs]}
        for one in bill["dependencies"]
        if one["ref"] in refs
    ]
    return {**bill, "components": components, "dependencies": graph}


def faults(bill: dict[str, Any]) -> str:
    """What CycloneDX's own schema finds wrong with a bill; nothing if it is valid."""
    ran = subprocess.run([_tool(), "-c", VALIDATE], input=json.dumps(bill), capture_output=True, text=True, check=True)
    return ran.stdout


def _tool() -> str:
    return str(interpreter("chain", "cyclonedx", TOOL))


def main() -> int:
    """Writes `core.cdx.json` and `all.cdx.json`; 1 where one is not valid."""
    BUILD.mkdir(parents=True, exist_ok=True)
    bill, wrong = environment(), ""
    for name, extras in (("core", ()), ("all", EXTRAS)):
        one = restricted(bill, extras)
        wrong += faults(one)
        path = BUILD / f"{name}.cdx.json"
        path.write_text(json.dumps(one, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {len(one['components'])} packages, CycloneDX {VERSION}")
    print(wrong, end="")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
