"""Rendering of CLEVR scenes and whole splits in the layout of the release."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from nsmodels.core.disk import atomically
from nsmodels.core.errors import InputError
from nsmodels.core.hardware import num_cores
from nsmodels.core.progress import counted
from nsmodels.datasets.clevr.config import RENDERER_VERSION
from nsmodels.datasets.clevr.files.format import write_scenes
from nsmodels.datasets.clevr.rendering.camera import Camera
from nsmodels.datasets.clevr.rendering.caster import radiance
from nsmodels.datasets.clevr.rendering.lighting import STUDIO, lamp_table
from nsmodels.datasets.clevr.rendering.scenes import sample_scene, scene_generator
from nsmodels.datasets.clevr.rendering.shapes import object_table

Array = NDArray[np.float64]
# Scenes submitted to the threads at a time: bounds the memory of waiting work.
CHUNK = 1024
PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


def render(scene: dict[str, Any], camera: Camera, lamps: Array, width: int, height: int) -> NDArray[np.uint8]:
    """Image uint8 (height, width, 3) of a scene in the released format.

    `lamps` (3, 3) are the positions of key, fill and back lamp in scene units.
    """
    return encode(radiance(object_table(scene["objects"]), camera, lamp_table(lamps), STUDIO, width, height))


def encode(linear: Array) -> NDArray[np.uint8]:
    """Linear light of any shape, 1.0 is white → 8-bit sRGB (IEC 61966-2-1), same shape; values outside are clipped."""
    clipped = np.clip(linear, 0.0, 1.0)
    curved = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return np.rint(curved * 255.0).astype(np.uint8)


def render_split(
    out: Path,
    split: str,
    num_scenes: int,
    seed: int,
    width: int = 480,
    height: int = 320,
    workers: int | None = None,
    progress: bool = True,
) -> Path:
    """Write `num_scenes` sampled scenes and their images under `out` like the release; returns the scene file.

    Image i depends on (seed, split, i, width, height) alone: its bytes do not depend on `workers` (default: all
    cores), and complete images of an interrupted call are reused. Threads suffice, because the caster and the PNG
    encoder release the GIL. Raises `InputError` for fewer than 1 scene or less than 8x8 pixels.
    """
    if num_scenes < 1 or min(width, height) < 8:
        raise InputError(
            f"render_split: {num_scenes} scenes of {width}x{height}: expected at least 1 scene of 8x8 pixels"
        )
    (out / "images" / split).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(workers or num_cores()) as pool:
        try:
            made = (
                scene
                for start in range(0, num_scenes, CHUNK)
                for scene in pool.map(
                    lambda index: _write_scene(out, split, index, seed, width, height),
                    range(start, min(start + CHUNK, num_scenes)),
                )
            )
            scenes = list(counted(made, num_scenes, f"rendering {split}", "image", progress))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return write_scenes(out, split, scenes)


def _write_scene(out: Path, split: str, index: int, seed: int, width: int, height: int) -> dict[str, Any]:
    scene, camera, lamps = sample_scene(scene_generator(seed, split, index), split, index, width, height)
    target = out / "images" / split / scene["image_filename"]
    origin = f"nsmodels caster {RENDERER_VERSION} seed {seed} split {split} scene {index} size {width}x{height}"
    if not _is_complete(target, origin):
        image = Image.fromarray(render(scene, camera, lamps, width, height)).convert("RGBA")
        note = PngInfo()
        note.add_text("Source", origin)
        with atomically(target) as partial:
            image.save(partial, format="PNG", compress_level=1, pnginfo=note)
    return scene


def _is_complete(path: Path, origin: str) -> bool:
    """Whether `path` is a complete PNG with the note `origin`."""
    try:
        with path.open("rb") as file:
            head = file.read(512)
            file.seek(-len(PNG_END), os.SEEK_END)
            return f"Source\0{origin}".encode("latin-1") in head and file.read() == PNG_END
    except OSError:
        return False
