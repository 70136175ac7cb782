"""How many objects of the training images have each name; kept in `names.json` of a checkpoint, to tell rare names."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from nsmodels.core import disk
from nsmodels.core.errors import InputError
from nsmodels.systems.natural.perception.labels import Photograph

FILE = "names.json"


def write(folder: Path, photographs: Iterable[Photograph]) -> None:
    """Count the names of training images and write the file into a checkpoint folder."""
    disk.write_json(folder / FILE, Counter(thing.name for each in photographs for thing in each.graph))


def read(folder: Path) -> Mapping[str, int]:
    """Counts by name; empty for a checkpoint without the file, made before there was one. Raises `InputError`."""
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        return {str(name): int(count) for name, count in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        raise InputError(f"{path}: cannot be read; the checkpoint is broken, train it again") from None
