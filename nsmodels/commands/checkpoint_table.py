"""Checkpoints of a model with their metrics, each loadable by name: `nsmodels checkpoints NAME`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from nsmodels.core import artifact
from nsmodels.core.cli import Parser
from nsmodels.core.errors import InputError, near
from nsmodels.core.progress import readable
from nsmodels.core.sealed.manifest import manifest_of
from nsmodels.loading import MODEL, place_of

SUFFIX = ".pt"
BEST, LAST = "best", "last"
INTERVAL = "interval"  # saved every so many epochs
PARTIAL = ".{}.partial"  # folder of an unfinished training, beside that of the model
HISTORY = "history.json"
FIRST = ("name", "epoch", "kind")
LATER = ("size", "made")
TRAINING_LOSS = "train/loss"
Row = dict[str, Any]


def main(argv: Sequence[str]) -> int:
    """Print the table of a model's checkpoints; raises `InputError` where there are none."""
    arguments = _parser().parse_args(argv)
    found = rows(arguments.name, arguments.partition)
    print(text(found))
    print(f"\nnsmodels.load({arguments.name!r}, checkpoint={found[0]['name']!r}) loads the first one")
    return 0


def _parser() -> Parser:
    parser = Parser(prog="nsmodels checkpoints", description=__doc__)
    parser.add_argument("name", help="asset key of a model, as in nsmodels.load, or its folder; unfinished ones too")
    parser.add_argument("--partition", help="of a partitioned asset")
    return parser


def rows(name: str | Path, partition: str | None = None) -> list[Row]:
    """The checkpoints of a model; see `nsmodels.checkpoints`."""
    place = _folder(name, partition)
    found = [row for phase in _phases(place) for row in _of_phase(place, phase)]
    if not found:
        raise InputError(f"{place}: holds no checkpoint; give the key or the folder of a model")
    return found


def path_of(name: str | Path, checkpoint: str, partition: str | None = None) -> Path:
    """The file of one checkpoint of a model, "reasoner/epoch_0005"; raises InputError naming those that there are."""
    known = {row["name"]: row["path"] for row in rows(name, partition)}
    wanted = checkpoint.removesuffix(SUFFIX)
    if wanted not in known:
        raise InputError(f"checkpoint '{checkpoint}': not one of {name} ({', '.join(known)}){near(wanted, known)}")
    return known[wanted]


def text(found: Sequence[Row]) -> str:
    """The rows as a table; metrics that every checkpoint of the model lacks have no column."""
    columns = columns_of(found)
    cells = [list(columns), *([_cell(row.get(name)) for name in columns] for row in found)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(columns))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells)


def columns_of(found: Sequence[Row]) -> tuple[str, ...]:
    """Names of the columns: what each checkpoint is, its loss and validation scores, size and time."""
    metrics = [name for row in found for name in row if name == TRAINING_LOSS or name.startswith("val/")]
    return (*FIRST, *dict.fromkeys(metrics), *LATER)


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _folder(name: str | Path, partition: str | None) -> Path:
    """The folder of a model, or of its unfinished training where it has not been sealed yet."""
    place = place_of(name, partition, MODEL)
    if not place.exists():
        place = place.with_name(PARTIAL.format(place.name))
    if not place.is_dir():
        artifact.read_manifest(place_of(name, partition, MODEL))  # raises, with the remedy
    return place


def _phases(place: Path) -> list[str]:
    """Names of the networks in the order of their training, where the manifest has it, else sorted."""
    there = sorted({path.parent.name for path in place.glob(f"*/*{SUFFIX}")})
    manifest = manifest_of(place)
    order = [name.partition("/")[0] for name in manifest.metrics] if manifest else []
    return sorted(there, key=lambda phase: order.index(phase) if phase in order else len(order))


def _of_phase(place: Path, phase: str) -> list[Row]:
    folder = place / phase
    history = {row["epoch"]: row for row in _history(folder)}
    files = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: (path.stem != BEST, path.stem != LAST, path.stem))
    return [_row(place, path, history) for path in files if not path.name.startswith(".")]


def _row(place: Path, path: Path, history: Mapping[int, Row]) -> Row:
    epoch, metrics = _epoch(place, path, history)
    state, record = path.stat(), history.get(epoch, {}) or metrics
    numbers = {k: v for k, v in record.items() if k.startswith(("train/", "val/")) and isinstance(v, int | float)}
    return {
        "name": f"{path.parent.name}/{path.stem}",
        "epoch": epoch,
        "kind": path.stem if path.stem in (BEST, LAST) else INTERVAL,
        **numbers,
        "size": readable(state.st_size),
        "made": datetime.fromtimestamp(state.st_mtime).strftime("%Y-%m-%d %H:%M:%S"),
        "path": path,
    }


def _epoch(place: Path, path: Path, history: Mapping[int, Row]) -> tuple[int, Mapping[str, Any]]:
    """Epochs trained by a checkpoint; without history and manifest from the file itself, with what it recorded."""
    manifest = manifest_of(place)
    if path.stem.startswith("epoch_") and history:
        return int(path.stem.removeprefix("epoch_")), {}
    if path.stem == LAST and manifest and history:
        return max(history), {}
    epoch = manifest.metrics.get(f"{path.parent.name}/epoch", 0) if manifest and path.stem == BEST else 0
    if epoch in history:
        return int(epoch), {}
    from nsmodels.engine import checkpoint

    payload = checkpoint.load(path)
    return int(payload.get("epoch", 0)), payload.get("val_metrics", {})


def _history(folder: Path) -> list[Row]:
    path = folder / HISTORY
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    except ValueError:
        raise InputError(f"{path}: not JSON; restore a copy of it, or train again") from None
    return found if isinstance(found, list) else []
