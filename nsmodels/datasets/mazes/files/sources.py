"""The files at a local path: which of them are read, to which split they belong, and which are not used and why."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nsmodels.core.errors import InputError

KINDS = {".map": "movingai", ".csv": "maze_hard", ".npz": "neural_astar"}
SPLIT_NAMES = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
REMEDY = (
    "field 'local_path' names a folder with .map files (their .scen beside them), Maze-Hard .csv or Neural A* .npz "
    "files, or one such file"
)
NO_MAP = "names no map that is here"
_FOLDER_KIND = re.compile(r"[-_ ]?(maps?|scen(s|arios?)?)([-_ ]?(even|random))?$")
_SHARD = re.compile(r"[-_.]?\d+([-_]of[-_]\d+)?$")  # a table in several files, as train-00000-of-00002
UNPACK = "packed; unpack it first"
PACKED = (".gz", ".zip", ".bz2", ".xz", ".7z", ".tar", ".tgz")


@dataclass(frozen=True)
class Source:
    """A file that problems are read from, by its name below the root; `split` is empty when the files decide none.

    `scenarios`: those of a map, each with the names by which its problems name the map; None for a scenario that is the
    map's by its own name.
    """

    path: Path
    name: str
    split: str = ""
    scenarios: tuple[tuple[Path, frozenset[str] | None], ...] = ()

    def name_of(self, path: Path) -> str:
        """Name of another file below the same root."""
        return str(path.relative_to(self.path.parents[len(Path(self.name).parts) - 1]))


@dataclass(frozen=True)
class Sources:
    """All files of one kind at a path, in order; `unused`: the others by name, each with the reason."""

    kind: str
    files: list[Source]
    unused: dict[str, str] = field(default_factory=dict)

    @property
    def read(self) -> list[Path]:
        """Every file that is read, scenarios included."""
        return sorted({path for file in self.files for path in (file.path, *(scen for scen, _ in file.scenarios))})


def find(path: Path) -> Sources:
    """The files at `path`; raises `InputError` when there are none that can be read."""
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; {REMEDY}")
    if path.is_dir():
        return _in_folder(path)
    kind = KINDS.get(_suffix(path))
    if kind is None:
        packed = f", but {UNPACK}" if _suffix(path) in PACKED else ""
        raise InputError(f"{path}: no .map file, .csv or .npz{packed}; {REMEDY}")
    if kind == "maze_hard":
        return Sources(kind, [Source(path, path.name, SPLIT_NAMES.get(_SHARD.sub("", path.stem).casefold(), ""))])
    beside = [scen for scen in sorted(path.parent.iterdir()) if _suffix(scen) == ".scen"] if kind == "movingai" else []
    found, _ = _with_scenarios([path], beside, path.parent)
    return Sources(kind, found)


def _in_folder(root: Path) -> Sources:
    """A folder's files of the first kind that it has, and all others as unused."""
    files = [path for path in sorted(root.rglob("*")) if not path.is_dir() and not _is_hidden(path, root)]
    by_kind = {kind: [path for path in files if _suffix(path) == suffix] for suffix, kind in KINDS.items()}
    kind = next((kind for kind, found in by_kind.items() if found), None)
    if kind is None:
        names = ", ".join(str(path.relative_to(root)) for path in files[:3])
        names += f" ({UNPACK})" if any(_suffix(path) in PACKED for path in files[:3]) else ""
        raise InputError(f"{root}: no .map file{f', only {names}' if names else ''}; {REMEDY}")
    scenarios = [path for path in files if _suffix(path) == ".scen"]
    found, unused = _with_scenarios(by_kind[kind], scenarios if kind == "movingai" else [], root)
    found, outside = _split(found, kind)
    taken = {path for file in found for path in (file.path, *(scen for scen, _ in file.scenarios))}
    reasons = {path: _reason(path, kind) for path in files} | unused | outside
    return Sources(kind, found, {str(p.relative_to(root)): reasons[p] for p in files if p not in taken})


def _split(files: list[Source], kind: str) -> tuple[list[Source], dict[Path, str]]:
    """The files with the split that their folder or the name of their table decides; those outside of all, as unused.

    Folders decide where one of them is `train`, or where they have all files; else they are folders like any other.
    """
    splits = [_own_split(file, kind) for file in files]
    if "train" not in splits and not all(splits):
        return files, {}
    outside = "is in none of the folders train, val and test" if kind == "movingai" else "has no name of a split"
    inside = [Source(f.path, f.name, split, f.scenarios) for f, split in zip(files, splits, strict=True) if split]
    lost = [file for file, split in zip(files, splits, strict=True) if not split]
    return inside, {path: outside for file in lost for path in (file.path, *(scen for scen, _ in file.scenarios))}


def _own_split(file: Source, kind: str) -> str:
    if kind == "neural_astar":
        return ""  # a set has its splits inside
    words = [*Path(file.name).parts[:-1], *([_SHARD.sub("", file.path.stem)] if kind == "maze_hard" else [])]
    named = [SPLIT_NAMES[word.casefold()] for word in words if word.casefold() in SPLIT_NAMES]
    return named[0] if named else ""


def _with_scenarios(maps: list[Path], scenarios: list[Path], root: Path) -> tuple[list[Source], dict[Path, str]]:
    """Each map with its scenarios, and the scenarios of no map with the reason.

    A scenario belongs to a map by its name, or else to the maps that its problems name.
    """
    owned: dict[Path, list[tuple[Path, frozenset[str] | None]]] = {path: [] for path in maps}
    unused = {}
    for scen in scenarios:
        if map_of_name := _by_name(scen, maps):
            owned[map_of_name].append((scen, None))
            continue
        found, unused[scen] = _by_content(scen, maps)
        for path, names in found.items():
            owned[path].append((scen, frozenset(names)))
    found = [Source(path, str(path.relative_to(root)), "", tuple(owned[path])) for path in maps]
    return found, unused


def _by_name(scen: Path, maps: list[Path]) -> Path | None:
    """The map of a scenario by the name of its file; None where there is no such map, or more than one."""
    name = re.sub(r"(\.map|-(even|random)-\d+)?\.scen$", "", scen.name, flags=re.IGNORECASE)
    same = [path for path in maps if path.stem.casefold() == name.casefold()]
    meant = _beside(scen, [path for path in same if path.stem == name] or same)
    return meant[0] if len(meant) == 1 else None


def _beside(scen: Path, maps: list[Path]) -> list[Path]:
    """Of maps of one name those in the folder of a scenario, else those in the folder that goes with it.

    The benchmark sets have maps and scenarios in folders such as `dao-map` and `dao-scen`, `map` and `scen-even`.
    """
    same = [path for path in maps if path.parent == scen.parent]
    return same or [path for path in maps if _set_of(path) == _set_of(scen)] or maps


def _set_of(path: Path) -> list[str]:
    """The folders of a file, without what calls them a folder of maps or of scenarios."""
    bare = [_FOLDER_KIND.sub("", part.casefold()) for part in path.parts[:-1]]
    return [part for part in bare if part]


def _by_content(scen: Path, maps: list[Path]) -> tuple[dict[Path, set[str]], str]:
    """Maps that the problems of a scenario name, with the names; and the reason why it is not used."""
    from nsmodels.datasets.mazes.files.scenarios import maps_named

    try:
        texts = maps_named(scen)
    except InputError as error:
        return {}, str(error).removeprefix(f"{scen}: ")
    found: dict[Path, set[str]] = {}
    several = ""
    for text in texts:
        meant = _meant(text, scen, maps)
        if len(meant) == 1:
            found.setdefault(meant[0], set()).add(text)
        several = several or (f"names {text}, and there are {len(meant)} maps of that name" if len(meant) > 1 else "")
    return found, several or f"{NO_MAP} ({_some(texts)})"


def _meant(text: str, scen: Path, maps: list[Path]) -> list[Path]:
    """The maps that a name in a scenario can mean: of several, those whose folders it names, else the one beside."""
    parts = [part.casefold() for part in re.split(r"[/\\]", text) if part not in ("", ".")]
    same = [path for path in maps if parts and path.name.casefold() == parts[-1]]
    for depth in range(len(parts), 1, -1):
        nearer = [path for path in same if [p.casefold() for p in path.parts[-depth:]] == parts[-depth:]]
        if nearer:
            return nearer
    return _beside(scen, same)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "") or "none"


def _reason(path: Path, kind: str) -> str:
    suffix = _suffix(path)
    if suffix in PACKED:
        return f"is {UNPACK}"
    if suffix in KINDS or suffix == ".scen":
        return f"is not read beside {next(s for s, word in KINDS.items() if word == kind)} files; give it a folder"
    return "is of no kind that is read"


def _suffix(path: Path) -> str:
    return path.suffix.casefold()


def _is_hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.relative_to(root).parts)
