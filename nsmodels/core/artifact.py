"""Sealed folders: built beside their place, sealed by a manifest written last, then swapped in."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nsmodels.core.config import fingerprint
from nsmodels.core.disk import full_disk, require_folder, sha256_of, write_atomic
from nsmodels.core.errors import InputError
from nsmodels.core.provenance import cpu_seconds, git_commit, library_versions, machine
from nsmodels.core.sealed import licences, unfinished, verification
from nsmodels.core.sealed.contents import files_in, is_leftover
from nsmodels.core.sealed.folders import (
    beside,
    data_root,
    folder_of,
    is_sealed,
    locked,
    read_manifest,
    recover,
    sealed_at,
    swap,
)
from nsmodels.core.sealed.inputs import common_source, describe_input, input_folder, records_of
from nsmodels.core.sealed.manifest import MANIFEST, NOTE, FileRecord, InputRecord, Manifest
from nsmodels.core.sealed.remembered import Signature, signature
from nsmodels.core.sealed.replacing import require_apart, require_files, require_replaceable
from nsmodels.core.sealed.unfinished import Note
from nsmodels.core.sealed.verification import remedy, require_inputs, require_intact, require_listed, verify

__all__ = [
    "MANIFEST", "NOTE", "OF_ORIGIN", "FileRecord", "InputRecord", "Manifest", "Part", "beside", "build", "copying",
    "current", "data_root", "describe_input", "folder_of", "input_folder", "keeping", "kept", "locked", "made",
    "make_fingerprint", "maker_of", "read_manifest", "recover", "remedy", "require_apart", "require_files",
    "require_inputs", "require_intact", "require_listed", "require_replaceable", "verify",
]  # fmt: skip


# What the manifest of a copy has from that of the artifact it was copied from.
OF_ORIGIN = ("metrics", "commit", "versions", "machine", "created", "wall_seconds", "cpu_seconds")


@dataclass
class Part:
    """An artifact under construction: files go into `path`, figures into `metrics`; the rest is the data's.

    `origin`: of a copy, the manifest of what is copied.
    """

    path: Path
    source: str = ""
    licence: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)
    origin: Manifest | None = None


def make_fingerprint(config: Mapping[str, Any], code_version: str, inputs: Mapping[str, Path], seed: int | None) -> str:
    """Fingerprint (16 hex digits) of configuration, code version, fingerprints of the input folders, and seed.

    Raises `InputError` when an input folder does not exist or its manifest is broken.
    """
    return _fingerprint(config, code_version, records_of(inputs), seed)


def _fingerprint(
    config: Mapping[str, Any], code_version: str, inputs: Mapping[str, InputRecord], seed: int | None
) -> str:
    versions = {key: record.fingerprint for key, record in inputs.items()}
    return fingerprint({"config": dict(config), "code": code_version, "inputs": versions, "seed": seed})


def current(folder: Path, expected: str) -> Manifest | None:
    """Manifest of `folder` if it is sealed with fingerprint `expected`, else None."""
    try:
        manifest = read_manifest(folder)
    except InputError:
        return None
    return manifest if manifest.fingerprint == expected else None


def kept(
    folder: Path,
    is_forced: bool,
    *,
    config: Mapping[str, Any],
    code_version: str,
    inputs: Mapping[str, Path] | None = None,
    seed: int | None = None,
) -> Manifest | None:
    """Manifest of the artifact to reuse: sealed in `folder` with this recipe, and not `is_forced`; else None.

    Raises `InputError` when `folder` overlaps an input or is one that must not be replaced, when an input folder does
    not exist or its manifest is broken, and when a file of the artifact is missing or has a different size.
    """
    require_apart(folder, inputs or {})
    found = current(folder, make_fingerprint(config, code_version, inputs or {}, seed))
    if is_forced or found is None:
        return None
    return require_intact(folder, has_checksums=False)


@contextmanager
def build(
    folder: Path,
    *,
    key: str,
    maker: str,
    config: Mapping[str, Any],
    code_version: str,
    inputs: Mapping[str, Path] | None = None,
    seed: int | None = None,
    source: str = "",
    licence: str = "",
    is_resumable: bool = True,
    kind: str = "",
) -> Iterator[Part]:
    """Build an artifact: yields a `Part` and seals it when the block succeeds; the previous artifact stays until then.

    `maker` is the package that builds the artifact and can load it ("nsmodels.systems.visual"); `kind` distinguishes
    what one maker builds. `Part.path` contains unfinished work with the same fingerprint; that of a different one is
    kept beside the artifact until this one is sealed.
    Raises `Busy` when another process is building the same artifact, and `InputError` when an input does not exist or
    differs from its manifest, when the disk is full, and when `folder` holds anything but a previous artifact of the
    same key, maker and kind: it would be lost.
    """
    require_folder(folder)
    require_apart(folder, inputs or {})
    require_replaceable(folder, key, maker, kind)
    require_inputs(inputs or {})
    # Inputs and commit are recorded before the work: both may change on disk while it runs.
    records = records_of(inputs or {})
    mark = _fingerprint(config, code_version, records, seed)
    recipe = {"config": dict(config), "code_version": code_version, "seed": seed}
    made = {"key": key, "maker": maker, "kind": kind, "inputs": records, "fingerprint": mark, "commit": git_commit()}
    note = Note(unfinished.mark_of(mark, records), maker, recipe, is_resumable, time.time())
    folder = folder.resolve()
    _make_parent(folder)
    with locked(folder):
        part = Part(unfinished.prepare(folder, note), *_origin(records, source, licence))
        with _sealing(part, folder, made | recipe, is_resumable):
            yield part


@contextmanager
def _sealing(part: Part, folder: Path, made: dict[str, Any], is_resumable: bool) -> Iterator[None]:
    """Seal the part in `folder` when the block succeeds; else leave what can be resumed."""
    wall, cpu = time.time(), cpu_seconds()
    try:
        yield
        known = _seal(part, made, time.time() - wall, cpu_seconds() - cpu)
        swap(part.path, folder)
        verification.remember(folder, read_manifest(folder), known)
        unfinished.remove(folder, made["maker"])
    except OSError as error:
        raise full_disk(error, part.path) from error
    finally:
        _leave(part.path, is_resumable, time.time() - wall, cpu_seconds() - cpu)


def made(
    folder: Path, is_forced: bool, fill: Callable[[Part], None], *, key: str, maker: str, **recipe: Any
) -> Manifest:
    """The manifest of an artifact: kept when an equal one is sealed in `folder`, else built by `fill`.

    `recipe` is that of `build`, `source` included. Raises as `build` and `fill` do.
    """
    decisive = {name: value for name, value in recipe.items() if name in ("config", "code_version", "inputs", "seed")}
    if found := kept(folder, is_forced, **decisive):
        return found
    with build(folder, key=key, maker=maker, **recipe) as part:
        fill(part)
    return read_manifest(folder)


def keeping(folder: Path, make: Callable[[], Manifest]) -> tuple[Manifest, bool]:
    """The manifest that `make` returns for a folder, and whether it is that of the artifact that was there before."""
    before = sealed_at(folder)
    found = make()
    return found, before != 0 and sealed_at(folder) == before


@contextmanager
def copying(source: Path, folder: Path, *, key: str, maker: str, **recipe: Any) -> Iterator[Part]:
    """Seal a copy of an artifact that was built from the same in a different folder under the data root.

    Unfinished work of this recipe stays until all files are there. `recipe` is that of `build`; raises as `build` does,
    and `InputError` when `source` is damaged, or not what it was at the begin.
    """
    origin, place = require_intact(source), data_root() / ".cache" / "copies"
    place.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place) as staging:
        for name in origin.files:
            (Path(staging) / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, Path(staging) / name)
        if _file_records(Path(staging))[0] != origin.files:
            raise InputError(f"{source}: has changed while it was copied; run the same command again")
        with build(folder, key=key, maker=maker, is_resumable=False, **recipe) as part:
            part.origin = origin
            for path in list(Path(staging).iterdir()):
                shutil.move(path, part.path / path.name)
            yield part


def maker_of(folder: Path) -> str:
    """The package that made, or is making, an artifact; empty where neither a manifest nor a note names it."""
    recover(folder)
    if (folder / MANIFEST).exists():
        return read_manifest(folder).maker
    found = unfinished.note_of(folder)
    return found.maker if found else ""


def _make_parent(folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{folder}: cannot be created, {folder.parent} is not a folder; give another path") from None


def _origin(records: Mapping[str, InputRecord], source: str, licence: str) -> tuple[str, str]:
    """Source and licence of an artifact: those that are given, else those of its inputs."""
    return source or common_source(records), licence or licences.common(each.licence for each in records.values())


def _leave(partial: Path, is_resumable: bool, wall_seconds: float, spent_seconds: float) -> None:
    """What remains of a build that has ended: nothing, work with its cost so far, or what could not be swapped in."""
    if not unfinished.is_worth_keeping(partial, is_resumable):
        shutil.rmtree(partial, ignore_errors=True)
    elif partial.exists() and not is_sealed(partial):
        unfinished.pause(partial, wall_seconds, spent_seconds)


def _seal(part: Part, made: dict[str, Any], wall_seconds: float, spent_seconds: float) -> dict[str, Signature]:
    """Write the manifest; returns the state of each file when it was hashed."""
    records, known = _file_records(part.path)
    manifest = Manifest(
        **made,
        source=part.source,
        licence=part.licence,
        metrics=part.metrics,
        files=records,
        versions=library_versions(),
        machine=machine(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        wall_seconds=round(wall_seconds, 2),
        cpu_seconds=round(spent_seconds, 2),
    )
    if origin := part.origin:
        values = {name: getattr(origin, name) for name in OF_ORIGIN}
        manifest = manifest.model_copy(update=values | {"copy_of": origin.copy_of or origin.key})
    write_atomic(part.path / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
    # Last: until the manifest is written, a killed run or a full disk must leave work that can be resumed.
    (part.path / NOTE).unlink()
    return known


def _file_records(folder: Path) -> tuple[dict[str, FileRecord], dict[str, Signature]]:
    """Size and checksum of every file, and its state; leftovers of killed writers are removed, not sealed.

    Manifests of artifacts inside, as the models of a study, are files as any other.
    """
    own = (folder / MANIFEST, folder / NOTE)
    paths = [path for path in files_in(folder) if path not in own and path.is_file()]
    for path in filter(is_leftover, paths):
        path.unlink()
    paths = [path for path in paths if not is_leftover(path)]
    states = [path.stat() for path in paths]
    with ThreadPoolExecutor() as pool:
        sums = list(pool.map(sha256_of, paths))
    names = [path.relative_to(folder).as_posix() for path in paths]
    records = {n: FileRecord(bytes=s.st_size, sha256=t) for n, s, t in zip(names, states, sums, strict=True)}
    return records, {name: signature(state) for name, state in zip(names, states, strict=True)}
