"""Every bad input that mixc promises to refuse: the files of a folder, and the command line that meets them.

`CASES` maps a name, that of the golden report in `tests/cases/compile`, to what makes the folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

RECIPE = """\
recipe toy
budget { model = 1.2B params, tokens = 100B tokens, seed = 17 }
source crawl { supply = { de: 60B tokens, en: 900B tokens, no: 2B tokens }, domain = web, assume = rated, epochs <= 4 }
languages [en, de, no] { priority = 1.0 }
require share(en) >= 50%
minimize loss
"""
PRICES = "language,tokens\nen,900000000000\nde,60000000000\n"
MANIFEST = json.dumps({"languages": [{"code": "en", "share": 0.6}, {"code": "de", "share": 0.4}]})
COMPILE = ("compile", "recipe.mix")


@dataclass(frozen=True)
class Case:
    """Files by name, links by name, and arguments; `setup` changes what a good compile wrote.

    `about` says what no file shows: then the case may be the example of its code.
    """

    recipe: str | bytes = RECIPE
    files: dict[str, str | bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = COMPILE
    compiled: bool = False
    setup: Callable[[Path], object] | None = None
    about: str = ""

    def lay(self, folder: Path) -> None:
        """Write recipe, files and links; names may begin with `..`."""
        files = {"recipe.mix": self.recipe, **self.files}
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        for name, target in self.links.items():
            (folder / name).symlink_to(target)


def edited(old: str, new: str) -> str:
    """The good recipe with one thing changed."""
    assert old in RECIPE
    return RECIPE.replace(old, new)


def added(text: str) -> str:
    """The good recipe and a line more."""
    return f"{RECIPE}{text}\n"


def budget(text: str) -> str:
    """The good recipe with another number of tokens."""
    return edited("tokens = 100B tokens", f"tokens = {text}")


def catalog(text: str, arguments: tuple[str, ...] = COMPILE) -> Case:
    """A planning source whose published sizes are these."""
    recipe = edited("supply = { de: 60B tokens, en: 900B tokens, no: 2B tokens }", 'supply = "sizes.csv"')
    return Case(recipe.replace("[en, de, no]", "[en, de]"), {"sizes.csv": text}, arguments=arguments)


def rewrite(name: str, change: Callable[[str], str]) -> Callable[[Path], object]:
    """Change an artefact that was written."""

    def apply(folder: Path) -> None:
        path = folder / name
        before = path.read_text()
        after = change(before)
        assert before != after
        path.write_text(after)

    return apply


def newer(text: str) -> str:
    """An artefact of a later schema."""
    return re.sub(r'("version": |^version = )1$', r"\g<1>99", text, count=1, flags=re.MULTILINE)


def torn(text: str) -> str:
    """A lock cut inside its first hash."""
    return text[: text.index('sha256 = "') + 20]


def half(text: str) -> str:
    """The first lines of an artefact: cut where nothing depends on the digits of a solution."""
    return "\n".join(text.splitlines()[:8])


LOCKED = (*COMPILE, "--locked")
EXPLAIN = ("explain", "recipe.manifest.json")
DIFF = ("diff", "recipe.manifest.json", "recipe.manifest.json")
CHECKED = (*COMPILE, "--check")
CHANGE = added('require change("old.manifest.json") <= 5%')
OTHER = "recipe other\nparam p = 1\n"

CASES: dict[str, Case] = {
    "unknown-kind": Case(added("sorce web { supply = { en: 1T tokens } }")),
    "unknown-key": Case(edited("domain = web", "domian = web")),
    "unknown-name": Case(added("require share(wiki) <= 10%")),
    "unknown-unit": Case(budget("100B tokns")),
    "unknown-function": Case(added("require shares(en) <= 90%")),
    "wrong-dimension": Case(budget("100B params")),
    "wrong-curvature": Case(added("require info(en) <= 10B tokens")),
    "duplicate-name": Case(added("source crawl { supply = { en: 1B tokens }, epochs <= 2 }")),
    "duplicate-language": Case(added("language en { priority = 2 }")),
    "cyclic-import": Case(added('import other = "other.mix"'), {"other.mix": f'{OTHER}import toy = "recipe.mix"\n'}),
    "cyclic-extends": Case('recipe toy extends "other.mix"\n', {"other.mix": 'recipe other extends "recipe.mix"\n'}),
    "missing-import": Case(added('import other = "other.mix"')),
    "missing-catalog": Case(catalog(PRICES).recipe),
    "words-of-chinese": Case(
        str(catalog("").recipe).replace("[en, de]", "[de, zh]").replace("share(en)", "share(de)"),
        {"sizes.csv": "language,words\nde,60000000000\nzh,90000000000\n"},
    ),
    "sampling-without-documents": Case(
        added("domain web { sampling = { lambda: 12, omega: 5%, eta: 1.0, epsilon: 0.002 } }")
    ),
    "supply-of-no-language": Case(
        edited("{ de: 60B tokens, en: 900B tokens, no: 2B tokens }", "{ und: 5B tokens }")
        .replace("languages [en, de, no] { priority = 1.0 }\n", "")
        .replace("require share(en) >= 50%\n", "")
    ),
    "calibration-misspelt": Case(added('law infolaw { calibration = "infolaw-2605.0236" }')),
    "calibration-missing": Case(added('law infolaw { calibration = "fits/none.json" }')),
    "missing-recipe": Case(arguments=("compile", "toy.mix")),
    "import-outside": Case(added('import other = "../other.mix"'), {"../other.mix": OTHER}),
    "import-through-a-link": Case(
        added('import other = "inside.mix"'), {"../other.mix": OTHER}, {"inside.mix": "../other.mix"}
    ),
    "import-through-a-linked-folder": Case(
        added('import other = "inside/other.mix"'), {"../far/other.mix": OTHER}, {"inside": "../far"}
    ),
    "extends-outside": Case('recipe toy extends "../other.mix"\n', {"../other.mix": RECIPE}),
    "catalog-outside": Case(str(catalog("").recipe).replace("sizes.csv", "../sizes.csv"), {"../sizes.csv": PRICES}),
    "change-outside": Case(CHANGE.replace("old", "../old"), {"../old.manifest.json": MANIFEST}),
    "not-utf8": Case(RECIPE.encode().replace(b"toy", b"to\xff")),
    "nul": Case(RECIPE.encode().replace(b"toy", b"to\x00y")),
    "byte-order-mark-inside": Case(RECIPE.encode().replace(b"toy", b"to\xef\xbb\xbfy")),
    "utf16": Case(RECIPE.encode("utf-16")),
    "line-of-10-megabytes": Case(f"{RECIPE}{'x' * 10_000_000}\n"),
    "comment-of-10-megabytes": Case(f"{RECIPE}# {'x' * 10_000_000}\n"),
    "nesting-10000": Case(added(f"param x = {'(' * 10_000}1{')' * 10_000}")),
    "blocks-10000": Case(added("a { " * 10_000)),
    "lists-10000": Case(added(f"group g = {'[' * 10_000}en{']' * 10_000}")),
    "minus-10000": Case(added(f"param x = {'-' * 10_000}1")),
    "empty": Case(""),
    "only-a-header": Case("recipe toy\n"),
    "number-beyond-floats": Case(budget("1e999 tokens")),
    "negative-tokens": Case(budget("-3B tokens")),
    "zero-tokens": Case(budget("0 tokens")),
    "nan-tokens": Case(budget("NaN")),
    "half-a-token": Case(budget("0.5 tokens")),
    "zero-params": Case(edited("1.2B params", "0 params")),
    "negative-supply": Case(edited("no: 2B", "no: -2B")),
    "zero-supply": Case(edited("no: 2B", "no: 0")),
    "language-without-supply": Case(edited("[en, de, no]", "[en, de, no, ja]")),
    "rules-that-contradict": Case(added("require share(de) >= 40%\nrequire share(no) >= 20%")),
    "rule-beyond-limits": Case(added("require share(no) >= 30%")),
    "information-of-tokens": Case(added("law transfer { signal = tokens }\nrequire info(no) >= 1B tokens")),
    "budget-beyond-limits": Case(budget("9T tokens").replace("require share(en) >= 50%\n", "")),
    "budget-beyond-limits-of-phases": Case(
        edited("epochs <= 4", "epochs <= 1").replace("100B", "800B")
        + "phase a { budget = 50% * budget.tokens }\nphase b { after = a, budget = 50% * budget.tokens }\n"
        "require share(b, de) >= 10%\nrequire share(a, de) >= 10%\n"
    ),
    "bounds-that-leave-no-size": Case(
        edited(
            "model = 1.2B params, tokens = 100B tokens",
            "compute = 3e21 FLOPs, ratio >= 20 tokens/param, model >= 20B params",
        )
    ),
    "catalog-without-columns": catalog("colour,size\nred,3\n"),
    "catalog-negative": catalog("language,tokens\nen,-5\nde,60000000000\n"),
    "catalog-duplicate": catalog(f"{PRICES}de,7000000000\n"),
    "catalog-empty": catalog(""),
    "change-truncated": Case(CHANGE, {"old.manifest.json": MANIFEST[:-9]}),
    "change-missing": Case(CHANGE),
    "change-of-nothing": Case(CHANGE, {"old.manifest.json": "{}"}),
    "manifest-truncated": Case(
        compiled=True,
        arguments=EXPLAIN,
        setup=rewrite("recipe.manifest.json", half),
        about="The manifest was cut after a few lines.",
    ),
    "manifest-newer": Case(compiled=True, arguments=EXPLAIN, setup=rewrite("recipe.manifest.json", newer)),
    "manifest-edited": Case(
        compiled=True,
        arguments=DIFF,
        setup=rewrite("recipe.manifest.json", lambda text: text.replace('"priority": 1.0', '"priority": 2.0', 1)),
    ),
    "manifest-not-one": Case(arguments=("explain", "recipe.mix")),
    "lock-truncated": Case(compiled=True, arguments=LOCKED, setup=rewrite("recipe.lock", torn)),
    "lock-newer": Case(compiled=True, arguments=LOCKED, setup=rewrite("recipe.lock", newer)),
    "lock-edited": Case(
        compiled=True,
        arguments=LOCKED,
        setup=rewrite("recipe.lock", lambda text: text.replace("2000000000", "2000000001")),
    ),
    "lock-missing": Case(arguments=LOCKED, about="The recipe was never compiled, so that it has no lock."),
    "output-below-a-file": Case(files={"file": ""}, arguments=(*COMPILE, "-o", "file/x.manifest.json")),
    "output-nowhere": Case(arguments=(*COMPILE, "-o", "nowhere/x.manifest.json")),
    "output-is-a-folder": Case(files={"out/keep": ""}, arguments=(*COMPILE, "-o", "out")),
    "output-not-writable": Case(arguments=(*COMPILE, "-o", "/proc/x.manifest.json")),
    "output-is-the-recipe": Case(arguments=(*COMPILE, "-o", "../recipes/recipe.mix")),
    "output-is-the-recipe-by-a-link": Case(
        links={"x.manifest.json": "recipe.mix"}, arguments=(*COMPILE, "-o", "x.manifest.json")
    ),
    "output-is-a-catalog": catalog(PRICES, (*COMPILE, "-o", "sizes.csv")),
    "output-is-a-manifest-to-compare-with": Case(
        CHANGE, {"old.manifest.json": MANIFEST}, arguments=(*COMPILE, "-o", "old.manifest.json")
    ),
    "output-is-the-lock": Case(arguments=(*COMPILE, "-o", "x.lock")),
    "language-without-tokens": Case(edited("no: 2B", "no: 1")),
    "language-of-no-priority-to-speak-of": Case(
        edited("[en, de, no] { priority = 1.0 }", "[en, de] { priority = 1.0 }\nlanguage no { priority = 0.0000001 }")
    ),
    "supply-of-one-side-of-within": Case(
        added(
            "source wiki { supply = { en: 5B tokens }, domain = books, assume = rated, epochs <= 4 }\n"
            "require share(wiki, no) within 1% .. 2%"
        )
    ),
}
