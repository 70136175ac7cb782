"""Metadata that Dagster records and shows for a sealed artifact: a summary, tables, pictures, numbers, provenance.

The web UI keeps their order. It would show `dagster/column_schema` above all of them, so that columns have a plain key.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from nsmodels.core.artifact import Manifest, folder_of
from nsmodels.core.config import flat
from pipeline.lib import staleness
from pipeline.lib.display import answers, pictures

NARROW, IN_PLACE = 58, 1000  # characters of a line that fits the page; of markdown from which on it needs a click
IS_SHOWN = "is_reused"  # key in the metadata of every materialisation recorded by the asset's own step
Metadata = dict[str, Any]
NUMBERS = int, float, dg.IntMetadataValue, dg.FloatMetadataValue


def result(manifest: Manifest, **shown: Any) -> dg.MaterializeResult:
    """Result of a step that built or reused an artifact, with `shown` as additional metadata.

    The data version is the fingerprint of the artifact.
    """
    return dg.MaterializeResult(metadata=page(manifest, shown), data_version=dg.DataVersion(manifest.fingerprint))


def materialization(
    context: dg.AssetExecutionContext, key: str, manifest: Manifest, partition: str | None = None, **shown: Any
) -> dg.AssetMaterialization:
    """Event for an artifact that was built outside of its own step, or for one of several partitions of a step."""
    tags = staleness.tags(context, dg.AssetKey(key), manifest)
    return dg.AssetMaterialization(key, metadata=page(manifest, shown), partition=partition, tags=tags)


def shown_before(context: dg.AssetExecutionContext, manifest: Manifest) -> Metadata | None:
    """Metadata of the last materialisation if it recorded the same artifact, so that it need not be drawn again."""
    event = context.instance.get_latest_materialization_event(context.asset_key)
    last = event.asset_materialization if event else None
    if (
        last is None
        or (last.tags or {}).get(staleness.DATA_VERSION) != manifest.fingerprint
        or not {IS_SHOWN, answers.KEY} <= last.metadata.keys()  # those of before the summary are drawn again
    ):
        return None
    return dict(last.metadata)


def page(manifest: Manifest, shown: Mapping[str, Any]) -> Metadata:
    """Everything for the page of an asset: the summary, pictures, tables and texts `shown`, numbers, provenance.

    A summary in `shown` is replaced in its place.
    """
    numbers = {name: value for name, value in shown.items() if isinstance(value, NUMBERS)}
    ordered = shown if answers.KEY in shown else {answers.KEY: "", **shown}
    others = {name: value for name, value in ordered.items() if name not in numbers}
    return {**others, **numbers, **metadata(manifest), answers.KEY: answers.summary(manifest, shown)}


def metadata(manifest: Manifest) -> Metadata:
    """Metadata of a manifest: its metrics one by one (Dagster plots them over time), then its provenance."""
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


def numbers(metrics: Mapping[str, Any]) -> Metadata:
    """Nested metrics as flat entries `section/name`: numbers and text unchanged, other types as JSON."""
    plain = (bool, int, float, str)
    return {
        name: rounded(value) if value is None or isinstance(value, plain) else dg.MetadataValue.json(value)
        for name, value in flat(metrics, separator="/").items()
    }


def first_look(scores: Mapping[str, float], metric: str = "") -> Metadata:
    """Scores of a first look, the model's own first; `metric`: the one that all of them are, "success"."""
    return numbers({"first_look": dict(scores)}) | ({answers.LOOK_METRIC: metric} if metric else {})


def rounded(value: Any) -> Any:
    """A float rounded to six significant digits, other values unchanged; the manifest contains all digits."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def columns(path: Path, descriptions: Mapping[str, str] | None = None) -> Metadata:
    """Schema and number of rows of a parquet file; `descriptions` by column override those in the file."""
    import pyarrow.parquet as pq

    file, given = pq.ParquetFile(path), descriptions or {}
    shown = [
        dg.TableColumn(field.name, _type_name(field.type), given.get(field.name) or _description(field.metadata))
        for field in file.schema_arrow
    ]
    return {"columns": dg.TableSchema(shown), "dagster/row_count": file.metadata.num_rows}


def table(rows: Sequence[Mapping[str, str]], about: Mapping[str, str]) -> dg.TableMetadataValue:
    """A table with the columns of `about`, which describes them; the UI shows it in place."""
    records = [dg.TableRecord({name: row.get(name, "-") for name in about}) for row in rows]
    columns = [dg.TableColumn(name, "string", text) for name, text in about.items()]
    return dg.MetadataValue.table(records, dg.TableSchema(columns))


def _type_name(kind: Any) -> str:
    """Name of the type of a column, for a dictionary-encoded column that of its values."""
    plain = kind.value_type if hasattr(kind, "index_type") else kind
    return str(plain).removeprefix("large_")


def _description(metadata: Mapping[bytes, bytes] | None) -> str | None:
    description = (metadata or {}).get(b"description")
    return description.decode() if description else None


def checkpoints(folder: Path) -> Metadata:
    """Every checkpoint of a sealed model with its scores as a table."""
    from nsmodels.commands import checkpoint_table

    return {"checkpoints": text(checkpoint_table.text(checkpoint_table.rows(folder)))}


def made_from(manifest: Manifest) -> dg.MarkdownMetadataValue:
    """The inputs of an artifact with their fingerprints and folders."""
    rows = [f"- `{key}` {record.fingerprint}, {record.path}" for key, record in manifest.inputs.items()]
    return dg.MetadataValue.md("\n".join(rows) or "no input artifacts")


def pages(folder: Path) -> Metadata:
    """All figures (PNG) and text tables below a folder, by file stem; files of the same stem share an entry."""
    paths = sorted(
        [*folder.rglob("*.txt"), *folder.rglob("*.png")], key=lambda path: (path.stem, path.suffix != ".txt")
    )
    return {stem: together(list(group)) for stem, group in itertools.groupby(paths, lambda path: path.stem)}


def together(paths: list[Path]) -> dg.MarkdownMetadataValue:
    """Text files and pictures in one entry, in order."""
    shown = [
        pictures.inline(path) if path.suffix == ".png" else text(path.read_text(encoding="utf-8")) for path in paths
    ]
    return dg.MetadataValue.md("\n\n".join(str(part.value) for part in shown))


def text(content: str) -> dg.MarkdownMetadataValue:
    """Preformatted text as a markdown code block; wide text opens on a click, in place it would stretch the page."""
    shown = f"```\n{content.rstrip()}\n```"
    is_wide = max(map(len, content.splitlines()), default=0) > NARROW
    return dg.MetadataValue.md(shown.ljust(IN_PLACE, "\n") if is_wide else shown)
