"""The cases of the tests as examples of diagnostics: files in, the report that mixc gives of them.

The same tests run them (`tests/front`, `tests/dsl`, `tests/supply`, `tests/laws`, `tests/integration`), so what a page
shows is what mixc prints. What needs more than files to happen was recorded by the test that meets it
(`tests/examples.py`), as a transcript in `tests/cases/shown`.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Final

from mixc.compiler.laws.calibration import load_infolaw, load_transfer
from mixc.compiler.supply.catalog import read_catalog
from mixc.dsl.render import render

TESTS: Final = Path(__file__).resolve().parents[3] / "tests"
CASES: Final = TESTS / "cases"
CODE: Final = re.compile(r"^(?:error|warning)\[(M\d{3})\]", re.M)
LARGEST: Final = 10_000  # characters of a file that a page shows
LONGEST: Final = 60  # lines of a file or report that still fit a page


@dataclass(frozen=True)
class Example:
    """Files by name, what was typed (where a command is needed to see it), and what was printed.

    `about` says what was there that no file shows.
    """

    files: Mapping[str, str]
    report: str
    command: str = ""
    about: str = ""

    @cached_property
    def codes(self) -> frozenset[str]:
        """Codes of the report."""
        return frozenset(CODE.findall(self.report))

    @property
    def length(self) -> int:
        """Lines to read."""
        return sum(text.count("\n") for text in (*self.files.values(), self.report))

    @property
    def printable(self) -> bool:
        """Whether a page can show it as it is."""
        texts = (*self.files.values(), self.report)
        short = all(text.count("\n") < LONGEST and max(map(len, text.splitlines()), default=0) < 300 for text in texts)
        return short and all(one == "\n" or one.isprintable() for text in texts for one in text)


def best_examples() -> Mapping[str, Example]:
    """For every code that a case shows the one that shows it best: alone, with few lines, without hidden characters."""
    best: dict[str, Example] = {}

    def cost(one: Example) -> tuple[bool, int, int]:
        return not one.printable, len(one.codes), one.length

    for one in (*_front(), *_syntax(), *_compile(), *_catalogs(), *_calibrations(), *_shown()):
        for code in one.codes:
            if code not in best or cost(one) < cost(best[code]):
                best[code] = one
    return best


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _front() -> Iterator[Example]:
    for path in sorted((CASES / "front").glob("*.mix")):
        yield _checked({path.name: _read(path)}, path.name, _read(path.with_suffix(".txt")))
    for folder in sorted((CASES / "front").glob("*/recipe.mix")):
        files = {path.name: _read(path) for path in sorted(folder.parent.glob("*.*")) if path.name != "expected.txt"}
        ordered = {"recipe.mix": files.pop("recipe.mix"), **files}
        yield _checked(ordered, "recipe.mix", _read(folder.parent / "expected.txt"))


def _checked(files: dict[str, str], name: str, report: str) -> Example:
    """A first line `#! --param a=b` is the command line of the case. It stays: the report counts it."""
    first = files[name].split("\n", 1)[0]
    options = first[2:].strip() if first.startswith("#!") else ""
    return Example(files, report, f"mixc check {name} {options}".rstrip())


def _syntax() -> Iterator[Example]:
    for path in sorted((CASES / "syntax" / "bad").glob("*.mix")):
        text = path.read_bytes().decode()
        yield Example({path.name: text}, _read(path.with_suffix(".txt")), f"mixc check {path.name}")


def _compile() -> Iterator[Example]:
    for name, case in _bad_input().CASES.items():
        files = {"recipe.mix": case.recipe, **case.files}
        report = CASES / "compile" / f"{name}.txt"
        texts = {file: text for file, text in files.items() if isinstance(text, str)}
        if case.about or (case.setup is None and len(texts) == len(files) and not case.links):
            yield Example(texts, _read(report), f"mixc {' '.join(case.arguments)}", case.about)


def _shown() -> Iterator[Example]:
    """Transcripts: a sentence after `# `, each file after `$ cat FILE`, the command after `$ `, then the report."""
    for path in sorted((CASES / "shown").glob("*.txt")):
        text = _read(path)
        report = CODE.search(text)
        assert report is not None, path
        about, command, files = "", "", dict[str, str]()
        for block in re.split(r"^(?=\$ )", text[: report.start()], flags=re.M):
            first, _, rest = block.partition("\n")
            if first.startswith("$ cat "):
                files[first.removeprefix("$ cat ")] = rest
            elif first.startswith("$ "):
                command = first.removeprefix("$ ")
            else:
                about = first.removeprefix("# ")
        yield Example(files, text[report.start() :], command, about)


def _catalogs() -> Iterator[Example]:
    """Tables of sizes, read as for a recipe that names them."""
    for path in sorted((CASES / "catalogs").glob("*.csv")):
        _, found = read_catalog(path, path.name, None)
        yield Example({path.name: _read(path)}, render(found, "full"))


def _calibrations() -> Iterator[Example]:
    """Calibrations, loaded as for a recipe that names them."""
    for path in sorted((CASES / "calibrations").glob("*.json")):
        load = load_transfer if path.name.startswith("transfer-") else load_infolaw
        _, found = load(path.name, path.parent, None)
        yield Example({path.name: _read(path)}, render(found, "full"))


def _bad_input() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bad_input_cases", TESTS / "integration" / "bad_input.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
