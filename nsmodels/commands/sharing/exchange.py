"""Copies of sealed folders: put somewhere with their cards, and taken from there as they were sealed."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from nsmodels.commands.sharing.descriptions import describe
from nsmodels.commands.sharing.places import Place, place_of
from nsmodels.core import artifact, disk
from nsmodels.core.artifact import MANIFEST, Manifest
from nsmodels.core.errors import InputError
from nsmodels.core.progress import Progress
from nsmodels.core.sealed.folders import beside, locked, swap
from nsmodels.core.sealed.manifest import FileRecord
from nsmodels.core.transfer.directory import is_inside
from nsmodels.paper.cards.card import is_dataset

AT_ONCE = 8  # files


def push(folder: Path, address: str) -> list[str]:
    """Put a copy of the sealed `folder` at `address`, with cards and plain weights; the names of the files there.

    Raises `InputError` for a folder that is not as it was sealed, and for a place that cannot be written.
    """
    manifest = artifact.require_intact(folder)
    place = place_of(address, is_dataset(manifest))
    with tempfile.TemporaryDirectory(prefix="nsmodels-push-") as beside_it:
        written = describe(folder, manifest, Path(beside_it))
        files = {name: folder / name for name in manifest.files} | written
        place.put(files | {MANIFEST: folder / MANIFEST})
    return [*files, MANIFEST]


def pull(address: str, folder: Path | None = None, is_forced: bool = False, show: bool = True) -> tuple[Manifest, Path]:
    """Take the artifact at `address` as it was sealed; its manifest and folder, below the data root if not given.

    One with the same seal is kept as it is unless `is_forced`. A copy that breaks off is continued by the next call.
    Raises `InputError` for an address without a copy, a copy that differs from its seal, and a folder that holds
    anything else.
    """
    place = place_of(address)
    with tempfile.TemporaryDirectory(prefix="nsmodels-pull-") as read:
        text = _manifest_text(place, Path(read))
    manifest = _manifest(text, place)
    target = folder or artifact.folder_of(manifest.key)
    if not is_forced and (target / MANIFEST).is_file() and (target / MANIFEST).read_bytes() == text:
        return artifact.require_intact(target), target
    disk.require_folder(target)
    artifact.require_apart(target, {})
    artifact.require_replaceable(target, manifest.key, manifest.maker, manifest.kind)
    disk.require_space(target, manifest.num_bytes, f"the copy of {place.name}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target):
        fetched = beside(target, f"pulled-{manifest.fingerprint}")
        _fetch(place, manifest, fetched, show)
        disk.write_atomic(fetched / MANIFEST, text)
        swap(fetched, target)
    return artifact.require_intact(target), target


def _manifest_text(place: Place, folder: Path) -> bytes:
    place.fetch(MANIFEST, folder / MANIFEST, None)
    return (folder / MANIFEST).read_bytes()


def _manifest(text: bytes, place: Place) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise InputError(
            f"{place.name}: its {MANIFEST} is not one of this project ({error.error_count()} fields are wrong); "
            "check the address, or the version of nsmodels"
        ) from None
    if bad := next((name for name in (*manifest.files, manifest.key) if not is_inside(name)), None):
        raise InputError(f"{place.name}: its {MANIFEST} names '{bad}', which is outside of the folder; it is refused")
    return manifest


def _fetch(place: Place, manifest: Manifest, folder: Path, show: bool) -> None:
    """Files that an earlier call has fetched are kept where they are as sealed."""
    missing = {name: record for name, record in manifest.files.items() if not _is_there(folder / name, record)}
    done = manifest.num_bytes - sum(record.bytes for record in missing.values())
    with Progress(manifest.key, manifest.num_bytes, done, show) as bar, ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(partial(_fetch_one, place, folder, bar), *item) for item in missing.items()]
        try:
            for each in waiting:
                each.result()
        finally:
            pool.shutdown(cancel_futures=True)
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # of the hub's client


def _fetch_one(place: Place, folder: Path, bar: Progress, name: str, record: FileRecord) -> None:
    place.fetch(name, folder / name, record)
    bar.add(record.bytes)


def _is_there(path: Path, record: FileRecord) -> bool:
    if not path.is_file():
        return False
    if path.stat().st_size == record.bytes and disk.sha256_of(path) == record.sha256:
        return True
    path.unlink()
    return False
