"""Records of the inputs of an artifact: what they are when it is built."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from nsmodels.core.config import fingerprint
from nsmodels.core.disk import resolved, sha256_of
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
from nsmodels.core.sealed.folders import folder_of, read_manifest, recover
from nsmodels.core.sealed.manifest import MANIFEST, InputRecord, manifest_of


def records_of(inputs: Mapping[str, Path]) -> dict[str, InputRecord]:
    """What each input is, with its role where it has one."""
    records = {key: describe_input(folder) for key, folder in inputs.items()}
    roles = {key: inputs.role(key) for key in inputs} if isinstance(inputs, Inputs) else {}
    return {key: record.model_copy(update={"role": roles.get(key, "")}) for key, record in records.items()}


def describe_input(folder: Path) -> InputRecord:
    """Record of an input folder, sealed or plain; raises `InputError` when it does not exist."""
    path = str(resolved(folder))
    recover(folder)
    if (folder / MANIFEST).exists():
        manifest = read_manifest(folder)
        total = sha256_of(folder / MANIFEST)
        origin = {"source": manifest.source, "licence": manifest.licence}
        return InputRecord(path=path, fingerprint=manifest.fingerprint, manifest_sha256=total, **origin)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; make it first or give the right path")
    return InputRecord(path=path, fingerprint=_plain_mark(folder), manifest_sha256="", source="local")


def input_folder(key: str, record: InputRecord) -> Path:
    """Folder of a recorded input: under the current data root if present (a root may move), else as recorded."""
    place = folder_of(key)
    recover(place)
    manifest = manifest_of(place)
    return place if manifest and manifest.fingerprint == record.fingerprint else Path(record.path)


def common_source(inputs: Mapping[str, InputRecord]) -> str:
    """The sources of all inputs, each once."""
    return ", ".join(sorted({record.source for record in inputs.values()} - {""}))


def _plain_mark(folder: Path) -> str:
    names = sorted(path for path in _files_behind(folder) if path.is_file())
    listed = [(str(p.relative_to(folder)), p.stat().st_size) for p in names]
    return fingerprint([listed, [sha256_of(p) for p in names if p.suffix == ".json"]])


def _files_behind(folder: Path) -> Iterator[Path]:
    """Every file below a folder, also behind links to folders: readers follow them. Each link is followed once."""
    followed = {folder.resolve()}
    for place, inner, names in os.walk(folder, followlinks=True):
        yield from (Path(place, name) for name in names)
        for name in sorted(inner):
            if (link := Path(place, name)).is_symlink():
                target = Path(os.path.realpath(link))
                if target in followed or target in Path(os.path.realpath(place)).parents:
                    inner.remove(name)
                followed.add(target)
