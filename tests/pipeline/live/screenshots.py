"""The pictures of the web UI in docs/images, taken again (minutes): python -m tests.pipeline.live.screenshots."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.pipeline.live.browser import opened
from tests.pipeline.live.services import ROOT, Live, live

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = ROOT / "docs" / "images"
CONFIG = {"mazes": {"preset": "quick"}, "nav_model": {"preset": "quick"}}
MADE = ("mazes", "nav_model", "nav_evaluation", "nav_training_curves", "nav_success", "nav_policies")
SHOWN = 'key:"mazes" or (key:"nav_*" and not group:"studies")'
COLOURS = 160  # of a palette: enough for a page, and a third of the bytes


def main() -> None:
    """Build the navigator in an empty store and take its pictures."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # inherited as ignored by what a script starts with `&`
    with tempfile.TemporaryDirectory() as folder, live(Path(folder)) as place:
        place.wait(place.launch(MADE, CONFIG), timeout=3600)
        take(place)


def take(place: Live) -> None:
    """Both pictures."""
    with opened(place.url, 1700, 1000) as page:
        graph(page)
        training(page)


def graph(page: Page) -> None:
    """The navigator from its data to its figures, in groups, with built and missing assets."""
    page.goto("/asset-groups")
    page.get_by_role("button", name="replicates").wait_for()
    page.get_by_text("Hide navigation").click()
    page.locator(".CodeMirror").first.click()
    page.keyboard.insert_text(SHOWN)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="archives").wait_for(state="detached")
    page.keyboard.press("Alt+E")
    page.wait_for_timeout(2000)
    page.reload()  # expanded groups are remembered, and the view now contains all of them
    page.get_by_text("nav_model").first.wait_for()
    page.wait_for_timeout(5000)  # the layout is animated
    save(page, "graph.png")


def training(page: Page) -> None:
    """The page of a model with the curves of its training."""
    page.goto("/assets/nav_model")
    page.get_by_role("button", name="Plots").click()
    page.get_by_text("1.3 navigator: training loss", exact=True).scroll_into_view_if_needed()
    page.wait_for_timeout(3000)
    save(page, "training.png")


def save(page: Page, name: str) -> None:
    """A screenshot of the page, with a reduced palette."""
    from PIL import Image

    path = IMAGES / name
    page.screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
