"""The page in a real browser: both themes, a phone and a desk, on paper; alone, silent and by keyboard."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mixc.backends.report.content import Report
from mixc.backends.report.page import as_page
from tests.browser import SIZES, asked, opened, started

BACKGROUND = {"light": "rgb(253, 253, 252)", "dark": "rgb(20, 24, 29)"}


@pytest.fixture(scope="module")
def page(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(as_page(report))
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as one:
        yield one


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", BACKGROUND)
def test_it_looks_as_it_should(browser: Any, page: Path, theme: str, size: str) -> None:
    opened(browser, page, theme, size)
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == BACKGROUND[theme]
    assert browser.execute_script("return document.documentElement.scrollWidth") == SIZES[size][0], "nothing sticks out"
    seen = browser.execute_script(
        "return [...document.querySelectorAll('figure svg')].map(one => one.getBoundingClientRect().width)"
    )
    assert len(seen) == 6
    assert all(50 < width <= SIZES[size][0] for width in seen)
    painted = browser.execute_script(
        "return [...document.querySelectorAll('figure svg [fill^=var]')].map(one => getComputedStyle(one).fill)"
    )
    assert len(painted) > 100
    assert not [colour for colour in painted if not colour.startswith("rgb(")]
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    (page.parent / f"{theme}-{size}.png").write_bytes(base64.b64decode(shot["data"]))


def test_it_asks_nobody_and_says_nothing(browser: Any, page: Path) -> None:
    asked(browser)
    opened(browser, page, "light", "desk")
    assert asked(browser) == {page.as_uri()}
    assert browser.get_log("browser") == []


def test_it_is_walked_by_keyboard(browser: Any, page: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    opened(browser, page, "light", "desk")
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    first = browser.switch_to.active_element
    assert first.get_attribute("class") == "skip"
    assert first.rect["x"] >= 0, "it is seen once it has the focus"
    details = browser.find_element(By.TAG_NAME, "details")
    summary = details.find_element(By.TAG_NAME, "summary")
    assert details.get_attribute("open") is None
    summary.send_keys(Keys.ENTER)
    assert details.get_attribute("open") is not None


def test_it_prints_on_paper(browser: Any, page: Path) -> None:
    opened(browser, page, "dark", "desk")
    printed = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert printed.startswith(b"%PDF")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == BACKGROUND["light"]
    assert browser.execute_script("return getComputedStyle(document.querySelector('nav')).display") == "none"
