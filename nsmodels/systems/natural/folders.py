"""Folders of data by what they hold: questions with programs (GQA), or answers of ten people (VQA)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.files.names import questions_name

Kind = Literal["gqa", "vqa"]
MAKERS: Mapping[str, Kind] = {"nsmodels.datasets.gqa": "gqa", "nsmodels.datasets.vqa": "vqa"}
NAMES: Mapping[Kind, str] = {"gqa": "GQA (nsmodels gqa prepare)", "vqa": "VQA v2 (nsmodels vqa prepare)"}
WANTED: Mapping[str, tuple[Kind, ...]] = {"gqa": ("gqa",), "vqa": ("vqa",), "all": ("gqa", "vqa")}


@dataclass(frozen=True)
class Folders:
    """A folder of data per kind, in the order of `WANTED`."""

    by_kind: Mapping[Kind, Path]

    @property
    def gqa(self) -> Path:
        """The folder of GQA. Raises `InputError` where there is none."""
        return self._of("gqa")

    @property
    def vqa(self) -> Path:
        """The folder of VQA. Raises `InputError` where there is none."""
        return self._of("vqa")

    @property
    def paths(self) -> tuple[Path, ...]:
        """All folders."""
        return tuple(self.by_kind.values())

    def _of(self, kind: Kind) -> Path:
        if kind not in self.by_kind:
            raise InputError(f"data: no folder of {NAMES[kind]} among {', '.join(map(str, self.paths))}")
        return self.by_kind[kind]


def folders_of(dataset: str, paths: Iterable[Path]) -> Folders:
    """The folders that `dataset` needs: gqa, vqa, or all.

    Raises `InputError` for a folder of the wrong kind, for one too many, and where one is missing.
    """
    wanted, found = WANTED[dataset], sorted_by_kind(paths)
    for kind in wanted:
        if kind not in found:
            there = ", ".join(f"{path} is {each}" for each, path in found.items()) or "there is none"
            raise InputError(f"dataset: '{dataset}' needs a folder of {NAMES[kind]}; {there}{_hint(found)}")
    for kind in found:
        if kind not in wanted:
            raise InputError(
                f"{found[kind]}: is a folder of {NAMES[kind]}, not used by dataset '{dataset}'; leave it out"
            )
    return Folders({kind: found[kind] for kind in wanted})


def sorted_by_kind(paths: Iterable[Path]) -> dict[Kind, Path]:
    """Folders by kind. Raises `InputError` for one that is neither, and for two of a kind."""
    found: dict[Kind, Path] = {}
    for path in paths:
        kind = kind_of(path)
        if kind in found:
            raise InputError(f"data: {found[kind]} and {path} are both of {NAMES[kind]}; give one")
        found[kind] = path
    return found


def kind_of(folder: Path) -> Kind:
    """What a folder holds, by its maker or else by its files. Raises `InputError` for anything else."""
    maker = artifact.maker_of(folder)
    if maker in MAKERS:
        return MAKERS[maker]
    if any(folder.glob(questions_name("*").replace("*2014", "*"))):
        return "vqa"
    if (folder / "sceneGraphs").is_dir():
        return "gqa"
    raise InputError(f"{folder}: holds neither GQA nor VQA v2; give a folder of {NAMES['gqa']} or of {NAMES['vqa']}")


def _hint(found: Mapping[Kind, Path]) -> str:
    return f"; or set dataset to {next(iter(found))}" if len(found) == 1 else ""
