"""The packages that run with mixc, and what they say of their licences: `python -m tests.chain.packages`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib import metadata

from packaging.requirements import Requirement

EXTRAS = ("lsp", "models", "ray", "remote", "report", "search", "tokenizers")
# By SPDX: permissive, or weak copyleft by file whose text we do not change (MPL: certifi, tqdm).
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CNRI-Python",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "PSF-2.0",
    "Unlicense",
    "Zlib",
}
# How packages without an SPDX expression name theirs.
SPOKEN = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Of torch for CUDA: NVIDIA's own terms, which permit use and no changes. The build for CPUs brings none of them.
VENDOR = re.compile(r"nvidia-|cuda-")


def named(name: str) -> str:
    """A name as the index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def running(extras: Iterable[str] = ()) -> tuple[dict[str, metadata.Distribution], list[str]]:
    """(what is installed of mixc's run-time dependencies, all the way down, by name; names of those that are not)."""
    found: dict[str, metadata.Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    absent, todo = set(), [("mixc", frozenset(extras))]
    while todo:
        one = todo.pop()
        if one in seen:
            continue
        seen.add(one)
        try:
            found[one[0]] = package = metadata.distribution(one[0])
        except metadata.PackageNotFoundError:
            absent.add(one[0])
            continue
        for text in package.requires or ():
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *one[1])):
                todo.append((named(needed.name), frozenset(needed.extras)))
    return dict(sorted(found.items())), sorted(absent)


def licences(package: metadata.Distribution) -> set[str]:
    """SPDX names that a package's metadata comes down to: all parts of an expression; of a choice all, too."""
    said = package.metadata
    if expression := said.get("License-Expression"):
        return {part.strip(" ()") for part in re.split(r" AND | OR ", expression)}
    kinds = [line.split(" :: ")[-1] for line in said.get_all("Classifier") or () if line.startswith("License ::")]
    short = (said.get("License") or "").strip().splitlines()[:1]
    words = [kind for kind in kinds if kind in SPOKEN] or short
    return {SPOKEN.get(word, part) for word in words for part in re.split(r" AND | OR ", word)} or {"unknown"}


def main() -> int:
    """Prints name, version and licences of all; 1 where one is not allowed."""
    found, absent = running(EXTRAS)
    core = running()[0]
    for name, package in found.items():
        said = licences(package)
        mark = "" if said <= ALLOWED or VENDOR.match(name) else "  NOT ALLOWED"
        print(f"{name:28} {package.version:14} {'core' if name in core else 'extra':6} {', '.join(sorted(said))}{mark}")
    for name in absent:
        print(f"{name}: not installed here, NOT LISTED")
    return int(any(not licences(one) <= ALLOWED and not VENDOR.match(name) for name, one in found.items()))


if __name__ == "__main__":
    sys.exit(main())
