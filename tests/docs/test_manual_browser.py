"""The manual in a real browser: nothing sticks out on a phone, nothing is asked for, nothing is complained about."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import SIZES, asked, opened, started

PAGES = (
    "index", "tutorial", "howto/review", "language", "commands", "exporters", "diagnostics/index", "diagnostics/M301",
    "methods/infolaw", "methods/mubench",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as one:
        yield one


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_nothing_sticks_out_and_nothing_is_asked_for(
    name: str, size: str, browser: Any, site: Path, tmp_path: Path
) -> None:
    asked(browser)
    browser.get_log("browser")
    dark = PAGES.index(name) % 2 == list(SIZES).index(size)
    opened(browser, site / f"{name}.html", "dark" if dark else "light", size)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= SIZES[size][0]
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == dark, background
    elsewhere = {url for url in asked(browser) if not url.startswith(site.as_uri())}
    assert elsewhere == set()
    assert browser.get_log("browser") == []
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {})
    (tmp_path / f"{size}.png").write_bytes(base64.b64decode(shot["data"]))


def until(browser: Any, script: str) -> Any:
    """What a script returns, as soon as that is something; the last answer after some seconds."""
    for _ in range(50):
        if found := browser.execute_script(script):
            return found
        browser.execute_async_script("setTimeout(arguments[0], 100)")
    return browser.execute_script(script)


def test_equations_are_drawn_and_stay_in_their_box(browser: Any, site: Path) -> None:
    opened(browser, site / "methods" / "mubench.html", "light", "phone")
    heights = "return [...document.querySelectorAll('math')].map(one => one.getBoundingClientRect().height)"
    boxes = until(browser, heights)
    assert len(boxes) > 10
    assert min(boxes) > 5
    fraction = browser.execute_script(
        "const [above, below] = [...document.querySelector('mfrac').children].map(one => one.getBoundingClientRect());"
        "return above.bottom <= below.top + 1"
    )
    assert fraction, "a numerator stands above its denominator"


def test_a_word_is_found_without_a_network(browser: Any, site: Path) -> None:
    browser.get(f"{(site / 'search.html').as_uri()}?q=certificate")
    assert until(browser, "return document.querySelectorAll('#search-results li').length") > 0
