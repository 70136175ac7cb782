"""Clips from data sets of the package `datasets`: pictures, videos or sounds, by name or from a folder on this machine.

Nothing is downloaded unless it is allowed to be: otherwise names are looked up among what is here already. Downloads
are streamed, so that no more is fetched than is used. Sounds are decoded by soundfile, for which `datasets` would need
torchcodec.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.formats.clips import recordings
from nsmodels.formats.clips.recordings import NO_LABEL, NUM_STEPS, Readings, Recording

NAMES = {"validation": "val", "valid": "val", "dev": "val"}  # of splits
SAVED = ("dataset_dict.json", "state.json")  # what `save_to_disk` writes
SOUND = "audio"  # column of a folder of sounds: paths, whose folders are the labels


@dataclass(frozen=True)
class Request:
    """Which data set, as `name` or path, for `vision` or `audio`, and at most how many examples of each split."""

    name: str
    modality: str
    limit: int
    may_download: bool = False


def read(requests: list[Request]) -> dict[str, Readings]:
    """The readings of each split of all data sets, one after the other; clips of different data sets are no partners.

    Raises InputError where the package or a data set is missing, where it holds neither pictures, videos nor sounds of
    the kind that is asked for, and, while the recordings are read, for what cannot be decoded.
    """
    found = [(request, _opened(request)) for request in requests]
    splits = sorted({str(split) for _, each in found for split in each})
    names = {NAMES.get(split, split): split for split in splits}
    if len(names) < len(splits):
        raise InputError(f"{requests[0].name}: has two splits for validation ({', '.join(splits)}); expected one")
    parts = {
        ours: [(request, each[theirs]) for request, each in found if theirs in each] for ours, theirs in names.items()
    }
    return {split: _readings(split, some) for split, some in parts.items()}


def _readings(split: str, parts: list[tuple[Request, Any]]) -> Readings:
    sources = [_Source(split, request, data, *_columns(request, data)) for request, data in parts]
    num_frames = NUM_STEPS if any(source.kind == "Video" for source in sources) else 1
    return Readings(sum(map(len, sources)), num_frames, (each for source in sources for each in source.recordings()))


def _opened(request: Request) -> Any:
    """The splits of a data set by name."""
    if importlib.util.find_spec("datasets") is None:
        raise InputError("source=hub needs the package 'datasets'; install the extra: pip install 'nsmodels[hub]'")
    from datasets.exceptions import DatasetsError

    import datasets

    is_here = Path(request.name).exists()
    if is_here and any((Path(request.name) / name).is_file() for name in SAVED):
        found = datasets.load_from_disk(request.name)
        return found if isinstance(found, dict) else {"train": found}
    try:
        with _offline(is_here or not request.may_download):
            options = _options(request) if is_here else {}
            return datasets.load_dataset(request.name, streaming=is_here or request.may_download, **options)
    except (OSError, ValueError, DatasetsError) as error:
        remedy = "" if is_here or request.may_download else "; allow downloads with may_download, or give a folder"
        raise InputError(f"{request.name}: not readable as a data set ({error}){remedy}") from None


@contextmanager
def _offline(is_offline: bool) -> Iterator[None]:
    """No request leaves this machine inside the block."""
    from datasets import config

    before = config.HF_HUB_OFFLINE
    config.HF_HUB_OFFLINE = before or is_offline
    try:
        yield
    finally:
        config.HF_HUB_OFFLINE = before


def _options(request: Request) -> dict[str, Any]:
    """A folder of sounds is read as one of paths: encoding sounds, which no one needs, takes torchcodec."""
    from datasets.packaged_modules.audiofolder.audiofolder import AudioFolder

    import datasets

    if isinstance(datasets.load_dataset_builder(request.name), AudioFolder):
        return {"features": datasets.Features({SOUND: datasets.Value("string")})}
    return {}


def _columns(request: Request, data: Any) -> tuple[str, str, str | None]:
    """Column of the recordings, its kind (Image, Video, Audio, or Value for paths), and that of the labels if any."""
    kinds = {"vision": ("Image", "Video"), "audio": ("Audio",)}[request.modality]
    names = {name: type(feature).__name__ for name, feature in (data.features or {}).items()}
    if request.modality == "audio" and names == {SOUND: "Value"}:
        return SOUND, "Value", None
    column = next((name for name, kind in names.items() if kind in kinds), None)
    if column is None:
        shown = ", ".join(f"{name} ({kind})" for name, kind in names.items()) or "none"
        raise InputError(f"{request.name}: no column of type {' or '.join(kinds)} for {request.modality}; has {shown}")
    if names[column] == "Video" and importlib.util.find_spec("torchcodec") is None:
        raise InputError(f"{request.name}: videos need the package 'torchcodec'; install it, or give pictures")
    return column, names[column], next((name for name, kind in names.items() if kind == "ClassLabel"), None)


@dataclass(frozen=True)
class _Source:
    """One split of a data set: the column of its recordings, its kind, and that of the labels."""

    split: str
    request: Request
    data: Any
    column: str
    kind: str
    label: str | None

    def __len__(self) -> int:
        """At most so many examples: streams have no length."""
        return min(self.request.limit, len(self.data)) if hasattr(self.data, "__len__") else self.request.limit

    def recordings(self) -> Iterator[Recording]:
        """The first examples, decoded."""
        import datasets

        data = self.data
        if self.kind in ("Audio", "Image"):
            data = data.cast_column(self.column, getattr(datasets, self.kind)(decode=False))
        names = data.features[self.label].names if self.label else []
        for number, example in enumerate(islice(iter(data), self.request.limit)):
            value = example[self.column]
            label = names[example[self.label]] if names and example[self.label] >= 0 else NO_LABEL
            if self.kind == "Value":
                label, value = Path(value).parent.name, {"path": value, "bytes": None}
            name = f"{self.split}/{Path(self.request.name).name}/{self.request.modality}/{number}"
            yield Recording(name, label, **{self.request.modality: self._decoded(value, number)})

    def _decoded(self, value: Any, number: int) -> np.ndarray:
        if self.kind == "Video":
            return _frames(value)
        path = Path(value["path"] or f"{self.request.name}: example {number}")
        content = io.BytesIO(value["bytes"]) if value["bytes"] is not None else None
        if self.kind == "Image":
            return recordings.picture(path, content)
        return recordings.sound(path, content, resample=True)


def _frames(video: Any) -> np.ndarray:
    """NUM_STEPS frames, evenly spread: uint8 (NUM_STEPS, SIDE, SIDE, 3); `video` is a decoder of torchcodec."""
    from PIL import Image

    chosen = np.linspace(0, video.metadata.num_frames - 1, NUM_STEPS).astype(int).tolist()
    frames = video.get_frames_at(indices=chosen).data.permute(0, 2, 3, 1).numpy()
    return np.stack([recordings.squared(Image.fromarray(frame)) for frame in frames])
