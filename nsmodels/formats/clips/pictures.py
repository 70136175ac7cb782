"""Clips to look at and to listen to: frames, spectrogram and forces in one figure, a GIF, a WAV.

What a clip does not have is left out: its part of the figure stays empty, a file of it is an InputError.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.disk import atomically, writing
from nsmodels.core.errors import InputError
from nsmodels.evaluation import plots
from nsmodels.formats.clips.names import MODALITIES, PROPRIO, VERBS
from nsmodels.formats.clips.tables import Clips

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FRAMES = 8  # of the steps of a clip that a figure contains
WINDOW, HOP = 512, 128  # samples
FLOOR, LOUD = -90.0, -20.0  # dB re full scale, the darkest and the brightest of a spectrogram
GAP = 2  # pixels between two frames
FORCES = ("force_x", "force_y", "force_z")
SCALE = 4  # pixels of a GIF by pixel of the video
ROW_HEIGHT, WIDTH, MOST_ROWS = 1.35, 13.0, 24


def figure_of(clips: Clips) -> Figure:
    """A figure with a row per clip, at most 24: frames, spectrogram, forces at the wrist."""
    from matplotlib.figure import Figure

    rows = min(len(clips), MOST_ROWS)
    figure = Figure(figsize=(WIDTH, ROW_HEIGHT * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, 3, squeeze=False, width_ratios=(6.4, 2, 2))
    for row in range(rows):
        _draw_frames(axes[row, 0], clips, row, row == 0)
        _draw_spectrogram(axes[row, 1], clips, row)
        _draw_forces(axes[row, 2], clips, row, row == 0)
    for axis, title in zip(
        axes[0], ("frames", f"sound: kHz, {FLOOR:g} to {LOUD:g} dB", "force at the wrist, N"), strict=True
    ):
        axis.set_title(title, fontsize=8, pad=14 if axis is axes[0, 0] else None)
    for axis in axes[-1, 1:]:
        axis.set_xlabel("s", fontsize=7)
    plots.keep_dollars(figure)
    return figure


def write_draw(clips: Clips, path: Path) -> None:
    """Write the figure of these clips: .png, .svg or .pdf."""
    with writing(path), atomically(path) as beside:
        figure_of(clips).savefig(beside, dpi=130, format=path.suffix[1:].lower())


def write_wav(clips: Clips, path: Path) -> None:
    """Write the sound of the first clip as 16-bit WAV; samples beyond full scale are clipped."""
    import soundfile

    _require(clips, "audio", path)
    assert clips.audio is not None
    sound = np.clip(clips.audio[0].astype(np.float32), -1, 1)
    with writing(path), atomically(path) as beside:
        soundfile.write(beside, sound, clips.sample_rate, subtype="PCM_16", format="WAV")


def write_gif(clips: Clips, path: Path) -> None:
    """Write the video of the first clip as a GIF that repeats, enlarged four times."""
    from PIL import Image

    _require(clips, "vision", path)
    assert clips.video is not None
    video = np.asarray(clips.video[0]).repeat(SCALE, axis=1).repeat(SCALE, axis=2)
    pictures = [Image.fromarray(frame) for frame in video]
    with writing(path), atomically(path) as beside:
        # A GIF has whole hundredths of a second.
        time = 10 * round(100 / clips.frame_rate)
        pictures[0].save(beside, format="GIF", save_all=True, append_images=pictures[1:], duration=time, loop=0)


def spectrogram(sound: NDArray) -> NDArray[np.float32]:
    """Level in dB re full scale, float32 (frequencies, times), of one sound (A,), by a Hann window of 512 samples."""
    frames = np.lib.stride_tricks.sliding_window_view(sound.astype(np.float32), min(WINDOW, len(sound)))[::HOP]
    window = np.hanning(frames.shape[1])
    amplitude = np.abs(np.fft.rfft(frames * window, axis=1)) * (2 / window.sum())
    return np.maximum(20 * np.log10(np.maximum(amplitude, 1e-9)), FLOOR).T.astype(np.float32)


def _require(clips: Clips, modality: str, path: Path) -> None:
    if not clips.has(modality)[0]:
        raise InputError(f"{path}: clip {clips.ids[0]} has no {modality}; choose a different one with --clip")


def _draw_frames(axis: Axes, clips: Clips, row: int, has_times: bool) -> None:
    axis.set_axis_off()
    title = "\n".join(word for word in (str(clips.ids[row]), _object(clips, row), _verb(clips, row)) if word)
    axis.text(-0.01, 0.5, title, transform=axis.transAxes, ha="right", va="center", fontsize=7)
    if clips.has(MODALITIES[0])[row] and clips.video is not None:
        video = np.asarray(clips.video[row])
        chosen = np.unique(np.linspace(0, len(video) - 1, FRAMES).round().astype(int))
        apart = np.pad(video[chosen], ((0, 0), (0, 0), (0, GAP), (0, 0)), constant_values=255)
        axis.imshow(np.concatenate(list(apart), axis=1), interpolation="nearest")
        for place, step in enumerate(chosen if has_times and len(video) > 1 else ()):
            middle = place * apart.shape[2] + video.shape[2] / 2
            axis.text(middle, -2, f"{(step + 1) / clips.frame_rate:.2f} s", ha="center", va="bottom", fontsize=6)


def _object(clips: Clips, row: int) -> str:
    """Its material and shape in words, or its label, as far as the source has them."""
    names = [name for name in ("material", "shape", "label") if name in clips.words and name in clips.columns]
    return " ".join(clips.words[name][int(clips.columns[name][row])] for name in names)


def _verb(clips: Clips, row: int) -> str:
    """What the hand does besides exploring, empty if it is not known."""
    if clips.actions is None:
        return ""
    number = np.asarray(clips.actions[row][:, : len(VERBS)], np.float32).sum(axis=0)
    return VERBS[1 + int(number[1:].argmax())] if number[1:].any() else VERBS[0]


def _draw_spectrogram(axis: Axes, clips: Clips, row: int) -> None:
    axis.tick_params(labelsize=6)
    if clips.has(MODALITIES[1])[row] and clips.audio is not None:
        level = spectrogram(np.asarray(clips.audio[row]))
        extent = (0, clips.audio.shape[1] / clips.sample_rate, 0, clips.sample_rate / 2000)
        axis.imshow(level, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=FLOOR, vmax=LOUD)


def _draw_forces(axis: Axes, clips: Clips, row: int, has_legend: bool) -> None:
    axis.tick_params(labelsize=6)
    if clips.has(MODALITIES[2])[row] and clips.proprio is not None:
        felt = np.asarray(clips.proprio[row], np.float32)
        time = (np.arange(len(felt)) + 1) / clips.frame_rate
        for name, colour in zip(FORCES, plots.COLOURS, strict=False):
            axis.plot(time, felt[:, PROPRIO.index(name)], color=colour, linewidth=1, label=name[-1])
        axis.set_xlim(0, math.ceil(10 * time[-1]) / 10)
        if has_legend:
            axis.legend(fontsize=6, loc="upper right", ncols=3, frameon=False)
