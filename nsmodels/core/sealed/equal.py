"""Artifacts that were built elsewhere under the data root from the same: copied instead of being built once more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nsmodels.core.config import differences
from nsmodels.core.errors import InputError
from nsmodels.core.orders import PARENT
from nsmodels.core.sealed import inventory, verification
from nsmodels.core.sealed.folders import data_root
from nsmodels.core.sealed.inputs import input_folder, records_of
from nsmodels.core.sealed.manifest import MANIFEST, FileRecord, InputRecord, Manifest, manifest_of

HEAD = 1_000  # bytes of a manifest in which its maker stands


def find(
    folder: Path,
    maker: str,
    kind: str,
    config: Mapping[str, Any],
    code_version: str,
    inputs: Mapping[str, Path],
    seed: int | None,
) -> Path | None:
    """Folder of an intact artifact that a build of this recipe in `folder` would make again; None where there is none.

    Sealed inputs have to be the very ones, a parent one of equal files. Only what lies under the data root is
    compared, with what lies there; unsealed inputs are never taken for equal.
    """
    root = data_root()
    if root not in folder.resolve().parents:
        return None
    records = records_of(inputs)
    for place in inventory.folders(root):
        if place == folder.resolve() or not _is_made_by(place, maker):
            continue
        found = manifest_of(place)
        is_same = found and (found.maker, found.kind, found.code_version, found.seed) == (
            maker,
            kind,
            code_version,
            seed,
        )
        if found and is_same and not differences(found.config, config) and _has_inputs(found, records, inputs):
            return place if _is_intact(place) else None
    return None


def _is_made_by(place: Path, maker: str) -> bool:
    """Whether the manifest there seems to name this maker: those of data have megabytes, which are not read for it."""
    try:
        with (place / MANIFEST).open("rb") as stream:
            return f'"{maker}"'.encode() in stream.read(HEAD)
    except OSError:
        return False


def _has_inputs(found: Manifest, records: Mapping[str, InputRecord], inputs: Mapping[str, Path]) -> bool:
    if not all(record.manifest_sha256 for record in records.values()):
        return False
    own, wanted = _seals(found.inputs), _seals(records)
    parents = [_files(input_folder(key, r), r) for key, r in found.inputs.items() if r.role == PARENT]
    return own == wanted and parents == [_files(inputs[key], r) for key, r in records.items() if r.role == PARENT]


def _seals(records: Mapping[str, InputRecord]) -> dict[str, str]:
    """Checksum of the manifest of each input that is no parent, by key."""
    return {key: record.manifest_sha256 for key, record in records.items() if record.role != PARENT}


def _files(folder: Path, record: InputRecord) -> dict[str, FileRecord] | str:
    """The files of an input; of one that was made again since, what equals nothing else."""
    manifest = manifest_of(folder)
    is_same = manifest is not None and verification.seal_of(folder) == record.manifest_sha256
    return manifest.files if manifest and is_same else f"{folder}: {record.manifest_sha256}"


def _is_intact(place: Path) -> bool:
    try:
        verification.require_intact(place)
    except InputError:
        return False
    return True
