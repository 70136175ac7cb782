"""Folders of data by what they hold: questions with programs (GQA, CLEVR), or answers of ten people (VQA)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.files.names import questions_name

Kind = Literal["gqa", "vqa", "clevr"]
NAMES: Mapping[Kind, str] = {
    "gqa": "GQA (nsmodels gqa prepare)",
    "vqa": "VQA v2 (nsmodels vqa prepare)",
    "clevr": "CLEVR (nsmodels clevr prepare)",
}
MAKERS: Mapping[str, Kind] = {f"nsmodels.datasets.{kind}": kind for kind in NAMES}
WANTED: Mapping[str, tuple[Kind, ...]] = {
    **{kind: (kind,) for kind in NAMES},
    "gqa_vqa": ("gqa", "vqa"),
    "all": ("gqa", "vqa", "clevr"),
}
# By files that every folder of a kind has, whoever made it; the first that fits decides.
FILES: tuple[tuple[str, Kind], ...] = (
    (questions_name("*").replace("*2014", "*"), "vqa"),
    ("annotations/instances_*.json", "vqa"),
    ("scenes/CLEVR_*_scenes.json", "clevr"),
    ("sceneGraphs", "gqa"),
)


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

    @property
    def clevr(self) -> Path:
        """The folder of CLEVR. Raises `InputError` where there is none."""
        return self._of("clevr")

    def _of(self, kind: Kind) -> Path:
        if kind not in self.by_kind:
            raise InputError(f"data: no folder of {NAMES[kind]} among {', '.join(map(str, self.paths))}")
        return self.by_kind[kind]


def folders_of(dataset: str, paths: Iterable[Path]) -> Folders:
    """The folders that `dataset` needs: one, or each of several kinds.

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
    """Folders by kind. Raises `InputError` for one of no kind, and for two of a kind."""
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
    for pattern, kind in FILES:
        if any(folder.glob(pattern)):
            return kind
    *others, last = NAMES.values()
    raise InputError(f"{folder}: holds no data of a known kind; give a folder of {', '.join(others)} or {last}")


def _hint(found: Mapping[Kind, Path]) -> str:
    return f"; or set dataset to {next(iter(found))}" if len(found) == 1 else ""
