"""The layout of the source: no folder is so full that one has to search in it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST = 15
FOLDERS = sorted({path.parent for name in ("nsmodels", "pipeline") for path in (ROOT / name).rglob("*.py")})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_has_few_siblings(folder: Path) -> None:
    modules = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
    folders = [path.name for path in folder.iterdir() if path.is_dir() and any(path.glob("**/*.py"))]
    assert len(modules) + len(folders) <= MOST, sorted(modules + folders)


def test_every_root_module_is_on_a_layer() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [each["layers"] for each in contracts if each["type"] == "layers"]
    listed = {name.strip() for layer in layers for name in layer.split("|")}
    modules = {path.stem for path in (ROOT / "nsmodels").glob("*.py") if path.name != "__init__.py"}
    folders = {path.parent.name for path in (ROOT / "nsmodels").glob("*/__init__.py")}
    assert {f"nsmodels.{name}" for name in modules | folders} | {"pipeline"} == listed
