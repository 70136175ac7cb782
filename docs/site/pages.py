"""Pages of the repository in the site: where each is placed, and its links to other pages, images and files."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("*", "docs/**/*", "nsmodels/**/*", "benchmarks/*", "data/*", "tests/example/*")
TAKEN = ("search", "genindex", "modindex", "py-modindex")  # Sphinx writes pages of these names over ours
IMAGES = (".png", ".jpg", ".svg", ".gif")
# What is copied as it stands, and links, whose second group is the target.
PARTS = re.compile(r"(^```.*?^```$|`[^`]+`)|(?<=\])\((?!https?:|mailto:|#)([^)\s]+)\)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Pages:
    """The pages of a repository.

    Attributes:
        root: of the repository.
        places: name in the site, without suffix, by path of the page.
        linked: files and folders that a page links to and that are no pages; filled while pages are relinked.
    """

    root: Path = ROOT
    places: Mapping[Path, str] = field(default_factory=lambda: places(ROOT))
    linked: set[Path] = field(default_factory=set)

    def text(self, page: Path) -> str:
        """The text of a page, with the links that hold in the site. Raises FileNotFoundError for one to nowhere."""
        return self.relinked(page.read_text(encoding="utf-8"), page.parent, self.places[page])

    def relinked(self, text: str, folder: Path, place: str) -> str:
        """`text`, whose links are relative to `folder`, with links that hold on the page `place` of the site."""

        def replaced(match: re.Match[str]) -> str:
            return match[1] or f"({self._target(match[2], folder, place)})"

        return PARTS.sub(replaced, text)

    def _target(self, link: str, folder: Path, place: str) -> str:
        path, _, anchor = link.partition("#")
        found = (folder / path).resolve(strict=True)
        page = found / "README.md" if (found / "README.md") in self.places else found
        target = f"{self.places[page]}.md" if page in self.places else self._file(found)
        return os.path.relpath(target, Path(place).parent) + (f"#{anchor}" if anchor else "")

    def _file(self, found: Path) -> str:
        inside = found.relative_to(self.root)
        if found.suffix in IMAGES:
            return f"images/{inside.name}"
        self.linked.add(found)
        return f"files/{inside.as_posix()}.md"


def places(root: Path) -> dict[Path, str]:
    """Name in the site of every page below `root`, by its path."""
    found = sorted({page for folder in FOLDERS for page in root.glob(f"{folder}.md")})
    return {page: _place(page.relative_to(root)) for page in found}


def _place(page: Path) -> str:
    """docs/x.md is x, or x-page; a README below nsmodels/ is packages/<folder>, the rest is project/<name>."""
    folders, name = list(page.parent.parts), page.stem
    if folders[:1] == ["docs"]:
        place = "/".join([*folders[1:], "index" if name == "README" else name])
        return f"{place}-page" if place in TAKEN else place
    if folders[:1] == ["nsmodels"]:
        return "/".join(["packages", *folders[1:]])
    return "project/" + ("-".join(folders) if folders else name.lower())


def copy_images(root: Path, target: Path) -> None:
    """Copy the pictures of the documents."""
    target.mkdir(parents=True, exist_ok=True)
    for image in sorted((root / "docs/images").iterdir()):
        shutil.copy2(image, target / image.name)


def files(linked: Iterable[Path], root: Path) -> dict[str, str]:
    """A page for each file or folder that pages link to: its text, or that of its files."""
    return {f"files/{each.relative_to(root).as_posix()}": _shown(each, root) for each in sorted(linked)}


def _shown(path: Path, root: Path) -> str:
    title = f"# {path.relative_to(root).as_posix()}\n"
    inner = [] if path.is_file() else sorted(each for each in path.iterdir() if each.is_file())
    return (
        title + _block(path)
        if path.is_file()
        else title + "".join(f"\n## {each.name}\n{_block(each)}" for each in inner)
    )


def _block(path: Path) -> str:
    """The text of a file as a block of code, whose language follows from the name."""
    from pygments.lexers import get_lexer_for_filename
    from pygments.util import ClassNotFound

    try:
        language = get_lexer_for_filename(path.name).aliases[0]
    except ClassNotFound:
        language = "text"
    fence = "`" * 8
    return f"\n{fence}{language}\n{path.read_text(encoding='utf-8').rstrip()}\n{fence}\n"
