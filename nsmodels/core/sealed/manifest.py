"""The seal of an artifact: who made it from what, and size and checksum of each file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from nsmodels.core.config import Config
from nsmodels.core.orders import DATA

MANIFEST = "manifest.json"
NOTE = ".building"  # in a partial folder: what it is to become, see `unfinished.Note`


class Record(BaseModel):
    """Base class of what this project alone writes: as strict as a `Config`, without conversions of values.

    Those run in Python for every field, which takes most of the time to read a manifest of 85,000 files.
    """

    model_config = Config.model_config


class FileRecord(Record):
    """Size in bytes and SHA-256 of one file of an artifact."""

    bytes: int
    sha256: str


class InputRecord(Record):
    """One input of an artifact: its path at build time, its fingerprint, the hash of its manifest, its data source.

    A plain folder given by hand has no manifest: its hash is empty, its fingerprint covers names, sizes and JSON text.
    """

    path: str
    fingerprint: str
    manifest_sha256: str
    source: str
    licence: str = ""  # of the data in it; empty in manifests that were written before licences were recorded
    role: str = ""  # "data", "model" or "parent"; empty in manifests that were written before roles were recorded


class Manifest(Record):
    """The seal of an artifact: identity, recipe, inputs and files.

    Sizes are in bytes, times in seconds, `created` is ISO 8601 in UTC. `kind` distinguishes what one maker builds, as
    "training" and "study"; it is empty where a maker builds one kind only, and in older manifests. `licence`: that of
    the data in it, or from which it was made, see `licences`. `copy_of`: key of the artifact from which its files were
    copied, built from the same; commit, versions, machine, times and cost are then those of that build.
    """

    key: str
    maker: str
    kind: str = ""
    fingerprint: str
    code_version: str
    config: dict[str, Any]
    seed: int | None
    source: str
    licence: str = ""
    inputs: dict[str, InputRecord]
    metrics: dict[str, Any]
    files: dict[str, FileRecord]
    commit: str
    versions: dict[str, str]
    machine: str
    created: str
    wall_seconds: float
    cpu_seconds: float
    copy_of: str = ""

    @property
    def datasets(self) -> dict[str, InputRecord]:
        """The inputs that are data, by key."""
        return {key: record for key, record in self.inputs.items() if record.role in (DATA, "")}

    @property
    def num_bytes(self) -> int:
        """Bytes of all files."""
        return sum(record.bytes for record in self.files.values())


def manifest_of(folder: Path) -> Manifest | None:
    """The manifest in a folder; None where there is none, and where it is not one of this project."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None
