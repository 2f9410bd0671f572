"""A real browser for tests that look at pages: Chromium without a window; without one a loud skip, in CI a failure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.models import absent

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip
SIZES = {"phone": (375, 812), "desk": (1280, 900)}


@contextmanager
def started() -> Iterator[Any]:
    """A browser that keeps what pages say and ask for."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        absent("pages are NOT TESTED in a browser: `apt-get install chromium chromium-driver` first")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(program)
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(driver)))
    try:
        yield browser
    finally:
        browser.quit()


def opened(browser: Any, page: Path, theme: str, size: str) -> None:
    """Load a page as a person with that theme sees it on a phone or a desk."""
    width, height = SIZES[size]
    media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page.as_uri())


def asked(browser: Any) -> set[str]:
    """Addresses that were asked for since the last call, data in the page itself left out."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = {one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"}
    return {url for url in urls if not url.startswith("data:")}
