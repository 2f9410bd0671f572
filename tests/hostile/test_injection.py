"""Names, descriptions and licences that are markup, escapes for terminals or YAML: shown, and nothing else.

Every text of a manifest that a recipe or documents decide gets the same load of them; every output is then parsed by
a parser of its own, and may hold no tag, link or key that a harmless manifest does not bring.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from mixc.compiler import registry
from mixc.compiler.export import Settings
from mixc.compiler.review.canonical import canonical, digest
from mixc.compiler.review.diff_report import report as diff_report
from mixc.compiler.review.difference import difference
from mixc.compiler.review.explain import explain
from mixc.compiler.review.reading import parse_manifest
from mixc.compiler.review.schema import Manifest
from mixc.compiler.review.summary import summary
from mixc.compiler.solve.decide import decide, loss_of
from mixc.dsl.display import STEERING, harmless

TOY = Path(__file__).parents[1] / "cases" / "review" / "toy.manifest.json"
LOAD = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>[x](javascript:alert(1)) ![y](//z) [z]: //z | a ` b `` c"
    " </td></details> <!-- ]]> &lt; \x1b]0;owned\x07\x1b[2J \x9b31m \u202e evil \u2066\n# h\n---\n- li: x"
    "\n\"'\\ {{7*7}} =1+1 %s"
)
TEXTS = ("description", "licence", "domain", "rule", "place", "reason")
LISTS = ("assumptions", "notes", "binds_by_bucket", "domains")
BLOCKS = {"h2", "h3", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code"}
DESCRIBED = ("croissant", "dataset-card", "in-toto", "spdx")
TRAINERS = ("streaming", "energon", "olmo-core", "levanter", "nanotron", "megatron", "torchtitan")


def loaded(node: Any, load: str = LOAD) -> Any:
    """The manifest's data with the load behind every text that others decide."""
    if isinstance(node, list):
        return [loaded(one, load) for one in node]
    if not isinstance(node, dict):
        return node
    made = {}
    for key, value in node.items():
        if key in TEXTS and isinstance(value, str):
            made[key] = value + load
        elif key in LISTS and isinstance(value, list):
            made[key] = [f"{one}{load}" for one in value]
        elif key == "params" and isinstance(value, dict):
            made[key] = {name: f"{text}{load}" for name, text in value.items()}
        elif key == "inputs":
            made[key] = [{**one, "name": one["name"] + load, "kind": one["kind"] + load} for one in value]
        else:
            made[key] = loaded(value, load)
    return made


def manifest(load: str) -> Manifest:
    data = loaded(json.loads(TOY.read_text()), load)
    del data["integrity"]
    made, found = parse_manifest("m.json", canonical({**data, "integrity": digest(data)}).encode())
    assert made is not None, found
    return made


@pytest.fixture(scope="module")
def hostile() -> Manifest:
    return manifest(LOAD)


@pytest.fixture(scope="module")
def plain() -> Manifest:
    return manifest(" harmless")


class Tags(HTMLParser):
    """Tags with the names of their attributes, and where links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[tuple[str, tuple[str, ...]]] = set()
        self.links: set[str] = set()
        self.comments = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, tuple(sorted(name for name, _ in attrs))))
        self.links |= {value or "" for name, value in attrs if name in ("href", "src", "action", "xlink:href")}

    def handle_comment(self, _: str) -> None:
        self.comments += 1


def same_markup(one: str, other: str) -> None:
    """Two pages of the same tags and links."""
    bad, good = Tags(one), Tags(other)
    assert bad.found <= good.found, bad.found - good.found
    assert bad.links <= good.links
    assert bad.comments == good.comments


def page(made: Manifest, form: str) -> str:
    text, found = registry.load("report").make(made, None, None, partial(decide, explained=False), loss_of, form, None)
    assert text is not None, found
    return bytes(text).decode()


def drawn(markdown: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))


def test_a_report_as_a_page(hostile: Manifest, plain: Manifest) -> None:
    same_markup(page(hostile, "html"), page(plain, "html"))


def test_a_report_as_markdown(hostile: Manifest, plain: Manifest) -> None:
    same_markup(drawn(page(hostile, "markdown")), drawn(page(plain, "markdown")))


def test_a_difference_as_markdown(hostile: Manifest, plain: Manifest) -> None:
    between = difference(("old" + LOAD, plain), ("new", hostile), decide)
    text = drawn(diff_report(between, "markdown", full=True))
    assert {tag for tag, names in Tags(text).found if names} <= {"th", "td"}
    assert {tag for tag, _ in Tags(text).found} <= BLOCKS
    assert "javascript" not in "".join(Tags(text).links)


@pytest.mark.parametrize("target", DESCRIBED)
def test_descriptions_stay_of_one_form(target: str, hostile: Manifest, plain: Manifest) -> None:
    bad, good = (registry.load(f"export-{target}").export(one, Settings())[0] for one in (hostile, plain))
    assert bad is not None
    assert good is not None
    assert set(bad) == set(good)
    for name, text in bad.items():
        if name.endswith((".json", ".jsonld")):
            assert shape(json.loads(text)) == shape(json.loads(good[name]))
        elif name.endswith(".md"):
            head, body = front_matter(text)
            clean, rest = front_matter(good[name])
            assert shape(head) == shape(clean)
            same_markup(drawn(body), drawn(rest))
        assert not STEERING.search(text.replace("\n", "").replace("\t", "")) or name.endswith(".json")


def front_matter(text: str) -> tuple[Any, str]:
    if not text.startswith("---\n"):
        return None, text
    head, _, body = text[4:].partition("\n---\n")
    return yaml.safe_load(head), body


def shape(value: Any) -> Any:
    """Keys and kinds of a value, without what its texts say."""
    if isinstance(value, dict):
        return {key if re.fullmatch(r"[\w@:./-]+", key) else "*": shape(one) for key, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize("target", TRAINERS)
def test_what_trainers_read_stays_of_one_form(target: str, hostile: Manifest, plain: Manifest) -> None:
    settings = Settings(data="/d/{source}/{language}/{domain}", sequence=4096, batch=1024, tokenizer="t")
    made = [registry.load(f"export-{target}").export(one, settings) for one in (hostile, plain)]
    (bad, found), (good, _) = made
    assert (bad is None) == (good is None), found
    for name, text in (bad or {}).items():
        other = (good or {})[name]
        if name.endswith((".yaml", ".yml")):
            assert shape(yaml.safe_load(text)) == shape(yaml.safe_load(other))
        elif name.endswith(".json"):
            assert shape(json.loads(text)) == shape(json.loads(other))
        elif name.endswith(".toml"):
            assert shape(tomllib.loads(text)) == shape(tomllib.loads(other))
        elif name.endswith(".py"):
            compile(text, name, "exec")
        else:
            assert text.count("\n") == other.count("\n"), name


SHOWN: dict[str, Callable[[Manifest], str]] = {
    "summary": summary,
    "explain": lambda made: explain(made, "m.json", "en", decide)[0] or "",
    "diff": lambda made: diff_report(difference(("a" + LOAD, manifest("")), ("b", made), decide), "text", full=True),
}


@pytest.mark.parametrize("what", SHOWN)
def test_a_terminal_is_not_steered(what: str, hostile: Manifest) -> None:
    shown = harmless(SHOWN[what](hostile))
    assert not STEERING.search(shown)
    assert "\x1b" not in shown


def test_json_keeps_its_values() -> None:
    data = {"a": "\x9b31m\u202e", "b": ["\u2066"]}
    assert json.loads(harmless(json.dumps(data, ensure_ascii=False))) == data
    assert not STEERING.search(harmless(json.dumps(data, ensure_ascii=False)))


def test_harmless_text_is_left_alone() -> None:
    for text in ("a\tb\nc", "ä漢🙂", '{"a": 1}\n', "<p>x</p>\n"):
        assert harmless(text) == text
