"""From a sealed artifact to what Dagster records and shows: numbers, tables, pictures, paths, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from nsmodels.core.artifact import Manifest, folder_of
from pipeline.lib import pictures

DATA_VERSION = "dagster/data_version"
CODE_VERSION = "dagster/code_version"
IS_OWN_VERSION = "dagster/data_version_is_user_provided"
Metadata = dict[str, Any]


def result(manifest: Manifest, **shown: Any) -> dg.MaterializeResult:
    """The result of a step that made or reused an artifact; its data version is the fingerprint."""
    return dg.MaterializeResult(
        metadata={**metadata(manifest), **shown}, data_version=dg.DataVersion(manifest.fingerprint)
    )


def materialization(key: str, manifest: Manifest) -> dg.AssetMaterialization:
    """The record of an artifact made outside of its own step."""
    tags = {DATA_VERSION: manifest.fingerprint, IS_OWN_VERSION: "true", CODE_VERSION: manifest.code_version}
    return dg.AssetMaterialization(key, metadata={**metadata(manifest), **pages(folder_of(key))}, tags=tags)


def metadata(manifest: Manifest) -> Metadata:
    """Numbers of the manifest one by one (Dagster plots them over time), then where it came from."""
    return {
        **numbers(manifest.metrics),
        "source": manifest.source or "none",
        "seed": manifest.seed if manifest.seed is not None else "none",
        "made_from": made_from(manifest),
        "configuration": dg.MetadataValue.json(manifest.config),
        "path": dg.MetadataValue.path(str(folder_of(manifest.key))),
        "size_bytes": manifest.num_bytes,
        "wall_seconds": manifest.wall_seconds,
        "cpu_seconds": manifest.cpu_seconds,
        "fingerprint": manifest.fingerprint,
        "commit": manifest.commit,
        "created": manifest.created,
    }


def numbers(metrics: Mapping[str, Any], prefix: str = "") -> Metadata:
    """Nested metrics as flat entries `section/name`; text stays text, whatever else becomes JSON."""
    flat: Metadata = {}
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            flat |= numbers(value, f"{prefix}{name}/")
        elif isinstance(value, (bool, int, float, str)):
            flat[f"{prefix}{name}"] = value
        else:
            flat[f"{prefix}{name}"] = dg.MetadataValue.json(value)
    return flat


def made_from(manifest: Manifest) -> dg.MarkdownMetadataValue:
    """The inputs of an artifact with their fingerprints, as a table."""
    rows = [f"| {key} | `{record.fingerprint}` | {record.path} |" for key, record in manifest.inputs.items()]
    if not rows:
        return dg.MetadataValue.md("no input artifacts")
    return dg.MetadataValue.md("\n".join(["| input | fingerprint | folder |", "| --- | --- | --- |", *rows]))


def pages(folder: Path) -> Metadata:
    """Every figure and every text table of an artifact, shown inline under its file name."""
    found: Metadata = {}
    for path in sorted(folder.rglob("*.png")):
        if path.parent.name != "images" and path.parent.parent.name != "images":
            found[path.stem] = pictures.inline(path)
    for path in sorted(folder.rglob("*.txt")):
        found[path.stem] = text(path.read_text())
    return found


def text(content: str) -> dg.MarkdownMetadataValue:
    """Plain text with its alignment kept."""
    return dg.MetadataValue.md(f"```\n{content.rstrip()}\n```")
