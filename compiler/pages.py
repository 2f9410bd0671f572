"""All manual pages: `mixc explain CODE`.

A page is registered when the module that makes its diagnostics is imported; here all of them are.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points
from types import ModuleType

import mixc.compiler
import mixc.dsl
from mixc.compiler.registry import GROUP
from mixc.dsl.diagnostics import PAGES, Page

MARK = "@page("


@cache
def all_pages() -> Mapping[str, Page]:
    """Every page by its code, after importing the modules that hold one."""
    for package in (mixc.dsl, mixc.compiler, *_backends()):
        for name in modules_with_pages(package.__path__, f"{package.__name__}."):
            importlib.import_module(name)
    return PAGES


def _backends() -> list[ModuleType]:
    """The packages that registered backends lie in: what runs manifests has pages of its own."""
    packages = {point.module.rpartition(".")[0] for point in entry_points(group=GROUP)}
    return [importlib.import_module(name) for name in sorted(packages) if name]


def page_text(page: Page) -> str:
    """A page as it is printed: code, title, text without the indentation of its docstring."""
    return f"{page.code}: {page.title}\n\n{inspect.cleandoc(page.text)}\n"


def modules_with_pages(path: Iterable[str], prefix: str) -> Iterator[str]:
    """Names of the modules below a package whose source registers a page."""
    for module in pkgutil.iter_modules(list(path), prefix):
        spec = module.module_finder.find_spec(module.name, None)
        if spec is None:
            continue
        if module.ispkg:
            yield from modules_with_pages(spec.submodule_search_locations or (), f"{module.name}.")
        elif MARK in _source(spec):
            yield module.name


def _source(spec: ModuleSpec) -> str:
    source = getattr(spec.loader, "get_source", lambda _: "")(spec.name)
    return source or ""
