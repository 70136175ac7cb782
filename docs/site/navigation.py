"""The tree of pages: what the side bar lists, in which order."""

from __future__ import annotations

from collections.abc import Mapping

from docs.site import markdown

# By caption of the side bar: pages by name in the site. All other pages are reached by links and by the search: a tree
# of hundreds of pages helps nobody, and takes most of the time of a build.
SIDE_BAR = {
    "Tutorials": (
        "tutorials/index",
        *(f"tutorials/{name}" for name in ("visual", "natural", "nav", "graph", "links", "world")),
    ),
    "How to": (
        *("how-to/index", "commands", "data", "how-to/own-data", "training", "operations", "sharing", "rules"),
        *("deployment/index", "troubleshooting"),
    ),
    "Reference": (
        *("reference/assets/index", "reference/configuration/index", "reference/commands/index"),
        *("reference/library/index", "flags", "packages/index"),
    ),
    "Results": ("results", "measurement", "gallery", "references"),
    "Project": ("project/readme", "project/architecture", "adr/index", "project/contributing", "project/changelog"),
}
PACKAGES = """# Packages

The pages of systems, datasets and parts of the library: what each is, its files, its measurements.
"""


def side_bar(pages: Mapping[str, str]) -> str:
    """The tree of the start page: every caption with its pages; what no caption names of `docs/` is a how-to, too."""
    rest = [page for page in sorted(pages) if _is_listed(page) and page not in (*_named(), "index")]
    bar = {**SIDE_BAR, "How to": (*SIDE_BAR["How to"], *rest)}
    return "".join(markdown.contents(names, caption) for caption, names in bar.items())


def placed(name: str, text: str) -> str:
    """The text of a page, marked as one outside of the tree where the side bar does not list it."""
    return text if _is_listed(name) else f"---\norphan: true\n---\n{text}"


def packages(titles: Mapping[str, str]) -> str:
    """The page that lists the pages of packages, from the titles of all pages."""
    found = {name.removeprefix("packages/"): title for name, title in titles.items() if name.startswith("packages/")}
    rows = [[f"[{name}]({name}.md)", title] for name, title in sorted(found.items())]
    return PACKAGES + "\n" + markdown.table(["package", ""], rows)


def _named() -> list[str]:
    return [page for pages in SIDE_BAR.values() for page in pages]


def _is_listed(page: str) -> bool:
    """Whether the side bar has the page: the named ones, and those that lie in `docs/` itself."""
    return "/" not in page or page in _named()
