"""Manifests to document: a plan, a small pool with texts and licences of all kinds, and that with strange names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mixc import __version__
from mixc.backends.exporters import croissant, dataset_card, in_toto, spdx
from mixc.backends.selection.backend import Run
from mixc.compiler.export import Settings
from mixc.compiler.review.canonical import digest
from mixc.compiler.review.manifest import content
from mixc.compiler.review.reading import read_manifest
from mixc.compiler.review.schema import Manifest
from tests.models import absent
from tests.selection.texts_pool import compiled, performed

ROOT = Path(__file__).parents[2]
PLAN = ROOT / "recipes" / "polyglot17.manifest.json"
EXPORTERS = {"croissant": croissant, "spdx": spdx, "dataset-card": dataset_card, "in-toto": in_toto}
RECIPE = """# Three sources, whose licences are listed, homemade and not stated.
recipe pool
source wiki {
  path    = "wiki.jsonl"
  columns = { id: "id", text: "text", language: "lang", tokens: "n" }
  domain  = facts
  epochs  <= 4
  license = "CC-BY-SA-4.0"
}
source web {
  path    = "web.jsonl"
  columns = { id: "id", text: "text", language: "lang", tokens: "n" }
  domain  = pages
  epochs  <= 2
  license = "Our own licence, see LICENSE.txt"
}
source letters {
  path    = "letters.jsonl"
  columns = { id: "id", text: "text", language: "lang", tokens: "n" }
  domain  = post
  epochs  <= 2
}
rater edu { column = "edu", range = 0 .. 5 }
domain pages { weights = { edu: 1.0 } }
languages [en, no] { priority = 1.0 }
budget { model = 1M params, tokens = 1M tokens, seed = 17 }
require share(letters) >= 5%
phase first { budget = 60% * budget.tokens }
phase second { after = first, budget = 40% * budget.tokens }
evaluate { suite = mubench }
"""
LANGUAGES = ("en", "no", "en", "en")
SPACE, QUOTE = "folk tales", 'say "no" `now` | #1: [x](y)\u2028<b>'


def pool(folder: Path) -> Run:
    """The pool compiled in a folder, ready to run."""
    for source, count in (("wiki", 150), ("web", 300), ("letters", 60)):
        rows = [
            {
                "id": f"{source}-{i}",
                "text": f"{source} {i} says so. " * (i % 7 + 1),
                "lang": LANGUAGES[i % 4],
                "n": 2000 + i * 370 % 1010,
                "edu": i * 7 % 6,
            }
            for i in range(count)
        ]
        (folder / f"{source}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return compiled(folder, RECIPE)


def with_texts(job: Run, output: Path) -> Path:
    """A run of the pool with its texts."""
    from mixc.backends.selection.backend import Form

    done, found = performed(job, output, form=Form())
    assert done is not None, found
    return output


@cache
def plan() -> Manifest:
    """A manifest from published sizes, without documents."""
    return read(PLAN)


def read(path: Path) -> Manifest:
    """The manifest in a file."""
    found, problems = read_manifest(str(path))
    assert found is not None, problems
    return found


def changed(manifest: Manifest, change: Any) -> Manifest:
    """A manifest after `change` of its data, with the hash of what it then is."""
    data = content(manifest)
    change(data)
    made = Manifest.model_validate(data)
    return made.model_copy(update={"integrity": digest(content(made))})


def renamed(manifest: Manifest) -> Manifest:
    """The pool where sources and the description have names that mean something to JSON, YAML, Markdown and URLs."""
    names = {"wiki": SPACE, "web": QUOTE, "letters": "../éß/%2F"}

    def rename(data: dict[str, Any]) -> None:
        data["recipe"]["description"] = "# No: heading\n---\n- *no* list {{x}}"
        data["params"] = {"root": "a: b # c"}
        for row in (*data["sources"],):
            row["name"] = names[row["name"]]
        for row in (*data["supply"], *data["mixture"]):
            row["source"] = names[row["source"]]
        for row in data["licences"]:
            row["sources"] = sorted(names[one] for one in row["sources"])

    return changed(manifest, rename)


def licensed(manifest: Manifest, licences: Mapping[str, str | None]) -> Manifest:
    """The manifest where sources state these licences."""

    def state(data: dict[str, Any]) -> None:
        for row in data["sources"]:
            row.pop("licence", None)
            if licences.get(row["name"]) is not None:
                row["licence"] = licences[row["name"]]

    return changed(manifest, state)


def written(target: str, manifest: Manifest) -> dict[str, str]:
    """The files of an export."""
    made, found = EXPORTERS[target].export(manifest, Settings())
    assert made is not None
    assert found == []
    return dict(made)


def versionless(text: str) -> str:
    """A text without the version of mixc, which changes more often than what exporters write."""
    return text.replace(f'"mixc {__version__}"', '"mixc VERSION"').replace(
        f'"mixc": "{__version__}"', '"mixc": "VERSION"'
    )


def needed(module: str, package: str) -> Any:
    """A module of somebody else's package; a loud skip without it, in CI a failure."""
    if find_spec(module.split(".")[0]) is None:
        absent(f"{package} is not installed: what it says of our output is NOT TESTED (pip install 'mixc[dev]')")
    return import_module(module)
