"""Sealed folders: built beside their place, sealed by a manifest written last, then swapped in."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nsmodels.core import locks
from nsmodels.core.config import Config, fingerprint
from nsmodels.core.disk import full_disk, require_folder, sha256_of, write_atomic
from nsmodels.core.errors import InputError
from nsmodels.core.orders import DATA, PARENT, Inputs
from nsmodels.core.provenance import cpu_seconds, git_commit, library_versions, machine

MANIFEST = "manifest.json"
NOTE = ".building"  # what a partial folder is to become: the fingerprint, and the maker on a second line
# Endings of files that a killed process was writing.
LEFTOVERS = (".partial", ".part", ".link")


class FileRecord(Config):
    """Size in bytes and SHA-256 of one file of an artifact."""

    bytes: int
    sha256: str


class InputRecord(Config):
    """One input of an artifact: its path at build time, its fingerprint, the hash of its manifest, its data source.

    A plain folder given by hand has no manifest: its hash is empty, its fingerprint covers names, sizes and JSON text.
    """

    path: str
    fingerprint: str
    manifest_sha256: str
    source: str
    role: str = ""  # "data", "model" or "parent"; empty in manifests that were written before roles were recorded


class Manifest(Config):
    """The seal of an artifact: identity, recipe, inputs and files.

    Sizes are in bytes, times in seconds, `created` is ISO 8601 in UTC.
    """

    key: str
    maker: str
    fingerprint: str
    code_version: str
    config: dict[str, Any]
    seed: int | None
    source: str
    inputs: dict[str, InputRecord]
    metrics: dict[str, Any]
    files: dict[str, FileRecord]
    commit: str
    versions: dict[str, str]
    machine: str
    created: str
    wall_seconds: float
    cpu_seconds: float

    @property
    def datasets(self) -> dict[str, InputRecord]:
        """The inputs that are data, by key."""
        return {key: record for key, record in self.inputs.items() if record.role in (DATA, "")}

    @property
    def num_bytes(self) -> int:
        """Bytes of all files."""
        return sum(record.bytes for record in self.files.values())


@dataclass
class Part:
    """An artifact under construction: files go into `path`, figures into `metrics`, the data source into `source`."""

    path: Path
    source: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)


def data_root() -> Path:
    """Folder of all artifacts: `$NSMODELS_DATA`, else `data/` under the current directory."""
    return Path(os.environ.get("NSMODELS_DATA") or "data").resolve()


def folder_of(key: str, partition: str | None = None) -> Path:
    """Folder of an asset key (and partition) under the data root; it need not exist."""
    folder = data_root() / key
    return folder / partition if partition else folder


def make_fingerprint(config: Mapping[str, Any], code_version: str, inputs: Mapping[str, Path], seed: int | None) -> str:
    """Fingerprint (16 hex digits) of configuration, code version, fingerprints of the input folders, and seed.

    Raises `InputError` when an input folder does not exist or its manifest is broken.
    """
    return _fingerprint(config, code_version, _records(inputs), seed)


def _records(inputs: Mapping[str, Path]) -> dict[str, InputRecord]:
    """What each input is, with its role where it has one."""
    records = {key: describe_input(folder) for key, folder in inputs.items()}
    roles = {key: inputs.role(key) for key in inputs} if isinstance(inputs, Inputs) else {}
    return {key: record.model_copy(update={"role": roles.get(key, "")}) for key, record in records.items()}


def _fingerprint(
    config: Mapping[str, Any], code_version: str, inputs: Mapping[str, InputRecord], seed: int | None
) -> str:
    versions = {key: record.fingerprint for key, record in inputs.items()}
    return fingerprint({"config": dict(config), "code": code_version, "inputs": versions, "seed": seed})


def read_manifest(folder: Path, key: str | None = None) -> Manifest:
    """Manifest of a sealed folder; raises `InputError` when it is missing or broken."""
    recover(folder)
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder}: {_remedy(folder, key)}") from None
    except ValidationError as error:
        raise InputError(f"{path}: not a manifest ({error.error_count()} fields are wrong); make it again") from None


def _remedy(folder: Path, key: str | None) -> str:
    place = folder.resolve()
    is_asset = data_root() in place.parents
    name = key or (place.relative_to(data_root()).parts[0] if is_asset else folder.name)
    command = f"make it with: dagster asset materialize --select {name}"
    remedy = command if is_asset else "make it again with the command that made it"
    return f"artifact '{name}' does not exist or was never finished; {remedy}"


def current(folder: Path, expected: str) -> Manifest | None:
    """Manifest of `folder` if it is sealed with fingerprint `expected`, else None."""
    try:
        manifest = read_manifest(folder)
    except InputError:
        return None
    return manifest if manifest.fingerprint == expected else None


def input_folder(key: str, record: InputRecord) -> Path:
    """Folder of a recorded input: under the current data root if present (a root may move), else as recorded."""
    place = folder_of(key)
    return place if current(place, record.fingerprint) else Path(record.path)


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

    Raises `InputError` when an input folder does not exist or its manifest is broken.
    """
    found = current(folder, make_fingerprint(config, code_version, inputs or {}, seed))
    return None if is_forced else found


def verify(folder: Path, with_checksums: bool = True) -> Manifest:
    """Compare the files of a sealed folder with its manifest; raises `InputError` naming the first that differs."""
    manifest = read_manifest(folder)
    for name, record in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise InputError(f"{path}: missing, though {folder / MANIFEST} lists it; make the artifact again")
        if path.stat().st_size != record.bytes:
            raise InputError(f"{path}: {path.stat().st_size} bytes, expected {record.bytes}; make the artifact again")
        if with_checksums and sha256_of(path) != record.sha256:
            raise InputError(f"{path}: content differs from its checksum; make the artifact again")
    return manifest


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
    is_resumable: bool = True,
) -> Iterator[Part]:
    """Build an artifact: yields a `Part` and seals it when the block succeeds; the previous artifact stays until then.

    `maker` is the package that builds the artifact and can load it ("nsmodels.systems.visual").
    `Part.path` contains unfinished work with the same fingerprint; unfinished work with a different one is deleted.
    Raises `Busy` when another process is building the same artifact, and `InputError` when an input does not exist,
    the disk is full, or `folder` contains files without a manifest: they belong to the user and would be lost.
    """
    require_folder(folder)
    # Inputs and commit are recorded before the work: both may change on disk while it runs.
    records = _records(inputs or {})
    mark = _fingerprint(config, code_version, records, seed)
    made = {"key": key, "maker": maker, "config": dict(config), "code_version": code_version, "seed": seed}
    made |= {"inputs": records, "fingerprint": mark, "commit": git_commit()}
    folder = folder.resolve()
    _make_parent(folder)
    with locked(folder):
        _require_own(folder)
        partial = _prepare_partial(folder, _work_mark(mark, records), maker, is_resumable)
        part = Part(partial, source or _common_source(records))
        wall, cpu = time.time(), cpu_seconds()
        try:
            yield part
            _seal(part, made, time.time() - wall, cpu_seconds() - cpu)
            _swap(part.path, folder)
        except OSError as error:
            raise full_disk(error, part.path) from error
        finally:
            if not _is_worth_keeping(part.path, is_resumable):
                shutil.rmtree(part.path, ignore_errors=True)


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


def recover(folder: Path) -> None:
    """Complete a swap that a dead process began, or restore the previous artifact."""
    if not _is_sealed(beside(folder, "partial")) and (folder.exists() or not beside(folder, "previous").exists()):
        return
    # A live builder holds the lock and completes its swap by itself; a read-only disk is left as it is.
    with contextlib.suppress(InputError, OSError), locked(folder):
        _mend(folder)


def _mend(folder: Path) -> None:
    partial, previous = beside(folder, "partial"), beside(folder, "previous")
    if not folder.exists() and previous.exists():
        previous.rename(folder)
    if _is_sealed(partial):
        _swap(partial, folder)


def beside(folder: Path, word: str) -> Path:
    """Sibling path of an artifact: "partial" (unfinished), "previous" (replaced), "removed", or "lock"."""
    return folder.with_name(f".{folder.name}.{word}")


def _make_parent(folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{folder}: cannot be created, {folder.parent} is not a folder; give another path") from None


def _require_own(folder: Path) -> None:
    """Raise `InputError` unless `folder` is an artifact, empty or absent: anything else must not be replaced."""
    if folder.is_dir() and not (folder / MANIFEST).exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: holds files that are no artifact and would be lost; give a new or empty folder")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; give the name of a folder")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an artifact; raises `Busy` at once when another process holds it."""
    busy = f"{folder}: another process is building this artifact; wait for it or stop it"
    with locks.exclusive(beside(folder, "lock"), busy):
        yield


def _prepare_partial(folder: Path, mark: str, maker: str, is_resumable: bool) -> Path:
    """Folder to build in: with the work of fingerprint `mark` that was not finished or not swapped in, else empty."""
    partial, note = beside(folder, "partial"), f"{mark}\n{maker}"
    is_ours = is_resumable and _mark_of(partial) == mark
    if is_ours:
        (partial / NOTE).write_text(note)  # before the seal is broken, so that the work keeps its mark
        (partial / MANIFEST).unlink(missing_ok=True)
    _mend(folder)
    if partial.exists() and not is_ours:
        shutil.rmtree(partial)
    partial.mkdir(exist_ok=True)
    (partial / NOTE).write_text(note)
    return partial


def _mark_of(partial: Path) -> str:
    """Fingerprint of the work in a partial folder; empty when unknown."""
    try:
        if _is_sealed(partial):
            manifest = Manifest.model_validate_json((partial / MANIFEST).read_bytes())
            return _work_mark(manifest.fingerprint, manifest.inputs)
        return (partial / NOTE).read_text().partition("\n")[0]
    except (FileNotFoundError, ValidationError):
        return ""


def _work_mark(mark: str, inputs: Mapping[str, InputRecord]) -> str:
    """What unfinished work is: its fingerprint, and the very parent whose weights it has started from."""
    parents = [record.manifest_sha256[:16] for record in inputs.values() if record.role == PARENT]
    return "-".join([mark, *parents])


def maker_of(folder: Path) -> str:
    """The package that made, or is making, an artifact; empty where neither a manifest nor a note names it."""
    recover(folder)
    if (folder / MANIFEST).exists():
        return read_manifest(folder).maker
    try:
        return (folder / NOTE).read_text().partition("\n")[2]
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _is_sealed(partial: Path) -> bool:
    return (partial / MANIFEST).exists() and not (partial / NOTE).exists()


def _is_worth_keeping(partial: Path, is_resumable: bool) -> bool:
    if not partial.exists() or _is_sealed(partial):
        return True
    return is_resumable and any(entry.name != NOTE for entry in partial.iterdir())


def _common_source(inputs: Mapping[str, InputRecord]) -> str:
    return ", ".join(sorted({record.source for record in inputs.values()} - {""}))


def _seal(part: Part, made: dict[str, Any], wall_seconds: float, spent_seconds: float) -> None:
    manifest = Manifest(
        **made,
        source=part.source,
        metrics=part.metrics,
        files=_file_records(part.path),
        versions=library_versions(),
        machine=machine(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        wall_seconds=round(wall_seconds, 2),
        cpu_seconds=round(spent_seconds, 2),
    )
    write_atomic(part.path / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
    # Last: until the manifest is written, a killed run or a full disk must leave work that can be resumed.
    (part.path / NOTE).unlink()


def _swap(partial: Path, folder: Path) -> None:
    previous = beside(folder, "previous")
    shutil.rmtree(previous, ignore_errors=True)
    if folder.exists():
        folder.rename(previous)
    partial.rename(folder)
    shutil.rmtree(previous, ignore_errors=True)


def describe_input(folder: Path) -> InputRecord:
    """Record of an input folder, sealed or plain; raises `InputError` when it does not exist."""
    path = str(folder.resolve())
    recover(folder)
    if (folder / MANIFEST).exists():
        manifest = read_manifest(folder)
        total = sha256_of(folder / MANIFEST)
        return InputRecord(path=path, fingerprint=manifest.fingerprint, manifest_sha256=total, source=manifest.source)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; make it first or give the right path")
    return InputRecord(path=path, fingerprint=_plain_mark(folder), manifest_sha256="", source="local")


def _plain_mark(folder: Path) -> str:
    names = sorted(p for p in folder.rglob("*") if p.is_file())
    listed = [(str(p.relative_to(folder)), p.stat().st_size) for p in names]
    return fingerprint([listed, [sha256_of(p) for p in names if p.suffix == ".json"]])


def _file_records(folder: Path) -> dict[str, FileRecord]:
    """Size and checksum of every file; leftovers of killed writers are removed, not sealed."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in (MANIFEST, NOTE))
    leftovers = [p for p in paths if p.name.startswith(".") and p.suffix in LEFTOVERS]
    for path in leftovers:
        path.unlink()
    paths = [p for p in paths if p not in leftovers]
    with ThreadPoolExecutor() as pool:
        sums = list(pool.map(sha256_of, paths))
    return {
        str(path.relative_to(folder)): FileRecord(bytes=path.stat().st_size, sha256=total)
        for path, total in zip(paths, sums, strict=True)
    }
