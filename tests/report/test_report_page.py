"""The page: whole, small, alone, and readable without seeing it."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from mixc.backends.report.compose import Sections
from mixc.backends.report.content import Plot, Report, Section, Table
from mixc.backends.report.draw import inline_svg, svg
from mixc.backends.report.markdown import as_markdown
from mixc.backends.report.page import as_page
from mixc.backends.report.palette import DARK, FIRST, INK, NAMES, PAPER, SECOND, SOFT, THIRD
from mixc.compiler.review.schema import Manifest
from mixc.compiler.solve.decide import decide, loss_of

HOSTILE = '<script>alert(1)</script> & "quoted" | `code` *star* [link](http://x) </style></svg>'
VOID = {"meta", "link", "br"}


class Reader(HTMLParser):
    """Elements with their attributes; fails where they do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.said += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return as_page(report)


def test_identifiers_are_unique_and_links_lead_somewhere(page: str) -> None:
    seen = read(page).seen
    names = Counter(attrs["id"] for _, attrs in seen if "id" in attrs)
    assert max(names.values()) == 1
    links = [attrs["href"] or "" for tag, attrs in seen if tag == "a"]
    assert len(links) > 6
    assert all(link.startswith("#") and link[1:] in names for link in links)
    labels = [attrs["aria-labelledby"] for _, attrs in seen if "aria-labelledby" in attrs]
    assert all(label in names for label in labels)
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(names)


def test_nothing_comes_from_elsewhere(page: str) -> None:
    seen = read(page).seen
    assert not [tag for tag, _ in seen if tag in {"script", "img", "iframe", "object", "embed", "form"}]
    addresses = [attrs[name] for _, attrs in seen for name in ("src", "href", "xlink:href", "action") if name in attrs]
    assert all(address and address.startswith(("#", "data:")) for address in addresses)
    assert not re.findall(r"@import|url\((?!#)", page)


def test_it_is_small(before: Manifest) -> None:
    large = as_page(Sections(before, before, None, decide, loss_of).report())
    assert len(large.encode()) < 1_000_000


def test_plots_have_words_and_tables_have_headers(page: str, report: Report) -> None:
    seen = read(page).seen
    images = [attrs["aria-label"] or "" for _, attrs in seen if attrs.get("role") == "img"]
    plots = [plot for section in report.sections for plot in section.plots]
    assert all(plot.alternative in image for plot, image in zip(plots, images, strict=True))
    tables = sum(tag == "table" for tag, _ in seen)
    assert tables == sum(tag == "caption" for tag, _ in seen) == sum(tag == "thead" for tag, _ in seen) > 6
    assert all(attrs.get("scope") in {"col", "row"} for tag, attrs in seen if tag == "th")
    assert next(attrs for tag, attrs in seen if tag == "html")["lang"] == "en"


def test_the_same_manifest_gives_the_same_page(page: str, manifest: Manifest, before: Manifest) -> None:
    assert as_page(Sections(manifest, before, None, decide, loss_of).report()) == page


def test_texts_of_a_recipe_are_texts() -> None:
    plot = Plot("benefit", HOSTILE, HOSTILE, [{"language": HOSTILE, "benefit": 1.0}], [HOSTILE])
    table = Table(HOSTILE, [HOSTILE], [[HOSTILE]])
    section = Section("benefit", HOSTILE, [HOSTILE], [plot], [table], [HOSTILE])
    hostile = Report(HOSTILE, HOSTILE, [(HOSTILE, HOSTILE)], [HOSTILE], [section])
    reader = read(as_page(hostile))
    assert not [tag for tag, _ in reader.seen if tag == "script"]
    assert reader.said.count("<script>alert(1)</script>") >= 9
    text = as_markdown(hostile)
    assert "<script>" not in text
    assert "](http" not in text.replace("\\]", "")
    assert all(line.count("|") - line.count("\\|") == 2 for line in text.splitlines() if line.startswith("| &lt;"))


def test_every_colour_of_a_plot_follows_the_theme(report: Report) -> None:
    for plot in (plot for section in report.sections for plot in section.plots):
        assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', inline_svg(plot))) <= {
            "none",
            "transparent",
            *(f"var({name})" for name in NAMES.values()),
        }
        assert "var(" not in svg(plot)


def contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG 2 defines it."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [{colour: colour for colour in DARK}, DARK], ids=["light", "dark"])
def test_words_and_marks_stand_out(theme: dict[str, str]) -> None:
    assert contrast(theme[INK], theme[PAPER]) > 7
    assert contrast(theme[SOFT], theme[PAPER]) > 4.5
    assert all(contrast(theme[colour], theme[PAPER]) > 4.5 for colour in (FIRST, SECOND, THIRD))


@pytest.mark.parametrize("theme", [{colour: colour for colour in DARK}, DARK], ids=["light", "dark"])
def test_figures_stand_out_of_the_cells_they_lie_on(theme: dict[str, str]) -> None:
    from mixc.backends.report.palette import RAMP

    assert all(contrast(theme[INK], theme[colour]) > 4.5 for colour in RAMP[1:4])
    assert all(contrast(theme[PAPER], theme[colour]) > 4.5 for colour in RAMP[4:])
