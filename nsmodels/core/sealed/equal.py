"""Artifacts that were built elsewhere under the data root from the same: copied instead of being built once more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nsmodels.core.config import fingerprint
from nsmodels.core.orders import PARENT
from nsmodels.core.sealed import inventory, verification
from nsmodels.core.sealed.folders import data_root
from nsmodels.core.sealed.inputs import input_folder, records_of
from nsmodels.core.sealed.manifest import MANIFEST, FileRecord, InputRecord, Manifest, manifest_of

HEAD = 1_000  # bytes of a manifest in which its maker, kind and code version stand


def find(
    folder: Path,
    maker: str,
    kind: str,
    config: Mapping[str, Any],
    code_version: str,
    inputs: Mapping[str, Path],
    seed: int | None,
) -> Iterator[Path]:
    """Folders of artifacts that a build of this recipe in `folder` would make again; their files are not checked.

    Sealed inputs have to be the very ones, a parent one of equal files. Only what lies under the data root is
    compared, with what lies there; unsealed inputs are never taken for equal.
    """
    root, own = data_root(), folder.resolve()
    if root not in own.parents:
        return
    records, mark = records_of(inputs), fingerprint(dict(config))
    about = {"maker": maker, "kind": kind, "code_version": code_version}
    for place in inventory.folders(root):
        if place == own or not _may_be(place, about):
            continue
        found = manifest_of(place)
        if found is None or any(getattr(found, name) != value for name, value in about.items()) or found.seed != seed:
            continue
        if fingerprint(found.config) == mark and _has_inputs(found, records, inputs):
            yield place


def _may_be(place: Path, about: Mapping[str, str]) -> bool:
    """Whether the manifest there seems to be such a one: those of data have megabytes, which are not read for it."""
    try:
        with (place / MANIFEST).open("rb") as stream:
            head = stream.read(HEAD).decode(errors="replace")
    except OSError:
        return False
    return all(f'"{value}"' in head for value in about.values())


def _has_inputs(found: Manifest, records: Mapping[str, InputRecord], inputs: Mapping[str, Path]) -> bool:
    if not all(record.manifest_sha256 for record in records.values()):
        return False
    own, wanted = _seals(found.inputs), _seals(records)
    parents = [_files(input_folder(key, r), r) for key, r in found.inputs.items() if r.role == PARENT]
    return own == wanted and parents == [_files(inputs[key], r) for key, r in records.items() if r.role == PARENT]


def _seals(records: Mapping[str, InputRecord]) -> dict[str, str]:
    """Checksum of the manifest of each input that is no parent, by key; a single one may have any key."""
    found = {key: record.manifest_sha256 for key, record in records.items() if record.role != PARENT}
    return found if len(found) != 1 else {"": next(iter(found.values()))}


def _files(folder: Path, record: InputRecord) -> dict[str, FileRecord] | str:
    """The files of an input; of one that was made again since, what equals nothing else."""
    manifest = manifest_of(folder)
    is_same = manifest is not None and verification.seal_of(folder) == record.manifest_sha256
    return manifest.files if manifest and is_same else f"{folder}: {record.manifest_sha256}"
