"""The documentation site: complete, with links that hold, built without a warning."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from docs.site import command_lines, fields, links, markdown, staging
from docs.site.__main__ import build
from docs.site.pages import ROOT, Pages, places
from nsmodels.core import discover
from nsmodels.core.config import Config
from nsmodels.core.config.base import section_of
from nsmodels.evaluation.entry import Entry
from pipeline.definitions import defs

ROW = re.compile(r"^\| `(\w+)` \| .* \| (.*) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return staging.texts_of()


def below(texts: dict[str, str], folder: str) -> dict[str, str]:
    """The pages in a folder of the site."""
    return {name: text for name, text in texts.items() if name.startswith(f"{folder}/")}


def test_every_asset_has_a_page_with_its_inputs_and_checks(texts: dict[str, str]) -> None:
    repository = defs().get_repository_def()
    graph, pages = repository.asset_graph, below(texts, "reference/assets")
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert {name.rpartition("/")[2] for name in pages} == keys | {"index"}
    for key in graph.get_all_asset_keys():
        text = pages[f"reference/assets/{key.to_user_string()}"]
        assert {parent.to_user_string() for parent in graph.get(key).parent_keys} <= set(re.findall(r"\[(\w+)\]", text))
        assert all(f"`{check.name}`" in text for check in graph.get(key).check_keys)


def test_every_field_of_every_configuration_is_listed(texts: dict[str, str]) -> None:
    pages = below(texts, "reference/configuration")
    listed = {(name, text.partition("; ")[0]) for page in pages.values() for name, text in ROW.findall(page)}
    wanted = {
        (name, markdown.plain(info.description or "").partition("; ")[0])
        for kind in _configurations(Config)
        for name, info in kind.model_fields.items()
        if kind is not Entry and not section_of(info)  # an entry of the ledger is a record, which nobody configures
    }
    assert sorted(wanted - listed) == []


def _configurations(kind: type[Config]) -> list[type[Config]]:
    # Other tests unload modules, whose classes stay until they are collected.
    loaded = [each for each in kind.__subclasses__() if each.__module__ in sys.modules]
    below = [each for each in loaded if each.__module__.startswith("nsmodels.")]
    return [*below, *(each for one in below for each in _configurations(one))]


def test_configurations_of_unloaded_modules_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("nsmodels.datasets.unloaded.config")
    gone = type("GoneConfig", (Config,), {"__module__": module.__name__})
    fields.classes.cache_clear()
    assert gone not in fields.classes()
    monkeypatch.setitem(sys.modules, module.__name__, module)
    fields.classes.cache_clear()
    assert gone in fields.classes()
    fields.classes.cache_clear()


def test_values_are_those_of_the_presets(texts: dict[str, str]) -> None:
    page = texts["reference/configuration/nav"]
    rows = [line for line in page.splitlines() if line.startswith("| `epochs` |")]
    presets = discover.system("nav").presets
    assert all(any(f"`{preset().training.epochs}`" in row for row in rows) for preset in presets.values())


def test_every_verb_is_listed_with_its_help(texts: dict[str, str]) -> None:
    for name in (name for kind in command_lines.names().values() for name in kind):
        text = texts[f"reference/commands/{name}"]
        for verb, parser in command_lines.verbs(command_lines.parser_of(name)).items():
            assert f"usage: nsmodels {name} {verb}" in text
            assert parser.prog in text


def test_every_system_has_a_tutorial(texts: dict[str, str]) -> None:
    assert {f"tutorials/{name}" for name in discover.systems()} <= texts.keys()


def test_no_page_has_the_name_of_one_that_sphinx_writes(texts: dict[str, str]) -> None:
    assert not {"search", "genindex", "modindex", "py-modindex"} & texts.keys()
    assert texts["search-page"].startswith("# Search for hyper-parameters")
    assert "[search](../search-page.md)" in texts["how-to/index"]


def test_every_picture_is_in_the_gallery() -> None:
    gallery = (ROOT / "docs/gallery.md").read_text(encoding="utf-8")
    assert [image.name for image in (ROOT / "docs/images").iterdir() if f"(images/{image.name})" not in gallery] == []


def test_links_are_those_of_the_site(tmp_path: Path) -> None:
    page, other = tmp_path / "docs/how-to/x.md", tmp_path / "nsmodels/engine/README.md"
    for path in (page, other, tmp_path / "docs/images/a.png", tmp_path / "Makefile"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# x\n", encoding="utf-8")
    page.write_text(
        "[a](../../nsmodels/engine/README.md#files) [b](../../nsmodels/engine) ![c](../images/a.png)\n"
        "[d](../../Makefile) `[e](nowhere.md)` [f](https://example.org) [g](#x)\n```text\n[h](nowhere.md)\n```\n",
        encoding="utf-8",
    )
    pages = Pages(tmp_path, places(tmp_path))
    assert pages.text(page) == (
        "[a](../packages/engine.md#files) [b](../packages/engine.md) ![c](../images/a.png)\n"
        "[d](../files/Makefile.md) `[e](nowhere.md)` [f](https://example.org) [g](#x)\n```text\n[h](nowhere.md)\n```\n"
    )
    page.write_text("[a](nowhere.md)", encoding="utf-8")
    with pytest.raises(FileNotFoundError):
        pages.text(page)


def test_bad_links_of_a_built_site_are_found(tmp_path: Path) -> None:
    (tmp_path / "b.html").write_text('<h1 id="here">b</h1>')
    (tmp_path / "a.html").write_text(
        '<a href="b.html#here">1</a><a href="b.html#there">2</a><a href="c.html">3</a><a href="https://example.org">4</a>'
        '<script src="https://example.org/x.js"></script><img src="none.png">'
    )
    (tmp_path / "a.css").write_text("@font-face { src: url('https://example.org/font.woff2') }")
    assert links.faults(tmp_path) == [
        "a.html: loads https://example.org/x.js",
        "a.html: no anchor for b.html#there",
        "a.html: no file for c.html",
        "a.html: no file for none.png",
        "a.css: loads https://example.org/font.woff2",
    ]


@pytest.mark.filterwarnings("ignore:'myst_parser")  # it uses what Sphinx 11 will not have
def test_pages_are_read_without_a_warning(texts: dict[str, str], tmp_path: Path) -> None:
    """Without docstrings, which take most of the time: `make docs` reads them, and checks the built pages."""
    read = {name: text.partition("\n\n")[0] if "/library/nsmodels" in name else text for name, text in texts.items()}
    staging.stage(read, tmp_path / "pages")
    assert build(tmp_path, "dummy") == 0
