"""Pages of the site as Sphinx reads them: those of the repository, and those that are made from code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from docs.site import assets, command_lines, fields, library, navigation
from docs.site.pages import ROOT, Pages, copy_images, files

TITLE = re.compile(r"^# +(.+)$", re.MULTILINE)


def stage(texts: Mapping[str, str], target: Path, root: Path = ROOT) -> None:
    """Write pages, by their names in the site, and the pictures of the documents into `target`.

    What has not changed is left as it is, so that Sphinx reads only the rest; pages that are gone are removed.
    """
    _write(texts, target)
    copy_images(root, target / "images")


def texts_of(root: Path = ROOT) -> dict[str, str]:
    """Text of every page by its name in the site."""
    pages = Pages(root)
    texts = {place: pages.text(page) for page, place in pages.places.items()}
    texts |= {**assets.pages(), **fields.pages(), **command_lines.pages(), **library.pages()}
    titles = {name: match[1] for name, text in texts.items() if (match := TITLE.search(text))}
    texts["packages/index"] = navigation.packages(titles)
    texts |= files(pages.linked, root)
    texts["index"] += navigation.side_bar(texts)
    return {name: navigation.placed(name, text) for name, text in texts.items()}


def _write(texts: Mapping[str, str], target: Path) -> None:
    wanted = {target / f"{name}.md": text for name, text in texts.items()}
    for path in set(target.rglob("*.md")) - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
