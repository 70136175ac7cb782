"""Links of the built site: each has a target, page, file or anchor, and nothing is loaded from a different host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}
ADDRESS = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])(https?:[^'\")]+)")


class Page(HTMLParser):
    """The anchors of a page, and what it links to or loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.anchors = {""}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an anchor, a link, or what is loaded."""
        given = dict(attrs)
        self.anchors |= {name for key in ("id", "name") if (name := given.get(key))}
        if tag == "a" and (link := given.get("href")):
            self.links.append(link)
        if tag in LOADED and (link := given.get(LOADED[tag])) and given.get("rel") not in ("canonical", "author"):
            self.loaded.append(link)


def faults(folder: Path) -> list[str]:
    """A line for each link that leads nowhere, and for what a page or style loads from a different host."""
    pages = {path: Page(path) for path in sorted(folder.rglob("*.html"))}
    found = [line for page in pages.values() for line in _of_page(page, pages, folder)]
    styles = [(path, ADDRESS.findall(path.read_text(encoding="utf-8"))) for path in sorted(folder.rglob("*.css"))]
    return found + [f"{path.relative_to(folder)}: loads {each}" for path, loaded in styles for each in loaded]


def _of_page(page: Page, pages: dict[Path, Page], folder: Path) -> Iterator[str]:
    name = page.path.relative_to(folder)
    yield from (f"{name}: loads {each}" for each in page.loaded if urlsplit(each).netloc)
    for link in page.links + page.loaded:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
        if not target.is_file():
            yield f"{name}: no file for {link}"
        elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
            yield f"{name}: no anchor for {link}"
