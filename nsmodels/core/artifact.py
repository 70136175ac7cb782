"""Sealed folders: built beside their place, sealed by a manifest written last, then swapped in."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nsmodels.core.config import Config, fingerprint
from nsmodels.core.errors import InputError

MANIFEST = "manifest.json"
NOTE = ".building"  # holds the fingerprint of what a partial folder is to become
RECORDED_PACKAGES = ("torch", "timm", "numpy", "numba", "pandas", "dagster", "nsmodels")


class FileRecord(Config):
    """Size in bytes and SHA-256 of one file of an artifact."""

    bytes: int
    sha256: str


class InputRecord(Config):
    """What an artifact was made from: where it stood, its fingerprint, the hash of its manifest and its data source.

    A plain folder given by hand has no manifest: its hash is empty, its fingerprint covers names, sizes and JSON text.
    """

    path: str
    fingerprint: str
    manifest_sha256: str
    source: str


class Manifest(Config):
    """The seal of an artifact: what it is, from what it was made and what it holds."""

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
    def num_bytes(self) -> int:
        """Bytes of all files."""
        return sum(record.bytes for record in self.files.values())


@dataclass
class Part:
    """An artifact being built: write into `path`, leave figures in `metrics` and, once known, the data `source`."""

    path: Path
    source: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)


def data_root() -> Path:
    """The folder of all artifacts: `$NSMODELS_DATA`, else `data/` under the current directory."""
    return Path(os.environ.get("NSMODELS_DATA") or "data").resolve()


def folder_of(key: str, partition: str | None = None) -> Path:
    """The folder of an asset key (and partition) under the data root."""
    folder = data_root() / key
    return folder / partition if partition else folder


def make_fingerprint(config: Mapping[str, Any], code_version: str, inputs: Mapping[str, Path], seed: int | None) -> str:
    """What decides an artifact's content: configuration, code version, input fingerprints and seed."""
    return _fingerprint(config, code_version, {key: describe_input(folder) for key, folder in inputs.items()}, seed)


def _fingerprint(
    config: Mapping[str, Any], code_version: str, inputs: Mapping[str, InputRecord], seed: int | None
) -> str:
    versions = {key: record.fingerprint for key, record in inputs.items()}
    return fingerprint({"config": dict(config), "code": code_version, "inputs": versions, "seed": seed})


def read_manifest(folder: Path, key: str | None = None) -> Manifest:
    """The manifest of a sealed folder; raise `InputError` when there is none, or a broken one."""
    recover(folder)
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        name = key or folder.name
        raise InputError(
            f"{folder}: artifact '{name}' does not exist or was never finished; "
            f"make it with: dagster asset materialize --select {name}"
        ) from None
    except ValidationError as error:
        raise InputError(f"{path}: not a manifest ({error.error_count()} fields are wrong); make it again") from None


def current(folder: Path, expected: str) -> Manifest | None:
    """The manifest when `folder` is sealed with fingerprint `expected`, else None."""
    try:
        manifest = read_manifest(folder)
    except InputError:
        return None
    return manifest if manifest.fingerprint == expected else None


def verify(folder: Path, with_checksums: bool = True) -> Manifest:
    """Compare the files of a sealed folder with its manifest; raise `InputError` naming the first that differs."""
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
    """Build an artifact: yields a `Part`, seals it when the block ends well, keeps the previous one until then.

    `maker` is the package that makes it and can load it ("nsmodels.systems.visual").
    Unfinished work of the same fingerprint is found again in `Part.path`; of another it is thrown away.
    Raises `InputError` when another process is building the same artifact or the disk is full.
    """
    # Inputs and code are described before the work: either may change on the disk while it lasts.
    records = {key: describe_input(place) for key, place in (inputs or {}).items()}
    mark, _ = _fingerprint(config, code_version, records, seed), git_commit()
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        _put_back(folder)
        part = Part(_prepare_partial(folder, mark, is_resumable), source or _common_source(records))
        wall, cpu = time.time(), _cpu_seconds()
        try:
            yield part
            spent = (time.time() - wall, _cpu_seconds() - cpu)
            made = (key, maker, code_version, seed, mark)
            _seal(part, made, dict(config), records, spent)
            _swap(part.path, folder)
        except OSError as error:
            raise full_disk(error, part.path) from error
        finally:
            if part.path.exists() and (not is_resumable or not _has_work(part.path)):
                shutil.rmtree(part.path, ignore_errors=True)


def full_disk(error: OSError, path: Path) -> BaseException:
    """`error` itself, or the one line about it when the disk holding `path` is full."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return error
    return InputError(
        f"{error.filename or path}: no space left on the disk; free some, or put the data elsewhere "
        "with NSMODELS_DATA=/another/folder, and run again (finished work is kept)"
    )


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file so that readers see the old content or the whole new one."""
    content = content.encode() if isinstance(content, str) else content
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with beside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    write_atomic(path, json.dumps(value, indent=1, default=str) + "\n")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def recover(folder: Path) -> None:
    """Put the previous artifact back when a process died between the two renames of the swap."""
    if folder.exists() or not _beside(folder, "previous").exists():
        return
    # A builder that is alive holds the lock and finishes its swap in a moment.
    with contextlib.suppress(InputError), _locked(folder):
        _put_back(folder)


def _put_back(folder: Path) -> None:
    previous = _beside(folder, "previous")
    if not folder.exists() and previous.exists():
        previous.rename(folder)


def _beside(folder: Path, word: str) -> Path:
    return folder.with_name(f".{folder.name}.{word}")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # The kernel drops the lock with the process, so a killed run never blocks the next one.
    with _beside(folder, "lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{folder}: another process is building this artifact; wait for it or stop it") from None
        yield


def _prepare_partial(folder: Path, mark: str, is_resumable: bool) -> Path:
    partial = _beside(folder, "partial")
    note = partial / NOTE
    if partial.exists() and not (is_resumable and note.exists() and note.read_text() == mark):
        shutil.rmtree(partial)
    partial.mkdir(exist_ok=True)
    note.write_text(mark)
    return partial


def _has_work(partial: Path) -> bool:
    return any(entry.name != NOTE for entry in partial.iterdir())


def _common_source(inputs: Mapping[str, InputRecord]) -> str:
    return ", ".join(sorted({record.source for record in inputs.values()} - {""}))


def _seal(
    part: Part,
    made: tuple[str, str, str, int | None, str],
    config: dict[str, Any],
    inputs: dict[str, InputRecord],
    spent: tuple[float, float],
) -> None:
    key, maker, code_version, seed, mark = made
    manifest = Manifest(
        key=key,
        maker=maker,
        fingerprint=mark,
        code_version=code_version,
        config=config,
        seed=seed,
        source=part.source,
        inputs=inputs,
        metrics=part.metrics,
        files=_file_records(part.path),
        commit=git_commit(),
        versions=library_versions(),
        machine=f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        wall_seconds=round(spent[0], 2),
        cpu_seconds=round(spent[1], 2),
    )
    write_atomic(part.path / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
    # Last: until the manifest is written, a killed run or a full disk must leave work that can be taken up again.
    (part.path / NOTE).unlink()


def _swap(partial: Path, folder: Path) -> None:
    previous = _beside(folder, "previous")
    shutil.rmtree(previous, ignore_errors=True)
    if folder.exists():
        folder.rename(previous)
    partial.rename(folder)
    shutil.rmtree(previous, ignore_errors=True)


def describe_input(folder: Path) -> InputRecord:
    """What `folder` holds, sealed or plain; raise `InputError` when there is no such folder."""
    path = str(folder.resolve())
    recover(folder)
    if (folder / MANIFEST).exists():
        manifest = read_manifest(folder)
        total = sha256_of(folder / MANIFEST)
        return InputRecord(path=path, fingerprint=manifest.fingerprint, manifest_sha256=total, source=manifest.source)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; make the data first, or give the right --data")
    return InputRecord(path=path, fingerprint=_plain_mark(folder), manifest_sha256="", source="local")


def _plain_mark(folder: Path) -> str:
    names = sorted(p for p in folder.rglob("*") if p.is_file())
    listed = [(str(p.relative_to(folder)), p.stat().st_size) for p in names]
    return fingerprint([listed, [sha256_of(p) for p in names if p.suffix == ".json"]])


def _file_records(folder: Path) -> dict[str, FileRecord]:
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in (MANIFEST, NOTE))
    with ThreadPoolExecutor() as pool:
        sums = list(pool.map(sha256_of, paths))
    return {
        str(path.relative_to(folder)): FileRecord(bytes=path.stat().st_size, sha256=total)
        for path, total in zip(paths, sums, strict=True)
    }


def _cpu_seconds() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


@cache
def git_commit() -> str:
    """The commit of the code that runs, with "+changes" when the tree differs; "unknown" outside a checkout."""
    root = Path(__file__).parents[2]
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
        state = subprocess.run(
            ["git", "--no-optional-locks", "status", "--porcelain", "-uno"],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+changes" if state.stdout.strip() else "")


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that decide results."""
    found = {"python": platform.python_version()}
    for name in RECORDED_PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
