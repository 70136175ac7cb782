"""Which properties each modality shows: simple probes on figures by hand, fitted on one split, measured on the next.

A probe is a random forest; what it finds is a lower bound of what there is to be found.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import MODALITIES, PROPERTIES
from nsmodels.formats.clips.tables import Clips

NUM_TREES, LEAF, SHARE = 40, 2, 0.15
MOST_CLIPS = 3_000  # fitted on
LEAST_CLIPS = 200  # fitted on; fewer prove nothing
OTHER = 0.08  # difference to the empty scene, in [0, 1], at which a pixel belongs to something in it
FRAMES = (0, 5, 8, 11, 15)  # the pictures that are looked at
CLOSE, CLOSE_UP = 1, 20  # which of them close up, and how many pixels
BANDS, WINDOW = 24, 512


def identifiability(folder: Path, fitted: str = "train", measured: str = "test") -> NDArray[np.float64] | None:
    """Correlation of properties with what a probe predicts, (9, 3): by property and modality; None for few clips.

    A property that does not vary in the measured split, or a modality that is missing, has 0.
    """
    if not {fitted, measured} <= set(files.splits(folder)):
        return None
    train, test = (files.read(folder, split) for split in (fitted, measured))
    if train.properties is None or test.properties is None or min(len(train), 4 * len(test)) < LEAST_CLIPS:
        return None
    train = train.take(np.arange(min(len(train), MOST_CLIPS)))
    found = np.zeros((len(PROPERTIES), len(MODALITIES)))
    for column, modality in enumerate(MODALITIES):
        if train.has(modality).all() and test.has(modality).all():
            found[:, column] = _correlations(train, test, modality)
    return found


def table(found: NDArray[np.float64]) -> list[str]:
    """The matrix as lines of text."""
    lines = [f"{'property':<14}" + "".join(f"{modality:>9}" for modality in MODALITIES)]
    return lines + [
        f"{name:<14}" + "".join(f"{r:>9.2f}" for r in row) for name, row in zip(PROPERTIES, found, strict=True)
    ]


def figures(clips: Clips, modality: str, empty: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Figures by hand of one modality, float32 (n, F); `empty`: the scene without anything in it, see `empty_scene`."""
    if modality == "audio":
        assert clips.audio is not None
        return _of_sound(np.asarray(clips.audio, np.float32))
    if modality == "proprio":
        assert clips.proprio is not None
        parts = [clips.proprio, *([clips.actions] if clips.actions is not None else [])]
        return np.concatenate([np.asarray(part, np.float32).reshape(len(clips), -1) for part in parts], axis=1)
    assert clips.video is not None
    assert empty is not None
    steps = [step for step in FRAMES if step < clips.video.shape[1]]
    return np.stack([_of_video(video[steps] / np.float32(255), empty) for video in clips.video])


def empty_scene(clips: Clips, most: int = 200) -> NDArray[np.float32]:
    """Median of the first pictures of up to `most` clips, float32 (H, W, 3) in [0, 1]."""
    assert clips.video is not None
    return (np.median(clips.video[:most, 0], axis=0) / 255).astype(np.float32)


def _correlations(train: Clips, test: Clips, modality: str) -> NDArray[np.float64]:
    from sklearn.ensemble import ExtraTreesRegressor

    empty = empty_scene(train) if modality == "vision" else None
    probe = ExtraTreesRegressor(NUM_TREES, min_samples_leaf=LEAF, max_features=SHARE, random_state=0)
    probe.fit(figures(train, modality, empty), train.properties)
    predicted, truth = probe.predict(figures(test, modality, empty)), np.asarray(test.properties)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = [np.corrcoef(predicted[:, k], truth[:, k])[0, 1] for k in range(truth.shape[1])]
    return np.nan_to_num(np.array(found))


def _of_video(video: NDArray, empty: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of some pictures, what is not the empty scene: area, middle, width, colours, texture; a close-up of one."""
    is_other = np.abs(video - empty).max(axis=-1) > OTHER
    found = []
    for number, (picture, mask) in enumerate(zip(video, is_other, strict=True)):
        places, inside = np.argwhere(mask).astype(np.float32), picture[mask]
        middle = places.mean(axis=0) if len(places) else np.zeros(2)
        parts = [inside.mean(axis=0), places.std(axis=0), inside.std(axis=0)] if len(places) else [np.zeros(8)]
        found += [[len(places)], middle, *parts, _texture(picture.mean(axis=-1), mask)]
        if number == CLOSE:
            found.append(_close_up(picture, middle))
    return np.concatenate(found).astype(np.float32)


def _close_up(picture: NDArray, middle: NDArray) -> NDArray:
    """The square around a place, (CLOSE_UP * CLOSE_UP * 3,)."""
    first = np.clip(middle.astype(int) - CLOSE_UP // 2, 0, np.array(picture.shape[:2]) - CLOSE_UP)
    return picture[first[0] : first[0] + CLOSE_UP, first[1] : first[1] + CLOSE_UP].reshape(-1)


def _texture(grey: NDArray, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Quartiles of the difference between a pixel of the mask and its four neighbours."""
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    inside = np.abs(4 * grey[1:-1, 1:-1] - around)[mask[1:-1, 1:-1]]
    quartiles = np.percentile(inside, (25, 50, 75)) if len(inside) else np.zeros(3)
    return np.asarray(quartiles, np.float32)


def _of_sound(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log energy in bands, evenly spread over log frequency, in windows; float32 (n, windows * BANDS)."""
    num = sound.shape[1] // WINDOW
    windows = sound[:, : num * WINDOW].reshape(len(sound), num, WINDOW) * np.hanning(WINDOW).astype(np.float32)
    power = np.abs(np.fft.rfft(windows, axis=-1)).astype(np.float32) ** 2
    edges = np.unique(np.geomspace(1, power.shape[-1], BANDS + 1).astype(int))
    bands = np.add.reduceat(power, edges[:-1], axis=-1)
    return np.log10(bands + 1e-9).reshape(len(sound), -1)
