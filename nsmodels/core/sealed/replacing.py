"""What an artifact may replace: nothing, an empty folder, or its own predecessor, and never its own inputs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nsmodels.core import disk
from nsmodels.core.errors import InputError
from nsmodels.core.orders import DATA, Inputs
from nsmodels.core.sealed.contents import files_in, foreign_files, shown
from nsmodels.core.sealed.folders import beside, data_root
from nsmodels.core.sealed.manifest import MANIFEST, NOTE, Manifest, manifest_of
from nsmodels.core.sealed.renamed import current

ELSEWHERE = "give a different folder"


def require_apart(folder: Path, inputs: Mapping[str, Path]) -> None:
    """Raise `InputError` for a folder that is, contains or lies in an input, and for one that must not be replaced.

    The latter are the current folder, the home folder, the data root, folders around these, and folders in artifacts.
    """
    place = disk.resolved(folder)
    for key, given in inputs.items():
        source = disk.resolved(Path(given))
        if relation := _relation(place, source):
            role = inputs.role(key) if isinstance(inputs, Inputs) else DATA
            raise InputError(
                f"{folder}: {relation} the {role} {given} that it would be made from, which would be changed or lost; "
                f"{ELSEWHERE} for the result"
            )
    for what, kept in _kept_places():
        if place == kept or place in kept.parents:
            around = "is" if place == kept else "is a folder around"
            raise InputError(f"{folder}: {around} {what}, which cannot be replaced; give a folder in it")
    if outer := next((parent for parent in place.parents if manifest_of(parent)), None):
        raise InputError(f"{folder}: lies in the artifact {outer}, which it would change; {ELSEWHERE}")


def require_replaceable(folder: Path, key: str, maker: str, kind: str = "") -> None:
    """Raise `InputError` unless `folder` is absent, empty, or holds nothing but an artifact of this key and maker."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; give the name of a folder")
    # What a dead process has sealed or moved aside is given its place first, see `folders.mend`, and then replaced too.
    for waiting in (beside(folder, "previous"), beside(folder, "partial")):
        if not (waiting / NOTE).exists() and (found := manifest_of(waiting)):
            _require_same(folder, found, key, maker, kind)
    if not folder.is_dir() or not files_in(folder):
        return
    if (manifest := manifest_of(folder)) is None:
        _refuse_others(folder)
    else:
        _require_same(folder, manifest, key, maker, kind)
    if foreign := foreign_files(folder):
        raise InputError(
            f"{folder}: holds files that are not of the artifact in it and would be lost: {shown(foreign, folder)}; "
            f"move them away, or {ELSEWHERE}"
        )


def require_files(
    targets: Mapping[str, Path | None], inputs: Sequence[Path | None] = (), makes_folders: bool = False
) -> None:
    """As `disk.require_files`, and raise `InputError` for a file in an artifact, which would no longer be as sealed."""
    for option, path in targets.items():
        places = disk.resolved(path).parents if path is not None else ()
        if outer := next((parent for parent in places if manifest_of(parent)), None):
            raise InputError(f"{option} {path}: lies in the artifact {outer}, which it would change; {ELSEWHERE}")
    disk.require_files(targets, inputs, makes_folders)


def _relation(place: Path, source: Path) -> str:
    if place == source or (place.exists() and source.exists() and place.samefile(source)):
        return "is"
    if source in place.parents:
        return "lies in"
    return "is a folder around" if place in source.parents else ""


def _kept_places() -> Iterator[tuple[str, Path]]:
    with contextlib.suppress(OSError):  # a current folder that was removed
        yield "the current folder", Path.cwd()
    with contextlib.suppress(OSError, RuntimeError):
        yield "the home folder", Path.home().resolve()
    # The data root itself is an ordinary folder while it is empty or an artifact.
    yield "the parent of the data root", data_root().parent


def _refuse_others(folder: Path) -> None:
    files = files_in(folder)
    others = [path for path in files if path != folder / MANIFEST]
    note = f"; its {MANIFEST} is none of this project, or is damaged" if len(others) < len(files) else ""
    listed = shown(others or files, folder)
    raise InputError(
        f"{folder}: holds files that are no artifact and would be lost: {listed}{note}; give a new or empty folder, or "
        "move these away"
    )


def _require_same(folder: Path, found: Manifest, key: str, maker: str, kind: str) -> None:
    is_same_kind = not found.kind or not kind or found.kind == kind
    if found.maker == maker and _last(found.key) == _last(key) and is_same_kind:
        return
    was = f"'{found.key}' by {found.maker}{f' ({found.kind})' if found.kind else ''}"
    now = f"'{key}' by {maker}{f' ({kind})' if kind else ''}"
    raise InputError(
        f"{folder}: holds {was}, sealed {found.created}, and would be replaced by {now}; {ELSEWHERE}, or move this one "
        "away first"
    )


def _last(key: str) -> str:
    """The name of an artifact's own folder: a partition has it at the end of its key."""
    return current(key).rpartition("/")[2]
