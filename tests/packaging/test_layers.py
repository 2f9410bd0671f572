"""The shape of the source: who may import whom, how long files and functions are, what is tracked."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP = ("dsl", "compiler", "backends")
SOURCES = sorted(path for top in TOP for path in (ROOT / top).rglob("*.py"))
# Later layers may import earlier ones. The types between them, and the passes that tie them together, have their place.
ORDER = (
    "recipe", "problem", "laws", "front", "documents", "scan", "supply", "build", "solve", "review", "fit",
    "predict", "pipeline", "starter", "cli",
)  # fmt: skip
MODULES = {
    "places": "front",
    "plain_json": "recipe",
    "executor": "documents",
    "export": "pipeline",
    "export_folder": "review",
    "keyed_hash": "documents",
    "short_hash": "documents",
    "progress": "documents",
    "whole": "documents",
    "registry": "documents",
    "rule_members": "build",
    "build_problem": "build",
    "score": "scan",
    "size": "build",
    "pages": "pipeline",
    "reference": "pipeline",
}
HEAVY = {"numpy", "scipy", "cvxpy", "clarabel", "pyarrow", "pydantic", "rich", "torch", "jsonschema"}
EARLY = "mixc.compiler.supply.languages"  # which codes there are: facts for every layer, no supply
LINES, BODY = 300, 50
LONG_FILES = {
    "compiler/recipe.py": "one frozen type after the other: the contract between the parts is read as one page"
}
LONG_FUNCTIONS: dict[str, str] = {}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Modules imported, and whether while the module is loaded (not in a function, not for types alone)."""
    tree = ast.parse(path.read_text())
    lazy = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", id(node) not in lazy


def layer(module: str) -> str:
    part = "recipe" if module == EARLY else module.split(".")[2]
    return MODULES.get(part, part)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    top = path.relative_to(ROOT).parts[0]
    if "facade" in path.parts:
        return
    for module, at_load in imports(path):
        assert module.split(".")[0] not in TOP, f"import mixc.{module}"
        if module.startswith("mixc.") and module.split(".")[1] in TOP:
            assert TOP.index(module.split(".")[1]) <= TOP.index(top), module
        light = top == "dsl" or "front" in path.parts
        assert not (light and at_load and module.split(".")[0] in HEAVY), module


def test_the_compilers_parts_form_a_line() -> None:
    wrong = []
    for path in SOURCES:
        parts = path.relative_to(ROOT).parts
        if parts[0] != "compiler" or "facade" in parts or parts == ("compiler", "__init__.py"):
            continue
        here = MODULES.get(path.stem if len(parts) == 2 else parts[1], path.stem if len(parts) == 2 else parts[1])
        for module, at_load in imports(path):
            if at_load and module.startswith("mixc.compiler.") and ORDER.index(layer(module)) > ORDER.index(here):
                wrong.append(f"{name_of(path)} imports {module}")
    assert wrong == []


def test_no_module_is_imported_by_what_it_imports() -> None:
    graph = {}
    for path in SOURCES:
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "facade" not in parts:
            name = ".".join(("mixc", *parts)).removesuffix(".__init__")
            graph[name] = {module for module, at_load in imports(path) if at_load and module != name}
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"a circle: {' -> '.join((*above[above.index(name) :], name))}"
        if name in graph and name not in done:
            for other in sorted(graph[name]):
                visit(other, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_modules_are_short_and_say_what_they_are(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module begins with a docstring"
    assert len(text.splitlines()) <= LINES or name_of(path) in LONG_FILES
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and f"{name_of(path)}:{node.name}" not in LONG_FUNCTIONS:
            documentation = len((ast.get_docstring(node) or "").splitlines())
            assert (node.end_lineno or 0) - node.lineno + 1 - documentation <= BODY, node.name


def test_exceptions_are_still_needed() -> None:
    assert all(len((ROOT / name).read_text().splitlines()) > LINES for name in LONG_FILES)


def test_every_folder_is_packaged() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {name_of(path.parent) for path in SOURCES if path.name == "__init__.py"}
    assert set(settings["package-dir"].values()) == folders
    assert set(settings["package-dir"]) == set(settings["packages"])
    assert {name_of(path.parent) for path in SOURCES} == folders


def test_type_checkers_see_every_top_folder() -> None:
    links = {path.name: path.resolve() for path in (ROOT / ".typings" / "mixc").iterdir()}
    facade = {path.name: path for path in (ROOT / "compiler" / "facade").iterdir() if path.is_file()}
    assert links == {top: ROOT / top for top in TOP} | facade


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: what is tracked is unknown")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_nothing_tracked_names_a_machine() -> None:
    hosts = "|".join(("pypi" + r"\.org", "files." + "pythonhosted", "proxy." + "golang", "registry" + r"\.npmjs"))
    private = re.compile(rb"(?<![\w.])/" + rb"(?:work|root|home)/|" + hosts.encode())
    found = [name_of(path) for path in tracked() if not path.is_symlink() and private.search(path.read_bytes())]
    assert found == []


def test_nothing_built_is_tracked() -> None:
    built = re.compile(r"(^|/)(build|dist|\.venv|__pycache__|[^/]*\.egg-info)(/|$)|\.pyc$")
    assert [name_of(path) for path in tracked() if built.search(name_of(path))] == []
