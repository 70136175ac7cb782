"""From a sealed artifact to what Dagster records and shows: numbers, tables, pictures, paths, provenance."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from nsmodels.core.artifact import Manifest, folder_of
from pipeline.lib import staleness
from pipeline.lib.display import pictures

IS_SHOWN = "is_reused"  # stands in the metadata of every materialisation that its own step recorded
Metadata = dict[str, Any]


def result(manifest: Manifest, **shown: Any) -> dg.MaterializeResult:
    """The result of a step that made or reused an artifact; its data version is the fingerprint."""
    return dg.MaterializeResult(
        metadata={**shown, **metadata(manifest)}, data_version=dg.DataVersion(manifest.fingerprint)
    )


def materialization(
    context: dg.AssetExecutionContext, key: str, manifest: Manifest, partition: str | None = None, **shown: Any
) -> dg.AssetMaterialization:
    """The record of an artifact made outside of its own step, or one of several partitions of a step."""
    tags = staleness.tags(context, dg.AssetKey(key), manifest)
    return dg.AssetMaterialization(key, metadata={**shown, **metadata(manifest)}, partition=partition, tags=tags)


def shown_before(context: dg.AssetExecutionContext, manifest: Manifest) -> Metadata | None:
    """What the last materialisation showed, if it was of this very artifact: it need not be drawn again."""
    event = context.instance.get_latest_materialization_event(context.asset_key)
    last = event.asset_materialization if event else None
    if (
        last is None
        or (last.tags or {}).get(staleness.DATA_VERSION) != manifest.fingerprint
        or IS_SHOWN not in last.metadata
    ):
        return None
    return dict(last.metadata)


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
        elif value is None or isinstance(value, (bool, int, float, str)):
            flat[f"{prefix}{name}"] = rounded(value)
        else:
            flat[f"{prefix}{name}"] = dg.MetadataValue.json(value)
    return flat


def rounded(value: Any) -> Any:
    """A float with six significant digits; the whole of it stands in the manifest."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def columns(path: Path, said: Mapping[str, str] | None = None) -> Metadata:
    """The columns and the number of rows of a parquet file; `said` describes columns that the file does not."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    shown = [
        dg.TableColumn(field.name, _kind(field.type), (said or {}).get(field.name) or _description(field.metadata))
        for field in file.schema_arrow
    ]
    return {"dagster/column_schema": dg.TableSchema(shown), "dagster/row_count": file.metadata.num_rows}


def _kind(kind: Any) -> str:
    """The type of a column as a person would call it."""
    plain = kind.value_type if hasattr(kind, "index_type") else kind  # a column of few values names each once
    return str(plain).removeprefix("large_")


def _description(metadata: Mapping[bytes, bytes] | None) -> str | None:
    said = (metadata or {}).get(b"description")
    return said.decode() if said else None


def made_from(manifest: Manifest) -> dg.MarkdownMetadataValue:
    """The inputs of an artifact with their fingerprints, as a table."""
    rows = [f"| {key} | `{record.fingerprint}` | {record.path} |" for key, record in manifest.inputs.items()]
    if not rows:
        return dg.MetadataValue.md("no input artifacts")
    return dg.MetadataValue.md("\n".join(["| input | fingerprint | folder |", "| --- | --- | --- |", *rows]))


def pages(folder: Path) -> Metadata:
    """Every figure and every text table of an artifact inline, what bears the same name together."""
    paths = sorted(
        [*folder.rglob("*.txt"), *folder.rglob("*.png")], key=lambda path: (path.stem, path.suffix != ".txt")
    )
    return {stem: together(list(group)) for stem, group in itertools.groupby(paths, lambda path: path.stem)}


def together(paths: list[Path]) -> dg.MarkdownMetadataValue:
    """Texts and pictures, one below the other."""
    shown = [pictures.inline(path) if path.suffix == ".png" else text(path.read_text()) for path in paths]
    return dg.MetadataValue.md("\n\n".join(str(part.value) for part in shown))


def text(content: str) -> dg.MarkdownMetadataValue:
    """Plain text with its alignment kept."""
    return dg.MetadataValue.md(f"```\n{content.rstrip()}\n```")
