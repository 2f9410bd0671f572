"""The manual: it builds without a warning, its links hold, it needs no network, and what it shows is what happens."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import typer

from mixc.compiler.cli.app import app
from mixc.compiler.export import capabilities
from mixc.compiler.front.kinds import KINDS
from mixc.compiler.pages import all_pages
from mixc.compiler.pipeline import CHECK, Artefacts, run_passes
from mixc.dsl.formatter import format_source
from mixc.dsl.parser import parse
from mixc.dsl.text import SourceText
from tests.cli.words import parsed
from tests.docs.shown import BLOCK, CAPTION, MAKE, UNRUN, compared, run_lines
from tests.docs.stages import staged
from tests.models import absent

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "recipes" / "manual"
PAGES = {path.relative_to(SOURCES).as_posix(): path for path in sorted(SOURCES.rglob("*.md"))}
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "audio": "src", "video": "src"}
FETCHED = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "preconnect", "dns-prefetch", "manifest"}


class Page(HTMLParser):
    """What a page links to, what it loads, and which anchors it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADED and LOADED[tag] in given:
            self.loads.append(given[LOADED[tag]])
        if tag == "link" and FETCHED & set(given.get("rel", "").split()):
            self.loads.append(given["href"])
        self.loads += re.findall(r"url\(([^)]*)\)", given.get("style", ""))


@pytest.fixture(scope="session")
def pages(site: Path) -> Mapping[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def test_every_link_and_anchor_is_there(pages: Mapping[Path, Page]) -> None:
    missing = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchors = pages[target].anchors if target in pages else set()
            if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in anchors):
                missing.append(f"{path.name}: {link}")
    assert sum(len(page.links) for page in pages.values()) > 1000
    assert missing == []


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: Mapping[Path, Page]) -> None:
    loads = [(path.name, one) for path, page in pages.items() for one in page.loads]
    assert len(loads) > len(pages)
    elsewhere = re.compile(r"(https?:)?//")
    assert [one for one in loads if elsewhere.match(one[1])] == []
    sheets = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.css")}
    assert sheets
    assert [
        path.name for path, text in sheets.items() if re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", text)
    ] == []


def test_every_code_command_and_exporter_has_its_place(site: Path) -> None:
    for code in all_pages():
        assert (site / "diagnostics" / f"{code}.html").is_file(), code
    commands = (site / "commands.html").read_text(encoding="utf-8")
    assert [words for words in leaves(typer.main.get_command(app)) if f'id="{"-".join(words)}"' not in commands] == []
    exporters = (site / "exporters.html").read_text(encoding="utf-8")
    assert all(f">{name}<" in exporters for name in capabilities())
    language = (site / "language.html").read_text(encoding="utf-8")
    assert all(f">{kind.name}<" in language for kind in KINDS.values() if kind.name != "law")


def test_diagnostics_show_an_example(site: Path) -> None:
    """What was there, and what mixc prints of it."""
    for code in all_pages():
        text = (site / "diagnostics" / f"{code}.html").read_text(encoding="utf-8")
        assert "An example" in text and f"[{code}]" in text, code


def test_equations_became_mathml(site: Path) -> None:
    for path in sorted((SOURCES / "methods").glob("*.md")):
        text = (site / "methods" / f"{path.stem}.html").read_text(encoding="utf-8")
        inline, blocks = (text.count(f'display="{how}"') for how in ("inline", "block"))
        source = path.read_text(encoding="utf-8")
        assert blocks == source.count("\n$$\n") / 2
        assert inline == len(re.findall(r"(?<!\$)\$(?!\$)[^$\n]+\$", source))
        assert "\\frac" not in text and "\\mathrm" not in text


def leaves(command: Any, *above: str) -> Iterator[tuple[str, ...]]:
    """The words of every command that does something."""
    inner = getattr(command, "commands", None)
    if not inner:
        yield ("mixc", *above)
    for name, below in (inner or {}).items():
        yield from leaves(below, *above, name)


def fences(page: Path, head: str) -> list[str]:
    return [block["body"] for block in BLOCK.finditer(page.read_text(encoding="utf-8")) if block["head"] == head]


def runs(page: Path) -> bool:
    """Whether a page shows commands to run."""
    return bool(fences(page, "console")) or any(map(run_lines, fences(page, "sh")))


SHOWING = [name for name, page in PAGES.items() if runs(page) and name != "tutorial.md"]
OTHERS = {"README.md": ROOT / "README.md", "vscode": ROOT / "dsl" / "editors" / "vscode" / "README.md"}
COMMANDS = {**PAGES, **OTHERS}


@pytest.mark.parametrize("name", SHOWING)
def test_a_page_shows_what_its_commands_print(name: str, tmp_path: Path) -> None:
    with staged(name, tmp_path):
        assert compared(PAGES[name], tmp_path).commands > 1


def test_the_tutorial_shows_what_its_commands_print(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        absent("the tutorial is NOT TESTED: it needs npm")
    assert compared(PAGES["tutorial.md"], tmp_path).commands > 15


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if fences(page, "mix")])
def test_recipes_without_a_file_name_are_sound(name: str, tmp_path: Path) -> None:
    """Whole recipes check; parts of one parse below a first line."""
    for text in fences(PAGES[name], "mix"):
        whole = text if re.search(r"^recipe ", text, re.M) else f"recipe part\n{text}"
        tree, found = parse(SourceText(name, whole))
        assert tree is not None, [one.message for one in found]
        if whole is text:
            path = tmp_path / "whole.mix"
            path.write_text(text, encoding="utf-8")
            assert run_passes(CHECK, Artefacts(path))[1] == []


def uses(body: str) -> list[tuple[str, frozenset[str]]]:
    """Each command of mixc in a block, with the options that it is given."""
    names = {" ".join(words) for words in leaves(typer.main.get_command(app))}
    found = []
    for command in (part for line in run_lines(body) for part in line.split("&&")):
        words = command.split()
        name = next((name for size in (3, 2) if (name := " ".join(words[:size])) in names), None)
        if name is not None:
            found.append((name, frozenset(word.partition("=")[0] for word in words if word.startswith("-"))))
    return found


def page_uses(page: Path) -> set[tuple[str, frozenset[str]]]:
    """The same of all that a page runs."""
    typed = [
        line.removeprefix("$ ") for body in fences(page, "console") for line in body.splitlines() if line[:2] == "$ "
    ]
    return {one for body in (*fences(page, "sh"), "\n".join(typed) + "\n") for one in uses(body)}


UNRUN_FOR = {  # every reason that a page may give
    "it installs packages",
    "it needs a model that you trained",
    "tests/trainers runs it, with Megatron",
    "tests/nag runs it",
    "howto/raters.md runs the same",
    "howto/fit.md runs the same",
}


@pytest.mark.parametrize("page", [name for name, page in COMMANDS.items() if fences(page, "sh")])
def test_commands_that_are_not_run_say_why(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for block in fences(COMMANDS[page], "sh"):
        if MAKE.fullmatch(block):
            assert {line.split()[1] for line in block.splitlines()} <= targets
        elif why := UNRUN.match(block):
            assert why[1] in UNRUN_FOR, block
            for command in (part.strip() for line in run_lines(UNRUN.sub("", block)) for part in line.split("&&")):
                if command.startswith("mixc "):
                    parsed(command)
            if elsewhere := re.match(r"(\S+\.md) runs the same", why[1]):
                there = page_uses(PAGES[elsewhere[1]])
                for name, options in uses(UNRUN.sub("", block)):
                    assert any(name == other and options <= given for other, given in there), f"{name} {options}"
        else:
            assert run_lines(block)


def test_files_have_names_that_their_page_uses_and_recipes_are_formatted() -> None:
    for name, page in PAGES.items():
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            if not block["head"].startswith("{code-block}"):
                continue
            caption = CAPTION.match(block["body"])
            assert caption is not None, f"{name}: a file without a name"
            saved = block["body"][caption.end() :]
            assert text.count(caption[1].removesuffix(".mix")) > 1, f"{name}: {caption[1]} is saved and never used"
            if caption[1].endswith(".mix") and f"$ mixc fmt {caption[1]}" not in text:
                assert format_source(SourceText(caption[1], saved)) == (saved, []), f"{name}: {caption[1]}"
