"""Recordings that were read from somewhere, as the files of a split: written one by one, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.core.progress import counted
from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import MODALITIES, PROPRIO
from nsmodels.formats.clips.tables import Clips

SIDE = 64  # pixels
NUM_STEPS = 16
SAMPLE_RATE = 16_000  # Hz
NUM_SAMPLES = 16_000
NO_LABEL = "unknown"
ARRAYS = dict(zip(MODALITIES, ("video", "audio", "proprio"), strict=True))


@dataclass(frozen=True)
class Recording:
    """One clip as it was read; what it lacks is None.

    Attributes:
        name: different in the whole data set.
        label: name of its class.
        vision: uint8 (T, SIDE, SIDE, 3); a picture has T = 1.
        audio: float (NUM_SAMPLES,), in units of full scale.
        proprio: float (NUM_STEPS, 20).
    """

    name: str
    label: str = NO_LABEL
    vision: np.ndarray | None = None
    audio: np.ndarray | None = None
    proprio: np.ndarray | None = None


@dataclass(frozen=True)
class Readings:
    """The recordings of a split, read one at a time.

    Attributes:
        num: how many there are at most.
        num_frames: T of `vision`.
        recordings: of them, read once.
    """

    num: int
    num_frames: int
    recordings: Iterator[Recording]


def write_splits(folder: Path, readings: Mapping[str, Readings]) -> dict[str, Any]:
    """Write the files of all splits; returns for each the number of clips, and of those with each modality.

    Raises InputError for a split without clips.
    """
    written = {split: _write_arrays(folder, split, each) for split, each in readings.items()}
    labels = sorted({label for clips, names in written.values() for label in names})
    found = {}
    for split, (clips, names) in written.items():
        column = np.array([labels.index(name) for name in names], np.int64)
        files.write_table(folder, split, replace(clips, columns={"label": column}, words={"label": tuple(labels)}))
        found[split] = {"clips": len(clips)} | {m: int(clips.has(m).sum()) for m in MODALITIES}
    return found


def _write_arrays(folder: Path, split: str, readings: Readings) -> tuple[Clips, list[str]]:
    """Write the arrays of a split; returns the names and modalities of its clips, and their labels."""
    shapes = {
        "video": (readings.num, readings.num_frames, SIDE, SIDE, 3),
        "audio": (readings.num, NUM_SAMPLES),
        "proprio": (readings.num, NUM_STEPS, len(PROPRIO)),
    }
    observed, ids, labels, arrays = np.zeros((readings.num, len(MODALITIES)), bool), [], [], {}
    for row, each in enumerate(counted(readings.recordings, readings.num, f"reading {split}", "clip")):
        ids.append(each.name)
        labels.append(each.label)
        for column, modality in enumerate(MODALITIES):
            if (values := getattr(each, modality)) is None:
                continue
            name, observed[row, column] = ARRAYS[modality], True
            if name not in arrays:
                files.create(folder, split, {name: shapes[name]})
                arrays[name] = files.opened(folder, split, name)
            arrays[name][row] = values
    if not ids:
        raise InputError(f"split {split}: no clips; expected at least one")
    for name in arrays if len(ids) < readings.num else ():
        files.shorten(folder, split, name, len(ids))
    return Clips(np.array(ids), observed[: len(ids)]), labels


def picture(path: Path, content: Any = None) -> np.ndarray:
    """A picture as uint8 (1, SIDE, SIDE, 3): the square in its middle, scaled; `content`: a stream to read instead.

    Raises InputError naming `path`.
    """
    from PIL import Image

    try:
        with Image.open(content or path) as found:
            return squared(found.convert("RGB"))[None]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: not readable as a picture ({error}); expected a .jpg or .png file") from None


def squared(found: Any) -> np.ndarray:
    """The square in the middle of a PIL picture in RGB, scaled: uint8 (SIDE, SIDE, 3)."""
    from PIL import ImageOps

    return np.asarray(ImageOps.fit(found, (SIDE, SIDE)), np.uint8)


def sound(path: Path, content: Any = None, resample: bool = False) -> np.ndarray:
    """The first second of a sound as float32 (NUM_SAMPLES,), channels averaged; `content`: a stream to read instead.

    Raises InputError naming `path`, for a different rate unless it is to `resample`, and for less than a second.
    """
    import soundfile

    try:
        values, rate = soundfile.read(content or path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        raise InputError(f"{path}: not readable as a sound ({error}); expected a .wav file") from None
    mono = values.mean(axis=1)
    if rate != SAMPLE_RATE:
        if not resample:
            raise InputError(f"{path}: has {rate:,} Hz; expected {SAMPLE_RATE:,} Hz, resample it first")
        mono = _resampled(mono, rate)
    if len(mono) < NUM_SAMPLES:
        raise InputError(
            f"{path}: lasts {len(mono) / SAMPLE_RATE:.2f} s; expected {NUM_SAMPLES / SAMPLE_RATE:g} s or more"
        )
    if not np.isfinite(mono).all():
        raise InputError(f"{path}: has values that are no numbers; expected samples in [-1, 1]")
    return mono[:NUM_SAMPLES]


def forces(path: Path) -> np.ndarray:
    """What a hand felt, from a .npy file: float32 (NUM_STEPS, 20), see `names.PROPRIO`; raises InputError naming it."""
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: not readable as an array ({error}); expected a .npy file") from None
    expected = (NUM_STEPS, len(PROPRIO))
    if not isinstance(values, np.ndarray) or values.shape != expected or values.dtype.kind not in "fiu":
        shown = f"{values.dtype} {values.shape}" if isinstance(values, np.ndarray) else "several arrays"
        raise InputError(f"{path}: has {shown}; expected numbers {expected}: steps, and channels from x to heat")
    if not np.isfinite(values).all():
        raise InputError(f"{path}: has values that are no numbers; expected finite ones")
    return values.astype(np.float32)


def _resampled(values: np.ndarray, rate: int) -> np.ndarray:
    from math import gcd

    from scipy.signal import resample_poly

    common = gcd(rate, SAMPLE_RATE)
    return resample_poly(values, SAMPLE_RATE // common, rate // common).astype(np.float32)
