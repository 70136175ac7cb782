"""Clips of one's own: `<split>/<class>/image_001.jpg`, `audio_001.wav`, `proprio_001.npy`, checked file by file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nsmodels.core import disk
from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError
from nsmodels.formats.clips.names import MODALITIES
from nsmodels.formats.clips.recordings import Readings, Recording, forces, picture, sound

NAME = re.compile(r"(?P<kind>image|audio|proprio)_(?P<number>.+)\.(?P<suffix>[A-Za-z]+)")
SUFFIXES = {"image": ("jpg", "jpeg", "png"), "audio": ("wav",), "proprio": ("npy",)}
MODALITY = dict(zip(SUFFIXES, MODALITIES, strict=True))
EXPECTED = "image_<number>.jpg, audio_<number>.wav or proprio_<number>.npy"
LAYOUT = "<split>/<class>/image_001.jpg"


@dataclass(frozen=True)
class Entry:
    """The files of one clip by kind: image, audio, proprio."""

    label: str
    number: str
    files: dict[str, Path] = field(default_factory=dict)


def find(root: Path, may_lack: bool = False) -> dict[str, list[Entry]]:
    """The clips of each split, sorted; no file is opened.

    All clips of a class have the same kinds of files, unless they `may_lack` some; a class without any sounds is a
    class without sounds. Raises InputError naming the folder that is empty, the file that is none of these, that is
    double, or that is missing beside others of its number.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; expected one with {LAYOUT} and so on")
    found: dict[str, list[Entry]] = {}
    for split in _folders(root, "a folder for each split (train, val)"):
        for label in _folders(split, "a folder for each class"):
            found.setdefault(split.name, []).extend(_entries(label, may_lack))
    return found


def fingerprint_of(root: Path) -> str:
    """Fingerprint of names and content of all files of the clips."""
    paths = sorted(path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))
    return fingerprint([(path.relative_to(root).as_posix(), disk.sha256_of(path)) for path in paths])


def read(root: Path, may_lack: bool = False) -> dict[str, Readings]:
    """The readings of each split; the recordings raise InputError naming a file that is broken."""
    return {split: Readings(len(each), 1, _recordings(split, each)) for split, each in find(root, may_lack).items()}


def _folders(place: Path, expected: str) -> list[Path]:
    inside = sorted(path for path in place.iterdir() if not path.name.startswith("."))
    if strays := [path for path in inside if not path.is_dir()]:
        raise InputError(f"{strays[0]}: unexpected here; expected {expected}, as in {LAYOUT}")
    if not inside:
        raise InputError(f"{place}: empty; expected {expected}, as in {LAYOUT}")
    return inside


def _entries(folder: Path, may_lack: bool) -> list[Entry]:
    found: dict[str, Entry] = {}
    lists: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        match = NAME.fullmatch(path.name)
        if not match or match["suffix"].lower() not in SUFFIXES[match["kind"]] or not path.is_file():
            raise InputError(f"{path}: unexpected name; expected {EXPECTED}")
        entry = found.setdefault(match["number"], Entry(folder.name, match["number"]))
        if match["kind"] in entry.files:
            raise InputError(f"{path}: a second {match['kind']} of number {match['number']}; remove one of them")
        entry.files[match["kind"]] = path
        lists[match["kind"]].append(path)
    if not found:
        raise InputError(f"{folder}: empty; expected {EXPECTED}")
    if not may_lack:
        _require_partners(folder, found, lists)
    return list(found.values())


def _require_partners(folder: Path, found: dict[str, Entry], lists: dict[str, list[Path]]) -> None:
    for number, entry in found.items():
        for kind, paths in lists.items():
            if kind not in entry.files:
                missing = folder / f"{kind}_{number}{paths[0].suffix}"
                partner = next(iter(entry.files.values())).name
                raise InputError(
                    f"{missing}: missing beside {partner}, other clips of '{folder.name}' have {kind} files; add it, "
                    "or set local_may_lack"
                )


def _recordings(split: str, entries: list[Entry]) -> Iterator[Recording]:
    readers = {"image": picture, "audio": sound, "proprio": forces}
    for entry in entries:
        values = {MODALITY[kind]: readers[kind](path) for kind, path in entry.files.items()}
        yield Recording(f"{split}/{entry.label}/{entry.number}", entry.label, **values)
