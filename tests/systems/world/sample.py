"""Clips of the schema without physics: coloured squares that move, tones that decay. For what any clips will do."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nsmodels.formats.clips import files
from nsmodels.formats.clips.names import ACTION, AFFORDANCES, EVENTS, OUTCOMES, PROPERTIES, PROPRIO, STATES
from nsmodels.formats.clips.tables import Clips

STEPS, SIZE, RATE = 16, 64, 16_000


def sample_clips(num: int, seed: int = 0, size: int = SIZE, samples: int = RATE) -> Clips:
    """`num` clips: a class of eight gives colour and tone, everything else is random."""
    random = np.random.default_rng(seed)
    kind, place, speed = random.integers(0, 8, num), random.random((num, 2)), random.normal(0, 0.1, (num, 2))
    return Clips(
        ids=np.array([f"{seed}-{k}" for k in range(num)]),
        observed=np.ones((num, 3), bool),
        video=_video(kind, place, speed, size),
        audio=_audio(kind, samples, random),
        proprio=random.normal(size=(num, STEPS, len(PROPRIO))).astype(np.float32),
        actions=random.normal(size=(num, STEPS, len(ACTION))).astype(np.float32),
        states=random.normal(size=(num, STEPS, len(STATES))).astype(np.float32),
        properties=random.random((num, len(PROPERTIES))).astype(np.float32),
        affordances=random.random((num, len(AFFORDANCES))) < 0.5,
        outcomes=random.normal(size=(num, len(OUTCOMES))).astype(np.float32),
        events=random.random((num, len(EVENTS))) < 0.5,
        columns={"label": kind.astype(np.int64)},
        words={"label": tuple(f"kind {k}" for k in range(8))},
    )


def write_sample(folder: Path, num: int = 64, **options: int) -> Path:
    """The splits train and val of such clips in a folder."""
    for seed, split in enumerate(("train", "val")):
        files.write(folder, split, sample_clips(num if split == "train" else num // 2, seed, **options))
    return folder


def _video(kind: np.ndarray, place: np.ndarray, speed: np.ndarray, size: int) -> np.ndarray:
    video = np.full((len(kind), STEPS, size, size, 3), 90, np.uint8)
    colours = np.array([[200 * (k & 1), 200 * (k >> 1 & 1), 200 * (k >> 2 & 1)] for k in range(8)], np.uint8)
    for row in range(len(kind)):
        for step in range(STEPS):
            x, y = ((place[row] + step / STEPS * speed[row]).clip(0, 0.7) * size).astype(int)
            video[row, step, y : y + size // 4, x : x + size // 4] = colours[kind[row]]
    return video


def _audio(kind: np.ndarray, samples: int, random: np.random.Generator) -> np.ndarray:
    time = np.arange(samples) / RATE
    tone = 300 * 1.5 ** kind[:, None] * random.uniform(0.95, 1.05, (len(kind), 1))
    level, decay = random.uniform(0.05, 0.5, (len(kind), 1)), random.uniform(3, 30, (len(kind), 1))
    return (level * np.exp(-decay * time) * np.sin(2 * np.pi * tone * time)).astype(np.float16)
