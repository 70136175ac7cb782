"""A real browser for tests of the web UI: headless Chromium of the system, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = Path("/usr/bin/chromium")
# Runs as root in containers, without a graphics card, and without requests to other hosts.
QUIET = ("background-networking", "component-update", "sync", "gpu")
ARGUMENTS = ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in QUIET)]
TIMEOUT = 120_000  # milliseconds, on a busy machine


@contextmanager
def opened(url: str, width: int = 1500, height: int = 950) -> Iterator[Page]:
    """A page of a web site; skips the test with the package to install if there is no browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: apt-get install chromium")
    playwright.expect.set_options(timeout=TIMEOUT)
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=TIMEOUT)
        page = browser.new_page(base_url=url, viewport={"width": width, "height": height})
        page.set_default_timeout(TIMEOUT)
        yield page
        browser.close()
